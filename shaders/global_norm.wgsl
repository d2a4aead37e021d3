// Norm of all gradients, 1 of 2: partial sums of squares in a fixed order.
//   partial[j] = Σ over i ≡ j (mod threads) of |gradient[i]|²
// Gradients in several pieces take a dispatch each, in order, which goes on with the sum where the last one stopped: the
// piece's first vector is number `before`. However they are cut, the bits are the same.
// gradient vec4f[n4] · partial f32[threads], not read where before = 0
// One thread for every threads-th vector.
struct Params { n4: u32, threads: u32, before: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.threads) { return; }
  var sum = 0.0;
  if (params.before > 0u) { sum = partial[id.x]; }
  let first = (id.x + params.threads - params.before % params.threads) % params.threads;
  for (var i = first; i < params.n4; i += params.threads) { sum += dot(gradient[i], gradient[i]); }
  partial[id.x] = sum;
}
