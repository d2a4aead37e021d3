/** A worker of its own for the map: laying out is long work on the CPU, for which training should not wait. */
import { layOut, type Point } from '../map/lay-out.ts';
import type { Vectors } from './protocol.ts';

/** What it is asked: vectors to lay out; and what it says: how far it is, then where the points are. */
export type MapRequest = Pick<Vectors, 'dim' | 'values'> & { readonly seed: number };
export type MapMessage =
  | { readonly share: number }
  | { readonly points: readonly Point[] }
  | { readonly error: string };

const page = self as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>;
const tell = (message: MapMessage) => page.postMessage(message);

page.addEventListener('message', async ({ data: { dim, values, seed } }: MessageEvent<MapRequest>) => {
  try {
    const vectors = Array.from({ length: values.length / dim }, (_, i) => [...values.subarray(i * dim, (i + 1) * dim)]);
    tell({ points: await layOut(vectors, seed, (done, total) => tell({ share: done / total })) });
  } catch (error) {
    tell({ error: (error as Error).message });
  }
});
