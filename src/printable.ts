/**
 * Text from a file as one line that a terminal prints and does not obey: control characters (C0, DEL, C1), line and paragraph
 * separators and those that turn the direction of writing become the escapes that JavaScript writes for them.
 */
export function printable(text: string): string {
  return text.replace(COMMANDS, (character) => ESCAPES[character] ?? hexadecimal(character.charCodeAt(0)));
}

const COMMANDS = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const hexadecimal = (code: number) =>
  code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
