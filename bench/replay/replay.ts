import { Clock } from '../../src/autograd/clock.ts';
import { record, tensor } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { Model } from '../../src/models/model.ts';
import { loadWeights } from '../../src/models/weights.ts';
import { Adam } from '../../src/optim/adam.ts';
import { DeferredAdam } from '../../src/optim/deferred-adam.ts';
import { fusedStep } from '../../src/train/fused-step.ts';
import { trainingStep } from '../../src/train/step.ts';
import { Difference } from './difference.ts';
import type { Trace, TraceStep } from './trace.ts';

/**
 * Runs a trace's steps on the engine and compares each quantity with what the trace expects.
 * @param fused by the fused step, which keeps no gradients of tables to be compared. Throws ConfigError for embeddings that
 *   it does not take
 */
export async function replay(gpu: Gpu, trace: Trace, name: string, fused = false): Promise<Difference[]> {
  const model = new Model(gpu, trace.config);
  loadWeights(model, trace.initial, name);
  const clock = new Clock(gpu);
  const { parameters } = model;
  const optimizer = fused
    ? new DeferredAdam(parameters, clock, model.tables, trace.adam)
    : new Adam(parameters, clock, trace.adam);
  const differences = new Map<string, Difference>();
  const compare = async (quantity: string, actual: Tensor, expected: readonly number[]) => {
    const difference = differences.get(quantity) ?? new Difference(quantity);
    // Of a sample the fused step notes several numbers, the logit first.
    const stride = actual.size / expected.length;
    difference.add(
      (await actual.data()).filter((_, i) => i % stride === 0),
      expected,
    );
    differences.set(quantity, difference);
  };

  for (const step of trace.steps) {
    const batch = batchOf(gpu, step);
    let results!: Record<'logits' | 'loss' | 'clip', Tensor>;
    const plan = record(gpu, 'replay', () => {
      const options = { model, clock, clipNorm: trace.clipNorm, norm: true };
      if (optimizer instanceof DeferredAdam) {
        const { samples, loss, clip } = fusedStep(batch, { ...options, optimizer });
        results = { logits: samples!, loss, clip: clip! };
      } else {
        const { logits, loss, clip } = trainingStep(batch, { ...options, optimizer });
        results = { logits, loss, clip: clip! };
      }
    });
    plan.run();
    if (step.logits) await compare('logits', results.logits, step.logits);
    if (step.loss !== null) await compare('loss', results.loss, [step.loss]);
    if (step.gradNorm !== null) await compare('gradient norm', results.clip, [step.gradNorm]);
    const factor = clippedBy(step, trace.clipNorm);
    for (const [key, expected] of step.gradients) {
      const { grad } = parameters.get(key);
      const unclipped = expected.map((value) => value / factor);
      if (grad) await compare(`gradient ${key}`, grad, unclipped);
    }
  }
  for (const [key, expected] of trace.final) await compare(`final ${key}`, model.parameters.get(key), expected);
  const last = trace.steps.at(-1);
  if (trace.finalEvalLogits && last) {
    const batch = batchOf(gpu, last);
    const logits = model.evaluation()(batch.users, batch.items);
    await compare('final evaluation logits', logits, trace.finalEvalLogits);
  }
  return [...differences.values()];
}

/**
 * Traces may note the gradients before clipping or after it, which scales them in place in PyTorch: their own norm tells.
 * @returns the factor that they were scaled by, 1 for none
 */
function clippedBy({ gradients, gradNorm }: TraceStep, clipNorm: number | null): number {
  if (clipNorm === null || gradNorm === null || gradNorm <= clipNorm) return 1;
  let squares = 0;
  for (const values of gradients.values()) for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  return Math.abs(norm - clipNorm) < Math.abs(norm - gradNorm) ? norm / gradNorm : 1;
}

function batchOf(gpu: Gpu, { users, items, labels }: TraceStep) {
  return { users: tensor(gpu, users), items: tensor(gpu, items), labels: tensor(gpu, labels) };
}
