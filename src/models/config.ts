import { ConfigError } from '../errors.ts';

export const MODEL_KINDS = ['mf', 'gmf', 'mlp', 'neumf', 'two-tower'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

export const SCHEDULES = ['constant', 'step', 'cosine', 'plateau'] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** The shape of a model. Sizes count embedding dimensions and units. */
export interface ModelConfig {
  readonly model: ModelKind;
  readonly users: number;
  readonly items: number;
  /** Dimensions of MF's and GMF's embeddings; not used without one of them. */
  readonly gmfDim: number;
  /** Dimensions of each of the MLP's two embeddings, or of the towers'; not used without them. */
  readonly mlpDim: number;
  /** Units of the MLP's hidden layers, or of each tower's layers, the last of them linear; none at all is allowed. */
  readonly mlpLayers: readonly number[];
  readonly batchNorm: boolean;
  /** Probability that a hidden unit is zeroed in training. */
  readonly dropout: number;
}

/** A preset: the model's sizes and how it is trained. */
export interface Preset extends Omit<ModelConfig, 'model' | 'users' | 'items'> {
  readonly batchSize: number;
  readonly lr: number;
  readonly schedule: Schedule;
  readonly weightDecay: number;
  readonly clipNorm: number | null;
  readonly negatives: number;
  readonly sampler: 'uniform' | 'popularity';
}

/** He et al. 2017 with k predictive factors: GMF k, MLP embeddings 4k, hidden 4k, 2k, k. */
function paper(k: number): Preset {
  return {
    gmfDim: k,
    mlpDim: 4 * k,
    mlpLayers: [4 * k, 2 * k, k],
    batchNorm: false,
    dropout: 0,
    batchSize: 256,
    lr: 1e-3,
    schedule: 'constant',
    weightDecay: 0,
    clipNorm: null,
    negatives: 4,
    sampler: 'uniform',
  };
}

export const PRESETS: Readonly<Record<string, Preset>> = {
  'paper-8': paper(8),
  'paper-16': paper(16),
  'paper-32': paper(32),
  'paper-64': paper(64),
  // The lesson draws negatives by popularity^0.75. Among uniformly drawn candidates that ranks worse (README, Results), so
  // this preset draws them uniformly; sampler: 'popularity' is the lesson's choice.
  lesson: {
    gmfDim: 64,
    mlpDim: 64,
    mlpLayers: [128, 64, 32],
    batchNorm: true,
    dropout: 0.2,
    batchSize: 256,
    lr: 1e-3,
    schedule: 'plateau',
    weightDecay: 1e-6,
    clipNorm: 1,
    negatives: 4,
    sampler: 'uniform',
  },
};

type Shape = Pick<ModelConfig, 'model' | 'mlpLayers'>;

/** Whether the model multiplies embeddings as they are, with tables for that. */
export function hasGmf({ model }: Pick<ModelConfig, 'model'>): boolean {
  return model === 'mf' || model === 'gmf' || model === 'neumf';
}

/** Whether the model has an MLP of pairs, with embeddings of its own. */
export function hasMlp({ model }: Pick<ModelConfig, 'model'>): boolean {
  return model === 'mlp' || model === 'neumf';
}

/** Units of the MLP's hidden layers; none without an MLP. */
export function hiddenUnits(config: Shape): readonly number[] {
  return hasMlp(config) ? config.mlpLayers : [];
}

/** Whether any layer of the model normalises by batch; a tower's last one does not. */
export function normalisesBatches(config: Shape & Pick<ModelConfig, 'batchNorm'>): boolean {
  const layers = config.model === 'two-tower' ? config.mlpLayers.length - 1 : hiddenUnits(config).length;
  return config.batchNorm && layers > 0;
}

/** Users or items, dimensions of an embedding or units of a layer, and layers. */
const MOST = { rows: 0xffffffff, units: 2 ** 16, layers: 64 };

/** Throws ConfigError for sizes that make no model. */
export function checkModelConfig(config: ModelConfig): void {
  const size = (name: string, value: number) => {
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`${name} ${value}: an integer of at least 1 would be right`);
  };
  const width = (name: string, value: number) => {
    size(name, value);
    if (value > MOST.units) throw new ConfigError(`${name} ${value}: at most ${MOST.units} would be right`);
  };
  for (const name of ['users', 'items'] as const) {
    size(name, config[name]);
    if (config[name] > MOST.rows) throw new ConfigError(`${name} ${config[name]}: at most ${MOST.rows} would be right`);
  }
  if (hasGmf(config)) width('gmfDim', config.gmfDim);
  if (hasMlp(config) || config.model === 'two-tower') {
    width('mlpDim', config.mlpDim);
    for (const units of config.mlpLayers) width('mlpLayers', units);
    const { length } = config.mlpLayers;
    if (length > MOST.layers)
      throw new ConfigError(`mlpLayers of ${length} layers: at most ${MOST.layers} would be right`);
  }
  if (!(config.dropout >= 0 && config.dropout < 1)) {
    throw new ConfigError(`dropout ${config.dropout}: a probability from 0 to below 1 would be right`);
  }
}
