import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tape.ts';
import { identityIds, StringIds } from '../../src/data/id-map.ts';
import { DataError } from '../../src/errors.ts';
import type { ModelConfig } from '../../src/models/config.ts';
import { Model } from '../../src/models/model.ts';
import { encodeSafetensors } from '../../src/models/safetensors.ts';
import { sizesOf } from '../../src/models/sizes.ts';
import { readWeights } from '../../src/models/weights.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { loadStateDict, readStateDict } from '../../src/train/state-dict.ts';
import { useGpu } from '../gpu-fixture.ts';
import { expectClose } from '../numbers.ts';
import { GROUPS, LESSON_LIKE, trained } from './fixture.ts';

const on = useGpu();
const golden = (file: string) => readFileSync(new URL(`../golden/lesson-state-dict.${file}`, import.meta.url));
const LESSON = {
  model: 'neumf',
  users: 7,
  items: 9,
  gmfDim: 4,
  mlpDim: 6,
  mlpLayers: [8, 4],
  batchNorm: true,
} as const;
const LESSON_IDS = { userIds: identityIds(7), itemIds: identityIds(9) };

const lesson = () => readStateDict(new Uint8Array(golden('safetensors')), 'lesson.safetensors');
const newModel = (config: Omit<ModelConfig, 'dropout'> = LESSON, seed = 1) =>
  new Model(on.gpu, { ...config, dropout: 0 }, seed);

/** As safetensors, whole or changed. */
async function fileOf(model: Model, change: object = {}, metadata: Record<string, string> = {}) {
  const tensors = new Map([...(await readWeights(model)), ...Object.entries(change)]);
  for (const [name, value] of tensors) if (value === null) tensors.delete(name);
  return encodeSafetensors({ tensors, metadata });
}

describe('a state dict that PyTorch saved', () => {
  it('tells the model’s sizes', () => {
    expect(lesson()).toMatchObject({ sizes: LESSON, ids: null, converted: [] });
  });

  it('gives PyTorch’s logits', async () => {
    const model = newModel();
    loadStateDict(model, lesson(), LESSON_IDS);
    const { users, items, logits } = JSON.parse(golden('json').toString());
    const [u, i] = [users, items].map((ids) => tensor(on.gpu, Uint32Array.from(ids)));
    const ours = await model.evaluation()(u!, i!).data();
    expectClose([...ours], logits, { relative: 1e-5, scale: logits.map(() => 1) });
  });

  it('is refused by a model of other sizes, which stays as it was', async () => {
    const model = newModel({ ...LESSON, users: 8 });
    const before = await readWeights(model);
    const load = () => loadStateDict(model, lesson(), LESSON_IDS);
    expect(load).toThrow(new DataError('lesson.safetensors: gmf_user_emb.weight is [7, 4], and this model has [8, 4]'));
    expect(await readWeights(model)).toEqual(before);
  });
});

it.each<Omit<ModelConfig, 'dropout'>>([
  LESSON,
  { ...LESSON, batchNorm: false },
  { ...LESSON, batchNorm: false, mlpLayers: [] },
  { ...LESSON, batchNorm: false, mlpLayers: [5, 3, 2, 7, 1, 6, 4, 2, 3, 9, 8, 1] },
])('weights tell the sizes of %o', async (config) => {
  const { users, items, gmfDim, mlpDim, mlpLayers, batchNorm } = config;
  const told = async (model: ModelConfig['model']) => {
    const weights = await readWeights(newModel({ ...config, model }));
    return sizesOf(new Map([...weights].reverse()), 'weights');
  };
  expect(await told('neumf')).toEqual(config);
  expect(await told('mlp')).toEqual({ model: 'mlp', users, items, mlpDim, mlpLayers, batchNorm });
  expect(await told('gmf')).toEqual({ model: 'gmf', users, items, gmfDim });
  expect(await told('mf')).toEqual({ model: 'mf', users, items, gmfDim });
  // A tower of one layer has nothing to normalise.
  const towers = { mlpDim, mlpLayers, batchNorm: batchNorm && mlpLayers.length > 1 };
  expect(await told('two-tower')).toEqual({ model: 'two-tower', users, items, ...towers });
});

it('weights of 16 bits are converted, and it is said', () => {
  const shapes = {
    'gmf_user_emb.weight': [2, 1],
    'gmf_item_emb.weight': [1, 1],
    'output_layer.weight': [1, 1],
    'output_layer.bias': [1],
  };
  let at = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const size = 2 * shape[0]!;
    at += size;
    return [name, { dtype: 'BF16', shape, data_offsets: [at - size, at] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + header.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set([0x80, 0x3f, 0x20, 0xc0], 8 + header.length);
  const { converted, weights } = readStateDict(bytes, 'half');
  expect(converted).toEqual(['BF16']);
  expect([...weights.get('gmf_user_emb.weight')!.data]).toEqual([1, -2.5]);
});

describe('the rows of the tables', () => {
  const userIds = new StringIds(['ann', 'bob', 'cec', 'dan', 'eva', 'fay', 'gus']);
  const metadata = {
    userIds: JSON.stringify(userIds.ids),
    itemIds: JSON.stringify(Array.from({ length: 9 }, (_, i) => `item ${i}`)),
  };

  it('stand for the ids that the file has', async () => {
    const dict = readStateDict(await fileOf(newModel(), {}, metadata), 'file');
    expect([dict.ids?.userIds.indexOf('dan'), dict.ids?.itemIds.idOf(8)]).toEqual([3, 'item 8']);
    const other = newModel(LESSON, 2);
    loadStateDict(other, dict, dict.ids!);
    expect(await readWeights(other)).toEqual(await readWeights(newModel()));
    expect(() => loadStateDict(other, dict, LESSON_IDS)).toThrow(
      `file: its user number 0 is "ann", and this data's is "0"; the data that it was trained on would be right`,
    );
  });

  it.each([
    [{ userIds: metadata.userIds }, 'file: its ids cannot be read: it has no itemIds'],
    [{ ...metadata, itemIds: '["a", "a"]' }, 'itemIds is neither a list of distinct strings nor a count'],
    [{ ...metadata, userIds: '[1, 2]' }, 'userIds is neither a list of distinct strings nor a count'],
  ])('and are refused with %o', async (ids, message) => {
    const bytes = await fileOf(newModel(), {}, ids);
    expect(() => readStateDict(bytes, 'file')).toThrow(message);
  });
});

it('a checkpoint is a state dict, with its ids', async () => {
  const trainer = await trained(on.gpu, { ...LESSON_LIKE, epochs: 1, eval: 'none' });
  const ids = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
  const dict = readStateDict(await encodeCheckpoint(trainer, ids), 'checkpoint');
  const model = newModel(dict.sizes as typeof LESSON);
  loadStateDict(model, dict, ids);
  expect(await readWeights(model)).toEqual(await readWeights(trainer.model));
});

describe('what is no state dict of a model is refused:', () => {
  const vector = { shape: [3], data: Float32Array.of(1, 2, 3) };
  it.each<[string, object, string]>([
    ['a tensor too many', { 'mlp.9.weight': vector }, 'mlp.9.weight is no tensor of neumf; gmf_user_emb.weight, '],
    ['a tensor too few', { 'mlp.4.bias': null }, 'it has no tensor mlp.4.bias, which this model needs'],
    ['no item table', { 'gmf_item_emb.weight': null }, 'it has no tensor gmf_item_emb.weight, which this model needs'],
    ['another table', { 'mlp_user_emb.weight': vector }, 'mlp_user_emb.weight is [3], and this model has [7, 0]'],
    ['another layer', { 'mlp.5.bias': vector }, 'mlp.5.bias is [3], and this model has [4]'],
    [
      'no tables',
      { 'gmf_user_emb.weight': null, 'mlp_user_emb.weight': null },
      'it has neither gmf_user_emb.weight nor mlp_user_emb.weight nor user_emb.weight; weights of MF, GMF, MLP, NeuMF or a two-tower model would be right',
    ],
  ])('%s', async (_, change, message) => {
    const bytes = await fileOf(newModel(), change);
    const read = () => readStateDict(bytes, 'weights.safetensors');
    expect(read).toThrow(DataError);
    expect(read).toThrow(`weights.safetensors: ${message}`);
  });
});
