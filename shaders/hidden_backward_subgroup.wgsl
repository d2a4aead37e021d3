// Backward between two layers, of a hidden one with BatchNorm in training and the linear one behind it, in one:
//   dweight[k, n] = Σ_r behind[r, k] · y[r, n];  dbias = 0, as another BatchNorm follows
//   g = scale · dy where y > 0, else 0, of dy[r, n] = Σ_k behind[r, k] · weight[k, n];  x̂ = (z − mean) · inverse_std
//   dbeta = Σ_r g;  dgamma = Σ_r g · x̂;  dz = gamma · inverse_std · (g − dbeta / rows − x̂ · dgamma / rows)
// as linear_weight_grad_subgroup.wgsl, linear_input_grad_subgroup.wgsl and the three kernels of BatchNorm's backward
// (batch_norm_backward_sums_vec4.wgsl and so on) compute it one behind the other, to the same bits.
// behind f32[rows, depth], the gradient of the output of the linear layer behind · weight, dweight f32[depth, features]
// dbias f32[depth] · z, y, dz f32[rows, features] · gamma, dgamma, dbeta f32[features]
// moments vec2f[features] = (mean, inverse_std); depth and features multiples of 4
// One subgroup, which is a workgroup, for a tile of 16 × 32 of dweight, or for 32 columns of all rows of dz, as in
// linear_batch_norm_subgroup.wgsl; dz holds dy first, then g.
enable subgroups;

struct Params { rows: u32, depth: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> behind: array<vec2f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> z: array<vec4f>;
@group(0) @binding(4) var<storage, read> y: array<vec4f>;
@group(0) @binding(5) var<storage, read> moments: array<vec4f>;
@group(0) @binding(6) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dgamma: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dbeta: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> dz: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> dbias: array<f32>;

// Rows that are summed apart, and so many of those sums, as in batch_norm_backward_sums and _finish.
const BLOCK = 32u;
const CHUNK = 16u * BLOCK;

// Mean and 1 / standard deviation of a lane's four columns.
struct Moments { mean: vec4f, inverse_std: vec4f }

// Σ g and Σ g · x̂.
struct Sums { g: vec4f, gx: vec4f }

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

fn add(a: Sums, b: Sums) -> Sums {
  return Sums(a.g + b.g, a.gx + b.gx);
}

// Writes this lane's columns of one row of dz; rows and columns past the end are not written.
fn store_dz(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.features) { return; }
  dz[(row * params.features + column) / 4u] = value;
}

// Writes this lane's columns of one output's row of the weight's gradient; what lies past the end is not written.
fn store(output: u32, column: u32, value: vec4f) {
  if (output >= params.depth || column >= params.features) { return; }
  dweight[(output * params.features + column) / 4u] = value;
}

// dz, dgamma and dbeta of 32 columns, four a lane.
fn columns(block: u32, lane: u32) {
  let column = block * 32u + lane * 4u;
  let pairs = params.depth / 2u;
  let stride = params.features / 4u;
  // Rows and columns past the end repeat the last ones: their results are not used.
  let last = params.rows - 1u;
  let v = min(column, params.features - 4u) / 4u;
  let one = moments[2u * v];
  let two = moments[2u * v + 1u];
  let norm = Moments(vec4f(one.x, one.z, two.x, two.z), vec4f(one.y, one.w, two.y, two.w));
  var all = Sums();
  var chunk = Sums();
  var part = Sums();
  for (var row = 0u; row < params.rows; row += 16u) {
    var c0 = vec4f();
    var c1 = vec4f();
    var c2 = vec4f();
    var c3 = vec4f();
    var c4 = vec4f();
    var c5 = vec4f();
    var c6 = vec4f();
    var c7 = vec4f();
    var c8 = vec4f();
    var c9 = vec4f();
    var c10 = vec4f();
    var c11 = vec4f();
    var c12 = vec4f();
    var c13 = vec4f();
    var c14 = vec4f();
    var c15 = vec4f();
    let d0 = min(row + lane, last) * pairs;
    let d1 = min(row + lane + 8u, last) * pairs;
    for (var k = 0u; k < pairs; k++) {
      let w0 = weight[v + 2u * k * stride];
      let w1 = weight[v + (2u * k + 1u) * stride];
      let upper = behind[d0 + k];
      c0 = plus(c0, subgroupBroadcast(upper, 0u), w0, w1);
      c1 = plus(c1, subgroupBroadcast(upper, 1u), w0, w1);
      c2 = plus(c2, subgroupBroadcast(upper, 2u), w0, w1);
      c3 = plus(c3, subgroupBroadcast(upper, 3u), w0, w1);
      c4 = plus(c4, subgroupBroadcast(upper, 4u), w0, w1);
      c5 = plus(c5, subgroupBroadcast(upper, 5u), w0, w1);
      c6 = plus(c6, subgroupBroadcast(upper, 6u), w0, w1);
      c7 = plus(c7, subgroupBroadcast(upper, 7u), w0, w1);
      let lower = behind[d1 + k];
      c8 = plus(c8, subgroupBroadcast(lower, 0u), w0, w1);
      c9 = plus(c9, subgroupBroadcast(lower, 1u), w0, w1);
      c10 = plus(c10, subgroupBroadcast(lower, 2u), w0, w1);
      c11 = plus(c11, subgroupBroadcast(lower, 3u), w0, w1);
      c12 = plus(c12, subgroupBroadcast(lower, 4u), w0, w1);
      c13 = plus(c13, subgroupBroadcast(lower, 5u), w0, w1);
      c14 = plus(c14, subgroupBroadcast(lower, 6u), w0, w1);
      c15 = plus(c15, subgroupBroadcast(lower, 7u), w0, w1);
    }
    store_dz(row + 0u, column, c0);
    store_dz(row + 1u, column, c1);
    store_dz(row + 2u, column, c2);
    store_dz(row + 3u, column, c3);
    store_dz(row + 4u, column, c4);
    store_dz(row + 5u, column, c5);
    store_dz(row + 6u, column, c6);
    store_dz(row + 7u, column, c7);
    store_dz(row + 8u, column, c8);
    store_dz(row + 9u, column, c9);
    store_dz(row + 10u, column, c10);
    store_dz(row + 11u, column, c11);
    store_dz(row + 12u, column, c12);
    store_dz(row + 13u, column, c13);
    store_dz(row + 14u, column, c14);
    store_dz(row + 15u, column, c15);
    if (column < params.features) {
      for (var r = row; r < min(row + 16u, params.rows); r++) {
        let i = r * stride + v;
        let g = select(vec4f(), params.scale * dz[i], y[i] > vec4f());
        dz[i] = g;
        part.g += g;
        part.gx += g * (z[i] - norm.mean) * norm.inverse_std;
      }
    }
    let done = row + 16u;
    if (done % BLOCK == 0u || done >= params.rows) {
      chunk = add(chunk, part);
      part = Sums();
    }
    if (done % CHUNK == 0u || done >= params.rows) {
      all = add(all, chunk);
      chunk = Sums();
    }
  }
  if (column >= params.features) { return; }

  dbeta[v] = all.g;
  dgamma[v] = all.gx;
  let rows = f32(params.rows);
  let scale = gamma[v] * norm.inverse_std;
  let mean_g = all.g / rows;
  for (var row = 0u; row < params.rows; row++) {
    let i = row * stride + v;
    let normalised = (z[i] - norm.mean) * norm.inverse_std;
    dz[i] = scale * (dz[i] - mean_g - normalised * all.gx / rows);
  }
}

// The gradient of the weight behind: linear_weight_grad_subgroup.wgsl, NO_BIAS, a tile of 16 outputs × 32 inputs of it.
fn weight_gradient(index: u32, lane: u32) {
  let across = (params.features + 31u) / 32u;
  let row = (index / across) * 16u;
  let column = (index % across) * 32u + lane * 4u;
  let x_stride = params.features / 4u;
  let dy_stride = params.depth / 2u;
  // Outputs and columns past the end repeat the last ones: their results are not used.
  let output = row + (lane % 4u) * 4u;
  let own_dy = min(output, params.depth - 4u) / 2u;
  let own_x = min(column, params.features - 4u) / 4u;
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  var c4 = vec4f();
  var c5 = vec4f();
  var c6 = vec4f();
  var c7 = vec4f();
  var c8 = vec4f();
  var c9 = vec4f();
  var c10 = vec4f();
  var c11 = vec4f();
  var c12 = vec4f();
  var c13 = vec4f();
  var c14 = vec4f();
  var c15 = vec4f();
  for (var r = 0u; r < params.rows; r += 2u) {
    // An odd number of rows ends with one of zeros.
    let own_row = r + lane / 4u;
    let at = own_dy + min(own_row, params.rows - 1u) * dy_stride;
    let d = select(vec4f(), vec4f(behind[at], behind[at + 1u]), own_row < params.rows);
    let w0 = y[own_x + r * x_stride];
    let w1 = select(vec4f(), y[own_x + min(r + 1u, params.rows - 1u) * x_stride], r + 1u < params.rows);
    c0 = plus(c0, vec2f(subgroupBroadcast(d.x, 0u), subgroupBroadcast(d.x, 4u)), w0, w1);
    c1 = plus(c1, vec2f(subgroupBroadcast(d.y, 0u), subgroupBroadcast(d.y, 4u)), w0, w1);
    c2 = plus(c2, vec2f(subgroupBroadcast(d.z, 0u), subgroupBroadcast(d.z, 4u)), w0, w1);
    c3 = plus(c3, vec2f(subgroupBroadcast(d.w, 0u), subgroupBroadcast(d.w, 4u)), w0, w1);
    c4 = plus(c4, vec2f(subgroupBroadcast(d.x, 1u), subgroupBroadcast(d.x, 5u)), w0, w1);
    c5 = plus(c5, vec2f(subgroupBroadcast(d.y, 1u), subgroupBroadcast(d.y, 5u)), w0, w1);
    c6 = plus(c6, vec2f(subgroupBroadcast(d.z, 1u), subgroupBroadcast(d.z, 5u)), w0, w1);
    c7 = plus(c7, vec2f(subgroupBroadcast(d.w, 1u), subgroupBroadcast(d.w, 5u)), w0, w1);
    c8 = plus(c8, vec2f(subgroupBroadcast(d.x, 2u), subgroupBroadcast(d.x, 6u)), w0, w1);
    c9 = plus(c9, vec2f(subgroupBroadcast(d.y, 2u), subgroupBroadcast(d.y, 6u)), w0, w1);
    c10 = plus(c10, vec2f(subgroupBroadcast(d.z, 2u), subgroupBroadcast(d.z, 6u)), w0, w1);
    c11 = plus(c11, vec2f(subgroupBroadcast(d.w, 2u), subgroupBroadcast(d.w, 6u)), w0, w1);
    c12 = plus(c12, vec2f(subgroupBroadcast(d.x, 3u), subgroupBroadcast(d.x, 7u)), w0, w1);
    c13 = plus(c13, vec2f(subgroupBroadcast(d.y, 3u), subgroupBroadcast(d.y, 7u)), w0, w1);
    c14 = plus(c14, vec2f(subgroupBroadcast(d.z, 3u), subgroupBroadcast(d.z, 7u)), w0, w1);
    c15 = plus(c15, vec2f(subgroupBroadcast(d.w, 3u), subgroupBroadcast(d.w, 7u)), w0, w1);
  }
  store(row + 0u, column, c0);
  store(row + 1u, column, c1);
  store(row + 2u, column, c2);
  store(row + 3u, column, c3);
  store(row + 4u, column, c4);
  store(row + 5u, column, c5);
  store(row + 6u, column, c6);
  store(row + 7u, column, c7);
  store(row + 8u, column, c8);
  store(row + 9u, column, c9);
  store(row + 10u, column, c10);
  store(row + 11u, column, c11);
  store(row + 12u, column, c12);
  store(row + 13u, column, c13);
  store(row + 14u, column, c14);
  store(row + 15u, column, c15);
  if (column == 0u) {
    for (var n = row; n < min(row + 16u, params.depth); n++) { dbias[n] = 0.0; }
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.features + 31u) / 32u;
  // Both kinds of tiles evenly mixed, as a CPU adapter gives each core a stretch of the workgroups.
  let tiles = across * (1u + (params.depth + 15u) / 16u);
  let before = g * across / tiles;
  if ((g + 1u) * across / tiles > before) {
    columns(before, lane);
  } else {
    weight_gradient(g - before, lane);
  }
}
