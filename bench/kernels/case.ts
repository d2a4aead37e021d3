import type { LinearSize } from '../../src/kernels/linear.ts';
import type { ModelConfig, Preset } from '../../src/models/config.ts';
import { PRESETS } from '../../src/models/config.ts';
import type { Trial } from './trial.ts';

/** Dispatches of a case that do the same work every time they are replayed, with what that work amounts to. */
export interface Timed {
  /** The first dispatch and the one behind the last; those before it run once, to prepare its inputs. */
  readonly first: number;
  readonly end: number;
  /** Every input element that is needed read once, every output element written once. */
  readonly bytes: number;
  /** Additions, multiplications, divisions and roots of the formula; absent where there are none worth counting. */
  readonly flops?: number;
}

/** One of several ways to compute the same. */
export interface Variant {
  readonly variant: string;
  /** Whether training takes this one at this shape. */
  readonly chosen: boolean;
}

/** A kernel, or several that work hand in hand, at one shape; those of several variants have one shape. */
export interface Case extends Partial<Variant> {
  /** The shaders of its dispatches, in order. */
  readonly kernels: readonly string[];
  readonly shape: string;
  readonly timed: readonly Timed[];
  /** Makes inputs and outputs and appends the dispatches to the trial's plan. */
  record(trial: Trial): void;
}

export type Work = Omit<Timed, 'first' | 'end'>;

/** A case of one dispatch. */
export function single(kernel: string, shape: string, work: Work, record: (trial: Trial) => void): Case {
  return { kernels: [kernel], shape, timed: [{ first: 0, end: 1, ...work }], record };
}

/** What the shapes of all cases follow from. */
export interface Sizes extends Preset {
  /** Rows of a batch. */
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  /** Training interactions. */
  readonly interactions: number;
}

/** A preset's layers on a data set of MovieLens-1M's size. */
export function sizesOf(preset: string, rows: number): Sizes {
  return { ...PRESETS[preset]!, rows, users: 6040, items: 3706, interactions: 988_129 };
}

/** The linear layers of the MLP. */
export function hiddenLayers({ rows, mlpDim, mlpLayers }: Sizes): LinearSize[] {
  return mlpLayers.map((outputs, i) => ({ rows, inputs: i ? mlpLayers[i - 1]! : 2 * mlpDim, outputs }));
}

export function neumfConfig(sizes: Sizes): ModelConfig {
  return { ...sizes, model: 'neumf' };
}

/** 1024, 64 → "1,024 × 64". */
export function times(...sizes: number[]): string {
  return sizes.map((size) => size.toLocaleString('en-US')).join(' × ');
}
