import type { Arena, Stretch } from '../autograd/arena.ts';
import type { Clock } from '../autograd/clock.ts';
import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { adam, adamNumbers } from '../kernels/optimizers.ts';
import { type DecayGroup, decayGroups, type WeightDecayOptions } from './weight-decay.ts';

export interface AdamOptions extends WeightDecayOptions {
  /** Learning rate; default 1e-3. */
  readonly lr?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
}

/** Adam over a whole arena (torch.optim.Adam). The clock counts its steps. */
export class Adam {
  readonly parameters: Parameters;
  /** First and second moments. */
  readonly state: { readonly m: Arena; readonly v: Arena };
  protected readonly clock: Clock;
  /** With the hyper-parameters of each, as adam.wgsl reads them. */
  protected readonly groups: readonly (DecayGroup & { readonly hyper: Tensor })[];
  protected readonly noClip: Tensor;
  readonly #options: Required<Pick<AdamOptions, 'lr' | 'betas' | 'eps'>>;

  /** Throws ConfigError for betas outside of [0, 1) or so near 1 that their correction has no end. */
  constructor(parameters: Parameters, clock: Clock, options: AdamOptions = {}) {
    const { gpu } = parameters;
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8 } = options;
    this.parameters = parameters;
    this.clock = clock;
    this.#options = { lr, betas, eps };
    this.state = { m: parameters.arena('adam m'), v: parameters.arena('adam v') };
    this.groups = decayGroups(parameters, options).map((group) => {
      const numbers = adamNumbers({ ...this.#options, weightDecay: group.weightDecay });
      return { ...group, hyper: tensor(gpu, numbers, { label: 'adam hyper-parameters' }) };
    });
    this.noClip = tensor(gpu, [0, 1], { label: 'no clipping' });
  }

  /** From the next submit on. */
  setLearningRate(lr: number): void {
    for (const { hyper, weightDecay } of this.groups) hyper.write(adamNumbers({ ...this.#options, lr, weightDecay }));
  }

  /** Appends the update. @param clip what clipGradNorm gave; without it gradients are taken as they are */
  step(clip: Tensor = this.noClip): void {
    this.update(clip, 0);
  }

  /** The weights, and the moments, of some of the arena. */
  protected stateAt(stretch: Stretch) {
    const { m, v } = this.state;
    return { weight: this.parameters.weights.view(stretch), m: m.view(stretch), v: v.view(stretch) };
  }

  /** Updates the arena from some element on. */
  protected update(clip: Tensor, from: number): void {
    const { parameters } = this;
    const { plan } = tapeOf(parameters.gpu);
    const shared = { clip: clip.view, step: this.clock.step.view };
    for (const { hyper, ...group } of this.groups) {
      for (const stretch of parameters.stretches(Math.max(from, group.from), group.to)) {
        const views = { ...this.stateAt(stretch), gradient: parameters.gradients.view(stretch) };
        adam(plan, { ...views, ...shared, hyper: hyper.view }, stretch.to - stretch.from);
      }
    }
  }
}
