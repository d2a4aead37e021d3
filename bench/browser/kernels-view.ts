import type { Timing } from '../../src/gpu/profiler.ts';
import { byId, make } from './dom.ts';
import type { EngineClient } from './engine.ts';
import { attempt } from './trouble.ts';

/** The kernels of a training step with their measured times. */
export class KernelsView {
  constructor(engine: EngineClient) {
    const time = byId('time-kernels', HTMLButtonElement);
    time.addEventListener('click', () =>
      attempt(time, async () => {
        byId('kernels', HTMLElement).replaceChildren(...shown(await engine.call('kernels')));
      }),
    );
  }

  clear(): void {
    byId('kernels', HTMLElement).replaceChildren();
  }
}

function shown(timings: readonly Timing[]): Node[] {
  const total = timings.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const dispatches = timings.reduce((sum, { count }) => sum + count, 0);
  const rows = timings.map(({ label, count, microseconds }) => {
    const bar = make('div', [], { class: 'bar' });
    bar.style.width = `${total > 0 ? (100 * microseconds) / timings[0]!.microseconds : 0}%`;
    return make('tr', [
      make('th', label, { scope: 'row' }),
      make('td', String(count)),
      make('td', microseconds.toFixed(1)),
      make('td', [bar]),
    ]);
  });
  const heads = ['Kernel', 'Dispatches', 'µs', ''].map((name) => make('th', name, { scope: 'col' }));
  const table = make('table', [make('thead', [make('tr', heads)]), make('tbody', rows)], { class: 'kernels' });
  const note = `${dispatches} dispatches, ${(total / 1000).toFixed(2)} ms on the GPU, each timed in a pass of its own: the median of 5 steps. Browsers round the GPU’s clock, many to 100 µs: what is shorter shows as 0 or 100.`;
  return [make('div', [table], { class: 'scroll' }), make('p', note, { class: 'note' })];
}
