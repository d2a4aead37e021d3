// BatchNorm with given moments, optionally followed by ReLU and dropout:
//   y[r, n] = gamma[n] · (x[r, n] − mean[n]) · inverse_std[n] + beta[n]
//   RELU:     y = max(y, 0)
//   DROPOUT:  y = y / (1 − p) where the element's random word is at least p · 2³², else 0
// x, y f32[rows, features] · moments vec2f[features] = (mean, inverse_std) · gamma, beta f32[features] · step u32[1]
// One thread for four consecutive elements, which share one counter of the generator.
struct Params { n: u32, features: u32, seed: u32, stream: u32, threshold: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec2f>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> step: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

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
fn relu(value: f32) -> f32 {
  return select(value, 0.0, bitcast<u32>(value) - 0x80000000u <= 0x7f800000u);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * WG + id.x;
  if (quad * 4u >= params.n) { return; }
  var random = vec4u();
  if (DROPOUT) { random = pcg4d(vec4u(params.seed, params.stream, step[0], quad)); }
  for (var j = 0u; j < min(4u, params.n - quad * 4u); j++) {
    let i = quad * 4u + j;
    let n = i % params.features;
    var value = gamma[n] * ((x[i] - moments[n].x) * moments[n].y) + beta[n];
    if (RELU) { value = relu(value); }
    if (DROPOUT) { value = select(0.0, value * params.scale, random[j] >= params.threshold); }
    y[i] = value;
  }
}
