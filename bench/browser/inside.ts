import { embedding } from '../../src/autograd/ops/embedding.ts';
import { hadamard } from '../../src/autograd/ops/hadamard.ts';
import { linear, linearRelu } from '../../src/autograd/ops/linear.ts';
import { noGrad, record, type Tape, tensor } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { hasGmf, hasMlp } from '../../src/models/config.ts';
import { indicesOf } from '../../src/recommend/known-ids.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import type { Inside, Stage } from './protocol.ts';

type Made = readonly [name: string, tensor: Tensor];

/**
 * The forward pass of one user and one item in evaluation, as `Model.evaluation` has it, with the values of every stage.
 * MF has its biases in place of the MLP; the two-tower model has no stages but its logit.
 */
export async function lookInside({ gpu, model, ids, name }: Recommender, user: string, item: string): Promise<Inside> {
  const u = indicesOf([user], ids.userIds, 'user', name);
  const i = indicesOf([item], ids.itemIds, 'item', name);
  const { parameters, config, tables } = model;
  const gmf: Made[] = [];
  const mlp: Made[] = [];
  let logit!: Tensor;
  let made!: Tape;
  const plan = record(gpu, 'look inside', (tape) => {
    made = tape;
    const [users, items] = [tensor(gpu, u), tensor(gpu, i)];
    logit = model.evaluation()(users, items);
    noGrad(gpu, () => {
      if (hasGmf(config) && tables.gmf) {
        const p = embedding({ table: tables.gmf.users, ids: users });
        const q = embedding({ table: tables.gmf.items, ids: items });
        gmf.push(['user', p], ['item', q], ['product', hadamard(p, q)]);
      }
      if (hasMlp(config) && tables.mlp) {
        let x = embedding({ table: tables.mlp.users, ids: users }, { table: tables.mlp.items, ids: items });
        mlp.push(['[user ; item]', x]);
        model.evaluatedLayers().forEach(({ weight, bias, isLinear }, layer) => {
          x = (isLinear ? linear : linearRelu)(x, weight, bias);
          mlp.push([`layer ${layer + 1}`, x]);
        });
      } else if (config.model === 'mf' && tables.mlp) {
        mlp.push([
          'biases',
          embedding({ table: tables.mlp.users, ids: users }, { table: tables.mlp.items, ids: items }),
        ]);
      }
    });
  });
  try {
    await plan.compile();
    plan.run();
    const stages = { gmf: await read(gmf), mlp: await read(mlp) };
    const h = await floats(parameters.get('output_layer.weight'));
    const phi = [stages.gmf.at(-1), stages.mlp.at(-1)].flatMap((stage) => (stage ? [...stage.values] : []));
    const [bias] = await floats(parameters.get('output_layer.bias'));
    const [value] = await floats(logit);
    return { ...stages, contributions: Float32Array.from(phi, (x, at) => x * h[at]!), bias: bias!, logit: value! };
  } finally {
    made.dispose();
  }
}

async function read(made: readonly Made[]): Promise<Stage[]> {
  const stages: Stage[] = [];
  for (const [name, of] of made) stages.push({ name, values: await floats(of) });
  return stages;
}

const floats = async (of: Tensor) => (await of.data()) as Float32Array;
