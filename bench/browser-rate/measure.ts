/** How fast training is where this module runs: in Node, or in a worker of a page. */
import { loadDataset } from '../../src/data/dataset.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { blobSource } from '../../src/platform/browser-files.ts';
import { Trainer } from '../../src/train/trainer.ts';

export interface Wanted {
  readonly seconds: number;
  /** Interactions as the bundled file has them. */
  readonly file: readonly number[];
}

export interface Rate {
  readonly adapter: string;
  readonly samplesPerSecond: number;
  /** Share of the time that reading back takes at most: as if training waited for every read. */
  readonly readingShare: number;
}

/** Until then compiling, first touches of memory and the search for the steps of a submit are over. */
const WARM_UP_MS = 3000;
const ROUND_TRIPS = 50;

/** Trains NeuMF, preset paper-8, at batch 1,024 for so many seconds. */
export async function measure({ seconds, file }: Wanted): Promise<Rate> {
  const gpu = await Gpu.open();
  const blob = new Blob([Uint8Array.from(file)]);
  const { split } = await loadDataset(blobSource(blob, 'online-retail.tsv.gz'));
  const settings = { preset: 'paper-8', batchSize: 1024, eval: 'none', epochs: 1_000_000 } as const;
  const controller = new AbortController();
  const reports: { at: number; samples: number; reads: number }[] = [];
  let reads = 0;
  const read = gpu.read.bind(gpu);
  gpu.read = (view) => {
    reads++;
    return read(view);
  };
  const trainer = await Trainer.create(gpu, split, settings, {
    signal: controller.signal,
    onProgress({ epoch, done, total }) {
      const at = performance.now();
      if (at - start < WARM_UP_MS) return;
      reports.push({ at, samples: (epoch - 1) * total + done, reads });
      if (at - reports[0]!.at > 1000 * seconds) controller.abort();
    },
  });
  const start = performance.now();
  for await (const _ of trainer);
  const [first, last] = [reports[0]!, reports.at(-1)!];
  const milliseconds = last.at - first.at;
  const readingShare = ((last.reads - first.reads) * (await roundTrip(gpu))) / milliseconds;
  gpu.close();
  return {
    adapter: gpu.adapterName,
    samplesPerSecond: (1000 * (last.samples - first.samples)) / milliseconds,
    readingShare,
  };
}

/** Milliseconds that a read takes of a device with nothing else to do. Clocks of browsers are too coarse for one alone. */
async function roundTrip(gpu: Gpu): Promise<number> {
  const buffer = gpu.createBuffer('round trip', 4096);
  const start = performance.now();
  for (let i = 0; i < ROUND_TRIPS; i++) await gpu.read({ buffer });
  return (performance.now() - start) / ROUND_TRIPS;
}
