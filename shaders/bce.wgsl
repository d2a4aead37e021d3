// Binary cross-entropy from logits (torch.nn.functional.binary_cross_entropy_with_logits) and its gradient:
//   losses[i] = u · (max(x, 0) − x · t + log(1 + e^−|x|))
//   gradient[i] = scale · u · (σ(x) − t)                 scale = 1 / n for the mean
// u is 1, or (WEIGHTED) the sample's weight.
// logits x, labels t, losses, gradient f32[n]; labels in [0, 1] · weights f32[n], not read unless WEIGHTED
// One thread for one sample.
struct Params { n: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;

override WG: u32 = 64;
override WEIGHTED: bool = false;

// log(1 + e) for 0 ≤ e ≤ 1, which written like that loses e's digits: 2 artanh(s) = 2 (s + s³/3 + s⁵/5 + …) with
// s = e / (2 + e) ≤ 1/3. The first term left out is under 2e-8 of the result.
fn log1p(e: f32) -> f32 {
  let s = e / (2.0 + e);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n) { return; }
  let x = logits[i];
  let t = labels[i];
  var u = 1.0;
  if (WEIGHTED) { u = weights[i]; }
  let e = exp(-abs(x));
  // max(x, 0) − x · t without cancellation.
  losses[i] = u * (abs(x) * select(t, 1.0 - t, x >= 0.0) + log1p(e));
  // σ(x) and 1 − σ(x), both without cancellation.
  let small = e / (1.0 + e);
  let large = 1.0 / (1.0 + e);
  let p = select(small, large, x >= 0.0);
  let q = select(large, small, x >= 0.0);
  gradient[i] = params.scale * u * (p * (1.0 - t) - q * t);
}
