/** Whether tables that no binding holds come out right: `node bench/reliability/large-tables.ts --help`. */
import { Command } from 'commander';
import { identityIds } from '../../src/data/id-map.ts';
import type { Split } from '../../src/data/split.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { formatBytes } from '../../src/gpu/format.ts';
import { below, pcg4d } from '../../src/random.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import { memoryTable, memoryUse } from '../../src/train/memory.ts';
import { modelConfig, resolveSettings } from '../../src/train/settings.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { aligned } from '../kernels/table.ts';
import { addAdapterOption, integer, runProgram } from '../program.ts';

const program = new Command('node bench/reliability/large-tables.ts')
  .description(
    'Trains GMF for an epoch on generated data of so many users, whose table is split where a binding does not hold it: ' +
      'with the adapter’s limit, with smaller ones, and interrupted and resumed from its checkpoint. Every run must have the ' +
      'same weights, metrics and recommendations.',
  )
  .option('--users <n>', 'rows of the users’ table', integer(200, 2 ** 31), 2_000_000)
  .option('--items <n>', 'rows of the items’ table', integer(200, 2 ** 31), 1000)
  .option('--dim <n>', 'dimensions', integer(4, 1024), 64)
  .option('--binding <bytes>', 'of a binding, where the adapter offers more', integer(2 ** 14, 2 ** 40))
  .addHelpText('after', '\nExit code 1 when runs differ, 2 when nothing can be run.');
addAdapterOption(program);

interface Options {
  readonly users: number;
  readonly items: number;
  readonly dim: number;
  readonly binding?: number;
  readonly adapter: 'auto' | 'hardware' | 'software';
}

/** Every so many users, one is tested and asked for. */
const TESTED = 100;

interface Outcome {
  readonly shards: number;
  /** SHA-256 of the weights, figures and recommendations: what must be the same. */
  readonly result: readonly string[];
}

await runProgram(program, async (options: Options) => {
  const split = generated(options.users, options.items);
  const settings = resolveSettings({
    model: 'gmf',
    gmfDim: options.dim,
    batchSize: 2 ** 17,
    negatives: 1,
    epochs: 1,
    eval: 'both',
  });
  console.log(memoryTable(memoryUse(modelConfig(settings, options.users, options.items), settings)));
  const dataset = { split, userIds: identityIds(options.users), itemIds: identityIds(options.items) };

  /** One run on a device of its own. @param interrupted whether it goes on from a checkpoint on another one */
  async function train(bindingLimit: number | undefined, interrupted: boolean): Promise<Outcome> {
    const controller = new AbortController();
    const signal = interrupted ? controller.signal : undefined;
    let gpu = await Gpu.open({ adapter: options.adapter, bindingLimit });
    try {
      const stop = { signal, stepsPerSubmit: 4, onProgress: () => controller.abort() };
      let trainer = await Trainer.create(gpu, split, settings, stop);
      for await (const _ of trainer);
      if (interrupted) {
        const bytes = await encodeCheckpoint(trainer, dataset);
        gpu.close();
        gpu = await Gpu.open({ adapter: options.adapter, bindingLimit });
        trainer = await Trainer.create(gpu, split, settings);
        restoreCheckpoint(trainer, bytes, 'the checkpoint', dataset);
        for await (const _ of trainer);
      }
      const { 'hr@10': hr, full } = trainer.history[0]!;
      const asked = Array.from(split.test.users, (user) => dataset.userIds.idOf(user));
      const lists = await Recommender.of(trainer, dataset).recommend(asked, { k: 5 });
      const items = new TextEncoder().encode(JSON.stringify(lists));
      return {
        shards: trainer.model.tables.gmf!.users.shards.length,
        result: [
          (await trainer.weightsSha256()).slice(0, 16),
          `${hr!.toFixed(4)}, ${full!['hr@10']!.toFixed(4)}`,
          hex(await crypto.subtle.digest('SHA-256', items)).slice(0, 16),
        ],
      };
    } finally {
      gpu.close();
    }
  }

  const gpu = await Gpu.open({ adapter: options.adapter });
  const { adapterName } = gpu;
  const most = Math.min(gpu.bindingLimit, options.binding ?? Number.POSITIVE_INFINITY);
  gpu.close();
  const runs = [
    { limit: most, interrupted: false },
    { limit: most / 2, interrupted: false },
    { limit: most / 4, interrupted: true },
  ];
  const rows: string[][] = [];
  const results = new Set<string>();
  for (const { limit, interrupted } of runs) {
    const { shards, result } = await train(limit, interrupted);
    results.add(result.join());
    const { rss } = process.memoryUsage();
    rows.push([formatBytes(limit), `${shards}`, interrupted ? 'resumed' : '', ...result, formatBytes(rss)]);
  }
  const header = ['binding', 'shards of users', '', 'weights', 'HR@10, in the catalogue', 'recommendations', 'memory'];
  console.log(`\n${adapterName}, ${options.users} × ${options.dim}\n${aligned([header, ...rows], () => false)}`);
  console.log(results.size === 1 ? 'all the same' : 'runs differ');
  return results.size === 1 ? 0 : 1;
});

/** Users who have each taken one item by chance; of some another one is held out. */
function generated(users: number, items: number): Split {
  const taken = new Uint32Array(users);
  const test = { users: [] as number[], items: [] as number[] };
  const words = new Uint32Array(4);
  for (let user = 0; user < users; user++) {
    pcg4d(words, 1, 0, user, 0);
    const item = below(words[0]!, items);
    taken[user] = item;
    if (user % TESTED !== 0) continue;
    test.users.push(user);
    test.items.push((item + 1 + below(words[1]!, items - 1)) % items);
  }
  return {
    users,
    items,
    train: { offsets: Uint32Array.from({ length: users + 1 }, (_, user) => user), items: taken },
    validation: null,
    test: { users: Uint32Array.from(test.users), items: Uint32Array.from(test.items) },
    negatives: null,
    untested: users - test.users.length,
  };
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
