import { MODEL_KINDS, PRESETS } from '../../src/models/config.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from '../../src/train/settings.ts';
import { byId, make } from './dom.ts';

const select = (id: string) => byId(id, HTMLSelectElement);
const input = (id: string) => byId(id, HTMLInputElement);

/** Fills the form with what there is to choose; a preset brings its own numbers. */
export function fillSettings(): void {
  select('preset').append(...Object.keys(PRESETS).map((name) => make('option', name)));
  select('model').append(...MODEL_KINDS.map((name) => make('option', name)));
  select('preset').value = DEFAULT_SETTINGS.preset;
  select('model').value = DEFAULT_SETTINGS.model;
  select('preset').addEventListener('change', takePreset);
  takePreset();
}

function takePreset(): void {
  const { lr, negatives, sampler } = PRESETS[select('preset').value]!;
  input('lr').value = String(lr);
  input('negatives').value = String(negatives);
  select('sampler').value = sampler;
}

/** The settings as they stand in the form. What cannot work the engine refuses, with its reason. */
export function readSettings(): Partial<TrainSettings> {
  return {
    preset: select('preset').value,
    model: select('model').value as TrainSettings['model'],
    epochs: input('epochs').valueAsNumber,
    batchSize: input('batch-size').valueAsNumber,
    lr: input('lr').valueAsNumber,
    negatives: input('negatives').valueAsNumber,
    sampler: select('sampler').value as TrainSettings['sampler'],
    eval: select('eval').value as TrainSettings['eval'],
    seed: input('seed').valueAsNumber,
  };
}
