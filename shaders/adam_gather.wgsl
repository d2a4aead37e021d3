// Adam on embedding tables, row by row and as late as possible (deferred), 1 of 2: the rows that a batch looks up take the
// steps of adam.wgsl that they have missed, all without a gradient and in order, which gives the same bits as taking each
// when it was due; then they are looked up:
//   for t = stamp + 1 … step:  g = weight_decay · w, and m, v, w as in adam.wgsl          CATCH_UP: without it (lazy) no t
//   out[p] = w                 for all positions p of the row; LOOK_UP: without it they only catch up
// The tables are those of users and items in up to two branches, a (GMF) and b (MLP), of dim_a and dim_b vectors a row.
// groups u32[2 n], slots vec4u[rows] from group_sort: positions below `split` are users', rows from `offset` on are items';
// a slot's last number is the row's stamp
// step u32[1] · hyper vec2f[4 + last] as in adam.wgsl · weight, m, v vec4f: row r of a table at user_a + r · dim_a, …
// Where tables are not bound together, or are split, a dispatch does the rows [least, least + rows), users' and items' counted
// on; a shard's place is then below 0, modulo 2³², so that its first row's is 0
// out vec4f: branch a [users' positions ; items' positions] in rows of dim_a, from x on branch b [users' row ; items' row]
// `lanes` threads for one position in [first, first + count), of which the first of a row does the work, each for every
// lanes-th vector, two of them at a time, so that the steps' rates are loaded half as often.  BY_ROWS: for one row in
// [first, first + count), of which those that occur do; where most occur, a walk through memory in order is faster.
struct Params {
  first: u32, count: u32, lanes: u32, split: u32, offset: u32, dim_a: u32, dim_b: u32,
  user_a: u32, item_a: u32, user_b: u32, item_b: u32, x: u32, least: u32, rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<vec4u>;
@group(0) @binding(3) var<storage, read> step: array<u32>;
@group(0) @binding(4) var<storage, read> hyper: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;

override WG: u32 = 64;
override BY_ROWS: bool = false;
override CATCH_UP: bool = true;
override LOOK_UP: bool = true;

// Where a vector of the row lies in the tables.
fn place(lane: u32, row: u32, is_item: bool) -> u32 {
  let a = select(params.user_a, params.item_a, is_item) + row * params.dim_a + lane;
  let b = select(params.user_b, params.item_b, is_item) + row * params.dim_b + lane - params.dim_a;
  return select(b, a, lane < params.dim_a);
}

// Copies a vector of the row to its positions.
fn look_up(lane: u32, slot: vec4u, is_item: bool, w: vec4f) {
  let in_a = lane < params.dim_a;
  // Where position p's vector lies: to + stride · p.
  let to = select(params.x + lane - params.dim_a + select(0u, params.dim_b, is_item), lane, in_a);
  let stride = select(2u * params.dim_b, params.dim_a, in_a);
  let before = select(0u, params.split, is_item && !in_a);
  for (var k = slot.y; k < slot.y + slot.z; k++) { out[to + stride * (groups[k] - before)] = w; }
}

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
  let one_minus_beta1 = hyper[1].x;
  let beta2 = hyper[1].y;
  let one_minus_beta2 = hyper[2].x;
  let eps = hyper[2].y;
  let decay = hyper[3].x;
  let last = u32(hyper[3].y);
  let behind = CATCH_UP && slot.w < step[0];
  let lanes = params.dim_a + params.dim_b;
  for (var lane = i % params.lanes; lane < lanes; lane += 2u * params.lanes) {
    // Where there is no second one, the first is taken twice and the second not written.
    let second = select(lane, lane + params.lanes, lane + params.lanes < lanes);
    let at = array(place(lane, row, is_item), place(second, row, is_item));
    var w0 = weight[at[0]];
    var m0 = m[at[0]];
    var v0 = v[at[0]];
    var w1 = weight[at[1]];
    var m1 = m[at[1]];
    var v1 = v[at[1]];
    if (CATCH_UP) {
      for (var t = slot.w + 1u; t <= step[0]; t++) {
        let rates = hyper[3u + min(t, last)];
        let g0 = decay * w0;
        let g1 = decay * w1;
        m0 = m0 + one_minus_beta1 * (g0 - m0);
        m1 = m1 + one_minus_beta1 * (g1 - m1);
        v0 = beta2 * v0 + one_minus_beta2 * g0 * g0;
        v1 = beta2 * v1 + one_minus_beta2 * g1 * g1;
        w0 = w0 - rates.x * m0 / (sqrt(v0) * rates.y + eps);
        w1 = w1 - rates.x * m1 / (sqrt(v1) * rates.y + eps);
      }
    }
    if (behind) {
      weight[at[0]] = w0;
      m[at[0]] = m0;
      v[at[0]] = v0;
    }
    if (LOOK_UP) { look_up(lane, slot, is_item, w0); }
    if (second == lane) { break; }
    if (behind) {
      weight[at[1]] = w1;
      m[at[1]] = m1;
      v[at[1]] = v1;
    }
    if (LOOK_UP) { look_up(second, slot, is_item, w1); }
  }
}
