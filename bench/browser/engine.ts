/** The page's end of the worker. */
import type { Call, Engine, Failure, Message, Told } from './protocol.ts';

type Method = keyof Engine;
type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

/** An error that the engine threw, with its own name and line. */
export class EngineError extends Error {
  constructor({ name, message }: Failure) {
    super(message);
    this.name = name;
  }
}

/** Calls the engine in its worker, and hears what it tells. */
export class EngineClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  /** @param hear is told of a run's course */
  constructor(hear: (told: Told) => void) {
    this.#worker = new Worker('worker.js', { type: 'module', name: 'engine' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if ('event' in data) return hear(data);
      const { resolve, reject } = this.#waiting.get(data.id)!;
      this.#waiting.delete(data.id);
      if ('error' in data) reject(new EngineError(data.error));
      else resolve(data.value);
    });
    this.#worker.addEventListener('error', ({ message }) => {
      const error = new Error(`the worker failed: ${message || 'its script could not be loaded'}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  call<M extends Method>(method: M, ...args: Parameters<Engine[M]>): ReturnType<Engine[M]> {
    const id = this.#calls++;
    this.#worker.postMessage({ id, method, args } satisfies Call);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject })) as ReturnType<Engine[M]>;
  }
}
