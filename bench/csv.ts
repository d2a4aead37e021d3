/** CSV that people open in a spreadsheet. */
import Papa from 'papaparse';

/**
 * What a spreadsheet would take for a formula: a text that begins with = + - @, their wide forms, a tab or a line's end
 * (OWASP, CSV Injection). Plain numbers such as -1 and +2.5 are none.
 */
const FORMULA = /^(?![+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$)[=+\-@\t\r\n＝＋－＠]/i;

/**
 * Lines of cells, quoted where they must be. Before a formula stands an apostrophe, by which spreadsheets know a text; a
 * program that reads the file takes it off. All other cells stand as they are.
 */
export function csvLines(rows: readonly (readonly (string | number)[])[]): string {
  return rows.length === 0 ? '' : `${Papa.unparse(rows as unknown[][], { escapeFormulae: FORMULA, newline: '\n' })}\n`;
}
