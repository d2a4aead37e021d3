/**
 * The first key that an object of a JSON text has twice; null where there is none. JSON.parse keeps the last of them and
 * says nothing, other readers the first, so that such a text says different things to different programs.
 * @param text that JSON.parse takes
 */
export function repeatedKey(text: string): string | null {
  const open: (Set<string> | null)[] = []; // null for a list
  let previous = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const begin = at++;
      for (; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      const keys = open.at(-1);
      if (!keys || previous === ':') continue;
      const key: string = JSON.parse(text.slice(begin, at + 1));
      if (keys.has(key)) return key;
      keys.add(key);
    } else if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    if (!' \t\r\n"'.includes(character)) previous = character;
  }
  return null;
}
