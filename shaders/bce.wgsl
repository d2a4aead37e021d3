// Binary cross-entropy from logits (torch.nn.functional.binary_cross_entropy_with_logits) and its gradient:
//   losses[i] = max(x, 0) − x · t + log(1 + e^−|x|)
//   gradient[i] = scale · (σ(x) − t)                     scale = 1 / n for the mean
// logits x, labels t, losses, gradient f32[n]; labels in [0, 1]
// One thread for one sample.
struct Params { n: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n) { return; }
  let x = logits[i];
  let t = labels[i];
  let e = exp(-abs(x));
  // log(1 + e) loses e's digits when e is small.
  let log1p = select(log(1.0 + e), e * (1.0 - 0.5 * e), e < 1e-3);
  losses[i] = max(x, 0.0) - x * t + log1p;
  // σ(x) and 1 − σ(x), both without cancellation.
  let small = e / (1.0 + e);
  let large = 1.0 / (1.0 + e);
  let p = select(small, large, x >= 0.0);
  let q = select(large, small, x >= 0.0);
  gradient[i] = params.scale * (p * (1.0 - t) - q * t);
}
