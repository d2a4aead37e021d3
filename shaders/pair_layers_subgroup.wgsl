// Three hidden layers, the first of sums, for the pairs of a block of users × items, on subgroups of 8 lanes:
//   x[u, i] = max(a[first_user + u] + c[first_item + i], 0)     as in pair_layer_subgroup.wgsl
//   y[u, i, n] = max(Σ_m w2[n, m] · max(Σ_k w1[m, k] · x[u, i, k] + b1[m], 0) + b2[n], 0)
// first_user = step · users
// step u32[1] · a f32[tested, inputs] · c f32[all items, inputs] · w1 f32[middle, inputs] · b1 f32[middle]
// w2 f32[outputs, middle] · b2 f32[outputs] · y f32[users, items, outputs]
// inputs is a multiple of 4, middle and outputs of 8, outputs 32 at most; all but step, b1 and b2 goes by fours.
// One subgroup, which is a workgroup, for a tile of 8 users × 8 items: a lane has one item, loads what belongs to one user
// and to one output, and the lanes hand these to each other. Eight outputs of the middle layer at a time are formed and
// used up, so that they are never stored, nor loaded again for every few outputs behind them.
enable subgroups;

struct Params {
  users: u32, items: u32, first_item: u32, tested: u32, inputs: u32, middle: u32, outputs: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
@group(0) @binding(3) var<storage, read> c: array<vec4f>;
@group(0) @binding(4) var<storage, read> w1: array<vec4f>;
@group(0) @binding(5) var<storage, read> b1: array<f32>;
@group(0) @binding(6) var<storage, read> w2: array<vec4f>;
@group(0) @binding(7) var<storage, read> b2: array<f32>;
@group(0) @binding(8) var<storage, read_write> y: array<vec4f>;

// Outputs in groups of 8: 1 to 4.
override GROUPS: u32 = 4;

// Four values of each of the tile's users, for this lane's item.
struct Users { u0: vec4f, u1: vec4f, u2: vec4f, u3: vec4f, u4: vec4f, u5: vec4f, u6: vec4f, u7: vec4f }

// sum + w · x, where w's columns belong to x's four inputs and its rows to four outputs.
fn add(sum: vec4f, x: vec4f, w: mat4x4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn add_all(sum: Users, x: Users, w: mat4x4f) -> Users {
  return Users(
    add(sum.u0, x.u0, w), add(sum.u1, x.u1, w), add(sum.u2, x.u2, w), add(sum.u3, x.u3, w),
    add(sum.u4, x.u4, w), add(sum.u5, x.u5, w), add(sum.u6, x.u6, w), add(sum.u7, x.u7, w),
  );
}

fn relu_all(x: Users) -> Users {
  let zero = vec4f();
  return Users(
    max(x.u0, zero), max(x.u1, zero), max(x.u2, zero), max(x.u3, zero),
    max(x.u4, zero), max(x.u5, zero), max(x.u6, zero), max(x.u7, zero),
  );
}

fn same(x: vec4f) -> Users {
  return Users(x, x, x, x, x, x, x, x);
}

// The first four lanes' values, and the last four's.
fn low(x: f32) -> vec4f {
  return vec4f(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
}
fn high(x: f32) -> vec4f {
  return vec4f(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
}

// The lanes' rows of four weights as a matrix whose columns belong to inputs.
fn low_rows(w: vec4f) -> mat4x4f {
  return mat4x4f(low(w.x), low(w.y), low(w.z), low(w.w));
}
fn high_rows(w: vec4f) -> mat4x4f {
  return mat4x4f(high(w.x), high(w.y), high(w.z), high(w.w));
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
  // Users and items past the end repeat the last one: their results are not written.
  let depth = params.inputs / 4u;
  let user = min(step[0] * params.users + u + lane, params.tested - 1u) * depth;
  let item = (params.first_item + min(i, params.items - 1u)) * depth;
  let middle = params.middle / 4u;
  let first = b2[lane];
  var l0 = same(low(first)); var h0 = same(high(first));
  var l1 = l0; var h1 = h0;
  var l2 = l0; var h2 = h0;
  var l3 = l0; var h3 = h0;
  if (GROUPS > 1u) {
    let b = b2[8u + lane];
    l1 = same(low(b)); h1 = same(high(b));
  }
  if (GROUPS > 2u) {
    let b = b2[16u + lane];
    l2 = same(low(b)); h2 = same(high(b));
  }
  if (GROUPS > 3u) {
    let b = b2[24u + lane];
    l3 = same(low(b)); h3 = same(high(b));
  }
  for (var m = 0u; m < middle; m += 2u) {
    let b = b1[4u * m + lane];
    var z_low = same(low(b));
    var z_high = same(high(b));
    let row = (4u * m + lane) * depth;
    for (var k = 0u; k < depth; k++) {
      let p = a[user + k];
      let q = c[item + k];
      let w = w1[row + k];
      let x = relu_all(Users(
        subgroupBroadcast(p, 0u) + q, subgroupBroadcast(p, 1u) + q, subgroupBroadcast(p, 2u) + q, subgroupBroadcast(p, 3u) + q,
        subgroupBroadcast(p, 4u) + q, subgroupBroadcast(p, 5u) + q, subgroupBroadcast(p, 6u) + q, subgroupBroadcast(p, 7u) + q,
      ));
      z_low = add_all(z_low, x, low_rows(w));
      z_high = add_all(z_high, x, high_rows(w));
    }
    z_low = relu_all(z_low);
    z_high = relu_all(z_high);
    {
      let v = w2[(0u + lane) * middle + m];
      let w = w2[(0u + lane) * middle + m + 1u];
      l0 = add_all(add_all(l0, z_low, low_rows(v)), z_high, low_rows(w));
      h0 = add_all(add_all(h0, z_low, high_rows(v)), z_high, high_rows(w));
    }
    if (GROUPS > 1u) {
      let v = w2[(8u + lane) * middle + m];
      let w = w2[(8u + lane) * middle + m + 1u];
      l1 = add_all(add_all(l1, z_low, low_rows(v)), z_high, low_rows(w));
      h1 = add_all(add_all(h1, z_low, high_rows(v)), z_high, high_rows(w));
    }
    if (GROUPS > 2u) {
      let v = w2[(16u + lane) * middle + m];
      let w = w2[(16u + lane) * middle + m + 1u];
      l2 = add_all(add_all(l2, z_low, low_rows(v)), z_high, low_rows(w));
      h2 = add_all(add_all(h2, z_low, high_rows(v)), z_high, high_rows(w));
    }
    if (GROUPS > 3u) {
      let v = w2[(24u + lane) * middle + m];
      let w = w2[(24u + lane) * middle + m + 1u];
      l3 = add_all(add_all(l3, z_low, low_rows(v)), z_high, low_rows(w));
      h3 = add_all(add_all(h3, z_low, high_rows(v)), z_high, high_rows(w));
    }
  }
  if (i >= params.items) { return; }
  store(u, i, 0u, l0, h0);
  if (GROUPS > 1u) { store(u, i, 8u, l1, h1); }
  if (GROUPS > 2u) { store(u, i, 16u, l2, h2); }
  if (GROUPS > 3u) { store(u, i, 24u, l3, h3); }
}

// Writes 8 outputs, from n on, of a tile's users for one item; users past the end are not written.
fn store(u: u32, i: u32, n: u32, low_sums: Users, high_sums: Users) {
  let lows = relu_all(low_sums);
  let highs = relu_all(high_sums);
  store_user(u + 0u, i, n, lows.u0, highs.u0);
  store_user(u + 1u, i, n, lows.u1, highs.u1);
  store_user(u + 2u, i, n, lows.u2, highs.u2);
  store_user(u + 3u, i, n, lows.u3, highs.u3);
  store_user(u + 4u, i, n, lows.u4, highs.u4);
  store_user(u + 5u, i, n, lows.u5, highs.u5);
  store_user(u + 6u, i, n, lows.u6, highs.u6);
  store_user(u + 7u, i, n, lows.u7, highs.u7);
}

fn store_user(u: u32, i: u32, n: u32, l: vec4f, h: vec4f) {
  if (u >= params.users) { return; }
  let to = ((u * params.items + i) * params.outputs + n) / 4u;
  y[to] = l;
  y[to + 1u] = h;
}
