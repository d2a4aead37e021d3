// Backward of BatchNorm, 2 of 3: the gradients of gamma and beta from the blocks' sums, in order.
//   dbeta[n] = Σ_block sums[block, n].x;  dgamma[n] = Σ_block sums[block, n].y
// sums vec2f[blocks, features] · dgamma, dbeta f32[features]
// One workgroup for eight features, as in batch_norm_finish.
struct Params { blocks: u32, features: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbeta: array<f32>;

override WG: u32 = 64;
// So many blocks are summed apart: the longer the chain, the more is lost to rounding.
const CHUNK = 16u;
var<workgroup> partial: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = (group.y * groups.x + group.x) * 8u + lane % 8u;
  let strips = WG / 8u;
  var sum = vec2f();
  if (n < params.features) {
    for (var first = lane / 8u; first < params.blocks; first += CHUNK * strips) {
      var chunk = vec2f();
      for (var block = first; block < min(first + CHUNK * strips, params.blocks); block += strips) {
        chunk += sums[block * params.features + n];
      }
      sum += chunk;
    }
  }
  partial[lane] = sum;
  workgroupBarrier();
  if (lane >= 8u || n >= params.features) { return; }
  for (var strip = 1u; strip < strips; strip++) { sum += partial[8u * strip + lane]; }
  dbeta[n] = sum.x;
  dgamma[n] = sum.y;
}
