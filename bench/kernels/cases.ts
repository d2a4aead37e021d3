import { ConfigError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { type Case, type Sizes, sizesOf } from './case.ts';
import { batchNormCases } from './cases/batch-norm.ts';
import { deferredCases } from './cases/deferred.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { embeddingCases } from './cases/embedding.ts';
import { fullRankingCases } from './cases/full-ranking.ts';
import { hiddenLayerCases } from './cases/hidden-layer.ts';
import { inBatchSoftmaxCases } from './cases/in-batch-softmax.ts';
import { linearCases } from './cases/linear.ts';
import { optimizerCases } from './cases/optimizers.ts';
import { outputCases } from './cases/output.ts';
import { recommendingCases } from './cases/recommending.ts';
import { samplingCases } from './cases/sampling.ts';
import { stepCases } from './cases/step.ts';
import { nameOf } from './results.ts';

/** Every shader at the shapes at which a training step and its evaluation run it, in about that order. */
export function kernelCases(gpu: Gpu, sizes: Sizes): Case[] {
  return [
    ...samplingCases(sizes),
    ...embeddingCases(sizes),
    ...linearCases(gpu, sizes),
    ...batchNormCases(sizes),
    ...hiddenLayerCases(gpu, sizes),
    ...elementwiseCases(gpu, sizes),
    ...stepCases(sizes),
    ...optimizerCases(sizes),
    ...outputCases(gpu, sizes),
    ...inBatchSoftmaxCases(sizes),
    ...deferredCases(gpu, sizes),
    ...fullRankingCases(gpu, sizes),
    ...recommendingCases(sizes),
  ];
}

/** Whether one of the kernels has a name that holds one of the filters; without any, all do. */
export function selects(filters: readonly string[], kernels: readonly string[]): boolean {
  return filters.length === 0 || kernels.some((kernel) => filters.some((filter) => kernel.includes(filter)));
}

/** Those of the cases, and of what is timed of them, with a kernel that the filters select. Throws ConfigError for none. */
export function selectCases(cases: readonly Case[], filters: readonly string[]): Case[] {
  const selected = cases.map((each) => {
    const timed = each.timed.filter(({ first, end }) => selects(filters, each.kernels.slice(first, end)));
    return { ...each, timed };
  });
  const found = selected.filter(({ timed }) => timed.length > 0);
  if (found.length > 0) return found;
  const names = [...new Set(cases.flatMap(({ kernels }) => kernels))].sort();
  throw new ConfigError(`no kernel's name holds "${filters.join('" or "')}": there are ${names.join(', ')}`);
}

/** A preset at a batch. */
export interface Setting {
  readonly preset: string;
  readonly batch: number;
}

/** The selected cases of every preset at every batch; a shape that several have stands with the first of them. */
export function sweep(
  gpu: Gpu,
  presets: readonly string[],
  batches: readonly number[],
  filters: readonly string[],
): (Setting & { readonly cases: readonly Case[] })[] {
  const seen = new Set<string>();
  const isNew = (each: Case) => seen.size < seen.add(nameOf(each)).size;
  return batches
    .flatMap((batch) => presets.map((preset) => ({ preset, batch })))
    .map((setting) => {
      const all = kernelCases(gpu, sizesOf(setting.preset, setting.batch));
      return { ...setting, cases: selectCases(all, filters).filter(isNew) };
    })
    .filter(({ cases }) => cases.length > 0);
}
