import type { Arena } from '../autograd/arena.ts';
import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { sgd, sgdMomentum } from '../kernels/optimizers.ts';
import { type DecayGroup, decayGroups, type WeightDecayOptions } from './weight-decay.ts';

export interface SgdOptions extends WeightDecayOptions {
  /** Learning rate; default 1e-2. */
  readonly lr?: number;
  /** How much of the last step's direction the next one keeps; default 0, which keeps no buffer either. */
  readonly momentum?: number;
}

/** Stochastic gradient descent over a whole arena (torch.optim.SGD, dampening 0). */
export class Sgd {
  readonly parameters: Parameters;
  /** By PyTorch's name; nothing without momentum. */
  readonly state: { readonly momentum_buffer?: Arena };
  readonly #momentum: number;
  readonly #groups: readonly (DecayGroup & { readonly hyper: Tensor })[];
  readonly #noClip: Tensor;

  constructor(parameters: Parameters, { lr = 1e-2, momentum = 0, ...decay }: SgdOptions = {}) {
    const { gpu } = parameters;
    this.parameters = parameters;
    this.state = momentum === 0 ? {} : { momentum_buffer: parameters.arena('sgd momentum buffer') };
    this.#momentum = momentum;
    this.#groups = decayGroups(parameters, decay).map((group) => ({
      ...group,
      hyper: tensor(gpu, [lr, group.weightDecay, momentum], { label: 'sgd hyper-parameters' }),
    }));
    this.#noClip = tensor(gpu, [0, 1], { label: 'no clipping' });
  }

  /** From the next submit on. */
  setLearningRate(lr: number): void {
    for (const { hyper, weightDecay } of this.#groups) hyper.write(Float32Array.of(lr, weightDecay, this.#momentum));
  }

  /** Appends the update. @param clip what clipGradNorm gave; without it gradients are taken as they are */
  step(clip: Tensor = this.#noClip): void {
    for (const group of this.#groups) this.#update(group, clip);
  }

  #update({ from, to, hyper }: DecayGroup & { readonly hyper: Tensor }, clip: Tensor): void {
    const { gpu, weights, gradients } = this.parameters;
    const { plan } = tapeOf(gpu);
    const { momentum_buffer: buffer } = this.state;
    const shared = { clip: clip.view, hyper: hyper.view };
    for (const stretch of this.parameters.stretches(from, to)) {
      const views = { ...shared, weight: weights.view(stretch), gradient: gradients.view(stretch) };
      const n = stretch.to - stretch.from;
      if (buffer) sgdMomentum(plan, { ...views, momentumBuffer: buffer.view(stretch) }, n);
      else sgd(plan, views, n);
    }
  }
}
