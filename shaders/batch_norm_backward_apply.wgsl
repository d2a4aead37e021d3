// Backward of BatchNorm (with ReLU and dropout behind it), 3 of 3: the gradient of its input.
//   dx = gamma · inverse_std · (g − dbeta / rows − x̂ · dgamma / rows)          g, x̂ as in batch_norm_backward_sums
// x, y, dy, dx f32[rows, features] · moments vec2f[features] = (mean, inverse_std) · gamma, dgamma, dbeta f32[features]
// Source: Ioffe and Szegedy 2015, Batch Normalization, section 3.
// One thread for one feature of 8 rows, so that the feature's own numbers are loaded once.
struct Params { rows: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec2f>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read> dbeta: array<f32>;
@group(0) @binding(6) var<storage, read> y: array<f32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;

override WG: u32 = 64;
override MASKED: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let first = (t / params.features) * 8u;
  if (first >= params.rows) { return; }
  let n = t % params.features;
  let moment = moments[n];
  let rows = f32(params.rows);
  let scale = gamma[n] * moment.y;
  let mean_g = dbeta[n] / rows;
  let sum_gx = dgamma[n];
  for (var r = first; r < min(first + 8u, params.rows); r++) {
    let i = r * params.features + n;
    let normalised = (x[i] - moment.x) * moment.y;
    var g = dy[i];
    if (MASKED) { g = select(0.0, params.scale * g, y[i] > 0.0); }
    dx[i] = scale * (g - mean_g - normalised * sum_gx / rows);
  }
}
