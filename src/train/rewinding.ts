import { NonFiniteError } from '../errors.ts';
import type { EpochEvent, RecoveredEvent } from './history.ts';
import { readState, writeState } from './state.ts';
import type { Trainer } from './trainer.ts';

/** Who needs a 32nd of the rate has other troubles. */
export const MOST_REWINDS = 5;

/**
 * Trains `epochs`; where a step leaves the numbers, goes back to the end of the epoch before, or to where training began or
 * was resumed, and trains on from there at half the rate for good: another n-th time makes it 1 / 2ⁿ of the schedule's.
 * An epoch is given out once it is known that its weights can be gone on from. Throws NonFiniteError when MOST_REWINDS have
 * not helped.
 */
export async function* rewinding(
  trainer: Trainer,
  epochs: () => AsyncIterable<EpochEvent>,
  onRecovered: (event: RecoveredEvent) => void = () => {},
): AsyncGenerator<EpochEvent, void> {
  for (let kept = await readState(trainer); ; ) {
    try {
      for await (const epoch of epochs()) {
        kept = await readState(trainer);
        yield epoch;
      }
      return;
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      const before = [...trainer.rewinds];
      if (before.length === MOST_REWINDS) {
        const given = `${error.message}; ${MOST_REWINDS} times it was gone back and the rate halved, and that has not helped`;
        throw new NonFiniteError(given, error);
      }
      writeState(trainer, kept);
      const event: RecoveredEvent = {
        event: 'recovered',
        reason: 'not finite',
        message: error.message,
        step: trainer.step,
        factor: 2 ** -(before.length + 1),
      };
      trainer.rewinds.splice(0, trainer.rewinds.length, ...before, event);
      onRecovered(event);
    }
  }
}
