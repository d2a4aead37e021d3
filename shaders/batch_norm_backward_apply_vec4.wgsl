// batch_norm_backward_apply where features are a multiple of 4, in vectors of four features:
//   dx = gamma · inverse_std · (g − dbeta / rows − x̂ · dgamma / rows)          g, x̂ as in batch_norm_backward_sums
// x, y, dy, dx vec4f[rows, features] · moments vec4f[2 · features]: (mean, inverse_std) of two features each
// gamma, dgamma, dbeta vec4f[features]; here features count vectors
// Source: Ioffe and Szegedy 2015, Batch Normalization, section 3.
// One thread for one vector of 8 rows, so that the features' own numbers are loaded once.
struct Params { rows: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> moments: array<vec4f>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> dgamma: array<vec4f>;
@group(0) @binding(5) var<storage, read> dbeta: array<vec4f>;
@group(0) @binding(6) var<storage, read> y: array<vec4f>;
@group(0) @binding(7) var<storage, read> dy: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dx: array<vec4f>;

override WG: u32 = 64;
override MASKED: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let first = (t / params.features) * 8u;
  if (first >= params.rows) { return; }
  let n = t % params.features;
  let one = moments[2u * n];
  let two = moments[2u * n + 1u];
  let mean = vec4f(one.x, one.z, two.x, two.z);
  let inverse_std = vec4f(one.y, one.w, two.y, two.w);
  let rows = f32(params.rows);
  let scale = gamma[n] * inverse_std;
  let mean_g = dbeta[n] / rows;
  let sum_gx = dgamma[n];
  for (var r = first; r < min(first + 8u, params.rows); r++) {
    let i = r * params.features + n;
    let normalised = (x[i] - mean) * inverse_std;
    var g = dy[i];
    if (MASKED) { g = select(vec4f(), params.scale * g, y[i] > vec4f()); }
    dx[i] = scale * (g - mean_g - normalised * sum_gx / rows);
  }
}
