// The (user, item) pairs of one chunk of tested users, for scoring:
//   users[i] = tested_users[u];  items[i] = candidates[u, c]          u = step · chunk + i / width, c = i mod width
// Candidate 0 is the held-out item. Places without a candidate hold NONE and score item 0, which rank ignores.
// step u32[1]: the chunk's number · tested_users u32[tested] · candidates u32[tested, width] · users, items u32[chunk · width]
// One thread for one pair.
struct Params { chunk: u32, width: u32, tested: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> tested_users: array<u32>;
@group(0) @binding(3) var<storage, read> candidates: array<u32>;
@group(0) @binding(4) var<storage, read_write> users: array<u32>;
@group(0) @binding(5) var<storage, read_write> items: array<u32>;

override WG: u32 = 64;
const NONE = 0xffffffffu;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.chunk * params.width) { return; }
  let u = step[0] * params.chunk + i / params.width;
  users[i] = 0u;
  items[i] = 0u;
  if (u >= params.tested) { return; }
  users[i] = tested_users[u];
  let item = candidates[u * params.width + i % params.width];
  if (item != NONE) { items[i] = item; }
}
