// Norm of all gradients, 2 of 2, and the factor of torch.nn.utils.clip_grad_norm_:
//   norm = √(Σ partial);  clip = (norm, min(1, max_norm / (norm + 1e-6)))
// partial f32[threads] · clip f32[2], which the optimizer reads; max_norm 0 means no clipping, factor 1
// One workgroup: each thread adds every WG-th partial sum, then the first adds the threads' results.
struct Params { threads: u32, max_norm: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> clip: array<f32>;

override WG: u32 = 64;
var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var j = lane; j < params.threads; j += WG) { sum += partial[j]; }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane > 0u) { return; }
  var total = 0.0;
  for (var l = 0u; l < WG; l++) { total += sums[l]; }
  let norm = sqrt(total);
  clip[0] = norm;
  clip[1] = select(1.0, min(1.0, params.max_norm / (norm + 1e-6)), params.max_norm > 0.0);
}
