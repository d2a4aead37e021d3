import type { Gpu } from '../gpu/device.ts';
import { advance } from '../kernels/advance.ts';
import { tapeOf, zeros } from './tape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The number of the training step, on the device. Batches, dropout masks and Adam's bias correction are functions of it,
 * so that a recorded step needs nothing from the CPU, and a run goes on from any step by setting it. The clock also keeps
 * the losses of the last steps, for the CPU to fetch when it wants to show them.
 */
export class Clock {
  /** u32[1] */
  readonly step: Tensor;
  /** f32[capacity]: the loss of step s stands at s mod capacity. */
  readonly losses: Tensor;

  /** @param capacity how many losses to keep */
  constructor(gpu: Gpu, capacity = 1) {
    this.step = zeros(gpu, [1], { dtype: 'u32', label: 'step' });
    this.losses = zeros(gpu, [capacity], { label: 'losses' });
  }

  set(step: number): void {
    this.step.write(Uint32Array.of(step));
  }

  /** Appends the end of a step: its loss into the log, the clock one further. */
  advance(loss: Tensor): void {
    const { plan } = tapeOf(this.step.gpu);
    advance(plan, { step: this.step.view, loss: loss.view, log: this.losses.view }, this.losses.size);
  }
}
