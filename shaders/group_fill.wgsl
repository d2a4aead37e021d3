// Grouping a batch's ids by row, 3 of 4: each position into its row's segment, in order of arrival.
//   order[segments[ids[p]].start + rank[p]] = p
// ids u32[n] · rank u32[n] · segments vec2u[vocabulary] · order u32[n] · total u32[1]: zero again, for the next step
// One thread for one position.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> rank: array<u32>;
@group(0) @binding(3) var<storage, read> segments: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> order: array<u32>;
@group(0) @binding(5) var<storage, read_write> total: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = id.y * groups.x * WG + id.x;
  if (p >= params.n) { return; }
  if (p == 0u) { total[0] = 0u; }
  order[segments[ids[p]].x + rank[p]] = p;
}
