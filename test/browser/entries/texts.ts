/** Reads the text of files, in a page or in Node. */
import { textChunks } from '../../../src/data/source.ts';
import { blobSource } from '../../../src/platform/browser-files.ts';

/** @param files their bytes in base64. Gives each one's text, or its length where it is long; or what is wrong with it */
export async function main(files: Readonly<Record<string, string>>): Promise<Record<string, string | number>> {
  const answers: Record<string, string | number> = {};
  for (const [name, base64] of Object.entries(files)) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    let text = '';
    try {
      for await (const chunk of textChunks(blobSource(new Blob([bytes]), name))) text += chunk;
      answers[name] = text.length < 100 ? text : text.length;
    } catch (error) {
      answers[name] = `${(error as Error).name}: ${(error as Error).message}`;
    }
  }
  return answers;
}
