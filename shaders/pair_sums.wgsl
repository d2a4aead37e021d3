// Output of a first hidden layer, which is linear in [p_u ; q_i], for the pairs of a block of users × items:
//   y[u, i, k] = max(a[first_user + u, k] + c[first_item + i, k], 0)     first_user = step · users
// step u32[1]: the chunk's number · a f32[tested, units], the users' part · c f32[all items, units], the items'
// y f32[users, items, units]; of users past the last one it holds anything
// One thread for four units of one pair.
struct Params { users: u32, items: u32, first_item: u32, tested: u32, units: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let blocks = (params.units + 3u) / 4u;
  let pair = t / blocks;
  if (pair >= params.users * params.items) { return; }
  let user = min(step[0] * params.users + pair / params.items, params.tested - 1u) * params.units;
  let item = (params.first_item + pair % params.items) * params.units;
  let first = (t % blocks) * 4u;
  for (var k = first; k < min(first + 4u, params.units); k++) {
    y[pair * params.units + k] = max(a[user + k] + c[item + k], 0.0);
  }
}
