/** Linear, BatchNorm and ReLU in float64, forward and backward, over rows of a batch. */

export type Rows = number[][];
export type Weights = ReadonlyMap<string, number[]>;
export type Gradients = Map<string, number[]>;

/** Names of the modules of one hidden layer. */
export interface Layer {
  readonly linear: string;
  /** Null without BatchNorm. */
  readonly norm: string | null;
}

/** What backward needs of a hidden layer's forward pass. */
export interface LayerCache {
  readonly layer: Layer;
  readonly x: Rows;
  /** (z − mean) · invStd; z itself without BatchNorm. */
  readonly normalised: Rows;
  readonly invStd: readonly number[];
  readonly y: Rows;
}

const MOMENTUM = 0.1;
const EPS = 1e-5;

/** y[b, n] = Σ_k x[b, k] · weight[n, k] + bias[n] */
export function linear(name: string, weights: Weights, x: Rows): Rows {
  const [weight, bias] = [weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!];
  return x.map((row) =>
    bias.map((b, n) => row.reduce((sum, value, k) => sum + value * weight[n * row.length + k]!, b)),
  );
}

/** Adds the gradients of weight and bias, gives that of x. */
export function linearBackward(name: string, weights: Weights, x: Rows, dy: Rows, gradients: Gradients): Rows {
  const weight = weights.get(`${name}.weight`)!;
  const [dweight, dbias] = [gradients.get(`${name}.weight`)!, gradients.get(`${name}.bias`)!];
  return x.map((row, b) => {
    const dx = row.map(() => 0);
    dy[b]!.forEach((d, n) => {
      dbias[n]! += d;
      row.forEach((value, k) => {
        dweight[n * row.length + k]! += d * value;
        dx[k]! += d * weight[n * row.length + k]!;
      });
    });
    return dx;
  });
}

/** relu(batchNorm(linear(x))); in training with the batch's statistics, which move the running averages. */
export function layerForward(layer: Layer, weights: Weights, x: Rows, training: boolean): LayerCache {
  const z = linear(layer.linear, weights, x);
  const relu = (rows: Rows) => rows.map((row) => row.map((value) => Math.max(value, 0)));
  const { norm } = layer;
  if (norm === null) return { layer, x, normalised: z, invStd: [], y: relu(z) };
  const get = (name: string) => weights.get(`${norm}.${name}`)!;
  const { mean, variance } = training
    ? batchStatistics(z, get('running_mean'), get('running_var'))
    : { mean: get('running_mean'), variance: get('running_var') };
  const invStd = variance.map((value) => 1 / Math.sqrt(value + EPS));
  const normalised = z.map((row) => row.map((value, n) => (value - mean[n]!) * invStd[n]!));
  const y = relu(normalised.map((row) => row.map((value, n) => get('weight')[n]! * value + get('bias')[n]!)));
  return { layer, x, normalised, invStd, y };
}

/** Mean and biased variance of each column; the running averages take the unbiased one. */
function batchStatistics(z: Rows, runningMean: number[], runningVar: number[]) {
  const average = (n: number, f: (value: number) => number) => z.reduce((sum, row) => sum + f(row[n]!), 0) / z.length;
  const mean = runningMean.map((_, n) => average(n, (value) => value));
  const variance = runningVar.map((_, n) => average(n, (value) => (value - mean[n]!) ** 2));
  mean.forEach((value, n) => {
    const unbiased = (variance[n]! * z.length) / (z.length - 1);
    runningMean[n] = (1 - MOMENTUM) * runningMean[n]! + MOMENTUM * value;
    runningVar[n] = (1 - MOMENTUM) * runningVar[n]! + MOMENTUM * unbiased;
  });
  return { mean, variance };
}

export function layerBackward(cache: LayerCache, weights: Weights, dy: Rows, gradients: Gradients): Rows {
  const { layer, x, normalised, invStd, y } = cache;
  let dz = dy.map((row, b) => row.map((d, n) => (y[b]![n]! > 0 ? d : 0)));
  if (layer.norm !== null) {
    const gamma = weights.get(`${layer.norm}.weight`)!;
    const [dgamma, dbeta] = [gradients.get(`${layer.norm}.weight`)!, gradients.get(`${layer.norm}.bias`)!];
    dz.forEach((row, b) => {
      row.forEach((d, n) => {
        dgamma[n]! += d * normalised[b]![n]!;
        dbeta[n]! += d;
      });
    });
    // The gradients also flow through mean and variance: what is left is orthogonal to 1 and to the normalised values.
    dz = dz.map((row, b) =>
      row.map((d, n) => gamma[n]! * invStd[n]! * (d - (dbeta[n]! + normalised[b]![n]! * dgamma[n]!) / dz.length)),
    );
  }
  return linearBackward(layer.linear, weights, x, dz, gradients);
}
