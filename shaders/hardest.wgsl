// The hardest of each sample's candidates, which is the one that the model scores highest; of equals the first:
//   c = argmax_c logits[r, c];  users[r] = pair_users[r, c];  items[r] = pair_items[r, c]
// pair_users, pair_items u32[rows, candidates] · logits f32[rows, candidates] · users, items u32[rows]
// One thread for one sample.
// Source: Zhang et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling.
struct Params { rows: u32, candidates: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pair_users: array<u32>;
@group(0) @binding(2) var<storage, read> pair_items: array<u32>;
@group(0) @binding(3) var<storage, read> logits: array<f32>;
@group(0) @binding(4) var<storage, read_write> users: array<u32>;
@group(0) @binding(5) var<storage, read_write> items: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.rows) { return; }
  let first = r * params.candidates;
  var hardest = first;
  for (var i = first + 1u; i < first + params.candidates; i++) {
    if (logits[i] > logits[hardest]) { hardest = i; }
  }
  users[r] = pair_users[hardest];
  items[r] = pair_items[hardest];
}
