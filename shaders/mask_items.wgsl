// Masks the items that are not asked for, whoever the user is:
//   keys[u, i] = 0 where allowed[i] = 0
// allowed u32[items] · keys u32[users, items]
// One thread for one key; those of allowed items are not touched.
struct Params { users: u32, items: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> allowed: array<u32>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  if (t >= params.users * params.items) { return; }
  if (allowed[t % params.items] == 0u) { keys[t] = 0u; }
}
