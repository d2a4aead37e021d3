import { reluBackward } from '../../kernels/elementwise.ts';
import * as kernels from '../../kernels/linear.ts';
import type { BackwardPass } from '../nodes.ts';
import { tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { expectShape } from './shapes.ts';

/** x f32[rows, inputs] · weightᵀ f32[outputs, inputs] + bias f32[outputs] (torch.nn.functional.linear). */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const size = linearSize(x, weight, bias);
  const tape = tapeOf(x.gpu);
  const y = tape.output([size.rows, size.outputs], 'linear', [x, weight, bias]);
  kernels.linear(tape.plan, { x: x.view, weight: weight.view, bias: bias.view, y: y.view }, size);
  tape.remember(y, (pass) => linearBackward(pass, pass.dy, { x, weight, bias }));
  return y;
}

/** max(linear(x, weight, bias), 0) in one dispatch. */
export function linearRelu(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const size = linearSize(x, weight, bias);
  const tape = tapeOf(x.gpu);
  const y = tape.output([size.rows, size.outputs], 'linear_relu', [x, weight, bias]);
  kernels.linear(tape.plan, { x: x.view, weight: weight.view, bias: bias.view, y: y.view }, size, { relu: true });
  tape.remember(y, (pass) => {
    const tensors = { x, weight, bias };
    if (kernels.rectifiesOnLoad(x.gpu, size)) {
      linearBackward(pass, pass.dy, tensors, { relu: y });
    } else {
      const dz = tape.scratch(y.size, 'gradient before relu');
      reluBackward(pass.plan, y.view, pass.dy.view, dz.view, y.size);
      linearBackward(pass, dz, tensors);
    }
  });
  return y;
}

export function linearSize(x: Tensor, weight: Tensor, bias: Tensor): kernels.LinearSize {
  expectShape('linear', 'x', x, [null, null]);
  expectShape('linear', 'weight', weight, [null, x.shape[1]!]);
  expectShape('linear', 'bias', bias, [weight.shape[0]!]);
  return { rows: x.shape[0]!, inputs: x.shape[1]!, outputs: weight.shape[0]! };
}

/** What a linear layer's gradients are computed from: its tensors, and what stands behind it. */
export interface LinearBehind {
  /** The output of a rectifier behind the layer: dy is then the gradient of that. */
  readonly relu?: Tensor;
  /** The bias has no effect, because a BatchNorm behind the layer takes it away: its gradient is exactly 0. */
  readonly noBias?: boolean;
}

type LinearTensors = Record<'x' | 'weight' | 'bias', Tensor>;

/** Gradients of x, weight and bias from that of the linear layer's output. */
export function linearBackward(
  pass: BackwardPass,
  dy: Tensor,
  tensors: LinearTensors,
  behind: LinearBehind = {},
): void {
  const { plan, gradient } = pass;
  const { x, weight, bias } = tensors;
  const size = linearSize(x, weight, bias);
  const rectified = behind.relu ? { relu: behind.relu.view } : {};
  const dx = gradient(x);
  const given = { dy: dy.view, weight: weight.view };
  if (dx && weight.requiresGrad && bias.requiresGrad && kernels.backwardInOne(plan.gpu, size)) {
    const of = { dweight: gradient(weight)!.view, dbias: gradient(bias)!.view };
    const { noBias = false } = behind;
    kernels.linearBackward(plan, { x: x.view, ...given, dx: dx.view, ...of }, size, { ...rectified, noBias });
    return;
  }
  if (dx) kernels.linearInputGrad(plan, { ...given, dx: dx.view }, size, rectified);
  linearWeightBackward(pass, dy, tensors, behind);
}

/** Gradients of weight and bias alone. */
export function linearWeightBackward(
  { plan, gradient }: BackwardPass,
  dy: Tensor,
  { x, weight, bias }: LinearTensors,
  { relu, noBias = false }: LinearBehind = {},
): void {
  const dweight = gradient(weight);
  const dbias = gradient(bias);
  if (!dweight && !dbias) return;
  const tape = tapeOf(x.gpu);
  const size = linearSize(x, weight, bias);
  const { parts } = kernels.weightGradParts(plan, size.rows);
  const scratch = (length: number) => tape.scratch(length, 'parts of a weight gradient').view;
  const views = {
    x: x.view,
    dy: dy.view,
    dweight: dweight?.view ?? scratch(weight.size),
    dbias: dbias?.view ?? scratch(bias.size),
  };
  const split =
    parts > 1 ? { scratch: { weight: scratch(parts * weight.size), bias: scratch(parts * bias.size) } } : {};
  kernels.linearWeightGrad(plan, views, size, { ...split, ...(relu && { relu: relu.view }), noBias });
}
