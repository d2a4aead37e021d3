// Backward of BatchNorm, 2 of 3: the gradients of gamma and beta from the blocks' sums, in order.
//   dbeta[n] = Σ_block sums[block, n].x;  dgamma[n] = Σ_block sums[block, n].y
// sums vec2f[blocks, features] · dgamma, dbeta f32[features]
// One workgroup for one feature: each thread adds every WG-th block, then the first adds the threads' results.
struct Params { blocks: u32, features: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbeta: array<f32>;

override WG: u32 = 16;
var<workgroup> partial: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.y * groups.x + group.x;
  if (n >= params.features) { return; }
  var sum = vec2f();
  for (var block = lane; block < params.blocks; block += WG) { sum += sums[block * params.features + n]; }
  partial[lane] = sum;
  workgroupBarrier();
  if (lane > 0u) { return; }
  for (var l = 1u; l < WG; l++) { sum += partial[l]; }
  dbeta[n] = sum.x;
  dgamma[n] = sum.y;
}
