// Grouping a batch's ids by row, 2 of 4: every row that occurs gets a segment of `order`.
//   segments[r] = (start, count);  counts[r] = 0 again, for the next step
// Which row gets which part of `order` does not matter, so a running total replaces a prefix sum.
// counts u32[vocabulary] · total u32[1], zero before · segments vec2u[vocabulary]
// One thread for one row.
struct Params { vocabulary: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(3) var<storage, read_write> segments: array<vec2u>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.vocabulary) { return; }
  let count = counts[r];
  if (count == 0u) {
    segments[r] = vec2u(0u, 0u);
    return;
  }
  segments[r] = vec2u(atomicAdd(&total, count), count);
  counts[r] = 0u;
}
