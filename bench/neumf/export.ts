import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { byPopularity } from '../../src/data/item-lists.ts';
import { ConfigError } from '../../src/errors.ts';
import { encodeSafetensors } from '../../src/models/safetensors.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { encodeIds } from '../../src/train/ids.ts';
import { makeFolder, replaceFile } from '../files.ts';
import { layOut } from '../map/lay-out.ts';
import { renderMap } from '../map/page.ts';
import { integer, setAction, withGpu } from '../program.ts';
import { formatCount } from '../report/format.ts';
import { type ModelOptions, modelCommand, readInputs } from './opened.ts';
import { Progress } from './progress.ts';
import { metadataTsv, vectorsTsv } from './tsv.ts';

/** Fewer points than this have no neighbours to keep. */
const FEWEST = 4;

interface Options extends ModelOptions {
  readonly out: string;
  readonly mapItems: number;
  readonly seed: number;
}

export function addExportCommand(program: Command): void {
  const command = modelCommand(
    program,
    'export',
    'Writes the embeddings of users and items, as safetensors and as TSV for TensorFlow’s Embedding Projector, and a map of the items.',
    'the interactions, which tell the map’s most popular items; not needed',
  );
  command
    .requiredOption(
      '--out <folder>',
      'for embeddings.safetensors, items and users as vectors.tsv and metadata.tsv, map.html',
    )
    .option(
      '--map-items <n>',
      'items on the map at most: the most popular ones, or without --data evenly chosen',
      integer(0, 100_000),
      4000,
    )
    .option('--seed <n>', 'of the map; the same seed gives the same map', integer(0, 0xffffffff), 42);
  setAction(command, exportAll);
}

type Vectors = Awaited<ReturnType<Recommender['vectors']>>;

async function exportAll(checkpoint: string, options: Options): Promise<number> {
  const inputs = await readInputs(checkpoint, options);
  makeFolder(options.out);
  return withGpu(options, async (gpu) => {
    const recommender = inputs.open(gpu);
    const { itemIds, userIds } = recommender.ids;
    const tables = { items: await recommender.vectors('items'), users: await recommender.vectors('users') };
    const tensors = new Map(
      Object.entries(tables).map(([name, { dim, values }]) => [
        name,
        { shape: [values.length / dim, dim], data: values },
      ]),
    );
    const files: [name: string, data: string | Uint8Array][] = [
      ['embeddings.safetensors', encodeSafetensors({ tensors, metadata: encodeIds(recommender.ids) })],
      ['items.vectors.tsv', vectorsTsv(tables.items)],
      ['items.metadata.tsv', metadataTsv(itemIds, inputs.names)],
      ['users.vectors.tsv', vectorsTsv(tables.users)],
      ['users.metadata.tsv', metadataTsv(userIds)],
    ];
    if (options.mapItems > 0) files.push(['map.html', await mapOf(recommender, tables.items, options, checkpoint)]);
    for (const [name, data] of files) replaceFile(options.out, name, data);
    console.log(`wrote ${files.map(([name]) => join(options.out, name)).join(', ')}`);
    return 0;
  });
}

async function mapOf(
  recommender: Recommender,
  { dim, values }: Vectors,
  { mapItems, seed }: Options,
  checkpoint: string,
): Promise<string> {
  const { itemIds, userIds } = recommender.ids;
  const { items, sample } = chooseItems(itemIds.size, recommender.popularity, mapItems);
  if (items.length < FEWEST) {
    throw new ConfigError(
      `a map of ${items.length} items shows nothing; --map-items of at least ${FEWEST}, or 0 for no map, would be right`,
    );
  }
  const vectors = items.map((item) => Array.from(values.subarray(item * dim, (item + 1) * dim)));
  const progress = new Progress('map', 1);
  const points = await layOut(vectors, seed, (done, total) => progress.update(done / total)).finally(() =>
    progress.close(),
  );
  const names = items.map((item) => {
    const id = itemIds.idOf(item);
    return recommender.nameOf(id) ?? id;
  });
  const facts = [
    ['Model', `${recommender.model.config.model}, embeddings of ${dim} dimensions`],
    ['Data', `${formatCount(userIds.size)} users × ${formatCount(itemIds.size)} items`],
  ] as const;
  return renderMap({ what: 'Items', on: basename(checkpoint), facts }, { points, names, sample, seed });
}

/** The most popular items, or without counts every n-th one; in what order, and in which words where they are not all. */
function chooseItems(count: number, popularity: Uint32Array | null, most: number) {
  const of = `of ${formatCount(count)}`;
  if (popularity) {
    const items = [...byPopularity(popularity).subarray(0, most)];
    return { items, sample: count > most ? `the most popular ones ${of}` : null };
  }
  const chosen = Math.min(most, count);
  const items = Array.from({ length: chosen }, (_, i) => Math.floor((i * count) / chosen));
  return { items, sample: count > most ? `evenly chosen ${of}` : null };
}
