import { rowsThatFit } from '../autograd/arena.ts';
import { concat } from '../autograd/ops/concat.ts';
import { embedding } from '../autograd/ops/embedding.ts';
import { linear } from '../autograd/ops/linear.ts';
import { byRanges, commonRanges, rowsOf } from '../autograd/shards.ts';
import type { Branch } from '../autograd/tables.ts';
import { noGrad, type Tape, tapeOf, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { split } from '../kernels/concat.ts';
import * as linearKernels from '../kernels/linear.ts';
import {
  type PairBlock,
  pairLayer,
  pairLayers,
  pairScores,
  pairSums,
  prefersPairLayer,
  prefersPairLayers,
  TILE,
} from '../kernels/pairs.ts';
import { hiddenUnits } from './config.ts';
import type { EvaluatedLayer } from './layers.ts';
import type { Model } from './model.ts';

/** Pairs scored together: enough to fill a GPU, and that the threads of a CPU adapter seldom wait for each other. */
const PAIRS = 2 ** 18;
/** Most elements of a hidden layer's output for the pairs scored together (64 MiB). */
const MOST_ELEMENTS = 2 ** 24;

/** Scores a chunk of users after the other, each with all items. */
export interface Catalogue {
  /** Users of a chunk. */
  readonly chunk: number;
  readonly parts: readonly CataloguePart[];
}

/** Some of the users. */
export interface CataloguePart {
  /**
   * Appends the scoring of the chunk that `step`, u32[1], points at, of the part's.
   * @param keys u32[chunk, items]: takes the logits, as numbers that order as they do (pair_scores.wgsl)
   */
  score(step: Tensor, keys: Tensor): void;
}

/** Most users of a part: what comes of them before they meet items fits a binding. */
export function mostUsers({ config, tables, parameters }: Model): number {
  const dimOf = (branch: Branch | null) => branch?.users.shape[1] ?? 0;
  const factors = dimOf(tables.gmf) + 2 * dimOf(tables.mlp);
  return rowsThatFit(Math.max(factors, ...config.mlpLayers), parameters.gpu.bindingLimit);
}

/**
 * Users of a chunk and items of a block of it: as many whole tiles as stay within the pairs to score together.
 * @param most pairs of a chunk, whose scores are in one binding
 */
function blocksOf(users: number, items: number, pairs: number, most: number) {
  const tiles = Math.max(1, Math.floor(pairs / items / TILE));
  const chunk = Math.min(users, tiles * TILE, Math.max(1, Math.floor(most / items)));
  return { chunk, block: Math.max(1, Math.min(items, Math.floor(pairs / chunk))) };
}

/**
 * What scoring users with all items needs of a model, from its weights as they are when the dispatches appended here run.
 * The first hidden layer is linear in [p_u ; q_i]:
 *
 *   W [p_u ; q_i] + b = W_u p_u + (W_i q_i + b) = a_u + c_i
 *
 * so that a and c are computed once for each user and each item, and a pair's first layer is relu(a_u + c_i).
 * @param users u32[tested] each, in parts of at most mostUsers
 * @param pairs scored together at most; where they are fewer than a tile of users has items, items come in blocks
 */
export function catalogue(model: Model, users: readonly Tensor[], pairs = PAIRS): Catalogue {
  const { parameters, config } = model;
  const { gpu } = parameters;
  return noGrad(gpu, () => {
    const [first, ...layers] = model.evaluatedLayers();
    const firstLayer = first && firstLayerOf(model, first);
    const factors = factorsOf(model);
    const units = (layers.at(-1) ?? first)?.bias.size ?? 0;
    const widest = Math.max(1, ...hiddenUnits(config));
    const together = Math.min(pairs, Math.floor(MOST_ELEMENTS / widest));
    const largest = Math.max(...users.map(({ size }) => size));
    const { chunk, block } = blocksOf(largest, config.items, together, gpu.bindingLimit / 4);
    const size = { allItems: config.items, dim: factors?.q.shape[1] ?? 0, units };
    const [h, bias] = [parameters.get('output_layer.weight'), parameters.get('output_layer.bias')];
    const ofItems = [firstLayer?.c, factors?.q].filter((table) => table !== undefined);
    const ranges = commonRanges(ofItems);
    const outputs = new Map<number, Tensor>();
    const output = (layer: number, width: number) => {
      if (!outputs.has(layer)) {
        outputs.set(layer, tapeOf(gpu).scratch(chunk * block * width, `hidden layer ${layer}`));
      }
      return outputs.get(layer)!;
    };

    const part = (ids: Tensor): CataloguePart => {
      const a = firstLayer?.a(ids);
      const p = factors?.p(ids);
      const score = (step: Tensor, keys: Tensor) => {
        const tape = tapeOf(gpu);
        for (const range of ranges) {
          const c = firstLayer && rowsOf(firstLayer.c, range);
          const q = factors && rowsOf(factors.q, range);
          const own = { ...keys.view, offset: 4 * range.first, size: 4 * (keys.size - range.first) };
          for (let firstItem = 0; firstItem < range.rows; firstItem += block) {
            const items = Math.min(block, range.rows - firstItem);
            const pairs = { users: chunk, items, firstItem, tested: ids.size };
            const x = a && c && hiddenLayers(tape, step, pairs, { a, c }, layers, output);
            const views = { step: step.view, h: h.view, bias: bias.view, keys: own };
            const given = { ...(p && q && { p: p.view, q: q.view }), ...(x && { x: x.view }) };
            pairScores(tape.plan, { ...views, ...given }, pairs, size);
          }
        }
      };
      return { score };
    };
    return { chunk, parts: users.map(part) };
  });
}

/** The first hidden layer's part of users, a f32[tested, units] of their ids, and the items', c f32[items, units]. */
function firstLayerOf(model: Model, { weight, bias }: EvaluatedLayer) {
  const { parameters, config, tables } = model;
  const { gpu } = parameters;
  const { users, items } = tables.mlp!;
  const [rows, left, right] = [bias.size, config.mlpDim, config.mlpDim];
  const halves = [left, right].map((dim) => zeros(gpu, [rows, dim], { label: 'half of the first layer' }));
  const [ofUsers, ofItems] = halves as [Tensor, Tensor];
  split(tapeOf(gpu).plan, weight.view, ofUsers.view, ofItems.view, { rows, left, right });
  return {
    a: (ids: Tensor) => linear(embedding({ table: users, ids }), ofUsers, zeros(gpu, [rows], { label: 'no bias' })),
    c: byRanges([items], rows, (q) => linear(q, ofItems, bias)),
  };
}

/**
 * What the output layer takes products of: p f32[tested, dim] of users' ids and q f32[items, dim] with
 * logit = h · (p_u ⊙ q_i) + …, in the order of its weights: GMF's embeddings, or what the towers make of theirs. Without
 * hidden layers [p ; q] of the MLP (or of MF's biases) reaches it too: [p ; 1] ⊙ [1 ; q]. Null when there are none.
 */
function factorsOf(model: Model): { p: (ids: Tensor) => Tensor; q: Tensor } | null {
  const { parameters, config, tables } = model;
  const { gmf, mlp } = tables;
  if (config.model === 'two-tower') return { p: (ids) => model.vectors('users', ids), q: model.vectors('items') };
  const lookUp =
    ({ users: table }: Branch) =>
    (ids: Tensor) =>
      embedding({ table, ids });
  if (!mlp || hiddenUnits(config).length > 0) return gmf && { p: lookUp(gmf), q: gmf.items };
  const dim = mlp.items.shape[1]!;
  const ones = (rows: number) =>
    tensor(parameters.gpu, new Float32Array(rows * dim).fill(1), { shape: [rows, dim], label: 'ones' });
  const besideOnes = (p: Tensor) => concat(p, ones(p.shape[0]!));
  const behindOnes = (q: Tensor) => concat(ones(q.shape[0]!), q);
  if (!gmf) return { p: (ids) => besideOnes(lookUp(mlp)(ids)), q: byRanges([mlp.items], 2 * dim, behindOnes) };
  return {
    p: (ids) => concat(lookUp(gmf)(ids), besideOnes(lookUp(mlp)(ids))),
    q: byRanges([gmf.items, mlp.items], gmf.items.shape[1]! + 2 * dim, (q, own) => concat(q, behindOnes(own))),
  };
}

/** Appends the hidden layers of a block of pairs; gives the last one's output, f32[users, items, units]. */
function hiddenLayers(
  { plan }: Tape,
  step: Tensor,
  pairs: PairBlock,
  { a, c }: Record<'a' | 'c', Tensor>,
  layers: readonly EvaluatedLayer[],
  output: (layer: number, width: number) => Tensor,
): Tensor {
  const { gpu } = plan;
  const sizeOf = ({ weight }: EvaluatedLayer) => ({ inputs: weight.shape[1]!, outputs: weight.shape[0]! });
  const viewsOf = ({ weight, bias }: EvaluatedLayer) => ({ weight: weight.view, bias: bias.view });
  const sums = { step: step.view, a: a.view, c: c.view };
  const [second, third] = layers;

  /** The first layers, as many as one dispatch can do, and how many of `layers` they are. */
  function begin(): { x: Tensor; done: number } {
    if (second && third && prefersPairLayers(gpu, sizeOf(second), sizeOf(third))) {
      const [{ inputs, outputs: middle }, { outputs }] = [sizeOf(second), sizeOf(third)];
      const x = output(2, outputs);
      const both = [viewsOf(second), viewsOf(third)] as const;
      pairLayers(plan, { ...sums, y: x.view }, both, pairs, { inputs, middle, outputs });
      return { x, done: 2 };
    }
    if (second && prefersPairLayer(gpu, sizeOf(second))) {
      const x = output(1, second.bias.size);
      pairLayer(plan, { ...sums, ...viewsOf(second), y: x.view }, pairs, sizeOf(second));
      return { x, done: 1 };
    }
    const units = a.shape[1]!;
    const x = output(0, units);
    pairSums(plan, { ...sums, y: x.view }, pairs, units);
    return { x, done: 0 };
  }

  const { x, done } = begin();
  const rows = pairs.users * pairs.items;
  return layers.slice(done).reduce((before, layer, i) => {
    const y = output(done + i + 1, layer.bias.size);
    const views = { x: before.view, ...viewsOf(layer), y: y.view };
    linearKernels.linear(plan, views, { rows, ...sizeOf(layer) }, { relu: true });
    return y;
  }, x);
}
