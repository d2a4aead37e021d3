/** The ids of the data, and the dense indices (0 … size − 1) that stand for them in every tensor. */

export interface IdMap {
  readonly size: number;
  /** The ids by index; null when every id is its own index, so that nothing needs to be stored. */
  readonly ids: readonly string[] | null;
  indexOf(id: string): number | undefined;
  /** Throws RangeError unless 0 ≤ index < size. */
  idOf(index: number): string;
}

/** Whom the rows of a data set's users and items stand for. */
export interface Ids {
  readonly userIds: IdMap;
  readonly itemIds: IdMap;
}

/** Gives indices in the order of first appearance. */
export class StringIds implements IdMap {
  readonly ids: string[] = [];
  readonly #indices = new Map<string, number>();

  /** The ids of another map with their indices, to which more can be added. */
  static from(map: IdMap): StringIds {
    return new StringIds(map.ids ?? Array.from({ length: map.size }, (_, index) => map.idOf(index)));
  }

  constructor(ids: Iterable<string> = []) {
    for (const id of ids) this.add(id);
  }

  get size(): number {
    return this.ids.length;
  }

  /** The id's index, a new one when it has none yet. */
  add(id: string): number {
    const known = this.#indices.get(id);
    if (known !== undefined) return known;
    // A copy: engines keep a long slice as a view, which would keep the whole chunk of text alive.
    const copy = Array.from(id).join('');
    this.#indices.set(copy, this.ids.length);
    return this.ids.push(copy) - 1;
  }

  indexOf(id: string): number | undefined {
    return this.#indices.get(id);
  }

  idOf(index: number): string {
    return this.ids[checked(index, this.size)];
  }
}

/** For data whose ids are dense already, as in the files of the NCF paper. */
export function identityIds(size: number): IdMap {
  return {
    size,
    ids: null,
    indexOf: (id) => (/^(0|[1-9]\d*)$/.test(id) && Number(id) < size ? Number(id) : undefined),
    idOf: (index) => String(checked(index, size)),
  };
}

function checked(index: number, size: number): number {
  if (Number.isInteger(index) && index >= 0 && index < size) return index;
  throw new RangeError(`no id has the index ${index}; the indices are 0 … ${size - 1}`);
}
