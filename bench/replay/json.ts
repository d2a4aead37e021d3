import { DataError } from '../../src/errors.ts';

export type Json = Record<string, unknown>;

/** Takes values out of a JSON file; what has another type than expected is a DataError naming the file and the member. */
export class JsonReader {
  readonly file: string;
  readonly root: Json;

  constructor(text: string, file: string) {
    this.file = file;
    try {
      this.root = this.object(JSON.parse(text), 'the file');
    } catch (error) {
      throw error instanceof DataError ? error : new DataError(`${file}: not JSON: ${(error as Error).message}`);
    }
  }

  wrong(member: string, what: string): DataError {
    return new DataError(`${this.file}: ${member} ${what}`);
  }

  number(value: unknown, member: string): number {
    if (typeof value === 'number') return value;
    throw this.wrong(member, `is ${JSON.stringify(value)}, and should be a number`);
  }

  numbers(value: unknown, member: string): number[] {
    if (this.list(value, member).every((x) => typeof x === 'number')) return value as number[];
    throw this.wrong(member, 'should be a list of numbers');
  }

  list(value: unknown, member: string): unknown[] {
    if (Array.isArray(value)) return value;
    throw this.wrong(member, 'should be a list');
  }

  object(value: unknown, member: string): Json {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
    throw this.wrong(member, 'should be an object');
  }

  /** Ids from 0 to below `bound`. */
  ids(value: unknown, member: string, bound: number): Uint32Array<ArrayBuffer> {
    const list = this.numbers(value, member);
    const bad = list.find((id) => !Number.isInteger(id) || id < 0 || id >= bound);
    if (bad === undefined) return Uint32Array.from(list);
    throw this.wrong(member, `has the id ${bad}; an integer from 0 to ${bound - 1} would be right`);
  }
}

/** What `read` makes of a value that is there; null for one that is not. */
export function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : read(value);
}
