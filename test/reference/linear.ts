/** Reference of the linear layer: x [rows, inputs], weight [outputs, inputs], y [rows, outputs]. */
import type { LinearSize } from '../../src/kernels/linear.ts';
import type { Numbers } from './elementwise.ts';

/** y[r, n] = Σ_k x[r, k] · weight[n, k] + bias[n] */
export function linear(
  x: Numbers,
  weight: Numbers,
  bias: Numbers,
  { rows, inputs, outputs }: LinearSize,
): Float64Array {
  const y = new Float64Array(rows * outputs);
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < outputs; n++) {
      let sum = bias[n]!;
      for (let k = 0; k < inputs; k++) sum += x[r * inputs + k]! * weight[n * inputs + k]!;
      y[r * outputs + n] = sum;
    }
  }
  return y;
}

/** dx[r, k] = Σ_n dy[r, n] · weight[n, k] */
export function linearInputGrad(dy: Numbers, weight: Numbers, { rows, inputs, outputs }: LinearSize): Float64Array {
  const dx = new Float64Array(rows * inputs);
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < outputs; n++) {
      for (let k = 0; k < inputs; k++) dx[r * inputs + k]! += dy[r * outputs + n]! * weight[n * inputs + k]!;
    }
  }
  return dx;
}

/** dweight[n, k] = Σ_r dy[r, n] · x[r, k];  dbias[n] = Σ_r dy[r, n] */
export function linearWeightGrad(x: Numbers, dy: Numbers, { rows, inputs, outputs }: LinearSize) {
  const dweight = new Float64Array(outputs * inputs);
  const dbias = new Float64Array(outputs);
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < outputs; n++) {
      const d = dy[r * outputs + n]!;
      dbias[n]! += d;
      for (let k = 0; k < inputs; k++) dweight[n * inputs + k]! += d * x[r * inputs + k]!;
    }
  }
  return { dweight, dbias };
}
