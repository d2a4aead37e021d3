import { elements, type Shape } from '../../src/autograd/tensor.ts';
import { checkModelConfig, type ModelConfig, type ModelKind } from '../../src/models/config.ts';
import { parameterSpecs } from '../../src/models/layout.ts';
import type { StoredTensor } from '../../src/models/safetensors.ts';
import { JsonReader, optional } from './json.ts';

export interface TraceStep {
  readonly users: Uint32Array<ArrayBuffer>;
  readonly items: Uint32Array<ArrayBuffer>;
  readonly labels: Float32Array<ArrayBuffer>;
  readonly logits: readonly number[] | null;
  readonly loss: number | null;
  readonly gradNorm: number | null;
  readonly gradients: ReadonlyMap<string, readonly number[]>;
}

/** A training trace, in the format of test/golden. Expected quantities that a trace leaves out are not compared. */
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

type Shapes = ReadonlyMap<string, Shape>;
const KINDS: readonly string[] = ['gmf', 'mlp', 'neumf'] satisfies ModelKind[];

/** Throws DataError or ConfigError, naming the file or the size, for what is no trace. */
export function parseTrace(text: string, file: string): Trace {
  const json = new JsonReader(text, file);
  const { root } = json;
  const config = configOf(json);
  const shapes: Shapes = new Map(parameterSpecs(config).map(({ name, shape }) => [name, shape]));
  const adam = json.object(root.adam, 'adam');
  const betas = json.numbers(adam.betas, 'adam.betas');
  return {
    source: String(root.source ?? 'unknown source'),
    config,
    adam: {
      lr: json.number(adam.lr, 'adam.lr'),
      betas: [json.number(betas[0], 'adam.betas[0]'), json.number(betas[1], 'adam.betas[1]')],
      eps: json.number(adam.eps, 'adam.eps'),
      weightDecay: optional(adam.weightDecay, (x) => json.number(x, 'adam.weightDecay')) ?? 0,
    },
    clipNorm: optional(root.clipNorm, (x) => json.number(x, 'clipNorm')),
    initial: initialOf(json, shapes),
    steps: json.list(root.steps, 'steps').map((step, i) => stepOf(json, step, `steps[${i}]`, config, shapes)),
    final: optional(root.final, (x) => tensorsOf(json, x, 'final', shapes)) ?? new Map(),
    finalEvalLogits: optional(root.finalEvalLogits, (x) => json.numbers(x, 'finalEvalLogits')),
  };
}

/** Sizes of a branch that the model has not are not read. */
function configOf(json: JsonReader): ModelConfig {
  const { root } = json;
  const model = root.model as ModelKind;
  if (!KINDS.includes(model)) {
    throw json.wrong('model', `is ${JSON.stringify(model)}; ${KINDS.join(', ')} would be right`);
  }
  const mlp = model !== 'gmf';
  const config: ModelConfig = {
    model,
    users: json.number(root.users, 'users'),
    items: json.number(root.items, 'items'),
    gmfDim: model === 'mlp' ? 0 : json.number(root.gmfDim, 'gmfDim'),
    mlpDim: mlp ? json.number(root.mlpDim, 'mlpDim') : 0,
    mlpLayers: mlp ? json.numbers(root.mlpLayers, 'mlpLayers') : [],
    batchNorm: mlp && Boolean(root.batchNorm),
    dropout: 0,
  };
  checkModelConfig(config);
  return config;
}

/** Tensors by name; names that the model has not, such as num_batches_tracked, are passed over. */
function tensorsOf(json: JsonReader, value: unknown, member: string, shapes: Shapes): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [name, entry] of Object.entries(json.object(value, member))) {
    const at = `${member}.${name}`;
    const shape = shapes.get(name);
    if (!shape) continue;
    const data = json.numbers(json.object(entry, at).data, `${at}.data`);
    if (data.length !== elements(shape)) {
      throw json.wrong(at, `has ${data.length} values, and [${shape}] takes ${elements(shape)}`);
    }
    found.set(name, data);
  }
  return found;
}

/** All tensors of the model; running averages that are left out begin as torch.nn.BatchNorm1d's, with 0 and 1. */
function initialOf(json: JsonReader, shapes: Shapes): Map<string, StoredTensor> {
  const given = tensorsOf(json, json.root.initial, 'initial', shapes);
  const initial = new Map<string, StoredTensor>();
  for (const [name, shape] of shapes) {
    const data = given.get(name);
    if (!data && !name.includes('running_')) throw json.wrong('initial', `has no ${name}`);
    const fresh = () => new Float32Array(elements(shape)).fill(name.endsWith('running_var') ? 1 : 0);
    initial.set(name, { shape, data: data ? Float32Array.from(data) : fresh() });
  }
  return initial;
}

function stepOf(
  json: JsonReader,
  value: unknown,
  at: string,
  { users, items }: ModelConfig,
  shapes: Shapes,
): TraceStep {
  const step = json.object(value, at);
  const batch = {
    users: json.ids(step.users, `${at}.users`, users),
    items: json.ids(step.items, `${at}.items`, items),
    labels: Float32Array.from(json.numbers(step.labels, `${at}.labels`)),
  };
  const lengths = [batch.users.length, batch.items.length, batch.labels.length];
  if (new Set(lengths).size > 1) {
    throw json.wrong(at, `has ${lengths[0]} users, ${lengths[1]} items and ${lengths[2]} labels`);
  }
  return {
    ...batch,
    logits: optional(step.logits, (x) => json.numbers(x, `${at}.logits`)),
    loss: optional(step.loss, (x) => json.number(x, `${at}.loss`)),
    gradNorm: optional(step.gradNorm, (x) => json.number(x, `${at}.gradNorm`)),
    gradients: optional(step.gradients, (x) => tensorsOf(json, x, `${at}.gradients`, shapes)) ?? new Map(),
  };
}
