import { beforeAll, describe, expect, it } from 'vitest';
import { identityIds, StringIds } from '../../src/data/id-map.ts';
import { DataError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from '../../src/models/safetensors.ts';
import { checkpointInfo, encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { TrainSettings } from '../../src/train/settings.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../gpu-fixture.ts';
import { GROUPS, LESSON_LIKE, tasteGroups, trained } from './fixture.ts';

const on = useGpu();
const IDS = { userIds: identityIds(GROUPS.users), itemIds: identityIds(GROUPS.items) };
const SETTINGS = { ...LESSON_LIKE, epochs: 1, eval: 'none' } as const;

let trainer: Trainer;
let own: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  trainer = await trained(on.gpu, SETTINGS);
  own = await encodeCheckpoint(trainer, IDS);
});

/** Fails unless the trainer, asked to restore the bytes, says this and stays as it was to the last bit. */
async function expectRefused(bytes: Uint8Array<ArrayBuffer>, message: string | RegExp): Promise<void> {
  const restore = () => restoreCheckpoint(trainer, bytes, 'run.safetensors', IDS);
  expect(restore).toThrow(DataError);
  expect(restore).toThrow(message);
  expect(restore).toThrow(/^run\.safetensors: [^\n]+$/);
  expect(Buffer.compare(await encodeCheckpoint(trainer, IDS), own), 'the state afterwards').toBe(0);
}

async function checkpointOf(settings: Partial<TrainSettings>, split = GROUPS) {
  return encodeCheckpoint(await trained(on.gpu, { ...SETTINGS, ...settings }, {}, split), IDS);
}

describe('a checkpoint is refused, and the trainer stays as it was,', () => {
  it.each<[string, Partial<TrainSettings>, string]>([
    ['of other embeddings', { gmfDim: 5 }, 'gmf_user_emb.weight is [48, 5], and this model has [48, 4]'],
    ['of other layers', { mlpLayers: [8, 3] }, 'mlp.4.weight is [3, 8], and this model has [4, 8]'],
    ['of a layer less', { mlpLayers: [8] }, 'it has no tensor mlp.4.weight, which this model needs'],
    ['without BatchNorm', { batchNorm: false }, 'it has no tensor mlp.1.weight, which this model needs'],
    ['of another model', { model: 'mlp' }, 'it has no tensor gmf_user_emb.weight, which this model needs'],
    ['of other batches', { batchSize: 60 }, "its epochs have 44 steps, and this run's have 27; the same data"],
    ['of gradient descent', { optimizer: 'sgd' }, 'it was trained with sgd, and this run uses adam'],
  ])('%s', async (_, settings, message) => {
    await expectRefused(await checkpointOf(settings), message);
  });

  it('of other users', async () => {
    const split = tasteGroups({ users: 47, items: 80, groups: 5, perUser: 12 });
    await expectRefused(await checkpointOf({}, split), 'gmf_user_emb.weight is [47, 4], and this model has [48, 4]');
  });

  it('of other items, though there are as many', async () => {
    const itemIds = new StringIds(Array.from({ length: 80 }, (_, i) => (i === 79 ? 'other' : String(i))));
    const message =
      'its item number 79 is "other", and this data\'s is "79"; the data that it was trained on would be right';
    await expectRefused(await encodeCheckpoint(trainer, { ...IDS, itemIds }), message);
  });

  it.each([0, 7, 8, 100, -1])('cut off after %i bytes', async (length) => {
    await expectRefused(own.slice(0, length), 'not a readable safetensors file');
  });

  it.each([
    ['text', 'user,item,timestamp\n1,2,3\n'],
    ['JSON', '{"format": "neumf-webgpu 1"}'],
    ['a header that is no object', '\x04\0\0\0\0\0\0\0null'],
    ['a header of nonsense', '\x0b\0\0\0\0\0\0\0{"a":"b"}  '],
  ])('that is no safetensors file but %s', async (_, text) => {
    await expectRefused(new TextEncoder().encode(text), 'not a readable safetensors file');
  });

  const changed = (change: (file: { tensors: Map<string, unknown>; metadata: Record<string, string> }) => void) => {
    const { tensors, metadata } = decodeSafetensors(own, 'own');
    const file = { tensors: new Map(tensors), metadata: { ...metadata } };
    change(file as Parameters<typeof change>[0]);
    return encodeSafetensors(file as SafetensorsFile);
  };

  it.each([
    ['mlp.0.bias', 'it has no tensor mlp.0.bias, which this model needs'],
    ['mlp.1.running_var', 'it has no tensor mlp.1.running_var, which this model needs'],
    ['optimizer.m.output_layer.bias', 'it has no tensor optimizer.m.output_layer.bias, which this run needs'],
    ['optimizer.v.mlp.5.weight', 'it has no tensor optimizer.v.mlp.5.weight, which this run needs'],
    ['trainer.losses', "its epochs have 0 steps, and this run's have 27"],
  ])('without its tensor %s', async (key, message) => {
    await expectRefused(
      changed(({ tensors }) => tensors.delete(key)),
      message,
    );
  });

  it.each([
    ['format', undefined, 'its format is "not given", and "neumf-webgpu 1" would be right'],
    ['format', 'neumf-webgpu 99', 'its format is "neumf-webgpu 99", and "neumf-webgpu 1" would be right'],
    ['settings', undefined, 'its metadata cannot be read'],
    ['step', undefined, 'its metadata cannot be read'],
    ['step', '-1', 'its metadata cannot be read'],
    ['history', '{}', 'its metadata cannot be read'],
    ['userIds', '[1', 'its metadata cannot be read'],
    ['userIds', '9007199254740991', 'users 9007199254740991: at most 4294967295 would be right'],
    ['userIds', '47', 'gmf_user_emb.weight is [48, 4], and this model has [47, 4]'],
    ['step', '4294967296', 'step is no count of steps'],
    ['settings', '[]', 'settings is no object'],
    ['history', '[{}]', 'entry 1 of the history is no epoch'],
  ])('with %s %s', async (key, value, message) => {
    const bytes = changed(({ metadata }) => {
      if (value === undefined) delete metadata[key];
      else metadata[key] = value;
    });
    expect(() => checkpointInfo(bytes, 'run.safetensors')).toThrow(message);
    await expectRefused(bytes, message);
  });

  it.each<[string, unknown, string]>([
    ['epochs', '3', 'epochs "3": an integer of at least 1 would be right'],
    ['epochs', { toString: 1 }, 'epochs {…}: an integer of at least 1 would be right'],
    ['lr', '1e-3', 'lr "1e-3": a number above 0 would be right'],
    ['dropout', '0.5', 'dropout "0.5": a number would be right'],
    ['samplerPower', '1', 'samplerPower "1": a number would be right'],
    ['batchNorm', 'no', 'batchNorm "no": a boolean would be right'],
    ['validation', 1, 'validation 1: a boolean would be right'],
    ['mlpLayers', '84', 'mlpLayers "84": a list of integers would be right'],
    ['mlpLayers', null, 'mlpLayers null: a list of integers would be right'],
    ['mlpLayers', [2 ** 40], 'mlpLayers 1099511627776: at most 65536 would be right'],
    ['mlpLayers', Array(99).fill(4), 'mlpLayers of 99 layers: at most 64 would be right'],
    ['gmfDim', 2 ** 50, 'gmfDim 1125899906842624: at most 65536 would be right'],
    ['gmfDim', 8, 'gmf_user_emb.weight is [48, 4], and this model has [48, 8]'],
    ['k', '10', 'k "10": integers of at least 1, such as 5,10,20, would be right'],
    ['preset', 'constructor', 'preset "constructor": paper-8'],
    ['preset', '<img src=x onerror=alert(1)>', 'preset "<img src=x onerror=alert(1)>": paper-8'],
    ['model', ['gmf'], 'model […]: mf, gmf, mlp, neumf, two-tower would be right'],
    ['__proto__', 1, '__proto__: there is no such setting'],
  ])('whose setting %s is %j', async (key, value, message) => {
    const bytes = changed(({ metadata }) => {
      metadata.settings = `${metadata.settings!.slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(value)}}`;
    });
    await expectRefused(bytes, message);
  });

  it.each<[string, unknown, string]>([
    ['epoch', 2, 'entry 1 of the history is not epoch 1'],
    ['epoch', '<b>', 'entry 1 of the history is not epoch 1'],
    ['branch', '<b>', 'entry 1 of the history is of no branch that there is'],
    ['loss', undefined, 'entry 1 of the history has no loss'],
    ['loss', '0.3', 'entry 1 of the history has figures that are no numbers'],
    ['hr@10', '<b>', 'entry 1 of the history has figures that are no numbers'],
    ['full', 7, 'entry 1 of the history has figures that are no numbers'],
    ['validation', { 'hr@10': 0.5, full: { 'hr@10': [] } }, 'entry 1 of the history has figures that are no numbers'],
    ['anything', {}, 'entry 1 of the history has figures that are no numbers'],
  ])('in whose history %s is %j', async (key, value, message) => {
    const bytes = changed(({ metadata }) => {
      metadata.history = JSON.stringify([{ ...JSON.parse(metadata.history!)[0], [key]: value }]);
    });
    await expectRefused(bytes, message);
  });

  it('whose weights are whole numbers, which would be taken for the bits of others', async () => {
    const bytes = changed(({ tensors }) => tensors.set('mlp.0.bias', { shape: [8], data: new Uint32Array(8) }));
    await expectRefused(bytes, 'mlp.0.bias is U32, and F32 would be right');
  });
});
