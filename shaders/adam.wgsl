// Adam (torch.optim.Adam: dense, weight decay added to the gradient), over one flat arena:
//   t = step + 1;  g = clip · gradient + weight_decay · w
//   m = m + (1 − β₁)(g − m);  v = β₂ v + (1 − β₂) g²
//   w = w − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)
// gradient, weight, m, v vec4f[n4] · clip f32[2] = (norm, factor) · step u32[1]
// hyper f32[8] = lr, 1 − β₁, β₂, 1 − β₂, ln β₁, ln β₂, eps, weight_decay, computed in f64 on the CPU: 1 − 0.999 in f32
// alone would be wrong by 6e-5 of itself.
// One thread for every threads-th vector, several of them, so that the bias correction is computed seldom.
// Source: Kingma and Ba 2015, Adam, algorithm 1.
struct Params { n4: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> clip: array<f32>;
@group(0) @binding(3) var<storage, read> step: array<u32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> v: array<vec4f>;

override WG: u32 = 64;

// 1 − eˣ for x ≤ 0, without the cancellation near 0: Taylor's series up to x⁸ / 8!, whose next term is under 2e-9 there.
fn one_minus_exp(x: f32) -> f32 {
  if (x < -0.4) { return 1.0 - exp(x); }
  return -x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0)))))));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.y * groups.x * WG + id.x;
  if (first >= params.threads) { return; }
  let t = f32(step[0] + 1u);
  let rate = hyper[0] / one_minus_exp(t * hyper[4]);
  let v_scale = inverseSqrt(one_minus_exp(t * hyper[5]));
  let decay = hyper[7];
  for (var i = first; i < params.n4; i += params.threads) {
    let w = weight[i];
    let g = clip[1] * gradient[i] + decay * w;
    let new_m = m[i] + hyper[1] * (g - m[i]);
    let new_v = hyper[2] * v[i] + hyper[3] * g * g;
    m[i] = new_m;
    v[i] = new_v;
    weight[i] = w - rate * new_m / (sqrt(new_v) * v_scale + hyper[6]);
  }
}
