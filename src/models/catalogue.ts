import { concat } from '../autograd/ops/concat.ts';
import { embedding } from '../autograd/ops/embedding.ts';
import { linear } from '../autograd/ops/linear.ts';
import type { Branch } from '../autograd/tables.ts';
import { noGrad, type Tape, tapeOf, tensor, zeros } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { checkBindable } from '../gpu/device.ts';
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
  /**
   * Appends the scoring of the chunk that `step`, u32[1], points at.
   * @param keys u32[chunk, items]: takes the logits, as numbers that order as they do (pair_scores.wgsl)
   */
  score(step: Tensor, keys: Tensor): void;
}

/** Users of a chunk and items of a block of it: as many whole tiles as stay within the pairs to score together. */
function blocksOf(users: number, items: number, pairs: number) {
  const tiles = Math.max(1, Math.floor(pairs / items / TILE));
  const chunk = Math.min(users, tiles * TILE);
  return { chunk, block: Math.max(1, Math.min(items, Math.floor(pairs / chunk))) };
}

/**
 * What scoring `users`, u32[tested], with all items needs of a model, from its weights as they are when the dispatches
 * appended here run. The first hidden layer is linear in [p_u ; q_i]:
 *
 *   W [p_u ; q_i] + b = W_u p_u + (W_i q_i + b) = a_u + c_i
 *
 * so that a and c are computed once for each user and each item, and a pair's first layer is relu(a_u + c_i).
 * @param pairs scored together at most; where they are fewer than a tile of users has items, items come in blocks
 */
export function catalogue(model: Model, users: Tensor, pairs = PAIRS): Catalogue {
  const { parameters, config } = model;
  const { gpu } = parameters;
  return noGrad(gpu, () => {
    const [first, ...layers] = model.evaluatedLayers();
    const sums = first && firstLayer(model, users, first);
    const factors = factorTables(model, users);
    const units = (layers.at(-1) ?? first)?.bias.size ?? 0;
    const widest = Math.max(1, ...hiddenUnits(config));
    const { chunk, block } = blocksOf(users.size, config.items, Math.min(pairs, Math.floor(MOST_ELEMENTS / widest)));
    const size = { allItems: config.items, dim: factors?.p.shape[1] ?? 0, units };
    const [h, bias] = [parameters.get('output_layer.weight'), parameters.get('output_layer.bias')];

    const score = (step: Tensor, keys: Tensor) => {
      const tape = tapeOf(gpu);
      const outputs = new Map<number, Tensor>();
      const output = (layer: number, width: number) => {
        if (!outputs.has(layer)) outputs.set(layer, tape.scratch(chunk * block * width, `hidden layer ${layer}`));
        return outputs.get(layer)!;
      };
      for (let firstItem = 0; firstItem < config.items; firstItem += block) {
        const items = Math.min(block, config.items - firstItem);
        const range = { users: chunk, items, firstItem, tested: users.size };
        const x = sums && hiddenLayers(tape, step, range, sums, layers, output);
        const views = { step: step.view, h: h.view, bias: bias.view, keys: keys.view };
        const given = { ...(factors && { p: factors.p.view, q: factors.q.view }), ...(x && { x: x.view }) };
        pairScores(tape.plan, { ...views, ...given }, range, size);
      }
    };
    return { chunk, score };
  });
}

/** The users' part of the first hidden layer, f32[tested, units], and the items', f32[items, units]. */
function firstLayer(model: Model, users: Tensor, { weight, bias }: EvaluatedLayer): Record<'a' | 'c', Tensor> {
  const { parameters, config } = model;
  const { gpu } = parameters;
  for (const [count, what] of [
    [users.size, 'users'],
    [config.items, 'items'],
  ] as const) {
    checkBindable(gpu, `the first hidden layer of ${count} ${what}`, 4 * count * bias.size);
  }
  const [rows, left, right] = [bias.size, config.mlpDim, config.mlpDim];
  const halves = [left, right].map((dim) => zeros(gpu, [rows, dim], { label: 'half of the first layer' }));
  const [ofUsers, ofItems] = halves as [Tensor, Tensor];
  split(tapeOf(gpu).plan, weight.view, ofUsers.view, ofItems.view, { rows, left, right });
  const p = embedding({ table: parameters.get('mlp_user_emb.weight'), ids: users });
  return {
    a: linear(p, ofUsers, zeros(gpu, [rows], { label: 'no bias' })),
    c: linear(parameters.get('mlp_item_emb.weight'), ofItems, bias),
  };
}

/**
 * What the output layer takes products of: p f32[tested, dim] and q f32[items, dim] with logit = h · (p_u ⊙ q_i) + …, in
 * the order of its weights: GMF's embeddings, or what the towers make of theirs. Without hidden layers [p ; q] of the MLP
 * (or of MF's biases) reaches it too: [p ; 1] ⊙ [1 ; q]. Null when there are none.
 */
function factorTables(model: Model, users: Tensor): Record<'p' | 'q', Tensor> | null {
  const { parameters, config, tables } = model;
  if (config.model === 'two-tower') {
    const { users: p, items: q } = model.vectors(users);
    return { p, q };
  }
  const lookUp = (branch: Branch) => ({ p: embedding({ table: branch.users, ids: users }), q: branch.items });
  const gmf = tables.gmf && lookUp(tables.gmf);
  if (!tables.mlp || hiddenUnits(config).length > 0) return gmf;
  const { p, q } = lookUp(tables.mlp);
  const dim = q.shape[1]!;
  const ones = (rows: number) =>
    tensor(parameters.gpu, new Float32Array(rows * dim).fill(1), { shape: [rows, dim], label: 'ones' });
  const mlp = { p: concat(p, ones(users.size)), q: concat(ones(config.items), q) };
  return gmf ? { p: concat(gmf.p, mlp.p), q: concat(gmf.q, mlp.q) } : mlp;
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
