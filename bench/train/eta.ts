import type { TrainProgress } from '../../src/train/epoch.ts';
import type { EpochEvent } from '../../src/train/history.ts';
import type { TrainSettings } from '../../src/train/settings.ts';

/** Estimates the speed and the end of a run from what it did so far. */
export class Eta {
  #epoch = '';
  #since = performance.now();
  #doneBefore = 0;
  #done = 0;
  #evalSeconds = 0;

  epoch({ evalSeconds }: EpochEvent): void {
    if (evalSeconds !== undefined) this.#evalSeconds = evalSeconds;
  }

  progress({ branch, epoch, done, total }: TrainProgress, settings: TrainSettings) {
    if (`${branch} ${epoch}` !== this.#epoch || done < this.#done) {
      // The first report of an epoch is where counting begins, and that after going back within one.
      this.#epoch = `${branch} ${epoch}`;
      this.#since = performance.now();
      this.#doneBefore = done;
    }
    this.#done = done;
    const seconds = (performance.now() - this.#since) / 1000;
    const samplesPerSecond = seconds > 0 ? (done - this.#doneBefore) / seconds : Number.NaN;
    const samplesLeft = total - done + (settings.epochs - epoch) * total;
    const first = Math.ceil(epoch / settings.evalEvery);
    const evaluations = settings.eval === 'none' ? 0 : Math.ceil(settings.epochs / settings.evalEvery) - first + 1;
    const etaSeconds =
      samplesPerSecond > 0 ? samplesLeft / samplesPerSecond + evaluations * this.#evalSeconds : Number.NaN;
    return { samplesPerSecond, etaSeconds, atMost: settings.patience !== null };
  }
}
