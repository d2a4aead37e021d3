import { embedding } from '../autograd/ops/embedding.ts';
import { linearRelu } from '../autograd/ops/linear.ts';
import { noGrad, record, type Tape, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Pairs } from '../data/interactions.ts';
import { hiddenUnits } from '../models/config.ts';
import type { Model } from '../models/model.ts';

/** Pairs looked at: a unit that none of so many makes positive has no say in the ranking. */
const PAIRS = 1024;

/**
 * How many units of each hidden layer are above zero for any of the first pairs, by the weights of the moment. A layer
 * without one is dead: ReLU lets no gradient through, and whatever comes in, the same goes out.
 */
export async function activeUnits(model: Model, { users, items }: Pairs): Promise<number[]> {
  if (hiddenUnits(model.config).length === 0) return [];
  const { gpu } = model.parameters;
  const outputs: Tensor[] = [];
  let tape!: Tape;
  const plan = record(gpu, 'hidden units', (recording) => {
    tape = recording;
    const ids = (values: Uint32Array) => tensor(gpu, Uint32Array.from(values.subarray(0, PAIRS)));
    const { mlp } = model.tables;
    noGrad(gpu, () => {
      const layers = model.evaluatedLayers();
      let x = embedding({ table: mlp!.users, ids: ids(users) }, { table: mlp!.items, ids: ids(items) });
      for (const { weight, bias } of layers) {
        x = linearRelu(x, weight, bias);
        outputs.push(x);
      }
    });
  });
  plan.run();
  const active = [];
  for (const output of outputs) active.push(countActive(await output.data(), output.shape[1]!));
  tape.dispose();
  return active;
}

/** @param values [rows, units] */
function countActive(values: ArrayLike<number>, units: number): number {
  const active = new Uint8Array(units);
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) active[i % units] = 1;
  return active.filter((one) => one === 1).length;
}
