// Rank of each held-out item among all items that are not masked, 0 for the best; ties count against the model:
//   ranks[user] += |{i ≠ held_out[user] : keys[u, i] ≥ keys[u, held_out[user]] or keys[u, i] = 1}|     user = step · users + u
// pair_scores.wgsl says what keys are: 1 is not a number, which counts against the model wherever it stands, 0 is masked.
// step u32[1]: the chunk's number · held_out u32[tested] · keys u32[users, items] · ranks u32[tested], 0 at first
// One thread for `span` items of one user; its count is added atomically, in integers, so that order does not matter.
struct Params { users: u32, items: u32, tested: u32, span: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> held_out: array<u32>;
@group(0) @binding(3) var<storage, read> keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> ranks: array<atomic<u32>>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let spans = (params.items + params.span - 1u) / params.span;
  let u = t / spans;
  let user = step[0] * params.users + u;
  if (u >= params.users || user >= params.tested) { return; }
  let row = u * params.items;
  let own = held_out[user];
  let least = keys[row + own];
  let first = (t % spans) * params.span;
  var rank = 0u;
  for (var i = first; i < min(first + params.span, params.items); i++) {
    let other = keys[row + i];
    if (i != own && (other >= least || other == 1u)) { rank++; }
  }
  atomicAdd(&ranks[user], rank);
}
