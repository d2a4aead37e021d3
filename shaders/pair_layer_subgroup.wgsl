// A second hidden layer for the pairs of a block of users × items, on subgroups of 8 lanes:
//   y[u, i, n] = max(Σ_k x[u, i, k] · weight[n, k] + bias[n], 0)
//   x[u, i, k] = max(a[first_user + u, k] + c[first_item + i, k], 0), the output of a first layer, which is linear in
//   [p_u ; q_i] and so a sum of a user's part and an item's: it is formed on load, and never stored
// first_user = step · users
// step u32[1] · a f32[tested, inputs] · c f32[all items, inputs] · weight f32[outputs, inputs] · bias f32[outputs]
// y f32[users, items, outputs]; inputs is a multiple of 4 and outputs of 8, so that all but step and bias goes by fours
// One subgroup, which is a workgroup, for a tile of 8 users × 8 items × 8 outputs: a lane has one item, loads what belongs
// to one user and to one output, and the lanes hand these to each other. So 12 loads a lane feed 256 multiply-adds.
enable subgroups;

struct Params { users: u32, items: u32, first_item: u32, tested: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> c: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = params.outputs / 8u;
  let down = (params.items + 7u) / 8u;
  if (g >= across * down * ((params.users + 7u) / 8u)) { return; }
  let n = (g % across) * 8u;
  let i = ((g / across) % down) * 8u + lane;
  let u = (g / (across * down)) * 8u;
  let item = min(i, params.items - 1u);
  let depth = params.inputs / 4u;
  let user = min(step[0] * params.users + u + lane, params.tested - 1u) * depth;
  let other = (params.first_item + item) * depth;
  let row = (n + lane) * depth;
  let b = bias[n + lane];
  let b0 = vec4f(subgroupBroadcast(b, 0u), subgroupBroadcast(b, 1u), subgroupBroadcast(b, 2u), subgroupBroadcast(b, 3u));
  let b1 = vec4f(subgroupBroadcast(b, 4u), subgroupBroadcast(b, 5u), subgroupBroadcast(b, 6u), subgroupBroadcast(b, 7u));
  var l0 = b0; var h0 = b1;
  var l1 = b0; var h1 = b1;
  var l2 = b0; var h2 = b1;
  var l3 = b0; var h3 = b1;
  var l4 = b0; var h4 = b1;
  var l5 = b0; var h5 = b1;
  var l6 = b0; var h6 = b1;
  var l7 = b0; var h7 = b1;
  for (var k = 0u; k < depth; k++) {
    let w = weight[row + k];
    let lo = transpose(mat4x4f(subgroupBroadcast(w, 0u), subgroupBroadcast(w, 1u), subgroupBroadcast(w, 2u), subgroupBroadcast(w, 3u)));
    let hi = transpose(mat4x4f(subgroupBroadcast(w, 4u), subgroupBroadcast(w, 5u), subgroupBroadcast(w, 6u), subgroupBroadcast(w, 7u)));
    let p = a[user + k];
    let q = c[other + k];
    let x0 = max(subgroupBroadcast(p, 0u) + q, vec4f());
    let x1 = max(subgroupBroadcast(p, 1u) + q, vec4f());
    let x2 = max(subgroupBroadcast(p, 2u) + q, vec4f());
    let x3 = max(subgroupBroadcast(p, 3u) + q, vec4f());
    let x4 = max(subgroupBroadcast(p, 4u) + q, vec4f());
    let x5 = max(subgroupBroadcast(p, 5u) + q, vec4f());
    let x6 = max(subgroupBroadcast(p, 6u) + q, vec4f());
    let x7 = max(subgroupBroadcast(p, 7u) + q, vec4f());
    l0 = add(l0, x0, lo); h0 = add(h0, x0, hi);
    l1 = add(l1, x1, lo); h1 = add(h1, x1, hi);
    l2 = add(l2, x2, lo); h2 = add(h2, x2, hi);
    l3 = add(l3, x3, lo); h3 = add(h3, x3, hi);
    l4 = add(l4, x4, lo); h4 = add(h4, x4, hi);
    l5 = add(l5, x5, lo); h5 = add(h5, x5, hi);
    l6 = add(l6, x6, lo); h6 = add(h6, x6, hi);
    l7 = add(l7, x7, lo); h7 = add(h7, x7, hi);
  }
  if (i >= params.items) { return; }
  store(u + 0u, i, n, l0, h0);
  store(u + 1u, i, n, l1, h1);
  store(u + 2u, i, n, l2, h2);
  store(u + 3u, i, n, l3, h3);
  store(u + 4u, i, n, l4, h4);
  store(u + 5u, i, n, l5, h5);
  store(u + 6u, i, n, l6, h6);
  store(u + 7u, i, n, l7, h7);
}

// sum + w · x, where w's columns belong to x's four inputs and its rows to four outputs.
fn add(sum: vec4f, x: vec4f, w: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

// Writes 8 outputs of one pair; users past the end are not written.
fn store(u: u32, i: u32, n: u32, low: vec4f, high: vec4f) {
  if (u >= params.users) { return; }
  let to = ((u * params.items + i) * params.outputs + n) / 4u;
  y[to] = max(low, vec4f());
  y[to + 1u] = max(high, vec4f());
}
