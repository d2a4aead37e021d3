// Masks the items that a chunk's users have seen, so that they are neither ranked nor recommended:
//   keys[u, seen_items[s]] = 0     s in [offsets[user], offsets[user + 1]), user = step · users + u, but not the held-out item
// step u32[1]: the chunk's number · offsets u32[tested + 1] · seen_items u32[offsets[tested]]
// held_out u32[tested], any number that is no item where there is none · keys u32[users, items]
// 32 threads for one user, each every 32nd item.
struct Params { users: u32, items: u32, tested: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> seen_items: array<u32>;
@group(0) @binding(4) var<storage, read> held_out: array<u32>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let u = t / 32u;
  let user = step[0] * params.users + u;
  if (u >= params.users || user >= params.tested) { return; }
  let own = held_out[user];
  for (var s = offsets[user] + t % 32u; s < offsets[user + 1u]; s += 32u) {
    let item = seen_items[s];
    if (item != own) { keys[u * params.items + item] = 0u; }
  }
}
