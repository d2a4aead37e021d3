// Adam (torch.optim.Adam: dense, weight decay added to the gradient), over one flat arena:
//   g = clip · gradient + weight_decay · w
//   m = m + (1 − β₁)(g − m);  v = β₂ v + (1 − β₂) g²
//   w = w − rate · m / (√v · v_scale + eps)
// gradient, weight, m, v vec4f[n4] · clip f32[2] = (norm, factor) · step u32[1]
// hyper vec2f[4 + last], rounded once from f64: 1 − 0.999 in f32 alone would be wrong by 6e-5 of itself
//   (norm, clip) of RowAdam, (1 − β₁, β₂), (1 − β₂, eps), (weight_decay, last), then for t = step + 1 from 1 to `last`, after which they stay,
//   (rate, v_scale) = (lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ))
// One thread for every threads-th vector, several of them.
// Source: Kingma and Ba 2015, Adam, algorithm 1.
struct Params { n4: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> clip: array<f32>;
@group(0) @binding(3) var<storage, read> step: array<u32>;
@group(0) @binding(4) var<storage, read> hyper: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> v: array<vec4f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.y * groups.x * WG + id.x;
  if (first >= params.threads) { return; }
  let one_minus_beta1 = hyper[1].x;
  let beta2 = hyper[1].y;
  let one_minus_beta2 = hyper[2].x;
  let eps = hyper[2].y;
  let decay = hyper[3].x;
  let rates = hyper[3u + min(step[0] + 1u, u32(hyper[3].y))];
  for (var i = first; i < params.n4; i += params.threads) {
    let w = weight[i];
    let g = clip[1] * gradient[i] + decay * w;
    let new_m = m[i] + one_minus_beta1 * (g - m[i]);
    let new_v = beta2 * v[i] + one_minus_beta2 * g * g;
    m[i] = new_m;
    v[i] = new_v;
    weight[i] = w - rates.x * new_m / (sqrt(new_v) * rates.y + eps);
  }
}
