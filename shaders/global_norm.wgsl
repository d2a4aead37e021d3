// Norm of all gradients, 1 of 2: partial sums of squares in a fixed order.
//   partial[j] = Σ over i ≡ j (mod threads) of |gradient[i]|²
// gradient vec4f[n4] · partial f32[threads]
// One thread for every threads-th vector.
struct Params { n4: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.threads) { return; }
  var sum = 0.0;
  for (var i = id.x; i < params.n4; i += params.threads) { sum += dot(gradient[i], gradient[i]); }
  partial[id.x] = sum;
}
