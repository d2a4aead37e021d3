// BatchNorm with given moments, optionally followed by ReLU and dropout:
//   y[r, n] = gamma[n] · (x[r, n] − mean[n]) · inverse_std[n] + beta[n]
//   RELU:     y = max(y, 0)
//   DROPOUT:  y = y / (1 − p) where the element's random word is at least p · 2³², else 0
// x, y f32[rows, features] · moments vec2f[features] = (mean, inverse_std) · gamma, beta f32[features] · step u32[1]
// One thread for every stride-th quad: four consecutive elements, which share one counter of the generator.
//   ALIGNED: features and 4 · stride are multiples of 4 and of features, so that a thread's quads are of the same features
struct Params { n: u32, features: u32, stride: u32, seed: u32, stream: u32, threshold: u32, scale: f32 }
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
override ALIGNED: bool = false;

struct Features { mean: vec4f, inverse_std: vec4f, gamma: vec4f, beta: vec4f }

// Those of the four elements from i on.
fn features_of(i: u32) -> Features {
  var f: Features;
  for (var j = 0u; j < 4u; j++) {
    let n = (i + j) % params.features;
    f.mean[j] = moments[n].x;
    f.inverse_std[j] = moments[n].y;
    f.gamma[j] = gamma[n];
    f.beta[j] = beta[n];
  }
  return f;
}

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

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.y * groups.x * WG + id.x;
  if (first >= params.stride || first * 4u >= params.n) { return; }
  var f = features_of(first * 4u);
  for (var quad = first; quad * 4u < params.n; quad += params.stride) {
    let i = quad * 4u;
    if (!ALIGNED) { f = features_of(i); }
    // Past the end this reads what is not written below.
    var value = f.gamma * ((vec4f(x[i], x[i + 1u], x[i + 2u], x[i + 3u]) - f.mean) * f.inverse_std) + f.beta;
    if (RELU) { value = max(value, vec4f()); }
    if (DROPOUT) {
      let random = pcg4d(vec4u(params.seed, params.stream, step[0], quad));
      value = select(vec4f(), value * params.scale, random >= vec4u(params.threshold));
    }
    y[i] = value.x;
    if (i + 1u < params.n) { y[i + 1u] = value.y; }
    if (i + 2u < params.n) { y[i + 2u] = value.z; }
    if (i + 3u < params.n) { y[i + 3u] = value.w; }
  }
}
