import { defineKernel } from '../gpu/kernel.ts';
import type { Plan } from '../gpu/plan.ts';
import { groupsFor, productThreads, type View } from './launch.ts';
import { sumParts, weightGradParts } from './linear.ts';

const bceKernel = defineKernel({
  name: 'output_bce',
  params: { rows: 'u32', dim: 'u32', width: 'u32', scale: 'f32' },
  bindings: {
    pairs: 'read',
    y: 'read',
    weight: 'read',
    bias: 'read',
    labels: 'read',
    samples: 'write',
    dpairs: 'write',
    dy: 'write',
  },
  constants: ['WG', 'WEIGHTED'],
});
const gradKernel = defineKernel({
  name: 'output_grad',
  params: { rows: 'u32', dim: 'u32', width: 'u32', span: 'u32', parts: 'u32', scale: 'f32' },
  bindings: { pairs: 'read', y: 'read', samples: 'read', dweight: 'write', dbias: 'write', loss: 'write' },
  constants: ['WG'],
});

/** What reaches the output layer: GMF's pairs of `dim` elements, a multiple of 4, and `width` units of the MLP. */
export interface OutputSize {
  readonly rows: number;
  readonly dim: number;
  readonly width: number;
}

/**
 * Logit, loss and gradient of each sample (vec4f[rows]), and the gradients of what they come from, for the mean loss.
 * @param weighted the samples' weights stand behind the labels
 */
export function outputBce(
  plan: Plan,
  views: Record<'pairs' | 'y' | 'weight' | 'bias' | 'labels' | 'samples' | 'dpairs' | 'dy', View>,
  { rows, dim, width }: OutputSize,
  weighted: boolean,
): void {
  const WG = productThreads(plan.gpu);
  const params = { rows, dim: dim / 4, width, scale: 1 / rows };
  plan.dispatch(bceKernel, views, params, groupsFor(rows, WG), { WG, WEIGHTED: Number(weighted) });
}

/**
 * Gradients of weight and bias, and the mean loss, in parts as linearWeightGrad's.
 * @param scratch f32[parts · (dim + width)], f32[parts], f32[parts], needed when there are several parts
 */
export function outputGrad(
  plan: Plan,
  { pairs, y, samples, ...results }: Record<'pairs' | 'y' | 'samples' | 'dweight' | 'dbias' | 'loss', View>,
  { rows, dim, width }: OutputSize,
  scratch?: Record<'dweight' | 'dbias' | 'loss', View>,
): void {
  const { parts, span } = weightGradParts(plan, rows);
  const WG = plan.gpu.adapterKind === 'software' ? 8 : 64;
  const size = { rows, dim, width, span, parts, scale: 1 / rows };
  const to = scratch ?? results;
  plan.dispatch(gradKernel, { pairs, y, samples, ...to }, size, groupsFor(parts * (dim + width), WG), { WG });
  if (!scratch) return;
  sumParts(plan, scratch.dweight, results.dweight, dim + width, parts);
  sumParts(plan, scratch.dbias, results.dbias, 1, parts);
  sumParts(plan, scratch.loss, results.loss, 1, parts);
}
