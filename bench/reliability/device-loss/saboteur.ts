/** The calls of WebGPU at which a device may be destroyed, by the class that has them. */
const CALLS = {
  GPUDevice: ['createBuffer', 'createBindGroup', 'createComputePipelineAsync', 'createCommandEncoder', 'popErrorScope'],
  GPUQueue: ['submit', 'writeBuffer', 'onSubmittedWorkDone'],
  GPUBuffer: ['mapAsync', 'getMappedRange', 'unmap'],
} as const;

export type Call = (typeof CALLS)[keyof typeof CALLS][number];

/** Just before the call, just after it, or in a later turn of the event loop, when what was called may be under way. */
export type When = 'before' | 'after' | 'later';

/** When a device is to be destroyed: at the call of that kind after so many others. */
export interface Moment {
  readonly call: Call;
  readonly others: number;
  readonly when: When;
}

/** Watches the calls of WebGPU, of one device at a time, and destroys it at a given moment. */
export class Saboteur {
  /** Calls so far. */
  readonly calls = new Map<Call, number>();
  #device: GPUDevice | null = null;
  #next: { readonly call: Call; readonly number: number; readonly when: When } | null = null;
  #onLoss: (call: Call) => void = () => {};
  #later: ReturnType<typeof setTimeout> | undefined;
  readonly #restore: (() => void)[] = [];

  /** Once a device has been opened: Node has the classes only then. */
  constructor() {
    for (const [name, calls] of Object.entries(CALLS)) {
      const { prototype } = (globalThis as unknown as Record<string, { prototype: Record<string, Method> }>)[name]!;
      for (const call of calls) this.#watch(prototype, call);
    }
  }

  /** @param onLoss is called when that moment has come, which may be never */
  destroyAt({ call, others, when }: Moment, onLoss: (call: Call) => void): void {
    this.#next = { call, number: this.#count(call) + others, when };
    this.#onLoss = onLoss;
  }

  /** From now on nothing is destroyed, nor later. */
  rest(): void {
    this.#next = null;
    clearTimeout(this.#later);
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }

  #count(call: Call): number {
    return this.calls.get(call) ?? 0;
  }

  #watch(prototype: Record<string, Method>, call: Call): void {
    const original = prototype[call]!;
    const saboteur = this;
    prototype[call] = function (this: object, ...args) {
      const when = saboteur.#meet(this, call);
      if (when === 'before') saboteur.#destroy(call);
      const result = original.apply(this, args);
      if (when === 'after') saboteur.#destroy(call);
      if (when === 'later') saboteur.#later = setTimeout(() => saboteur.#destroy(call));
      return result;
    };
    this.#restore.push(() => {
      prototype[call] = original;
    });
  }

  /** Counts a call, and says when the device is to be destroyed for it, if at all. */
  #meet(self: object, call: Call): When | null {
    if ('createBuffer' in self) this.#device = self as GPUDevice;
    const number = this.#count(call);
    this.calls.set(call, number + 1);
    if (this.#next?.call !== call || this.#next.number !== number) return null;
    const { when } = this.#next;
    this.#next = null;
    return when;
  }

  #destroy(call: Call): void {
    this.#device!.destroy();
    this.#onLoss(call);
  }
}

type Method = (this: object, ...args: unknown[]) => unknown;
