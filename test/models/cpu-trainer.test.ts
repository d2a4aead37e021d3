import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type CpuBatch, type CpuConfig, CpuTrainer } from './cpu-trainer.ts';

type Tensors = Record<string, { data: number[] }>;
interface Golden extends CpuConfig {
  initial: Tensors;
  steps: (CpuBatch & { logits: number[]; loss: number; gradNorm: number; gradients?: Tensors })[];
  final: Tensors;
  finalEvalLogits: number[];
}

/** To the nine digits that the traces have. */
function expectSame(actual: readonly number[], expected: readonly number[], what: string) {
  expect(actual.length, what).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs), 1e-3);
  const worst = Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value)));
  expect(worst / scale, what).toBeLessThan(1e-8);
}

it.each(['gmf', 'neumf-paper', 'neumf-lesson'])('the float64 trainer does what PyTorch did: %s', (name) => {
  const golden: Golden = JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'));
  const initial = Object.entries(golden.initial).map(([key, { data }]): [string, number[]] => [key, data]);
  const trainer = new CpuTrainer(golden, new Map(initial));
  golden.steps.forEach(({ logits, loss, gradNorm, gradients = {}, ...batch }, i) => {
    const step = trainer.step(batch);
    expectSame(step.logits, logits, `step ${i}: logits`);
    expectSame([step.loss], [loss], `step ${i}: loss`);
    expectSame([step.gradNorm], [gradNorm], `step ${i}: gradient norm`);
    for (const [key, { data }] of Object.entries(gradients)) {
      expectSame(step.gradients.get(key)!, data, `step ${i}: gradient ${key}`);
    }
  });
  for (const [key, { data }] of Object.entries(golden.final)) expectSame(trainer.weights.get(key)!, data, key);
  const { users, items } = golden.steps.at(-1)!;
  expectSame(trainer.evaluate(users, items), golden.finalEvalLogits, 'evaluation');
});
