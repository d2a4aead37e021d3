/** What the commands share: a checkpoint, the data, the items' names, and a recommender of them. */
import { type Command, Option } from 'commander';
import type { Dataset, DatasetOptions } from '../../src/data/dataset.ts';
import { readTitles } from '../../src/data/titles.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { fileSource } from '../../src/platform/node-files.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { addDataOptions, type DataOptions, datasetOptions } from '../data-options.ts';
import { openDataset } from '../dataset.ts';
import { readFile } from '../files.ts';
import { addAdapterOption } from '../program.ts';

export interface ModelOptions extends Omit<DataOptions, 'data' | 'format'> {
  readonly data?: string;
  readonly dataFormat: DataOptions['format'];
  readonly items?: string;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

/** A command on a checkpoint. @param data what the data is for, with a reminder where it may be left out */
export function modelCommand(program: Command, name: string, description: string, data: string): Command {
  const command = program
    .command(name)
    .description(description)
    .argument('<checkpoint>', 'what train wrote: checkpoint.safetensors');
  addDataOptions(command, new Option('--data <path>', data), '--data-format');
  command.option(
    '--items <file>',
    'the items’ titles: MovieLens’ movies.csv, movies.dat or u.item, or a table with an id and a title',
  );
  addAdapterOption(command);
  return command;
}

/** The data of a command that was given some. @param split how it is held out */
export async function readData(
  { data, dataFormat, ...columns }: ModelOptions,
  split: Pick<DatasetOptions, 'validation' | 'seed'> = {},
): Promise<Dataset | undefined> {
  if (data === undefined) return undefined;
  return openDataset(data, { ...datasetOptions({ ...columns, data, format: dataFormat }), ...split });
}

/** Everything is read before the GPU is asked for anything, so that a wrong path is heard of at once. */
export async function readInputs(path: string, options: ModelOptions) {
  const bytes = readFile(path);
  const names = options.items === undefined ? undefined : await readTitles(fileSource(options.items));
  const dataset = await readData(options);
  return { names, dataset, open: (gpu: Gpu) => Recommender.open(gpu, bytes, { name: path, dataset, names }) };
}
