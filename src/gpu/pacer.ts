import type { Gpu } from './device.ts';

/** A submit should take about this long: short enough for a page and for Ctrl-C, long enough to hide its own cost. */
const TARGET_MS = 50;
const MOST_IN_FLIGHT = 3;
const MOST_REPEATS = 1024;
/**
 * What a submit took counts by so much for the next but one, and so on: where a browser looks after its device now and then
 * only, it hears of several submits at once, and each alone seems to have taken all of the time, or none.
 */
const MEMORY = 0.75;

/** Sizes submits by how long the last ones took, and keeps at most three of them in flight. */
export class Pacer {
  /** How many repetitions to put into the next submit. */
  repeats: number;
  readonly #gpu: Gpu;
  readonly #fixed: boolean;
  #inFlight: Promise<void>[] = [];
  #lastDone = 0;
  /** Milliseconds and repetitions of the last submits, older ones counting for less. */
  #milliseconds = 0;
  #repetitions = 0;

  /** @param repeats a fixed number of repetitions a submit; without it the number is found */
  constructor(gpu: Gpu, repeats?: number) {
    this.#gpu = gpu;
    this.#fixed = repeats !== undefined;
    this.repeats = repeats ?? 1;
  }

  /**
   * Notes that `repeats` repetitions were submitted; resolves when the next ones may be.
   * @param finished resolves when they are done, such as a read of what they leave; what it throws is thrown when they are
   *   waited for, here or in `drain`
   */
  async submitted(repeats: number, finished: Promise<void> = this.#finished()): Promise<void> {
    const start = performance.now();
    const done = finished.then(() => {
      const now = performance.now();
      // A submit that waited behind another began when that one was done.
      this.#milliseconds = MEMORY * this.#milliseconds + now - Math.max(start, this.#lastDone);
      this.#repetitions = MEMORY * this.#repetitions + repeats;
      const each = this.#milliseconds / this.#repetitions;
      this.#lastDone = now;
      if (this.#fixed) return;
      const wanted = Math.floor(TARGET_MS / Math.max(each, TARGET_MS / MOST_REPEATS));
      this.repeats = Math.max(1, Math.min(wanted, 2 * this.repeats, MOST_REPEATS));
    });
    done.catch(() => {}); // it is waited for later; until then it must not count as unhandled
    this.#inFlight.push(done);
    if (this.#inFlight.length >= MOST_IN_FLIGHT) await this.#inFlight.shift();
    this.#gpu.check();
  }

  /** Resolves when all that was submitted is done. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight.splice(0));
    this.#gpu.check();
  }

  async #finished(): Promise<void> {
    await this.#gpu.wait(this.#gpu.device.queue.onSubmittedWorkDone());
  }
}
