// Adam on embedding tables, deferred or lazy, 2 of 2: the rows that a batch looked up by adam_gather take the
// present step of adam.wgsl with their gradient, which is summed here and stored nowhere:
//   gradient = Σ over the row's positions p, ascending:  dy[p]          SUMMED: dy of the first position holds it already
//   w, m, v as in adam.wgsl
// groups, slots, step, hyper, weight, m, v, the parameters and the threads as in adam_gather · dy vec4f as `out` there
// hyper[0] = (norm, clip)
struct Params {
  first: u32, count: u32, lanes: u32, split: u32, offset: u32, dim_a: u32, dim_b: u32,
  user_a: u32, item_a: u32, user_b: u32, item_b: u32, x: u32, least: u32, rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<vec4u>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read> step: array<u32>;
@group(0) @binding(5) var<storage, read> hyper: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> v: array<vec4f>;

override WG: u32 = 64;
override BY_ROWS: bool = false;
override SUMMED: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * WG + id.x;
  if (i >= params.count * params.lanes) { return; }
  var key = params.first + i / params.lanes;
  if (!BY_ROWS) {
    if (groups[key] == 0u) { return; }
    key = groups[key] - 1u;
    if (key - params.least >= params.rows) { return; } // below the least, more than there are
  }
  let slot = slots[key];
  if (BY_ROWS && slot.x != step[0] + 1u) { return; }
  let is_item = key >= params.offset;
  let row = key - select(0u, params.offset, is_item);
  let rates = hyper[3u + min(step[0] + 1u, u32(hyper[3].y))];
  let first = groups[slot.y];
  for (var lane = i % params.lanes; lane < params.dim_a + params.dim_b; lane += params.lanes) {
    let in_a = lane < params.dim_a;
    let a = select(params.user_a, params.item_a, is_item) + row * params.dim_a + lane;
    let b = select(params.user_b, params.item_b, is_item) + row * params.dim_b + lane - params.dim_a;
    let at = select(b, a, in_a);
    // Where position p's vector lies: begin + stride · p.
    let begin = select(params.x + lane - params.dim_a + select(0u, params.dim_b, is_item), lane, in_a);
    let stride = select(2u * params.dim_b, params.dim_a, in_a);
    let before = select(0u, params.split, is_item && !in_a);
    var gradient = dy[begin + stride * (first - before)];
    if (!SUMMED) {
      for (var k = slot.y + 1u; k < slot.y + slot.z; k++) { gradient += dy[begin + stride * (groups[k] - before)]; }
    }
    let w = weight[at];
    let g = hyper[0].y * gradient + hyper[3].x * w;
    let new_m = m[at] + hyper[1].x * (g - m[at]);
    let new_v = hyper[1].y * v[at] + hyper[2].x * g * g;
    m[at] = new_m;
    v[at] = new_v;
    weight[at] = w - rates.x * new_m / (sqrt(new_v) * rates.y + hyper[2].y);
  }
}
