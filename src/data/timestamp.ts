/** Times of interactions: any number, or an ISO date. */

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A number as it stands; an ISO date in seconds since 1970, read as UTC where it names no zone, so that a file is
 * split alike everywhere. NaN for anything else.
 */
export function parseTimestamp(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '') return Number.NaN;
  const number = Number(trimmed);
  if (Number.isFinite(number)) return number;
  const iso = ISO_DATE.exec(trimmed);
  if (!iso) return Number.NaN;
  const hasTime = trimmed.length > 'yyyy-mm-dd'.length;
  return Date.parse(trimmed.replace(' ', 'T') + (hasTime && !iso[1] ? 'Z' : '')) / 1000;
}
