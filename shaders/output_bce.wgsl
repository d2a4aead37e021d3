// NeuMF's output layer on a batch, its binary cross-entropy (bce.wgsl says how) and their gradients in one:
//   φ = [p ⊙ q ; y];  logit = bias + Σ_c weight[c] φ[c];  loss = u · BCE(logit, label);  dlogit = scale · u · (σ(logit) − label)
//   dφ = dlogit · weight;  dp = dφ ⊙ q;  dq = dφ ⊙ p;  dy = dφ behind them                  scale = 1 / rows for the mean
// u is 1, or (WEIGHTED) the sample's weight in the loss.
// pairs, dpairs vec4f[2, rows, dim]: p of all samples, then q · y, dy f32[rows, width] · weight f32[4 · dim + width]
// bias f32[1] · labels f32[rows] in [0, 1], WEIGHTED: the samples' weights f32[rows] behind them · samples vec4f[rows] = (logit, loss, dlogit, 0)
// One thread for one sample.
struct Params { rows: u32, dim: u32, width: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pairs: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> labels: array<f32>;
@group(0) @binding(6) var<storage, read_write> samples: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dpairs: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dy: array<f32>;

override WG: u32 = 64;
override WEIGHTED: bool = false;

// log(1 + e) for 0 ≤ e ≤ 1, as in bce.wgsl.
fn log1p(e: f32) -> f32 {
  let s = e / (2.0 + e);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
}

fn weights(c: u32) -> vec4f {
  return vec4f(weight[c], weight[c + 1u], weight[c + 2u], weight[c + 3u]);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.rows) { return; }
  let p = r * params.dim;
  let q = (params.rows + r) * params.dim;
  let row = r * params.width;
  var x = bias[0];
  for (var c = 0u; c < params.dim; c++) {
    let product = pairs[p + c] * pairs[q + c];
    let w = weights(4u * c);
    // One after the other, in the order of the columns, as in linear.wgsl.
    x += product.x * w.x;
    x += product.y * w.y;
    x += product.z * w.z;
    x += product.w * w.w;
  }
  for (var c = 0u; c < params.width; c++) { x += y[row + c] * weight[4u * params.dim + c]; }

  let t = labels[r];
  var u = 1.0;
  if (WEIGHTED) { u = labels[params.rows + r]; }
  let e = exp(-abs(x));
  let loss = u * (abs(x) * select(t, 1.0 - t, x >= 0.0) + log1p(e));
  let small = e / (1.0 + e);
  let large = 1.0 / (1.0 + e);
  let dx = params.scale * u * (select(small, large, x >= 0.0) * (1.0 - t) - select(large, small, x >= 0.0) * t);
  samples[r] = vec4f(x, loss, dx, 0.0);

  for (var c = 0u; c < params.dim; c++) {
    let dproduct = dx * weights(4u * c);
    dpairs[p + c] = dproduct * pairs[q + c];
    dpairs[q + c] = dproduct * pairs[p + c];
  }
  for (var c = 0u; c < params.width; c++) { dy[row + c] = dx * weight[4u * params.dim + c]; }
}
