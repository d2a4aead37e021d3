/** Times of interactions: any number, or an ISO date. */

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A decimal number as it stands, rounded to float64; an ISO date in seconds since 1970, read as UTC where it names no zone, so that a file is
 * split alike everywhere. NaN for anything else.
 */
export function parseTimestamp(text: string): number {
  const trimmed = text.trim();
  if (DECIMAL.test(trimmed)) {
    const number = Number(trimmed);
    return Number.isFinite(number) ? number : Number.NaN;
  }
  const iso = ISO_DATE.exec(trimmed);
  if (!iso || !isDay(trimmed.slice(0, 'yyyy-mm-dd'.length))) return Number.NaN;
  const hasTime = trimmed.length > 'yyyy-mm-dd'.length;
  return Date.parse(trimmed.replace(' ', 'T') + (hasTime && !iso[1] ? 'Z' : '')) / 1000;
}

/** Whether the calendar has that day: of 30 February some engines make a day in March. */
function isDay(day: string): boolean {
  const time = Date.parse(day);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
