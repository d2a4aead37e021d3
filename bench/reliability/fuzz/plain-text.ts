/** Delimited text read in the plainest way, all at once and a character after the other: what the readers are compared with. */
import { gunzipSync } from 'node:zlib';

/** Rows of cells without blank ones, or null for what is no text or has a quote that is not right. */
export type Cells = readonly (readonly string[])[] | null;

/** The text of a file, its lines ended by LF; null for what is no UTF-8 or has a NUL. */
export function plainText(bytes: Uint8Array, fallback?: 'windows-1252'): string | null {
  let text: string;
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const inflated = zipped ? gunzipSync(bytes) : bytes;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(inflated);
    } catch (error) {
      if (!fallback) throw error;
      text = new TextDecoder(fallback).decode(inflated);
    }
  } catch {
    return null;
  }
  if (text.includes('\0')) return null;
  return text.split('\r\n').join('\n').split('\r').join('\n');
}

/** A cell that begins with a quotation mark ends with the next single one; others end where a delimiter or the line does. */
export function plainCells(text: string, delimiter: string): Cells {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const ends = () => at === text.length || text[at] === '\n' || text.startsWith(delimiter, at);
  while (at <= text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at === text.length) return null;
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') cell += text[at++];
        else break;
      }
      at++;
      while (!ends() && text[at]!.trim() === '') at++;
      if (!ends()) return null;
    } else {
      for (; !ends(); at++) cell += text[at];
    }
    row.push(cell);
    if (at < text.length && text[at] !== '\n') at += delimiter.length;
    else {
      rows.push(row);
      row = [];
      at++;
    }
  }
  return rows.filter((cells) => cells.length > 1 || cells[0]!.trim() !== '');
}

/** Seconds since 1970 of an ISO date, or the number; null for neither. */
export function plainTime(text: string): number | null {
  const word = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) return Number.isFinite(Number(word)) ? Number(word) : null;
  const date = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?$/.exec(
    word,
  );
  if (!date) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0] = date.slice(1, 7).map((part) => Number(part ?? 0));
  const thousandths = Math.trunc(Number(`0${date[7] ?? ''}`) * 1000 + 1e-9);
  const zone = date[9] ? (date[9] === '-' ? -1 : 1) * (Number(date[10]) * 60 + Number(date[11])) : 0;
  const days = [
    31,
    year! % 4 === 0 && (year! % 100 !== 0 || year! % 400 === 0) ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ];
  if (month! < 1 || month! > 12 || day! < 1 || day! > days[month! - 1]!) return null;
  const atMidnight = hour === 24 && minute === 0 && second === 0 && thousandths === 0;
  if ((hour > 23 && !atMidnight) || minute > 59 || second > 59) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year!, month! - 1, day!);
  return (midnight.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + thousandths) / 1000;
}
