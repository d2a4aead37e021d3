// pair_scores.wgsl has the formula; here on subgroups of 8 lanes:
//   keys[u, first_item + i] = key(bias + Σ_d h[d] · p[u, d] · q[i, d] + Σ_k h[dim + k] · x[u, i, k])
// dim and units are multiples of 4, and all but step, bias and keys is read by fours.
// One subgroup, which is a workgroup, for a tile of 8 users × 8 items: a lane has one item and loads what belongs to one
// user, and the lanes hand the users' parts to each other.
enable subgroups;

struct Params {
  users: u32, items: u32, first_item: u32, all_items: u32, tested: u32, dim: u32, units: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> p: array<vec4f>;
@group(0) @binding(3) var<storage, read> q: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;
@group(0) @binding(5) var<storage, read> h: array<vec4f>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> keys: array<u32>;

// Keys order as logits do, −0 as 0; what is not a number has key 1, below all others, and key 0 is left for masked items.
fn key(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 1u; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.items + 7u) / 8u;
  if (g >= across * ((params.users + 7u) / 8u)) { return; }
  let i = (g % across) * 8u + lane;
  let u = (g / across) * 8u;
  // Users and items past the end repeat the last one: their keys are not written.
  let last = params.users - 1u;
  let item = min(i, params.items - 1u);
  let dim = params.dim / 4u;
  let units = params.units / 4u;
  let user = min(step[0] * params.users + u + lane, params.tested - 1u) * dim;
  let other = (params.first_item + item) * dim;
  let b = bias[0];
  var low = vec4f(b);
  var high = vec4f(b);
  for (var d = 0u; d < dim; d++) {
    let s = h[d] * p[user + d];
    let t = q[other + d];
    low += t * mat4x4f(subgroupBroadcast(s, 0u), subgroupBroadcast(s, 1u), subgroupBroadcast(s, 2u), subgroupBroadcast(s, 3u));
    high += t * mat4x4f(subgroupBroadcast(s, 4u), subgroupBroadcast(s, 5u), subgroupBroadcast(s, 6u), subgroupBroadcast(s, 7u));
  }
  for (var k = 0u; k < units; k++) {
    let w = h[dim + k];
    low += w * mat4x4f(
      x[(min(u + 0u, last) * params.items + item) * units + k],
      x[(min(u + 1u, last) * params.items + item) * units + k],
      x[(min(u + 2u, last) * params.items + item) * units + k],
      x[(min(u + 3u, last) * params.items + item) * units + k],
    );
    high += w * mat4x4f(
      x[(min(u + 4u, last) * params.items + item) * units + k],
      x[(min(u + 5u, last) * params.items + item) * units + k],
      x[(min(u + 6u, last) * params.items + item) * units + k],
      x[(min(u + 7u, last) * params.items + item) * units + k],
    );
  }
  if (i >= params.items) { return; }
  let to = u * params.all_items + params.first_item + i;
  for (var j = 0u; j < min(4u, params.users - u); j++) { keys[to + j * params.all_items] = key(low[j]); }
  for (var j = 4u; j < min(8u, params.users - u); j++) { keys[to + j * params.all_items] = key(high[j - 4u]); }
}
