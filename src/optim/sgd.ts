import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { sgd, sgdMomentum } from '../kernels/optimizers.ts';

export interface SgdOptions {
  /** Learning rate; default 1e-2. */
  readonly lr?: number;
  /** How much of the last step's direction the next one keeps; default 0, which keeps no buffer either. */
  readonly momentum?: number;
  /** Times the weight, added to the gradient; default 0. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent over a whole arena (torch.optim.SGD, dampening 0). */
export class Sgd {
  readonly parameters: Parameters;
  /** An arena like the weights' by PyTorch's name; nothing without momentum. */
  readonly state: { readonly momentum_buffer?: GPUBuffer };
  readonly #options: Required<SgdOptions>;
  readonly #hyper: Tensor;
  readonly #noClip: Tensor;

  constructor(parameters: Parameters, options: SgdOptions = {}) {
    const { gpu, length } = parameters;
    this.parameters = parameters;
    this.#options = { ...DEFAULTS, ...options };
    this.state =
      this.#options.momentum === 0 ? {} : { momentum_buffer: gpu.createBuffer('sgd momentum buffer', 4 * length) };
    this.#hyper = tensor(gpu, sgdNumbers(this.#options), { label: 'sgd hyper-parameters' });
    this.#noClip = tensor(gpu, [0, 1], { label: 'no clipping' });
  }

  /** From the next submit on. */
  setLearningRate(lr: number): void {
    this.#hyper.write(sgdNumbers({ ...this.#options, lr }));
  }

  /** Appends the update. @param clip what clipGradNorm gave; without it gradients are taken as they are */
  step(clip: Tensor = this.#noClip): void {
    const { gpu, weights, gradients } = this.parameters;
    const { plan } = tapeOf(gpu);
    const { momentum_buffer: buffer } = this.state;
    const shared = { clip: clip.view, hyper: this.#hyper.view };
    for (const range of this.parameters.ranges()) {
      const views = { ...shared, weight: { buffer: weights, ...range }, gradient: { buffer: gradients, ...range } };
      if (buffer) sgdMomentum(plan, { ...views, momentumBuffer: { buffer, ...range } }, range.size / 4);
      else sgd(plan, views, range.size / 4);
    }
  }
}

const DEFAULTS = { lr: 1e-2, momentum: 0, weightDecay: 0 };

/** What sgd.wgsl and sgd_momentum.wgsl read as `hyper`. */
const sgdNumbers = ({ lr, weightDecay, momentum }: Required<SgdOptions>) => Float32Array.of(lr, weightDecay, momentum);
