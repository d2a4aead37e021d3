import { byId, make } from './dom.ts';
import type { EngineClient } from './engine.ts';
import { type Asked, onSubmit, value } from './panel.ts';
import type { Inside, Stage } from './protocol.ts';

/** The forward pass of one pair, every value of every stage as a cell: blue above zero, orange below. */
export class PairView {
  constructor(engine: EngineClient) {
    onSubmit('ask-pair', async () => {
      const inside = await engine.call('inside', value('pair-user'), value('pair-item'));
      byId('pair-answer', HTMLElement).replaceChildren(...shown(inside));
    });
  }

  /** Proposes a user who was asked for, with the best item. */
  propose({ user, recommendations: [best] }: Asked): void {
    byId('pair-user', HTMLInputElement).value = user;
    if (best) byId('pair-item', HTMLInputElement).value = best.item;
  }

  clear(): void {
    byId('pair-answer', HTMLElement).replaceChildren();
  }
}

function shown({ gmf, mlp, contributions, bias, logit }: Inside): Node[] {
  const width = gmf.at(-1)?.values.length ?? 0;
  const [ofGmf, ofMlp] = [contributions.subarray(0, width), contributions.subarray(width)];
  const branches = [
    { title: 'GMF multiplies', stages: gmf, own: ofGmf },
    { title: 'The MLP thinks', stages: mlp, own: ofMlp },
  ].filter(({ stages }) => stages.length > 0);
  const terms = branches.map(({ own }) => number(sum(own)));
  const parts = branches.length > 0 ? `${[...terms, `bias ${number(bias)}`].join(' + ')} = ` : '';
  const score = 1 / (1 + Math.exp(-logit));
  return [
    ...branches.flatMap(({ title, stages, own }) => [
      make('h4', title),
      ...stages.map(row),
      row({ name: 'times h', values: own }),
    ]),
    make('h4', 'The output layer adds'),
    make('p', `${parts}logit ${number(logit)}; σ(logit) = ${score.toFixed(4)}, the score`),
  ];
}

function row({ name, values }: Stage): HTMLElement {
  const most = values.reduce((largest, one) => Math.max(largest, Math.abs(one)), 0);
  const cells = Array.from(values, (one) => {
    const cell = make('i', [], { title: number(one), class: one < 0 ? 'below' : 'above' });
    cell.style.opacity = String(most > 0 ? Math.abs(one) / most : 0);
    return make('span', [cell]);
  });
  const about = `${name}: ${values.length} values, the largest ${number(most)}`;
  const numbers = make('details', [
    make('summary', `${values.length} values, largest ${number(most)}`),
    make('p', Array.from(values, number).join(', '), { class: 'note' }),
  ]);
  const picture = make('div', cells, { class: 'cells', role: 'img', 'aria-label': about });
  return make('div', [make('span', name), make('div', [picture, numbers])], { class: 'stage' });
}

const sum = (values: Float32Array) => values.reduce((before, one) => before + one, 0);

/** With a minus sign that is as wide as a plus. */
const number = (value: number) => value.toFixed(4).replace('-', '−');
