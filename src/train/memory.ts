import { isTrained, type ParameterSpec } from '../autograd/parameters.ts';
import { elements } from '../autograd/tensor.ts';
import { GpuOutOfMemoryError } from '../errors.ts';
import type { Gpu } from '../gpu/device.ts';
import { formatBytes } from '../gpu/format.ts';
import { checkModelConfig, hasGmf, type ModelConfig } from '../models/config.ts';
import { parameterSpecs } from '../models/layout.ts';
import { updatesRows } from './optimizer.ts';
import type { TrainSettings } from './settings.ts';

/** Bytes on the device of an embedding table, or of all else. */
export interface MemoryUse {
  readonly name: string;
  /** Of a table, such as `6040 × 8`; empty for all else. */
  readonly shape: string;
  readonly weights: number;
  /** 0 where the optimizer adds them up row by row and keeps none. */
  readonly gradients: number;
  /** What the optimizer keeps of each weight. */
  readonly moments: number;
}

type OptimizerSettings = Pick<TrainSettings, 'optimizer' | 'momentum'>;

/** Bytes of a row that RowAdam notes. */
const NOTES = 20;

/** What a model and its optimizer take on the device, by table. What evaluation and a batch take is little beside. */
export function memoryUse(config: ModelConfig, settings: OptimizerSettings): MemoryUse[] {
  const { optimizer, momentum } = settings;
  const specs = parameterSpecs(config);
  const tables = specs.filter(({ table }) => table);
  const byRows = updatesRows(settings, tables);
  const moments = optimizer === 'sgd' ? Number(momentum !== 0) : 2;
  const use = (name: string, shape: string, own: readonly ParameterSpec[], gradients: boolean): MemoryUse => {
    const bytes = (counted: readonly ParameterSpec[]) =>
      counted.reduce((sum, spec) => sum + 4 * elements(spec.shape), 0);
    const trained = bytes(own.filter(isTrained));
    return { name, shape, weights: bytes(own), gradients: gradients ? trained : 0, moments: moments * trained };
  };
  const others = use(
    'all else',
    '',
    specs.filter(({ table }) => !table),
    true,
  );
  const notes = byRows ? NOTES * (config.users + config.items) : 0;
  return [
    ...tables.map((spec) => use(spec.name, spec.shape.join(' × '), [spec], !byRows)),
    { ...others, moments: others.moments + notes },
  ];
}

const total = (uses: readonly MemoryUse[]) =>
  uses.reduce((sum, { weights, gradients, moments }) => sum + weights + gradients + moments, 0);

/**
 * Builds a model and its optimizer. Throws GpuOutOfMemoryError with what needs how much: before anything is allocated where
 * it is known that the device has less memory, then also with what would fit; else when the device runs out of it.
 */
export async function withinMemory<T>(
  gpu: Gpu,
  config: ModelConfig,
  settings: OptimizerSettings,
  build: () => T,
): Promise<T> {
  checkModelConfig(config);
  const { memory, adapterName } = gpu;
  const uses = memoryUse(config, settings);
  const need = `the model and its optimizer need ${formatBytes(total(uses))}`;
  if (memory !== null && total(uses) > memory) {
    const line = `${need}, and ${adapterName} has ${formatBytes(memory)}; ${whatFits(config, settings, memory)}`;
    throw new GpuOutOfMemoryError(line, { plan: memoryTable(uses) });
  }
  try {
    return await gpu.allocate(build);
  } catch (error) {
    if (!(error instanceof GpuOutOfMemoryError)) throw error;
    throw new GpuOutOfMemoryError(`${error.message}; ${need}`, { plan: memoryTable(uses), cause: error });
  }
}

/** What needs how much, as a table in plain text. */
export function memoryTable(uses: readonly MemoryUse[]): string {
  const bytes = (value: number) => (value === 0 ? '–' : formatBytes(value));
  const row = ({ name, shape, weights, gradients, moments }: MemoryUse) => [
    ...[name, shape],
    ...[weights, gradients, moments, weights + gradients + moments].map(bytes),
  ];
  const sum = (key: 'weights' | 'gradients' | 'moments') => uses.reduce((all, use) => all + use[key], 0);
  const all = {
    name: 'together',
    shape: '',
    weights: sum('weights'),
    gradients: sum('gradients'),
    moments: sum('moments'),
  };
  const lines = [['', 'rows × columns', 'weights', 'gradients', 'moments', 'together'], ...uses.map(row), row(all)];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!);
  return lines.map((line) => `  ${line.map(pad).join('  ')}`).join('\n');
}

/** Smaller sizes that stay within so many bytes: fewer dimensions, or fewer rows of the longer tables. */
function whatFits(config: ModelConfig, settings: OptimizerSettings, memory: number): string {
  const fits = (changed: ModelConfig) => total(memoryUse(changed, settings)) <= memory;
  const { gmfDim, mlpDim } = config;
  const usesGmf = hasGmf(config);
  const usesMlp = config.model !== 'gmf' && config.model !== 'mf';
  const widest = Math.max(usesGmf ? gmfDim : 0, usesMlp ? mlpDim : 0);
  const scaled = (dim: number, to: number) => Math.min(dim, Math.max(4, 4 * Math.floor((dim * to) / widest / 4)));
  const narrowed = (to: number) => ({ ...config, gmfDim: scaled(gmfDim, to), mlpDim: scaled(mlpDim, to) });
  const dim = largest(widest - 1, (to) => fits(narrowed(to)));
  const side = config.users >= config.items ? 'users' : 'items';
  const rows = largest(config[side] - 1, (count) => fits({ ...config, [side]: count }));
  const sizes = narrowed(dim);
  const dims = [usesGmf ? `gmfDim ${sizes.gmfDim}` : '', usesMlp ? `mlpDim ${sizes.mlpDim}` : ''].filter(Boolean);
  const choices = [dim > 0 ? dims.join(' with ') : '', rows > 0 ? `${rows} ${side}` : ''].filter(Boolean);
  return choices.length > 0
    ? `${choices.join(', or ')} would fit`
    : 'a smaller model on fewer users and items would be right';
}

/** The largest number from 1 to `most` for which something holds that holds for all below it; 0 where there is none. */
function largest(most: number, holds: (value: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
