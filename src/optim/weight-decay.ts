import type { ParameterGroup, Parameters } from '../autograd/parameters.ts';

/** Times the weight, added to the gradient (L2, as torch.optim has it), for all parameters or by group. */
export interface WeightDecayOptions {
  /** Default 0. */
  readonly weightDecay?: number;
  /** Of embedding tables; default weightDecay. */
  readonly weightDecayTables?: number | null;
  /** Of biases and BatchNorm's scale and shift; default weightDecay. */
  readonly weightDecayBiases?: number | null;
}

/** A stretch of the arena, from one element to another, with one weight decay. */
export interface DecayGroup {
  readonly from: number;
  readonly to: number;
  readonly weightDecay: number;
}

/** The whole arena in as few stretches as have a weight decay of their own (torch.optim's param_groups). */
export function decayGroups(parameters: Parameters, options: WeightDecayOptions): DecayGroup[] {
  const { weightDecay = 0, weightDecayTables, weightDecayBiases } = options;
  const decays: Record<ParameterGroup, number> = {
    tables: weightDecayTables ?? weightDecay,
    weights: weightDecay,
    biases: weightDecayBiases ?? weightDecay,
  };
  const groups: DecayGroup[] = [];
  for (const { name, from, to } of parameters.groups) {
    if (from === to) continue;
    const joins = groups.at(-1)?.weightDecay === decays[name];
    const first = joins ? groups.pop()!.from : from;
    groups.push({ from: first, to, weightDecay: decays[name] });
  }
  return groups;
}
