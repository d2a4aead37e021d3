// Adam on embedding tables, deferred: every row of one table takes the steps that it has missed, as in adam_gather.
//   for t = slots[slot + r].x + 1 … step:  g = weight_decay · w, and m, v, w as in adam.wgsl
// slots vec4u[rows of all tables] from group_sort: the table's from `slot` on; stamp_rows sets them afterwards
// step u32[1] · hyper vec2f[4 + last] as in adam.wgsl · weight, m, v vec4f[rows, dim]
// One thread for one vector.
struct Params { rows: u32, dim: u32, slot: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> slots: array<vec4u>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read> hyper: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.rows * params.dim) { return; }
  let stamp = slots[params.slot + i / params.dim].x;
  if (stamp >= step[0]) { return; }
  let one_minus_beta1 = hyper[1].x;
  let beta2 = hyper[1].y;
  let one_minus_beta2 = hyper[2].x;
  let eps = hyper[2].y;
  let decay = hyper[3].x;
  let last = u32(hyper[3].y);
  var w = weight[i];
  var new_m = m[i];
  var new_v = v[i];
  for (var t = stamp + 1u; t <= step[0]; t++) {
    let rates = hyper[3u + min(t, last)];
    let g = decay * w;
    new_m = new_m + one_minus_beta1 * (g - new_m);
    new_v = beta2 * new_v + one_minus_beta2 * g * g;
    w = w - rates.x * new_m / (sqrt(new_v) * rates.y + eps);
  }
  weight[i] = w;
  m[i] = new_m;
  v[i] = new_v;
}
