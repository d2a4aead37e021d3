import type { Numbers } from './trial.ts';

/** Rows of a matrix that stand for all of them where the float64 reference would take minutes. */
export interface Sample {
  /** Of the whole matrix. */
  readonly rows: number;
  /** Ascending. */
  readonly chosen: readonly number[];
}

/** Blocks of adjacent rows, evenly spread, the first and the last among them. @param most rows, about */
export function sampleRows(rows: number, most: number, block = 1): Sample {
  const blocks = Math.ceil(rows / block);
  const taken = Math.min(blocks, Math.max(2, Math.floor(most / block)));
  const chosen: number[] = [];
  for (let i = 0; i < taken; i++) {
    const first = block * (taken === 1 ? 0 : Math.floor((i * (blocks - 1)) / (taken - 1)));
    for (let row = first; row < Math.min(first + block, rows); row++) chosen.push(row);
  }
  return { rows, chosen };
}

/** The blocks of a sample of whole blocks of rows. */
export function blocksOf({ rows, chosen }: Sample, block: number): Sample {
  const firsts = chosen.filter((row) => row % block === 0);
  return { rows: Math.ceil(rows / block), chosen: firsts.map((row) => row / block) };
}

/** The chosen rows of a matrix. */
export function takeRows(matrix: Numbers, { rows, chosen }: Sample): Float32Array<ArrayBuffer> {
  const width = matrix.length / rows;
  const taken = new Float32Array(chosen.length * width);
  chosen.forEach((row, i) => {
    for (let column = 0; column < width; column++) taken[i * width + column] = matrix[row * width + column]!;
  });
  return taken;
}

/** The columns of a matrix that are the chosen rows of its transpose. */
export function takeColumns(matrix: Numbers, { rows: width, chosen }: Sample): Float32Array<ArrayBuffer> {
  const height = matrix.length / width;
  const taken = new Float32Array(height * chosen.length);
  for (let row = 0; row < height; row++) {
    chosen.forEach((column, i) => {
      taken[row * chosen.length + i] = matrix[row * width + column]!;
    });
  }
  return taken;
}
