// Logits of the pairs of a block of users × items, as keys that order as they do:
//   logit[u, i] = bias + Σ_d h[d] · p[first_user + u, d] · q[first_item + i, d] + Σ_k h[dim + k] · x[u, i, k]
//   keys[u, first_item + i] = key(logit[u, i])     first_user = step · users
// step u32[1]: the chunk's number · p f32[tested, dim] · q f32[all items, dim] · x f32[users, items, units]
// h f32[dim + units] · bias f32[1] · keys u32[users, all items]; of users past the last one it holds anything
// One thread for one pair.
struct Params {
  users: u32, items: u32, first_item: u32, all_items: u32, tested: u32, dim: u32, units: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> p: array<f32>;
@group(0) @binding(3) var<storage, read> q: array<f32>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read> h: array<f32>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> keys: array<u32>;

override WG: u32 = 64;

// Keys order as logits do, −0 as 0; what is not a number has key 1, below all others, and key 0 is left for masked items.
fn key(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 1u; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pair = id.y * groups.x * WG + id.x;
  if (pair >= params.users * params.items) { return; }
  let u = pair / params.items;
  let item = params.first_item + pair % params.items;
  let user = min(step[0] * params.users + u, params.tested - 1u);
  var logit = bias[0];
  for (var d = 0u; d < params.dim; d++) { logit += h[d] * p[user * params.dim + d] * q[item * params.dim + d]; }
  for (var k = 0u; k < params.units; k++) { logit += h[params.dim + k] * x[pair * params.units + k]; }
  keys[u * params.all_items + item] = key(logit);
}
