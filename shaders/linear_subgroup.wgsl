// linear.wgsl on subgroups of 8 lanes; sums run in the same order as there:
//   y[r, n] = Σ_k x[r, k] · weight[n, k] + bias[n]
//   RELU:        y = max(y, 0)
//   STATISTICS:  statistics[block, n] = (mean, Σ (y − mean)²) of the block's 8 rows, for batch_norm_finish
// x f32[rows, inputs] · weight f32[outputs, inputs] · bias f32[outputs] · y f32[rows, outputs]; inputs even, outputs a
// multiple of 4 · statistics vec2f[ceil(rows / 8), outputs], or 1 unused element
// One subgroup, which is a workgroup, for a tile of 16 rows × 32 columns. Each lane keeps four columns, loads their
// weights and two rows of x, two k at a time, and hands its rows to the other lanes, so that 12 numbers loaded feed 128
// multiply-adds. On a CPU adapter, where every number that a lane loads is a branch of its own, that is what the time
// goes into. x's second half is loaded only when the first one is used up, which leaves it the registers.
enable subgroups;

struct Params { rows: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;
@group(0) @binding(2) var<storage, read> weight: array<vec2f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec4f>;

override RELU: bool = false;
override STATISTICS: bool = false;

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: vec4f) -> vec4f {
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

// Writes this lane's columns of one row; rows and columns past the end are not written.
fn store(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.outputs) { return; }
  y[(row * params.outputs + column) / 4u] = select(value, relu(value), RELU);
}

// Partial statistics of 8 rows, this lane's columns.
fn store_statistics(row: u32, column: u32, block: array<vec4f, 8>) {
  if (row >= params.rows || column >= params.outputs) { return; }
  let n = min(8u, params.rows - row);
  var values = block;
  var mean = vec4f();
  for (var j = 0u; j < n; j++) { mean += values[j]; }
  mean /= f32(n);
  var squares = vec4f();
  for (var j = 0u; j < n; j++) { squares += (values[j] - mean) * (values[j] - mean); }
  let to = ((row / 8u) * params.outputs + column) / 2u;
  statistics[to] = vec4f(mean.x, squares.x, mean.y, squares.y);
  statistics[to + 1u] = vec4f(mean.z, squares.z, mean.w, squares.w);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.outputs + 31u) / 32u;
  let row = (g / across) * 16u;
  let column = (g % across) * 32u + lane * 4u;
  let pairs = params.inputs / 2u;
  // Rows and columns past the end repeat the last ones: their results are not used.
  let last = params.rows - 1u;
  let x0 = min(row + lane, last) * pairs;
  let x1 = min(row + lane + 8u, last) * pairs;
  let n = min(column, params.outputs - 4u);
  let n0 = n * pairs;
  let n1 = n0 + pairs;
  let n2 = n1 + pairs;
  let n3 = n2 + pairs;
  let b = bias[n / 4u];
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
    let p0 = weight[n0 + k];
    let p1 = weight[n1 + k];
    let p2 = weight[n2 + k];
    let p3 = weight[n3 + k];
    let w0 = vec4f(p0.x, p1.x, p2.x, p3.x);
    let w1 = vec4f(p0.y, p1.y, p2.y, p3.y);
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
  if (STATISTICS) {
    store_statistics(row, column, array(c0, c1, c2, c3, c4, c5, c6, c7));
    store_statistics(row + 8u, column, array(c8, c9, c10, c11, c12, c13, c14, c15));
  }
}
