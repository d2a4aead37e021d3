import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { sgd } from '../kernels/optimizers.ts';

export interface SgdOptions {
  /** Learning rate; default 1e-2. */
  readonly lr?: number;
  /** Times the weight, added to the gradient; default 0. */
  readonly weightDecay?: number;
}

/** Plain stochastic gradient descent over a whole arena (torch.optim.SGD without momentum). */
export class Sgd {
  readonly parameters: Parameters;
  readonly #weightDecay: number;
  readonly #hyper: Tensor;
  readonly #noClip: Tensor;

  constructor(parameters: Parameters, { lr = 1e-2, weightDecay = 0 }: SgdOptions = {}) {
    this.parameters = parameters;
    this.#weightDecay = weightDecay;
    this.#hyper = tensor(parameters.gpu, [lr, weightDecay], { label: 'sgd hyper-parameters' });
    this.#noClip = tensor(parameters.gpu, [0, 1], { label: 'no clipping' });
  }

  /** From the next submit on. */
  setLearningRate(lr: number): void {
    this.#hyper.write(Float32Array.of(lr, this.#weightDecay));
  }

  /** Appends the update. @param clip what clipGradNorm gave; without it gradients are taken as they are */
  step(clip: Tensor = this.#noClip): void {
    const { gpu, weights, gradients } = this.parameters;
    for (const range of this.parameters.ranges()) {
      const views = { weight: { buffer: weights, ...range }, gradient: { buffer: gradients, ...range } };
      sgd(tapeOf(gpu).plan, { ...views, clip: clip.view, hyper: this.#hyper.view }, range.size / 4);
    }
  }
}
