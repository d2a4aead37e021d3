// Grouping a batch's ids by row, 1 of 4: how often does each row occur, and which occurrence is each position?
//   rank[p] = number of earlier arrivals at row ids[p];  counts[r] = |{p : ids[p] = r}|
// The order of arrival differs from run to run; group_sort restores the order of positions, so nothing depends on it.
// ids u32[n] · counts u32[vocabulary], zero before · rank u32[n]
// One thread for one position.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> rank: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let p = id.y * groups.x * WG + id.x;
  if (p >= params.n) { return; }
  rank[p] = atomicAdd(&counts[ids[p]], 1u);
}
