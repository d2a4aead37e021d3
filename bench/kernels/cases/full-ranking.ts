import type { Gpu } from '../../../src/gpu/device.ts';
import { type ChunkSize, maskSeen, rankItems, topK, topSpansLength } from '../../../src/kernels/catalogue.ts';
import {
  type LayerSize,
  logitOf,
  type PairBlock,
  pairLayer,
  pairLayers,
  pairScores,
  pairSums,
  runsPairLayer,
  runsPairLayers,
  type ScoreVariant,
  scoreVariants,
} from '../../../src/kernels/pairs.ts';
import { absolute, relu } from '../../../test/reference/elementwise.ts';
import * as reference from '../../../test/reference/linear.ts';
import { fullRank, topItems } from '../../../test/reference/pairs.ts';
import { type Case, type Sizes, single, times } from '../case.ts';
import type { Trial } from '../trial.ts';

/** Users scored together. */
const USERS = 16;
/** Seen items of a user. */
const SEEN = 160;
const BEST = 10;

/** Scoring a chunk of users with all items, and what becomes of the scores. */
export function fullRankingCases(gpu: Gpu, sizes: Sizes): Case[] {
  const { items, gmfDim, mlpLayers } = sizes;
  const block = { users: USERS, items, firstItem: 0, tested: USERS };
  const layers = mlpLayers.slice(1).map((outputs, i) => ({ inputs: mlpLayers[i]!, outputs }));
  const [second, third] = layers as [LayerSize, LayerSize];
  const score = { allItems: items, dim: gmfDim, units: mlpLayers.at(-1)! };
  return [
    sumsCase(block, mlpLayers[0]!),
    ...(runsPairLayer(gpu, second) ? [layerCase(block, second)] : []),
    ...(runsPairLayers(gpu, second, third) ? [layersCase(block, second, third)] : []),
    ...scoreVariants(gpu, score).map((variant) => scoresCase(variant, block, score)),
    ...chunkCases({ users: USERS, items, tested: USERS }),
  ];
}

const stepOf = (trial: Trial) => trial.input(Uint32Array.of(0));

/** Both halves of a first layer, and their sums for every pair, rectified. */
function drawSums(trial: Trial, { users, items }: PairBlock, units: number) {
  const [a, c] = [trial.draws.vector(users * units), trial.draws.vector(items * units)];
  const x = Float32Array.from({ length: users * items * units }, (_, at) => {
    const [pair, k] = [Math.floor(at / units), at % units];
    return Math.max(a[Math.floor(pair / items) * units + k]! + c[(pair % items) * units + k]!, 0);
  });
  return { a, c, x };
}

function sumsCase(block: PairBlock, units: number): Case {
  const { users, items } = block;
  const pairs = users * items;
  const work = { bytes: 4 * units * (users + items + pairs), flops: pairs * units };
  return single('pair_sums', times(users, items, units), work, (trial) => {
    const { a, c, x } = drawSums(trial, block, units);
    const views = { step: stepOf(trial), a: trial.input(a), c: trial.input(c), y: trial.output('y', x) };
    pairSums(trial.plan, views, block, units);
  });
}

function layerCase(block: PairBlock, size: LayerSize): Case {
  const { users, items } = block;
  const { inputs, outputs } = size;
  const rows = users * items;
  const bytes = 4 * ((users + items + outputs) * inputs + outputs + rows * outputs);
  const shape = `${times(users, items)} × ${inputs} → ${outputs}`;
  return single('pair_layer_subgroup', shape, { bytes, flops: 2 * rows * inputs * outputs }, (trial) => {
    const { a, c, x } = drawSums(trial, block, inputs);
    const [weight, bias] = [trial.draws.vector(outputs * inputs), trial.draws.vector(outputs)];
    const all = { rows, inputs, outputs };
    const expected = relu(reference.linear(x, weight, bias, all));
    const y = trial.output('y', expected, reference.linear(x, absolute(weight), absolute(bias), all));
    const layer = { weight: trial.input(weight), bias: trial.input(bias), y };
    pairLayer(trial.plan, { step: stepOf(trial), a: trial.input(a), c: trial.input(c), ...layer }, block, size);
  });
}

function layersCase(block: PairBlock, { inputs, outputs: middle }: LayerSize, { outputs }: LayerSize): Case {
  const { users, items } = block;
  const rows = users * items;
  const weights = middle * inputs + outputs * middle;
  const bytes = 4 * ((users + items) * inputs + weights + middle + outputs + rows * outputs);
  const shape = `${times(users, items)} × ${inputs} → ${middle} → ${outputs}`;
  return single('pair_layers_subgroup', shape, { bytes, flops: 2 * rows * weights }, (trial) => {
    const { draws } = trial;
    const { a, c, x } = drawSums(trial, block, inputs);
    const [w1, b1] = [draws.vector(middle * inputs), draws.vector(middle)];
    const [w2, b2] = [draws.vector(outputs * middle), draws.vector(outputs)];
    const two = (of: (values: ArrayLike<number>) => ArrayLike<number>) => {
      const z = relu(reference.linear(x, of(w1), of(b1), { rows, inputs, outputs: middle }));
      return relu(reference.linear(z, of(w2), of(b2), { rows, inputs: middle, outputs }));
    };
    const y = trial.output(
      'y',
      two((values) => values),
      two(absolute),
    );
    const first = { weight: trial.input(w1), bias: trial.input(b1) };
    const layers = [first, { weight: trial.input(w2), bias: trial.input(b2) }] as const;
    const views = { step: stepOf(trial), a: trial.input(a), c: trial.input(c), y };
    pairLayers(trial.plan, views, layers, block, { inputs, middle, outputs });
  });
}

const SHADER = { threads: 'pair_scores', subgroup: 'pair_scores_subgroup' };

function scoresCase(
  variant: ScoreVariant,
  block: PairBlock,
  size: { readonly allItems: number; readonly dim: number; readonly units: number },
): Case {
  const { users, items } = block;
  const { dim, units } = size;
  const pairs = users * items;
  const bytes = 4 * ((users + items) * dim + pairs * units + dim + units + 1 + pairs);
  const shape = `${times(users, items)} × ${dim} + ${units}`;
  return single(SHADER[variant], shape, { bytes, flops: pairs * (3 * dim + 2 * units) }, (trial) => {
    const { draws } = trial;
    const [p, q, x] = [users * dim, items * dim, pairs * units].map((length) => draws.vector(length));
    const [h, bias] = [draws.vector(dim + units), draws.vector(1)];
    const score = (of: (value: number) => number) =>
      Float64Array.from({ length: pairs }, (_, pair) => {
        const [user, item] = [Math.floor(pair / items), pair % items];
        let sum = of(bias[0]!);
        for (let d = 0; d < dim; d++) sum += of(h[d]! * p![user * dim + d]! * q![item * dim + d]!);
        for (let k = 0; k < units; k++) sum += of(h[dim + k]! * x![pair * units + k]!);
        return sum;
      });
    const keys = trial.scratch(pairs);
    trial.expect(
      'logits',
      async () => Float64Array.from(await trial.integers(keys), logitOf),
      score((value) => value),
      score(Math.abs),
    );
    const inputs = { p: trial.input(p!), q: trial.input(q!), x: trial.input(x!), h: trial.input(h) };
    pairScores(trial.plan, { step: stepOf(trial), ...inputs, bias: trial.input(bias), keys }, block, size, variant);
  });
}

/** Masking, ranks and the best: ranks are added to, so the count is timed where it adds to those before. */
function chunkCases(size: ChunkSize): Case[] {
  const { users, items } = size;
  const drawn = (trial: Trial) => {
    const keys = trial.draws.ids(users * items, 100_000).map((key) => 0x80000000 + key);
    const heldOut = trial.draws.ids(users, items);
    return { keys, heldOut, row: (user: number) => keys.subarray(user * items, (user + 1) * items) };
  };
  const all = Array.from({ length: users }, (_, user) => user);
  const spans = topSpansLength(size, BEST);
  return [
    single('mask_seen', times(users, SEEN), { bytes: 4 * users * (2 * SEEN + 3) }, (trial) => {
      const { keys, heldOut } = drawn(trial);
      const seen = trial.draws.ids(users * SEEN, items);
      const expected = keys.slice();
      seen.forEach((item, s) => {
        const user = Math.floor(s / SEEN);
        if (item !== heldOut[user]) expected[user * items + item] = 0;
      });
      const offsets = trial.input(Uint32Array.from({ length: users + 1 }, (_, user) => user * SEEN));
      const lists = { offsets, seenItems: trial.input(seen), heldOut: trial.input(heldOut) };
      maskSeen(trial.plan, { step: stepOf(trial), ...lists, keys: trial.inPlace('keys', keys, expected) }, size);
    }),
    single('rank_items', times(users, items), { bytes: 4 * (users * items + 2 * users) }, (trial) => {
      const { keys, heldOut, row } = drawn(trial);
      const expected = Uint32Array.from(all, (user) => fullRank(row(user), heldOut[user]!, new Set()));
      const ranks = trial.inPlace('ranks', new Uint32Array(users), expected);
      const views = { step: stepOf(trial), heldOut: trial.input(heldOut), keys: trial.input(keys), ranks };
      rankItems(trial.plan, views, size);
    }),
    {
      kernels: ['top_k', 'top_k'],
      shape: `${times(users, items)}, the ${BEST} best`,
      timed: [{ first: 0, end: 2, bytes: 4 * users * items + 16 * spans + 8 * users * BEST }],
      record(trial) {
        const { keys, row } = drawn(trial);
        const expected = all.flatMap((user) =>
          topItems(row(user), new Set(), BEST).flatMap((item) => [row(user)[item]!, item]),
        );
        const views = { step: stepOf(trial), keys: trial.input(keys), spans: trial.scratch(2 * spans) };
        topK(trial.plan, { ...views, best: trial.output('best', Uint32Array.from(expected)) }, size, BEST);
      },
    },
  ];
}
