/** A worker of its own for the map: laying out is long work on the CPU, for which training should not wait. */
import { layOut } from '../map/lay-out.ts';
import { type Placed, place } from '../map/place.ts';
import type { Vectors } from './protocol.ts';

/** What it is asked: vectors to lay out, and their names; and what it says: how far it is, then where all of it stands. */
export type MapRequest = Pick<Vectors, 'dim' | 'values'> & { readonly names: readonly string[]; readonly seed: number };
export type MapMessage = { readonly share: number } | { readonly placed: Placed } | { readonly error: string };

const page = self as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>;
const tell = (message: MapMessage) => page.postMessage(message);

page.addEventListener('message', async ({ data: { dim, values, names, seed } }: MessageEvent<MapRequest>) => {
  try {
    const vectors = Array.from({ length: values.length / dim }, (_, i) => [...values.subarray(i * dim, (i + 1) * dim)]);
    const points = await layOut(vectors, seed, (done, total) => tell({ share: done / total }));
    tell({ placed: place(points, names) });
  } catch (error) {
    tell({ error: (error as Error).message });
  }
});
