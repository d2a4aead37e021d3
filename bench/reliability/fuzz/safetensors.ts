/** Checkpoints and state dicts, right ones and broken ones, without a GPU: what is checked is what is read from them. */
import { StringIds } from '../../../src/data/id-map.ts';
import { parameterSpecs } from '../../../src/models/layout.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../src/models/safetensors.ts';
import { savedParameters } from '../../../src/models/weights.ts';
import { checkpointInfo } from '../../../src/train/checkpoint.ts';
import { encodeIds } from '../../../src/train/ids.ts';
import { pretrainingInfo } from '../../../src/train/pretrain.ts';
import { modelConfig, resolveSettings, type TrainSettings } from '../../../src/train/settings.ts';
import { readStateDict } from '../../../src/train/state-dict.ts';
import type { Draws } from './draws.ts';
import { mutated } from './mutate.ts';
import { judge, type Outcome, Wrong } from './outcome.ts';
import { plainTensors } from './plain-tensors.ts';
import { drawId } from './text-files.ts';

const LEGAL = 0.1;
const NAME = 'file.safetensors';

/** JSON texts where a number, a text or a list should be. */
const VALUES = [
  ...['null', 'true', '-1', '0', '1', '1.5', '1e309', '-1e309', '9007199254740993', '4294967296', '1e15', '""', '"3"'],
  ...['"<img src=x onerror=alert(1)>"', '"constructor"', '"__proto__"', '[]', '[1]', '[[1]]', '{}', '{"toString":1}'],
  ...[
    '{"__proto__":{"epochs":1}}',
    '[null]',
    '[1e15,0]',
    '[0,4294967295]',
    '"F32"',
    '"U32"',
    '"F64"',
    `${'['.repeat(2e4)}${']'.repeat(2e4)}`,
  ],
];

export function fuzzSafetensors(draws: Draws): Promise<Outcome> {
  const right = drawCheckpoint(draws);
  const isLegal = draws.chance(LEGAL);
  const bytes = new Uint8Array(isLegal ? right : broken(draws, right));
  const files = { [NAME]: bytes };
  const readers = [
    () => judge(files, () => tensorsIn(bytes), plainTensors(bytes), isLegal),
    () => judge(files, () => checkedInfo(bytes), true, isLegal),
    () => judge(files, () => readStateDict(bytes, NAME).weights.size > 0, true, isLegal),
  ];
  return readers.reduce<Promise<Outcome>>(async (before, read) => {
    const outcomes = [await before, await read()];
    return outcomes.includes('refused') ? 'refused' : 'read';
  }, Promise.resolve('read'));
}

/** A checkpoint of a small model whose every byte is drawn, as `encodeCheckpoint` writes it, but for the optimizer's state. */
function drawCheckpoint(draws: Draws): Uint8Array<ArrayBuffer> {
  const settings = resolveSettings({
    model: draws.pick(['mf', 'gmf', 'mlp', 'neumf', 'two-tower'] as const),
    gmfDim: draws.between(1, 3),
    mlpDim: draws.between(1, 3),
    mlpLayers: draws.list(draws.below(3), () => draws.between(1, 3)),
    batchNorm: draws.chance(0.5),
    epochs: draws.between(1, 9),
  } as Partial<TrainSettings>);
  const distinct = () => new StringIds(draws.list(draws.between(1, 4), () => drawId(draws)));
  const ids = { userIds: distinct(), itemIds: distinct() };
  const specs = savedParameters(parameterSpecs(modelConfig(settings, ids.userIds.size, ids.itemIds.size)));
  const tensors = specs.map(({ name, shape }) => {
    const data = Float32Array.from({ length: shape.reduce((n, m) => n * m, 1) }, () => draws.below(1000) / 500 - 1);
    return [name, { shape, data }] as const;
  });
  const history = draws.list(draws.below(3), (i) => ({
    ...{ event: 'epoch', epoch: i + 1, lr: 0.001, loss: 0.5, seconds: 1, samplesPerSecond: 10 },
    ...(draws.chance(0.5) ? { 'hr@10': 0.5, full: { 'hr@10': 0.1 }, validation: { 'hr@10': 0.5 } } : {}),
  }));
  const pretraining = {
    settings: { ...settings, model: 'neumf' },
    pretrain: { epochs: 2, alpha: 0.5 },
    branch: draws.pick([null, 'gmf', 'mlp']),
    history,
  };
  const metadata = {
    format: 'neumf-webgpu 1',
    settings: JSON.stringify(settings),
    step: String(draws.below(100)),
    history: JSON.stringify(history),
    ...encodeIds(ids),
    ...(draws.chance(0.3) ? { pretraining: JSON.stringify(pretraining) } : {}),
  };
  return encodeSafetensors({ tensors: new Map(tensors), metadata });
}

/** What a file's header and data become. */
function broken(draws: Draws, bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const data = bytes.subarray(8 + length);
  const kind = draws.below(10);
  if (kind === 0) return mutated(draws, bytes);
  if (kind === 1)
    return withLength(
      bytes,
      draws.pick([0n, 1n, BigInt(length + 1), BigInt(length - 1), 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]),
    );
  if (kind === 2) return joined(mutated(draws, new TextEncoder().encode(header)), data);
  const text = kind === 3 ? twice(draws, header) : kind < 7 ? otherValue(draws, header) : otherMetadata(draws, header);
  const more = draws.chance(0.1) ? Buffer.concat([data, Buffer.alloc(draws.between(1, 9))]) : data;
  return joined(new TextEncoder().encode(text), more);
}

function withLength(bytes: Uint8Array, length: bigint): Uint8Array {
  const changed = bytes.slice();
  new DataView(changed.buffer).setBigUint64(0, length, true);
  return changed;
}

function joined(header: Uint8Array, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

/** A member of the header's object once more, or one of that name with something else in it. */
function twice(draws: Draws, header: string): string {
  const [name, value] = draws.pick(Object.entries(JSON.parse(header)));
  const text = draws.chance(0.5) ? JSON.stringify(value) : draws.pick(VALUES);
  return `{${JSON.stringify(draws.chance(0.7) ? name : '__proto__')}:${text},${header.slice(1)}`;
}

/** One of the numbers, texts or lists of a JSON text is something else; those of its metadata are texts. */
function otherValue(draws: Draws, json: string): string {
  const places = [
    ...json.matchAll(/(?<=[:,[])(?:"(?:[^"\\]|\\.)*"|-?[\d.e+-]+|\[[^[\]]*\]|null|true|false)(?=[,\]}])/g),
  ];
  if (places.length === 0) return draws.pick(VALUES);
  const { index, 0: found } = draws.pick(places);
  const number = Number(found);
  const near = Number.isFinite(number) && draws.chance(0.5) ? String(number + draws.pick([-8, -4, -1, 1, 4, 8])) : null;
  return json.slice(0, index) + (near ?? draws.pick(VALUES)) + json.slice(index + found.length);
}

/** One of the texts in the metadata, JSON for the most part, says something else. */
function otherMetadata(draws: Draws, header: string): string {
  const parsed = JSON.parse(header) as Record<string, Record<string, string>>;
  const metadata = parsed.__metadata__!;
  const key = draws.pick(Object.keys(metadata));
  const text = metadata[key]!;
  if (draws.chance(0.1)) delete metadata[key];
  else if (draws.chance(0.3)) metadata[key] = draws.pick(VALUES);
  else if (draws.chance(0.2)) metadata[key] = Buffer.from(mutated(draws, Buffer.from(text))).toString();
  else metadata[key] = otherValue(draws, text);
  return JSON.stringify(parsed);
}

const tensorsIn = (bytes: Uint8Array<ArrayBuffer>) =>
  Array.from(decodeSafetensors(bytes, NAME).tensors, ([name, { shape, data }]) => [name, shape, [...data]]);

/** Throws Wrong when something was taken over that is not of the kind that it should be. */
function checkedInfo(bytes: Uint8Array<ArrayBuffer>): true {
  const info = checkpointInfo(bytes, NAME);
  const pretraining = pretrainingInfo(bytes, NAME);
  const usual = resolveSettings();
  const wrong = (what: string) => new Wrong(`taken over: ${what}`, { [NAME]: bytes });
  for (const settings of [info.settings, ...(pretraining ? [pretraining.settings] : [])]) {
    for (const [key, value] of Object.entries(resolveSettings(settings))) {
      const like = usual[key as keyof TrainSettings];
      const isRight = Array.isArray(like)
        ? Array.isArray(value) && value.every((one) => Number.isSafeInteger(one))
        : value === null || like === null || typeof value === typeof like;
      if (!isRight || !Object.hasOwn(usual, key)) throw wrong(`the setting ${key}`);
    }
  }
  for (const event of [...info.history, ...(pretraining?.history ?? [])]) checkFigures(event, wrong);
  for (const { size, ids } of [info.userIds, info.itemIds]) {
    if (size > bytes.length || (ids && (new Set(ids).size !== size || ids.some((id) => typeof id !== 'string')))) {
      throw wrong('the ids');
    }
  }
  return true;
}

function checkFigures(figures: object, wrong: (what: string) => Wrong): void {
  for (const [name, value] of Object.entries(figures)) {
    if (name === 'full' || name === 'validation') checkFigures(value, wrong);
    else if (typeof value !== 'number' && value !== 'epoch' && !(name === 'branch' && ['gmf', 'mlp'].includes(value))) {
      throw wrong(`the figure ${name}`);
    }
  }
}
