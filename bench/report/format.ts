/** Numbers and phrases as the console and the report print them. */

import type { Best, EpochEvent, RecoveredEvent, StartEvent } from '../../src/train/history.ts';

/** What stands where a figure is missing. */
export const MISSING = '–';

const grouped = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});

/** 264514 → "264,514". */
export const formatCount = (count: number): string => grouped.format(count);

/** 1234567 → "1.23M": a rate is read for its size, not for its last digits. */
export const formatRate = (perSecond: number): string =>
  Number.isFinite(perSecond) ? compact.format(perSecond) : MISSING;

/** A loss or a metric with four decimals; an absent one as a dash. A NaN stays visible: it is a finding. */
export const formatScore = (score: number | undefined): string => (score === undefined ? MISSING : score.toFixed(4));

/** Seconds in a table's column, always with two decimals. */
export const formatSeconds = (seconds: number | undefined): string =>
  seconds === undefined ? MISSING : seconds.toFixed(2);

/** Seconds in the two largest units that matter: "0.42 s", "12.3 s", "4 min 05 s", "2 h 03 min", "3 d 04 h". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.round(whole / 60);
  const hours = Math.round(whole / 3600);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** The model as the settings name it, e.g. "neumf paper-8". */
export function describeModel({ settings }: StartEvent): string {
  const names = [settings.model, settings.preset].filter((name) => typeof name === 'string');
  return names.length > 0 ? names.join(' ') : 'model';
}

/** "3", or "gmf 3" for an epoch of a branch before the fusion. */
export const describeEpoch = ({ branch, epoch }: EpochEvent): string => (branch ? `${branch} ${epoch}` : String(epoch));

/** The adapter's own words, and in plain ones that it is none of hardware when it is a software adapter. */
export const describeAdapter = ({ adapter, adapterKind }: StartEvent): string =>
  adapterKind === 'software' ? `${adapter} (software adapter: runs on the CPU, not on a GPU)` : adapter;

/** How the best epoch was chosen; said wherever its figures stand, as choosing on the test items flatters them. */
export function describeChoice({ chosenOn }: Best, evaluatedEpochs: number, epochs: number): string {
  const kind = evaluatedEpochs === epochs ? '' : 'evaluated ';
  return `best of ${evaluatedEpochs} ${kind}epoch${evaluatedEpochs === 1 ? '' : 's'}, chosen on the ${chosenOn}`;
}

/** What went wrong, and where the run went on. */
export function describeRecovery({ reason, message, branch, step, factor }: RecoveredEvent): string {
  const from = `from step ${step}${branch ? ` of ${branch}` : ''}`;
  return reason === 'device lost'
    ? `${message}; another one was opened, and training went on ${from}`
    : `${message}; training went back, and on ${from} at half the rate, ${factor} of the schedule’s`;
}

/** A number that was computed in f32, without the digits that it does not have. */
export const asF32 = (value: number): number => Number(value.toPrecision(7));
