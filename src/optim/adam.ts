import type { Clock } from '../autograd/clock.ts';
import type { Parameters } from '../autograd/parameters.ts';
import { tapeOf, tensor } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { adam } from '../kernels/optimizers.ts';

export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  readonly lr?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** Times the weight, added to the gradient (L2, as torch.optim.Adam has it); default 0. */
  readonly weightDecay?: number;
}

/** Adam over a whole arena (torch.optim.Adam). The clock counts its steps. */
export class Adam {
  readonly parameters: Parameters;
  /** First and second moments, arenas like the weights'. */
  readonly m: GPUBuffer;
  readonly v: GPUBuffer;
  readonly #clock: Clock;
  readonly #options: Required<AdamOptions>;
  readonly #hyper: Tensor;
  readonly #noClip: Tensor;

  constructor(parameters: Parameters, clock: Clock, options: AdamOptions = {}) {
    const { gpu, length } = parameters;
    this.parameters = parameters;
    this.#clock = clock;
    this.#options = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...options };
    this.m = gpu.createBuffer('adam m', 4 * length);
    this.v = gpu.createBuffer('adam v', 4 * length);
    this.#hyper = tensor(gpu, this.#numbers(this.#options.lr), { label: 'adam hyper-parameters' });
    this.#noClip = tensor(gpu, [0, 1], { label: 'no clipping' });
  }

  /** From the next submit on. */
  setLearningRate(lr: number): void {
    this.#hyper.write(this.#numbers(lr));
  }

  /** Appends the update. @param clip what clipGradNorm gave; without it gradients are taken as they are */
  step(clip: Tensor = this.#noClip): void {
    const { parameters, m, v } = this;
    const { plan } = tapeOf(parameters.gpu);
    const shared = { clip: clip.view, step: this.#clock.step.view, hyper: this.#hyper.view };
    for (const range of parameters.ranges()) {
      const { weights, gradients } = parameters;
      const views = {
        weight: { buffer: weights, ...range },
        gradient: { buffer: gradients, ...range },
        m: { buffer: m, ...range },
        v: { buffer: v, ...range },
      };
      adam(plan, { ...views, ...shared }, range.size / 4);
    }
  }

  /** What adam.wgsl reads, rounded from f64 only once. */
  #numbers(lr: number): Float32Array<ArrayBuffer> {
    const { betas, eps, weightDecay } = this.#options;
    const [beta1, beta2] = betas;
    return Float32Array.of(lr, 1 - beta1, beta2, 1 - beta2, Math.log(beta1), Math.log(beta2), eps, weightDecay);
  }
}
