import { DataError } from '../../src/errors.ts';
import type { ModelConfig, ModelKind } from '../../src/models/config.ts';
import { parameterSpecs } from '../../src/models/layout.ts';
import type { StoredTensor } from '../../src/models/safetensors.ts';

export interface TraceStep {
  readonly users: Uint32Array<ArrayBuffer>;
  readonly items: Uint32Array<ArrayBuffer>;
  readonly labels: Float32Array<ArrayBuffer>;
  readonly logits: readonly number[] | null;
  readonly loss: number | null;
  readonly gradNorm: number | null;
  readonly gradients: ReadonlyMap<string, readonly number[]>;
}

/** A training trace as ../../test/golden has them. Expected quantities that a trace leaves out are not compared. */
export interface Trace {
  readonly source: string;
  readonly config: ModelConfig;
  readonly adam: {
    readonly lr: number;
    readonly betas: [number, number];
    readonly eps: number;
    readonly weightDecay: number;
  };
  readonly clipNorm: number | null;
  readonly initial: ReadonlyMap<string, StoredTensor>;
  readonly steps: readonly TraceStep[];
  readonly final: ReadonlyMap<string, readonly number[]>;
  readonly finalEvalLogits: readonly number[] | null;
}

type Json = Record<string, unknown>;
const KINDS: readonly string[] = ['gmf', 'mlp', 'neumf'] satisfies ModelKind[];

/** Throws DataError, naming the file and the member, for what is no trace. */
export function parseTrace(text: string, name: string): Trace {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${name}: not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const wrong = (member: string, what: string) => new DataError(`${name}: ${member} ${what}`);
  const numbers = (value: unknown, member: string): number[] => {
    if (!Array.isArray(value) || !value.every((x) => typeof x === 'number'))
      throw wrong(member, 'should be a list of numbers');
    return value;
  };
  const number = (value: unknown, member: string): number => {
    if (typeof value !== 'number') throw wrong(member, `is ${JSON.stringify(value)}, and should be a number`);
    return value;
  };
  const optional = <T>(value: unknown, read: (value: unknown) => T): T | null =>
    value === undefined || value === null ? null : read(value);
  const object = (value: unknown, member: string): Json => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(member, 'should be an object');
    return value as Json;
  };

  if (!KINDS.includes(json.model as string))
    throw wrong('model', `is ${JSON.stringify(json.model)}; ${KINDS.join(', ')} would be right`);
  const model = json.model as ModelKind;
  const size = (member: string, used: boolean) => (used ? number(json[member], member) : 0);
  const config: ModelConfig = {
    model,
    users: number(json.users, 'users'),
    items: number(json.items, 'items'),
    gmfDim: size('gmfDim', model !== 'mlp'),
    mlpDim: size('mlpDim', model !== 'gmf'),
    mlpLayers: model === 'gmf' ? [] : numbers(json.mlpLayers, 'mlpLayers'),
    batchNorm: model !== 'gmf' && Boolean(json.batchNorm),
    dropout: 0,
  };
  const shapes = new Map(parameterSpecs(config).map(({ name: key, shape }) => [key, shape]));
  const tensors = (value: unknown, member: string): Map<string, number[]> => {
    const found = new Map<string, number[]>();
    for (const [key, entry] of Object.entries(object(value, member))) {
      const shape = shapes.get(key);
      if (!shape) continue; // such as num_batches_tracked
      const data = numbers(object(entry, `${member}.${key}`).data, `${member}.${key}.data`);
      const length = shape.reduce((product, n) => product * n, 1);
      if (data.length !== length)
        throw wrong(`${member}.${key}`, `has ${data.length} values, and [${shape}] takes ${length}`);
      found.set(key, data);
    }
    return found;
  };
  const ids = (value: unknown, member: string, bound: number) => {
    const list = numbers(value, member);
    const bad = list.find((id) => !Number.isInteger(id) || id < 0 || id >= bound);
    if (bad !== undefined) throw wrong(member, `has the id ${bad}; an integer from 0 to ${bound - 1} would be right`);
    return Uint32Array.from(list);
  };
  const step = (value: unknown, i: number): TraceStep => {
    const at = `steps[${i}]`;
    const entry = object(value, at);
    const users = ids(entry.users, `${at}.users`, config.users);
    const items = ids(entry.items, `${at}.items`, config.items);
    const labels = Float32Array.from(numbers(entry.labels, `${at}.labels`));
    if (items.length !== users.length || labels.length !== users.length) {
      throw wrong(at, `has ${users.length} users, ${items.length} items and ${labels.length} labels`);
    }
    return {
      users,
      items,
      labels,
      logits: optional(entry.logits, (x) => numbers(x, `${at}.logits`)),
      loss: optional(entry.loss, (x) => number(x, `${at}.loss`)),
      gradNorm: optional(entry.gradNorm, (x) => number(x, `${at}.gradNorm`)),
      gradients: optional(entry.gradients, (x) => tensors(x, `${at}.gradients`)) ?? new Map(),
    };
  };

  const adam = object(json.adam, 'adam');
  const [beta1, beta2] = numbers(adam.betas, 'adam.betas');
  const initial = tensors(json.initial, 'initial');
  const missing = [...shapes.keys()].find((key) => !initial.has(key) && !key.includes('running_'));
  if (missing) throw wrong('initial', `has no ${missing}`);
  const stored = [...shapes].map(([key, shape]): [string, StoredTensor] => {
    const length = shape.reduce((product, n) => product * n, 1);
    // PyTorch's BatchNorm1d begins with a running mean of 0 and a running variance of 1.
    const data = initial.get(key) ?? new Array(length).fill(key.endsWith('running_var') ? 1 : 0);
    return [key, { shape, data: Float32Array.from(data) }];
  });
  if (!Array.isArray(json.steps)) throw wrong('steps', 'should be a list');
  return {
    source: String(json.source ?? 'unknown source'),
    config,
    adam: {
      lr: number(adam.lr, 'adam.lr'),
      betas: [number(beta1, 'adam.betas[0]'), number(beta2, 'adam.betas[1]')],
      eps: number(adam.eps, 'adam.eps'),
      weightDecay: optional(adam.weightDecay, (x) => number(x, 'adam.weightDecay')) ?? 0,
    },
    clipNorm: optional(json.clipNorm, (x) => number(x, 'clipNorm')),
    initial: new Map(stored),
    steps: json.steps.map(step),
    final: optional(json.final, (x) => tensors(x, 'final')) ?? new Map(),
    finalEvalLogits: optional(json.finalEvalLogits, (x) => numbers(x, 'finalEvalLogits')),
  };
}
