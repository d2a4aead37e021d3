/** Trains for an hour and looks whether anything grows: `node bench/reliability/soak.ts --help`. */
import { Command } from 'commander';
import { formatBytes } from '../../src/gpu/format.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { BUNDLED, openDataset } from '../dataset.ts';
import { aligned } from '../kernels/table.ts';
import { addAdapterOption, integer, runProgram, withGpu } from '../program.ts';
import { type Course, courses, WARM_UP } from './soak/growth.ts';
import { LiveObjects } from './soak/live-objects.ts';
import { type Sample, takeSample } from './soak/sample.ts';

const program = new Command('node bench/reliability/soak.ts')
  .description(
    'Trains NeuMF (paper-8, batches of 1,024) on the bundled data without an end, evaluates it by both protocols and ' +
      'encodes a checkpoint after every epoch, and prints what the process then holds, garbage collected, one JSON ' +
      'object an epoch; at the end a table.',
  )
  .option('--minutes <n>', 'how long', integer(1, 24 * 60), 60)
  .addHelpText(
    'after',
    `
Judged are the epochs after the first sixth of the time, in which pools and caches fill. Something has grown when its
median over the last third of them is above that over the first third: resident memory by more than 8 MiB, the JavaScript
heap and what it holds outside by more than 1 MiB each, all three with 4 KiB for every epoch between, whose record stays
in the history and in the checkpoint; live GPU objects, buffers and bind groups ever made, and open resources by any.
Exit code 1 when something has grown or the loss has not gone on falling, 2 when nothing can be run.`,
  );
addAdapterOption(program);

interface Options {
  readonly minutes: number;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

/** More than there is time for. */
const EPOCHS = 1_000_000;

await runProgram(program, async (options: Options) => {
  const dataset = await openDataset(BUNDLED);
  return withGpu(options, async (gpu) => {
    const live = new LiveObjects(gpu.device);
    const settings = { preset: 'paper-8', batchSize: 1024, eval: 'both', epochs: EPOCHS } as const;
    const trainer = await Trainer.create(gpu, dataset.split, settings);
    const samples: Sample[] = [];
    const start = performance.now();
    for await (const { epoch, loss } of trainer) {
      await encodeCheckpoint(trainer, dataset);
      const minutes = (performance.now() - start) / 60_000;
      const sample = await takeSample(gpu, live, { minutes, epoch, loss });
      console.log(JSON.stringify(sample));
      samples.push(sample);
      if (minutes >= options.minutes) break;
    }
    const judged = samples.filter(({ minutes }) => minutes > WARM_UP * options.minutes);
    if (judged.length < 3) {
      console.log(`only ${judged.length} epochs after the warm-up: three at least can be judged`);
      return 1;
    }
    const all = courses(judged);
    console.log(`\n${table(all)}\n`);
    const [first, last] = [judged[0]!, judged.at(-1)!];
    const { step } = trainer;
    console.log(
      `${gpu.adapterName}: ${last.minutes.toFixed(0)} minutes, ${last.epoch} epochs, ${step.toLocaleString('en-US')} steps, loss ${first.loss.toFixed(4)} after the warm-up and ${last.loss.toFixed(4)} at the end`,
    );
    const grown = all.filter(({ grown }) => grown).map(({ quantity }) => quantity);
    const wentOn = last.loss < first.loss;
    console.log(grown.length > 0 ? `grown: ${grown.join(', ')}` : 'nothing has grown');
    if (!wentOn) console.log('the loss has not gone on falling');
    return grown.length > 0 || !wentOn ? 1 : 0;
  });
});

function table(all: readonly Course[]): string {
  const rows = all.map(({ quantity, thirds, perHour, grown }) => {
    const shown = (value: number) =>
      ['rss', 'heap', 'external'].includes(quantity)
        ? `${value < 0 ? '-' : ''}${formatBytes(Math.abs(value))}`
        : String(Math.round(value));
    return [quantity, ...thirds.map(shown), shown(perHour), grown ? 'grown' : ''];
  });
  return aligned([['', 'first third', 'middle', 'last third', 'an hour', ''], ...rows], (column) => column > 0);
}
