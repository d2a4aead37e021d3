import type { Gpu } from '../gpu/device.ts';
import { advance } from '../kernels/advance.ts';
import { tapeOf, zeros } from './tape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The number of the training step, on the device. Batches, dropout masks and Adam's bias correction are functions of it,
 * so that a recorded step needs nothing from the CPU, and a run goes on from any step by setting it. The clock also keeps
 * the losses of the last steps, for the CPU to fetch when it wants to show them, and notes the first step that left the
 * numbers.
 */
export class Clock {
  /** u32[1] */
  readonly step: Tensor;
  /** f32[capacity]: the loss of step s stands at s mod capacity. */
  readonly losses: Tensor;
  /**
   * u32[4]: of the first step since `set` whose loss or gradient norm was infinite or not a number, its number from 1 and
   * the bits of loss and norm; zeros while there is none.
   */
  readonly trouble: Tensor;

  /** @param capacity how many losses to keep */
  constructor(gpu: Gpu, capacity = 1) {
    this.step = zeros(gpu, [1], { dtype: 'u32', label: 'step' });
    this.losses = zeros(gpu, [capacity], { label: 'losses' });
    this.trouble = zeros(gpu, [4], { dtype: 'u32', label: 'trouble' });
  }

  set(step: number): void {
    this.step.write(Uint32Array.of(step));
    this.trouble.write(new Uint32Array(4));
  }

  /**
   * Appends the end of a step: its loss into the log, the clock one further.
   * @param clip what clipGradNorm gave, whose norm is watched as the loss is
   */
  advance(loss: Tensor, clip: Tensor | null = null): void {
    const { plan } = tapeOf(this.step.gpu);
    const { step, losses: log, trouble } = this;
    const views = { step: step.view, loss: loss.view, norm: (clip ?? loss).view, log: log.view, trouble: trouble.view };
    advance(plan, views, log.size);
  }
}
