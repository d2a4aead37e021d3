// Grouping a batch's ids by row, 1 of 2: every row that occurs gets a linked list of its positions, the last arrival first.
//   row(p) = left[p] for p < split, else offset + right[p − split]
//   next[p] = head[row(p)];  head[row(p)] = p + 1            0 ends a list
// The order of arrival differs from run to run; group_sort restores the order of positions, so nothing depends on it.
// left u32[split] · right u32[n − split] · head u32[rows], zero before · next u32[n]
// groups u32[2 n]: no position is the first of a row yet · total u32[1]: zero
// One thread for one position.
struct Params { n: u32, split: u32, offset: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<u32>;
@group(0) @binding(2) var<storage, read> right: array<u32>;
@group(0) @binding(3) var<storage, read_write> head: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> next: array<u32>;
@group(0) @binding(5) var<storage, read_write> groups: array<u32>;
@group(0) @binding(6) var<storage, read_write> total: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let p = id.y * workgroups.x * WG + id.x;
  if (p >= params.n) { return; }
  if (p == 0u) { total[0] = 0u; }
  var row = 0u;
  if (p < params.split) { row = left[p]; } else { row = params.offset + right[p - params.split]; }
  next[p] = atomicExchange(&head[row], p + 1u);
  groups[p] = 0u;
}
