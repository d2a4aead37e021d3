import { DataError } from '../../../src/errors.ts';

/** What may come of a file: it is read, and rightly, or refused in a line. */
export type Outcome = 'read' | 'refused';

/** A file that was read wrongly, or broke the reader. */
export class Wrong extends Error {
  override name = 'Wrong';
  readonly files: Readonly<Record<string, Uint8Array>>;

  constructor(message: string, files: Readonly<Record<string, Uint8Array>>, cause?: unknown) {
    super(message, { cause });
    this.files = files;
  }
}

/**
 * Reads files and compares.
 * @param right what they say; null where they should be refused. A reader may be stricter than that, but for files that
 * are written as they should be
 */
export async function judge<T>(
  files: Readonly<Record<string, Uint8Array>>,
  read: () => T | Promise<T>,
  right: T | null,
  isLegal: boolean,
): Promise<Outcome> {
  let found: T;
  try {
    found = await read();
  } catch (error) {
    checkRefusal(error, files);
    if (isLegal) throw new Wrong(`a file that is right was refused: ${(error as Error).message}`, files);
    return 'refused';
  }
  const [there, here] = [JSON.stringify(right), JSON.stringify(found)];
  if (there !== here)
    throw new Wrong(`read as ${here.slice(0, 1000)}, and right would be ${there.slice(0, 1000)}`, files);
  return 'read';
}

/** Throws Wrong unless the error is a DataError of one line that begins with a file's name. */
function checkRefusal(error: unknown, files: Readonly<Record<string, Uint8Array>>): void {
  if (!(error instanceof DataError)) throw new Wrong(`${error}`, files, error);
  const { message } = error;
  const isNamed = Object.keys(files).some((name) => message.startsWith(name));
  if (!isNamed || /[\p{Cc}\u2028\u2029]/u.test(message) || message.length > 2500) {
    throw new Wrong(`an error that is no line about the file: ${JSON.stringify(message)}`, files, error);
  }
}
