/** Scores of all pairs of a block of users × items. */
import type { Gpu } from '../gpu/device.ts';
import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, runsOnSubgroups, type View } from './launch.ts';

const sumsKernel = defineKernel({
  name: 'pair_sums',
  params: { users: 'u32', items: 'u32', first_item: 'u32', tested: 'u32', units: 'u32' },
  bindings: { step: 'read', a: 'read', c: 'read', y: 'write' },
});
const layerKernel = defineKernel({
  name: 'pair_layer_subgroup',
  params: { users: 'u32', items: 'u32', first_item: 'u32', tested: 'u32', inputs: 'u32', outputs: 'u32' },
  bindings: { step: 'read', a: 'read', c: 'read', weight: 'read', bias: 'read', y: 'write' },
});
const layersKernel = defineKernel({
  name: 'pair_layers_subgroup',
  params: {
    users: 'u32',
    items: 'u32',
    first_item: 'u32',
    tested: 'u32',
    inputs: 'u32',
    middle: 'u32',
    outputs: 'u32',
  },
  bindings: { step: 'read', a: 'read', c: 'read', w1: 'read', b1: 'read', w2: 'read', b2: 'read', y: 'write' },
  constants: ['GROUPS'],
});
const SCORES = {
  params: {
    users: 'u32',
    items: 'u32',
    first_item: 'u32',
    all_items: 'u32',
    tested: 'u32',
    dim: 'u32',
    units: 'u32',
  },
  bindings: { step: 'read', p: 'read', q: 'read', x: 'read', h: 'read', bias: 'read', keys: 'write' },
} as const;
const scoresKernel = defineKernel({ name: 'pair_scores', ...SCORES });
const scoresOnSubgroups = defineKernel({ name: 'pair_scores_subgroup', ...SCORES });

/** Users and items of the tile that one subgroup keeps, and outputs of a layer in it. */
export const TILE = 8;

/** A block of pairs: `users` of the tested ones, from the clock's step · users on, × `items`, from `firstItem` on. */
export interface PairBlock {
  readonly users: number;
  readonly items: number;
  readonly firstItem: number;
  /** Tested users in all; those of a block past the last one are scored as anything. */
  readonly tested: number;
}

export interface LayerSize {
  readonly inputs: number;
  readonly outputs: number;
}

export interface ScoreSize {
  /** Items in all. */
  readonly allItems: number;
  /** Factors of p and q. */
  readonly dim: number;
  /** Units of x. */
  readonly units: number;
}

/** Whether pairLayer can run: on subgroups of 8, for layers of whole tiles, read by fours. */
export function runsPairLayer(gpu: Gpu, { inputs, outputs }: LayerSize): boolean {
  return runsOnSubgroups(gpu) && inputs % 4 === 0 && outputs % TILE === 0;
}

/** Whether pairLayer is the way: on CPU adapters it takes half the time of pairSums and `linear`, or less. */
export function prefersPairLayer(gpu: Gpu, size: LayerSize): boolean {
  return gpu.adapterKind === 'software' && runsPairLayer(gpu, size);
}

/** Most outputs of the last of pairLayers' layers: they stay in registers. */
const MOST_OUTPUTS = 32;

/** Whether pairLayers can run: on subgroups of 8, for layers of whole tiles, the last one small. */
export function runsPairLayers(gpu: Gpu, first: LayerSize, second: LayerSize): boolean {
  return runsPairLayer(gpu, first) && runsPairLayer(gpu, second) && second.outputs <= MOST_OUTPUTS;
}

/** Whether pairLayers is the way: on CPU adapters it takes less time than pairLayer and `linear`. */
export function prefersPairLayers(gpu: Gpu, first: LayerSize, second: LayerSize): boolean {
  return gpu.adapterKind === 'software' && runsPairLayers(gpu, first, second);
}

/** `threads`: a pair in each thread; `subgroup`: a tile of 8 × 8 in each subgroup of 8 lanes. */
export type ScoreVariant = 'threads' | 'subgroup';

/** The variants of pairScores that can run on an adapter at these sizes. */
export function scoreVariants(gpu: Gpu, { dim, units }: ScoreSize): readonly ScoreVariant[] {
  return runsOnSubgroups(gpu) && dim % 4 === 0 && units % 4 === 0 ? ['threads', 'subgroup'] : ['threads'];
}

function scoreVariant(gpu: Gpu, size: ScoreSize): ScoreVariant {
  return gpu.adapterKind === 'software' && scoreVariants(gpu, size).includes('subgroup') ? 'subgroup' : 'threads';
}

const shared = ({ users, items, firstItem, tested }: PairBlock) => ({ users, items, first_item: firstItem, tested });
const tiles = ({ users, items }: PairBlock) => Math.ceil(users / TILE) * Math.ceil(items / TILE);

/** y[u, i] = max(a[user] + c[item], 0): a first hidden layer from the users' part and the items'. */
export function pairSums(
  plan: Plan,
  views: Record<'step' | 'a' | 'c' | 'y', View>,
  block: PairBlock,
  units: number,
): void {
  const threads = block.users * block.items * Math.ceil(units / 4);
  plan.dispatch(sumsKernel, views, { ...shared(block), units }, groupsFor(threads));
}

/** A layer behind a first one of sums, y[u, i] = max(x[u, i] · weightᵀ + bias, 0), where runsPairLayer() says so. */
export function pairLayer(
  plan: Plan,
  views: Record<'step' | 'a' | 'c' | 'weight' | 'bias' | 'y', View>,
  block: PairBlock,
  { inputs, outputs }: LayerSize,
): void {
  const groups = (tiles(block) * outputs) / TILE;
  plan.dispatch(layerKernel, views, { ...shared(block), inputs, outputs }, groups);
}

/** Weights and bias of a layer. */
export interface LayerViews {
  readonly weight: View;
  readonly bias: View;
}

/** Two layers behind a first one of sums, in one dispatch, where runsPairLayers() says so. */
export function pairLayers(
  plan: Plan,
  views: Record<'step' | 'a' | 'c' | 'y', View>,
  [first, second]: readonly [LayerViews, LayerViews],
  block: PairBlock,
  { inputs, middle, outputs }: { readonly inputs: number; readonly middle: number; readonly outputs: number },
): void {
  plan.dispatch(
    layersKernel,
    { ...views, w1: first.weight, b1: first.bias, w2: second.weight, b2: second.bias },
    { ...shared(block), inputs, middle, outputs },
    tiles(block),
    { GROUPS: outputs / TILE },
  );
}

/** keys[u, item] = key(bias + Σ h · [p[user] ⊙ q[item] ; x[u, i]]): logits as numbers that order as they do. */
export function pairScores(
  plan: Plan,
  views: Record<'step' | 'h' | 'bias' | 'keys', View> & Partial<Record<'p' | 'q' | 'x', View>>,
  block: PairBlock,
  size: ScoreSize,
  variant = scoreVariant(plan.gpu, size),
): void {
  const { unused } = plan.gpu;
  const { allItems, dim, units } = size;
  const params = { ...shared(block), all_items: allItems, dim, units };
  const bindings = { p: unused, q: unused, x: unused, ...views };
  if (variant === 'subgroup') plan.dispatch(scoresOnSubgroups, bindings, params, tiles(block));
  else plan.dispatch(scoresKernel, bindings, params, groupsFor(block.users * block.items));
}

/** What is not a number, as a key; 0 is a masked item's. */
const NAN_KEY = 1;

/** The logit of a key that is not a masked item's. */
export function logitOf(key: number): number {
  if (key === NAN_KEY) return Number.NaN;
  const bits = key >= 0x80000000 ? key - 0x80000000 : ~key;
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}
