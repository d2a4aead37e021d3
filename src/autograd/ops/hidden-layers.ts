import { ConfigError } from '../../errors.ts';
import type { Plan } from '../../gpu/plan.ts';
import * as normKernels from '../../kernels/batch-norm.ts';
import { NO_DROPOUT } from '../../kernels/dropout.ts';
import * as kernels from '../../kernels/hidden-layer.ts';
import { type LinearSize, linear, linearInputGrad } from '../../kernels/linear.ts';
import type { BackwardPass } from '../nodes.ts';
import { type Tape, tapeOf } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { type BatchNormTensors, batchNormBackward, batchNormMoments, batchNormSize } from './batch-norm.ts';
import { type DropoutOptions, dropoutKey } from './dropout.ts';
import { linearBackward, linearSize, linearWeightBackward } from './linear.ts';

/** dropout(relu(batchNorm(linear(x, weight, bias)))) */
export interface HiddenLayer {
  /** f32[outputs, inputs] */
  readonly weight: Tensor;
  /** f32[outputs] */
  readonly bias: Tensor;
  readonly norm: BatchNormTensors;
  /** Probability of dropout, in [0, 1); 0 without one. */
  readonly p?: number;
  /** Needed where p > 0. */
  readonly dropout?: DropoutOptions | undefined;
}

/** A layer that has been computed: y from x, by way of z = linear(x, weight, bias). */
interface Computed extends HiddenLayer {
  readonly size: LinearSize;
  readonly x: Tensor;
  readonly z: Tensor;
  readonly moments: Tensor;
  readonly y: Tensor;
}

/**
 * Hidden layers with BatchNorm, one behind the other, of x f32[rows, inputs]: as linear, batchNorm, relu and dropout of each.
 * Where dispatches are what they cost (kernels/hidden-layer.ts), a layer is one forward, and one and its weight's gradient
 * backward; otherwise the product's epilogue computes partial statistics, one kernel finishes them, one does the rest.
 * Without a layer it is x. Throws ConfigError for a batch of one row.
 */
export function hiddenLayers(x: Tensor, layers: readonly HiddenLayer[]): Tensor {
  if (layers.length === 0) return x;
  const tape = tapeOf(x.gpu);
  const parameters = layers.flatMap(({ weight, bias, norm }) => [weight, bias, norm.gamma, norm.beta]);
  const computed: Computed[] = [];
  let y = x;
  for (const layer of layers) {
    const size = linearSize(y, layer.weight, layer.bias);
    const isLast = computed.length === layers.length - 1;
    const output = tape.output([size.rows, size.outputs], 'hidden layer', isLast ? [x, ...parameters] : []);
    computed.push(forward(tape, { ...layer, size, x: y, y: output }));
    y = output;
  }
  tape.remember(y, (pass) => backward(pass, computed));
  return y;
}

function forward(tape: Tape, layer: Omit<Computed, 'z' | 'moments'>): Computed {
  const { plan } = tape;
  const { x, y, weight, bias, norm, p = 0, dropout, size } = layer;
  if (p > 0 && !dropout) throw new ConfigError('hiddenLayers: dropout needs a seed, a layer and a clock');
  const key = p > 0 ? dropoutKey(p, dropout!) : NO_DROPOUT;
  const z = tape.output([size.rows, size.outputs], 'before batch norm', []);
  const normSize = batchNormSize(z, norm);
  const [gamma, beta] = [norm.gamma.view, norm.beta.view];
  const product = { x: x.view, weight: weight.view, bias: bias.view };
  if (kernels.inOneDispatch(plan.gpu, size)) {
    const moments = tape.scratch(2 * size.outputs, 'batch norm moments');
    const running = { runningMean: norm.runningMean.view, runningVar: norm.runningVar.view };
    const results = { moments: moments.view, z: z.view, y: y.view };
    kernels.linearBatchNorm(plan, { ...product, gamma, beta, ...running, ...results }, size, key);
    return { ...layer, z, moments };
  }
  const statistics = tape.scratch(2 * normKernels.statisticsLength(normSize), 'batch norm statistics');
  linear(plan, { ...product, y: z.view }, size, { statistics: statistics.view });
  const moments = batchNormMoments(tape, statistics, norm, normSize);
  const views = { x: z.view, moments: moments.view, gamma, beta, y: y.view };
  normKernels.batchNormApply(plan, views, normSize, { relu: true, dropout: key });
  return { ...layer, z, moments };
}

function backward(pass: BackwardPass, layers: readonly Computed[]): void {
  const tape = tapeOf(pass.dy.gpu);
  let behind: Behind | null = null;
  for (const layer of [...layers].reverse()) {
    const dz = tape.scratch(layer.z.size, 'gradient before batch norm');
    if (behind) backwardBetween(tape, pass, layer, dz, behind);
    else backwardFrom(pass, layer, dz, pass.dy);
    behind = { dz, layer };
  }
  const { dz, layer } = behind!;
  linearBackward(pass, dz, layer, { noBias: true });
}

/** A layer behind another one, and the gradient before its BatchNorm. */
interface Behind {
  readonly dz: Tensor;
  readonly layer: Computed;
}

/** dz and the gradients of gamma and beta, from that of the layer's output. */
function backwardFrom(pass: BackwardPass, layer: Computed, dz: Tensor, dy: Tensor): void {
  const { plan } = pass;
  const { size, norm, z, y, moments } = layer;
  if (kernels.inOneDispatch(plan.gpu, size)) {
    const views = { ...normViews(pass, layer, dz), dy: dy.view };
    kernels.hiddenBackward(plan, views, { rows: size.rows, features: size.outputs }, scaleOf(layer));
  } else {
    batchNormBackward(pass, dy, { x: z, moments, y, dx: dz }, norm, { relu: true, scale: scaleOf(layer) });
  }
}

/** The same from the layer behind it, and the gradients of that one's weight and bias. */
function backwardBetween(tape: Tape, pass: BackwardPass, layer: Computed, dz: Tensor, behind: Behind): void {
  const { plan, gradient } = pass;
  const { size } = layer;
  const { weight, bias } = behind.layer;
  const inOne = [layer, behind.layer].every((each) => kernels.inOneDispatch(plan.gpu, each.size));
  if (inOne && weight.requiresGrad && bias.requiresGrad) {
    const [dweight, dbias] = [gradient(weight)!, gradient(bias)!];
    const of = { dz: behind.dz.view, weight: weight.view, dweight: dweight.view, dbias: dbias.view };
    const views = normViews(pass, layer, dz);
    const normSize = { rows: size.rows, features: size.outputs };
    kernels.hiddenBackwardBetween(plan, views, normSize, { ...of, outputs: behind.layer.size.outputs }, scaleOf(layer));
    return;
  }
  const dy = tape.scratch(layer.y.size, 'gradient of a hidden layer');
  inputGradient(plan, behind, dy);
  linearWeightBackward(pass, behind.dz, behind.layer, { noBias: true });
  backwardFrom(pass, layer, dz, dy);
}

const scaleOf = ({ p = 0 }: HiddenLayer) => 1 / (1 - p);

function normViews({ gradientInto }: BackwardPass, { z, y, moments, norm }: Computed, dz: Tensor) {
  const given = { z: z.view, y: y.view, moments: moments.view, gamma: norm.gamma.view };
  return { ...given, dgamma: gradientInto(norm.gamma).view, dbeta: gradientInto(norm.beta).view, dz: dz.view };
}

function inputGradient(plan: Plan, { dz, layer }: Behind, dx: Tensor): void {
  linearInputGrad(plan, { dy: dz.view, weight: layer.weight.view, dx: dx.view }, layer.size);
}
