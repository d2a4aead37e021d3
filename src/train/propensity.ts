import { power } from './power.ts';

/**
 * How much an interaction with each item counts in the loss, so that popularity's part in which interactions were seen
 * is taken out: inverse propensity scoring (Schnabel et al. 2016, Recommendations as Treatments), with the propensity
 * that popularity gives (Saito et al. 2020, Unbiased Recommender Learning from Missing-Not-At-Random Implicit Feedback,
 * who take γ = ½), clipped for the sake of variance and normalised by itself (Swaminathan and Joachims 2015):
 *
 *   p_i = (n_i / max n)^γ                   n_i: training interactions of item i
 *   c_i = min(1 / p_i, clip · m)            m = Σ n_i / p_i / Σ n_i, the mean of 1 / p over training interactions
 *   w_i = c_i / (Σ n_i c_i / Σ n_i)         so that the mean of w over training interactions is 1
 *
 * An item without interactions counts as one with a single one.
 * @param counts training interactions of each item
 * @param gamma γ; 0 gives all items 1
 * @returns f32[items]: w
 */
export function inversePropensities(counts: Uint32Array, gamma: number, clip: number): Float32Array<ArrayBuffer> {
  const total = counts.reduce((sum, n) => sum + n, 0);
  const mean = (x: Float64Array) => counts.reduce((sum, n, item) => sum + n * x[item]!, 0) / total;
  const popular = counts.reduce((most, n) => Math.max(most, n), 1);
  const inverse = Float64Array.from(counts, (n) => power(popular / Math.max(1, n), gamma));
  const most = clip * mean(inverse);
  const clipped = inverse.map((weight) => Math.min(weight, most));
  const unit = mean(clipped);
  return Float32Array.from(clipped, (weight) => weight / unit);
}
