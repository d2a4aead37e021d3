import { setImmediate } from 'node:timers/promises';
import { collectGarbage } from '../../garbage.ts';

/** What a device makes while it trains; encoders and command buffers anew for every submit. */
const MAKERS = ['createBuffer', 'createBindGroup', 'createCommandEncoder'] as const;

/** Counts what a device has made from now on and what of it is still there: neither collected nor destroyed. */
export class LiveObjects {
  #live = 0;
  readonly #gone = new FinalizationRegistry<null>(() => this.#live--);

  constructor(device: GPUDevice) {
    for (const maker of MAKERS) {
      const make = device[maker].bind(device) as (...args: unknown[]) => object;
      Object.defineProperty(device, maker, { value: (...args: unknown[]) => this.#counted(make(...args)) });
    }
  }

  /** Collects garbage first. */
  async count(): Promise<number> {
    // What the present task has touched stays until its end, and the registry hears of what was collected in another one.
    await setImmediate();
    collectGarbage();
    await setImmediate();
    return this.#live;
  }

  #counted<T extends object>(made: T): T {
    this.#live++;
    this.#gone.register(made, null, made);
    if ('destroy' in made) {
      const destroy = (made.destroy as () => void).bind(made);
      const destroyed = () => {
        destroy();
        if (this.#gone.unregister(made)) this.#live--;
      };
      Object.defineProperty(made, 'destroy', { value: destroyed });
    }
    return made;
  }
}
