/** A run's epochs as a file has them. */
import { BRANCHES, type BranchKind } from './fine-tuning.ts';
import type { EpochEvent } from './history.ts';
import type { TrainSettings } from './settings.ts';

const FIGURES = ['lr', 'loss', 'seconds', 'samplesPerSecond'];

/**
 * The epochs of a run, or of the branches before it: they are counted from 1 without gaps, and all else that they tell is
 * numbers. JSON has null for those that are none. Throws an error that says which entry is not like that.
 */
export function storedHistory(stored: unknown, { lr }: Pick<TrainSettings, 'lr'>): EpochEvent[] {
  if (!Array.isArray(stored)) throw new Error('history is no list');
  const epochs: EpochEvent[] = [];
  for (const [at, entry] of stored.entries()) {
    const wrong = (what: string) => new Error(`entry ${at + 1} of the history ${what}`);
    if (!isObject(entry) || entry.event !== 'epoch') throw wrong('is no epoch');
    const told: Record<string, unknown> = { lr, ...entry };
    const { event: _, epoch, branch, validation = {}, full = {}, ...figures } = told;
    if (branch !== undefined && !BRANCHES.includes(branch as BranchKind)) throw wrong('is of no branch that there is');
    const before = epochs.at(-1);
    const right = before && before.branch === branch ? before.epoch + 1 : 1;
    if (epoch !== right) throw wrong(`is not epoch ${right}`);
    const missing = FIGURES.find((name) => !Object.hasOwn(figures, name));
    if (missing) throw wrong(`has no ${missing}`);
    if (![figures, full, ...evaluated(validation)].every(isNumbers)) throw wrong('has figures that are no numbers');
    epochs.push(withNaN({ ...(Object.hasOwn(entry, 'lr') ? {} : { lr }), ...entry }) as unknown as EpochEvent);
  }
  return epochs;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown) =>
  isObject(value) && Object.values(value).every((one) => one === null || typeof one === 'number');

/** The metrics of each protocol. */
function evaluated(stored: unknown): unknown[] {
  if (!isObject(stored)) return [stored];
  const { full = {}, ...sampled } = stored;
  return [sampled, full];
}

function withNaN(stored: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(stored).map(([name, value]) => [
    name,
    value === null ? Number.NaN : isObject(value) ? withNaN(value) : value,
  ]);
  return Object.fromEntries(entries);
}
