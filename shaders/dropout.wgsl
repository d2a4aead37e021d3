// Inverted dropout (torch.nn.functional.dropout); its backward is the same kernel on dy:
//   y[i] = x[i] · scale where the element's random word is at least threshold, else 0
//   threshold = p · 2³², scale = 1 / (1 − p);  word i = pcg4d(seed, stream, step, i / 4)[i mod 4]
// The mask is a function of the clock, so it needs no memory and a resumed run draws the same one.
// x, y f32[n] · step u32[1]
// One thread for four consecutive elements, which share one counter of the generator.
struct Params { n: u32, seed: u32, stream: u32, threshold: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override WG: u32 = 64;

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
  let quad = id.y * groups.x * WG + id.x;
  if (quad * 4u >= params.n) { return; }
  let random = pcg4d(vec4u(params.seed, params.stream, step[0], quad));
  for (var j = 0u; j < min(4u, params.n - quad * 4u); j++) {
    let i = quad * 4u + j;
    y[i] = select(0.0, x[i] * params.scale, random[j] >= params.threshold);
  }
}
