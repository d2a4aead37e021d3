import { MODEL_KINDS, PRESETS, SCHEDULES } from '../../src/models/config.ts';
import { LOSSES, OPTIMIZERS } from '../../src/train/choices.ts';
import { resolveSettings, type TrainSettings } from '../../src/train/settings.ts';
import { byId, make } from './dom.ts';

type Value = string | boolean;
type Setting = keyof TrainSettings;

/** What stands in the form for a setting, and back. */
interface Field {
  show(value: TrainSettings[Setting]): Value;
  read(shown: Value): unknown;
}

const choice: Field = { show: String, read: String };
const number: Field = { show: String, read: (text) => (text === '' ? Number.NaN : Number(text)) };
const tick: Field = { show: Boolean, read: Boolean };
/** A number, where 0 stands for none. */
const orNone: Field = { show: (value) => String(value ?? 0), read: (text) => number.read(text) || null };
const layers: Field = {
  show: (value) => (value as readonly number[]).join() || 'none',
  read: (text) => (text === 'none' ? [] : String(text).split(',').map(number.read)),
};

/** The settings in the form; each field has its setting's name with hyphens as its id. */
const FIELDS: Partial<Record<Setting, Field>> = {
  preset: choice,
  model: choice,
  epochs: number,
  batchSize: number,
  lr: number,
  negatives: number,
  sampler: choice,
  eval: choice,
  seed: number,
  validation: tick,
  gmfDim: number,
  mlpDim: number,
  mlpLayers: layers,
  dropout: number,
  batchNorm: tick,
  optimizer: choice,
  momentum: number,
  schedule: choice,
  warmUp: number,
  weightDecay: number,
  clipNorm: orNone,
  loss: choice,
  temperature: number,
  samplerPower: number,
  ipsPower: number,
  evalEvery: number,
  patience: orNone,
};
/** What the page has other defaults for, as somebody waits for it. */
const OWN: readonly Setting[] = ['epochs', 'batchSize'];

/** Fills the form with what there is to choose; a preset brings its own numbers. */
export function fillSettings(): void {
  const choices = { preset: Object.keys(PRESETS), model: MODEL_KINDS, optimizer: OPTIMIZERS, schedule: SCHEDULES };
  for (const [id, names] of Object.entries({ ...choices, loss: LOSSES })) {
    byId(id, HTMLSelectElement).append(...names.map((name) => make('option', name)));
  }
  const settings = resolveSettings();
  for (const name of Object.keys(FIELDS) as Setting[]) if (!OWN.includes(name)) show(name, settings);
  const preset = byId('preset', HTMLSelectElement);
  preset.addEventListener('change', () => {
    const settings = resolveSettings({ preset: preset.value });
    for (const name of Object.keys(PRESETS[preset.value]!) as Setting[]) if (!OWN.includes(name)) show(name, settings);
  });
}

/** The settings as they stand in the form. What cannot work the engine refuses, with its reason. */
export function readSettings(): Partial<TrainSettings> {
  const read = ([name, field]: [string, Field]) => {
    const control = controlOf(name);
    return [name, field.read(isTick(control) ? control.checked : control.value.trim())];
  };
  return Object.fromEntries(Object.entries(FIELDS).map(read));
}

function show(name: Setting, settings: TrainSettings): void {
  const control = controlOf(name);
  const shown = FIELDS[name]!.show(settings[name]);
  if (isTick(control)) control.checked = shown === true;
  else control.value = String(shown);
}

function controlOf(name: string): HTMLInputElement | HTMLSelectElement {
  const id = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const found = document.getElementById(id);
  if (found instanceof HTMLInputElement || found instanceof HTMLSelectElement) return found;
  throw new TypeError(`page.html has no field #${id}`);
}

const isTick = (control: HTMLInputElement | HTMLSelectElement): control is HTMLInputElement =>
  control.type === 'checkbox';
