import { UMAP } from 'umap-js';
import { pcg4d } from '../../src/random.ts';

/** Neighbours that each point keeps near: UMAP's own default. */
const NEIGHBOURS = 15;
/** A stream of random numbers that nothing else draws from. */
const STREAM = 0x3a9;
/** Epochs between two turns of the event loop. */
const PACE = 10;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Points in the plane whose neighbours are those of the vectors, by cosine (UMAP: McInnes, Healy and Melville 2018). The
 * same vectors and seed give the same points. Needs at least 3 vectors.
 * @param onProgress is told how many of how many epochs are done
 */
export async function layOut(
  vectors: readonly (readonly number[])[],
  seed: number,
  onProgress: (done: number, total: number) => void,
): Promise<Point[]> {
  const words = new Uint32Array(4);
  let draws = 0;
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(NEIGHBOURS, vectors.length - 1),
    minDist: 0.1,
    distanceFn: cosineDistance,
    random: () => pcg4d(words, seed, STREAM, 0, draws++)[0]! / 2 ** 32,
  });
  const epochs = umap.initializeFit(vectors as number[][]);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    umap.step();
    if (epoch % PACE > 0 && epoch < epochs) continue;
    onProgress(epoch, epochs);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return umap.getEmbedding().map(([x, y]) => ({ x: x!, y: y! }));
}

function cosineDistance(a: number[], b: number[]): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    ab += a[d]! * b[d]!;
    aa += a[d]! * a[d]!;
    bb += b[d]! * b[d]!;
  }
  return aa > 0 && bb > 0 ? 1 - ab / Math.sqrt(aa * bb) : 1;
}
