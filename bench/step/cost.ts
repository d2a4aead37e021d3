import type { ModelConfig } from '../../src/models/config.ts';
import { featureWidth } from '../../src/models/layout.ts';

/** A part of the fused step: every input of its dispatches read once, every output written once. */
export interface Part {
  readonly part: 'sampling and grouping' | 'embeddings with Adam' | 'tower' | 'output and loss' | 'Adam of the tower';
  readonly bytes: number;
  /** Additions, multiplications, divisions and roots. */
  readonly flops: number;
}

export interface Batch {
  readonly rows: number;
  /** Rows of the tables that the batch looks at. */
  readonly distinct: { readonly users: number; readonly items: number };
  readonly clipped: boolean;
}

/** Of one element that Adam moves, with a gradient and without one. */
const ADAM_FLOPS = 17;
const MISSED_FLOPS = 14;
const STATE = 3; // weight and both moments

/**
 * The cost model of the README: what a fused step of NeuMF moves and computes. With rows B, distinct rows T of U users and
 * I items in all, E elements a row of both branches' tables:
 *   embeddings   24 T E bytes to catch up and as many to update, 8 B E looked up and 8 B E of gradients (24 B E clipped);
 *                14 (U + I) E operations, as every row takes every step at last, and 17 T E + 2 B E
 *   tower        a layer n → m forward, backward to its input and to its weight: 6 B n m operations
 */
export function costOf(config: ModelConfig, { rows, distinct, clipped }: Batch): Part[] {
  const { users, items, gmfDim, mlpDim, mlpLayers, batchNorm } = config;
  const width = gmfDim + mlpDim;
  const touched = (distinct.users + distinct.items) * width;
  const looked = 2 * rows * width;
  const layers = mlpLayers.map((outputs, l) => ({ inputs: l ? mlpLayers[l - 1]! : 2 * mlpDim, outputs }));
  const weights = layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
  const features = featureWidth(config);
  const dense = weights + features + 1 + (batchNorm ? 2 * mlpLayers.reduce((sum, units) => sum + units, 0) : 0);
  return [
    { part: 'sampling and grouping', bytes: 4 * rows * (3 + 2 * (1 + 1 + 5 + 5)), flops: 0 },
    {
      part: 'embeddings with Adam',
      bytes: 4 * (2 * 2 * STATE * touched + 2 * looked + (clipped ? looked + touched : 0)),
      flops: MISSED_FLOPS * (users + items) * width + ADAM_FLOPS * touched + looked * (clipped ? 3 : 1),
    },
    {
      part: 'tower',
      bytes: layers.reduce((sum, layer) => sum + layerBytes(layer, rows, batchNorm), 0),
      flops: layers.reduce((sum, { inputs, outputs }) => sum + rows * outputs * (6 * inputs + (batchNorm ? 25 : 2)), 0),
    },
    {
      part: 'output and loss',
      bytes: 4 * rows * (3 * (2 * gmfDim + features - gmfDim) + 9),
      flops: rows * (9 * gmfDim + 5 * (features - gmfDim) + 30),
    },
    {
      part: 'Adam of the tower',
      bytes: 4 * dense * (7 + (clipped ? 1 : 0)),
      flops: dense * (ADAM_FLOPS + (clipped ? 2 : 0)),
    },
  ];
}

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
}

/** Forward x, W → z; backward dz, W → dx and x, dz → dW; with BatchNorm also z → y, and z, y, dy twice → dz. */
function layerBytes({ inputs, outputs }: Layer, rows: number, batchNorm: boolean): number {
  const products = 3 * inputs * outputs + rows * (3 * inputs + 3 * outputs);
  return 4 * (products + rows * outputs * (batchNorm ? 9 : 2));
}

export const total = (parts: readonly Part[]) => ({
  bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  flops: parts.reduce((sum, { flops }) => sum + flops, 0),
});
