// batch_norm_apply where features are a multiple of 4, in vectors of four features:
//   y[r, n] = gamma[n] · (x[r, n] − mean[n]) · inverse_std[n] + beta[n]
//   RELU:     y = max(y, 0)
//   DROPOUT:  y = y / (1 − p) where the element's random word is at least p · 2³², else 0
// x, y vec4f[rows, features] · moments vec4f[2 · features]: (mean, inverse_std) of two features each
// gamma, beta vec4f[features] · step u32[1]; here features count vectors
// One thread for one vector of every strip-th row, so that the features' own numbers are loaded once for several rows.
struct Params { rows: u32, features: u32, strips: u32, seed: u32, stream: u32, threshold: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> moments: array<vec4f>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> beta: array<vec4f>;
@group(0) @binding(5) var<storage, read> step: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;

override WG: u32 = 64;
override RELU: bool = false;
override DROPOUT: bool = false;

// pcg4d (Jarzynski and Olano 2020, Hash Functions for GPU Rendering): four random words from a four-word counter.
fn pcg4d(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: vec4f) -> vec4f {
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  if (t >= params.strips * params.features) { return; }
  let n = t % params.features;
  let one = moments[2u * n];
  let two = moments[2u * n + 1u];
  let mean = vec4f(one.x, one.z, two.x, two.z);
  let inverse_std = vec4f(one.y, one.w, two.y, two.w);
  let scale = gamma[n];
  let shift = beta[n];
  for (var r = t / params.features; r < params.rows; r += params.strips) {
    let i = r * params.features + n;
    var value = scale * ((x[i] - mean) * inverse_std) + shift;
    if (RELU) { value = relu(value); }
    if (DROPOUT) {
      let random = pcg4d(vec4u(params.seed, params.stream, step[0], i));
      value = select(vec4f(), value * params.scale, random >= vec4u(params.threshold));
    }
    y[i] = value;
  }
}
