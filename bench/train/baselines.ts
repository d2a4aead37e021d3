import { type BaselineFigures, FITTED_BASELINES } from '../../src/train/fitted-baselines.ts';
import type { StartEvent } from '../../src/train/history.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import type { Display } from '../report/display.ts';

export type Fitted = Readonly<Record<string, BaselineFigures>>;

/** Item-kNN, EASE and MF under the trainer's protocols. Throws the signal's reason when it is stopped. */
export async function fitBaselines(trainer: Trainer, display: Display, signal: AbortSignal): Promise<Fitted> {
  const fitted: Record<string, BaselineFigures> = {};
  for (const { name, evaluate } of FITTED_BASELINES) {
    const onProgress = (share: number) => display.fitting(name, share);
    fitted[name] = await evaluate(trainer, { signal, onProgress });
  }
  return fitted;
}

/** Puts them beside the baselines that need no fitting, and says what they are. */
export function withBaselines(start: StartEvent, fitted: Fitted): StartEvent {
  const baselines = { ...start.baselines };
  const onValidation = { ...start.validation?.baselines };
  for (const [name, { test, validation }] of Object.entries(fitted)) {
    baselines[name] = test;
    if (validation) onValidation[name] = validation;
  }
  const about = FITTED_BASELINES.filter(({ name }) => name in fitted).map(({ name, about }) => `${name}: ${about}`);
  return {
    ...start,
    baselines,
    ...(start.validation && { validation: { ...start.validation, baselines: onValidation } }),
    notes: [...start.notes, ...about],
  };
}
