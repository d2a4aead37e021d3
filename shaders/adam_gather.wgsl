// Adam on embedding tables, row by row and as late as possible (deferred), 1 of 2: the rows that a batch looks up take the
// steps of adam.wgsl that they have missed, all without a gradient and in order, which gives the same bits as taking each
// when it was due; then they are looked up:
//   for t = stamp + 1 … step:  g = weight_decay · w, and m, v, w as in adam.wgsl
//   out[p] = w                 for all positions p of the row
// The tables are those of users and items in up to two branches, a (GMF) and b (MLP), of dim_a and dim_b vectors a row.
// groups u32[5 n] from group_sort with stamps: positions below `split` are users', rows from `offset` on are items'
// step u32[1] · hyper vec2f[3 + last] as in adam.wgsl · weight, m, v vec4f: row r of a table at user_a + r · dim_a, …
// out vec4f: branch a [users' positions ; items' positions] in rows of dim_a, from x on branch b [users' row ; items' row]
// One thread for one vector of a slot in [first, first + slots), of which the first position of a row does the work.
struct Params {
  first: u32, slots: u32, split: u32, offset: u32, dim_a: u32, dim_b: u32,
  user_a: u32, item_a: u32, user_b: u32, item_b: u32, x: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read> hyper: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * WG + id.x;
  let lanes = params.dim_a + params.dim_b;
  if (i >= params.slots * lanes) { return; }
  let position = params.first + i / lanes;
  let slot = 4u * position;
  let count = groups[slot + 2u];
  if (count == 0u) { return; }
  let is_item = position >= params.split;
  let row = groups[slot] - select(0u, params.offset, is_item);
  let lane = i % lanes;
  let in_a = lane < params.dim_a;
  let a = select(params.user_a, params.item_a, is_item) + row * params.dim_a + lane;
  let b = select(params.user_b, params.item_b, is_item) + row * params.dim_b + lane - params.dim_a;
  let at = select(b, a, in_a);

  let one_minus_beta1 = hyper[0].x;
  let beta2 = hyper[0].y;
  let one_minus_beta2 = hyper[1].x;
  let eps = hyper[1].y;
  let decay = hyper[2].x;
  let last = u32(hyper[2].y);
  let stamp = groups[slot + 3u];
  var w = weight[at];
  var new_m = m[at];
  var new_v = v[at];
  for (var t = stamp + 1u; t <= step[0]; t++) {
    let rates = hyper[2u + min(t, last)];
    let g = decay * w;
    new_m = new_m + one_minus_beta1 * (g - new_m);
    new_v = beta2 * new_v + one_minus_beta2 * g * g;
    w = w - rates.x * new_m / (sqrt(new_v) * rates.y + eps);
  }
  if (stamp < step[0]) {
    weight[at] = w;
    m[at] = new_m;
    v[at] = new_v;
  }

  // Where position p's vector lies: to + stride · p.
  let to = select(params.x + lane - params.dim_a + select(0u, params.dim_b, is_item), lane, in_a);
  let stride = select(2u * params.dim_b, params.dim_a, in_a);
  let before = select(0u, params.split, is_item && !in_a);
  let start = groups[slot + 1u];
  for (var k = start; k < start + count; k++) { out[to + stride * (groups[k] - before)] = w; }
}
