import { ConfigError } from '../../src/errors.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Case, Sizes } from './case.ts';
import { batchNormCases } from './cases/batch-norm.ts';
import { deferredCases } from './cases/deferred.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { embeddingCases } from './cases/embedding.ts';
import { linearCases } from './cases/linear.ts';
import { optimizerCases } from './cases/optimizers.ts';
import { outputCases } from './cases/output.ts';
import { samplingCases } from './cases/sampling.ts';
import { stepCases } from './cases/step.ts';

/** Every shader at the shapes at which a training step and its evaluation run it, in about that order. */
export function kernelCases(gpu: Gpu, sizes: Sizes): Case[] {
  return [
    ...samplingCases(sizes),
    ...embeddingCases(sizes),
    ...linearCases(gpu, sizes),
    ...batchNormCases(sizes),
    ...elementwiseCases(gpu, sizes),
    ...stepCases(sizes),
    ...optimizerCases(sizes),
    ...outputCases(gpu, sizes),
    ...deferredCases(sizes),
  ];
}

/** Those of the cases, and of what is timed of them, with a kernel whose name holds one of the filters; all without any. */
export function selectCases(cases: readonly Case[], filters: readonly string[]): Case[] {
  if (filters.length === 0) return [...cases];
  const matches = (kernel: string) => filters.some((filter) => kernel.includes(filter));
  const selected = cases.map((each) => {
    const timed = each.timed.filter(({ first, end }) => each.kernels.slice(first, end).some(matches));
    return { ...each, timed };
  });
  const found = selected.filter(({ timed }) => timed.length > 0);
  if (found.length > 0) return found;
  const names = [...new Set(cases.flatMap(({ kernels }) => kernels))].sort();
  throw new ConfigError(`no kernel's name holds "${filters.join('" or "')}": there are ${names.join(', ')}`);
}
