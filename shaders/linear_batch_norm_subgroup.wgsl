// A hidden layer in training in one, as linear_subgroup.wgsl, batch_norm_finish.wgsl and batch_norm_apply_vec4.wgsl compute
// it one behind the other, to the same bits:
//   z = x · weightᵀ + bias;  moments, running_mean and running_var from z;  y = dropout(relu(batchNorm(z)))
//   DROPOUT:  without it y = relu(batchNorm(z))
// x f32[rows, inputs] · weight f32[outputs, inputs] · bias, gamma, beta, running_mean, running_var f32[outputs]
// moments vec2f[outputs] = (mean, inverse_std) · z, y f32[rows, outputs] · step u32[1]
// inputs even and at most 128, outputs a multiple of 4
// One subgroup, which is a workgroup, for 32 columns of all rows, tile by tile as in linear_subgroup.wgsl. A lane computes its
// four columns from top to bottom, so that it knows their statistics without asking anyone: no dispatch waits for another, at
// the price of using no more cores than there are tiles across.
enable subgroups;

struct Params {
  rows: u32, inputs: u32, outputs: u32, momentum: f32, eps: f32, seed: u32, stream: u32, threshold: u32, scale: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read> weight: array<vec2f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(5) var<storage, read> beta: array<vec4f>;
@group(0) @binding(6) var<storage, read> step: array<u32>;
@group(0) @binding(7) var<storage, read_write> running_mean: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> running_var: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> moments: array<vec4f>;
@group(0) @binding(10) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> y: array<vec4f>;

override DROPOUT: bool = false;

// The weights of each lane's columns, vec4f[inputs, 8], written and read by that lane alone: on a CPU adapter a load costs less
// than half as much here, without a check of its bounds, and every tile of rows loads them all.
var<workgroup> tile: array<vec4f, 1024>;

// Rows of a block whose statistics are computed at once, and blocks that are joined apart, as in batch_norm_finish.wgsl.
const BLOCK = 8u;
const CHUNK = 16u;

// Mean and Σ (z − mean)² of `count` rows, of four columns.
struct Statistics { mean: vec4f, squares: vec4f, count: f32 }

// pcg4d (Jarzynski and Olano 2020, Hash Functions for GPU Rendering): four random words from a four-word counter.
fn pcg4d(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: vec4f) -> vec4f {
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

// Statistics of two sets together.
fn join(a: Statistics, b: Statistics) -> Statistics {
  let count = a.count + b.count;
  let delta = b.mean - a.mean;
  return Statistics(
    a.mean + delta * (b.count / count),
    a.squares + b.squares + delta * delta * (a.count * b.count / count),
    count,
  );
}

// Statistics of a block's first n rows.
fn statistics(block: array<vec4f, BLOCK>, n: u32) -> Statistics {
  var values = block;
  var mean = vec4f();
  for (var j = 0u; j < n; j++) { mean += values[j]; }
  mean /= f32(n);
  var squares = vec4f();
  for (var j = 0u; j < n; j++) { squares += (values[j] - mean) * (values[j] - mean); }
  return Statistics(mean, squares, f32(n));
}

// Writes this lane's columns of one row of z; rows and columns past the end are not written.
fn store(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.outputs) { return; }
  z[(row * params.outputs + column) / 4u] = value;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let column = (group.y * groups.x + group.x) * 32u + lane * 4u;
  let pairs = params.inputs / 2u;
  // Rows and columns past the end repeat the last ones: their results are not used.
  let last = params.rows - 1u;
  let n = min(column, params.outputs - 4u);
  let n0 = n * pairs;
  let n1 = n0 + pairs;
  let n2 = n1 + pairs;
  let n3 = n2 + pairs;
  let b = bias[n / 4u];
  for (var k = 0u; k < pairs; k++) {
    let p0 = weight[n0 + k];
    let p1 = weight[n1 + k];
    let p2 = weight[n2 + k];
    let p3 = weight[n3 + k];
    tile[16u * k + lane] = vec4f(p0.x, p1.x, p2.x, p3.x);
    tile[16u * k + 8u + lane] = vec4f(p0.y, p1.y, p2.y, p3.y);
  }
  var all = Statistics();
  var chunk = Statistics();
  for (var row = 0u; row < params.rows; row += 2u * BLOCK) {
    let x0 = min(row + lane, last) * pairs;
    let x1 = min(row + lane + 8u, last) * pairs;
    var c0 = b;
    var c1 = b;
    var c2 = b;
    var c3 = b;
    var c4 = b;
    var c5 = b;
    var c6 = b;
    var c7 = b;
    var c8 = b;
    var c9 = b;
    var c10 = b;
    var c11 = b;
    var c12 = b;
    var c13 = b;
    var c14 = b;
    var c15 = b;
    for (var k = 0u; k < pairs; k++) {
      let w0 = tile[16u * k + lane];
      let w1 = tile[16u * k + 8u + lane];
      let upper = x[x0 + k];
      c0 = plus(c0, subgroupBroadcast(upper, 0u), w0, w1);
      c1 = plus(c1, subgroupBroadcast(upper, 1u), w0, w1);
      c2 = plus(c2, subgroupBroadcast(upper, 2u), w0, w1);
      c3 = plus(c3, subgroupBroadcast(upper, 3u), w0, w1);
      c4 = plus(c4, subgroupBroadcast(upper, 4u), w0, w1);
      c5 = plus(c5, subgroupBroadcast(upper, 5u), w0, w1);
      c6 = plus(c6, subgroupBroadcast(upper, 6u), w0, w1);
      c7 = plus(c7, subgroupBroadcast(upper, 7u), w0, w1);
      let lower = x[x1 + k];
      c8 = plus(c8, subgroupBroadcast(lower, 0u), w0, w1);
      c9 = plus(c9, subgroupBroadcast(lower, 1u), w0, w1);
      c10 = plus(c10, subgroupBroadcast(lower, 2u), w0, w1);
      c11 = plus(c11, subgroupBroadcast(lower, 3u), w0, w1);
      c12 = plus(c12, subgroupBroadcast(lower, 4u), w0, w1);
      c13 = plus(c13, subgroupBroadcast(lower, 5u), w0, w1);
      c14 = plus(c14, subgroupBroadcast(lower, 6u), w0, w1);
      c15 = plus(c15, subgroupBroadcast(lower, 7u), w0, w1);
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
    chunk = join(chunk, statistics(array(c0, c1, c2, c3, c4, c5, c6, c7), min(BLOCK, params.rows - row)));
    let rest = params.rows - min(params.rows, row + BLOCK);
    if (rest > 0u) {
      chunk = join(chunk, statistics(array(c8, c9, c10, c11, c12, c13, c14, c15), min(BLOCK, rest)));
    }
    if ((row / BLOCK + 2u) % CHUNK == 0u || rest <= BLOCK) {
      all = join(all, chunk);
      chunk = Statistics();
    }
  }
  if (column >= params.outputs) { return; }

  let v = column / 4u;
  let variance = all.squares / all.count;
  let inverse_std = 1.0 / sqrt(variance + params.eps);
  moments[2u * v] = vec4f(all.mean.x, inverse_std.x, all.mean.y, inverse_std.y);
  moments[2u * v + 1u] = vec4f(all.mean.z, inverse_std.z, all.mean.w, inverse_std.w);
  running_mean[v] = mix(running_mean[v], all.mean, vec4f(params.momentum));
  running_var[v] = mix(running_var[v], all.squares / (all.count - 1.0), vec4f(params.momentum));

  let scale = gamma[v];
  let shift = beta[v];
  for (var row = 0u; row < params.rows; row++) {
    let i = row * (params.outputs / 4u) + v;
    var value = relu(scale * ((z[i] - all.mean) * inverse_std) + shift);
    if (DROPOUT) {
      let random = pcg4d(vec4u(params.seed, params.stream, step[0], i));
      value = select(vec4f(), value * params.scale, random >= vec4u(params.threshold));
    }
    y[i] = value;
  }
}
