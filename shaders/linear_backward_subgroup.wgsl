// Backward of a linear layer in one, as linear_weight_grad_subgroup.wgsl and linear_input_grad_subgroup.wgsl compute it one
// behind the other, to the same bits:
//   dweight[n, k] = Σ_r dy[r, n] · x[r, k];  dbias[n] = Σ_r dy[r, n];  dx[r, k] = Σ_n dy[r, n] · weight[n, k]
//   NO_BIAS:  dbias = 0 (linear_weight_grad.wgsl says why)
//   RELU:     dy = 0 where y, the output of a rectifier behind the layer, is not above 0
// x, dx f32[rows, inputs] · dy, y f32[rows, outputs], y unused without RELU · weight, dweight f32[outputs, inputs]
// dbias f32[outputs]; inputs and outputs multiples of 4
// One subgroup, which is a workgroup, for a tile of 16 outputs × 32 inputs of dweight, or of 16 rows × 32 inputs of dx.
enable subgroups;

struct Params { rows: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec2f>;
@group(0) @binding(3) var<storage, read> y: array<vec2f>;
@group(0) @binding(4) var<storage, read> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dbias: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dx: array<vec4f>;

override NO_BIAS: bool = false;
override RELU: bool = false;

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

// Two elements of the gradient before the rectifier.
fn two(at: u32) -> vec2f {
  let d = dy[at];
  if (!RELU) { return d; }
  return select(vec2f(), d, y[at] > vec2f());
}

fn four(at: u32) -> vec4f {
  return vec4f(two(2u * at), two(2u * at + 1u));
}

// Writes this lane's columns of one output's row; outputs and columns past the end are not written.
fn store_dweight(output: u32, column: u32, value: vec4f) {
  if (output >= params.outputs || column >= params.inputs) { return; }
  dweight[(output * params.inputs + column) / 4u] = value;
}

// Writes this lane's columns of one row; rows and columns past the end are not written.
fn store_dx(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.inputs) { return; }
  dx[(row * params.inputs + column) / 4u] = value;
}

fn weight_gradient(index: u32, lane: u32) {
  let across = (params.inputs + 31u) / 32u;
  let row = (index / across) * 16u;
  let column = (index % across) * 32u + lane * 4u;
  let x_stride = params.inputs / 4u;
  let dy_stride = params.outputs / 4u;
  // Outputs and columns past the end repeat the last ones: their results are not used.
  let output = row + (lane % 4u) * 4u;
  let own_dy = min(output, params.outputs - 4u) / 4u;
  let own_x = min(column, params.inputs - 4u) / 4u;
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
  var sums = vec4f();
  for (var r = 0u; r < params.rows; r += 2u) {
    // An odd number of rows ends with one of zeros.
    let own_row = r + lane / 4u;
    let d = select(vec4f(), four(own_dy + min(own_row, params.rows - 1u) * dy_stride), own_row < params.rows);
    let w0 = x[own_x + r * x_stride];
    let w1 = select(vec4f(), x[own_x + min(r + 1u, params.rows - 1u) * x_stride], r + 1u < params.rows);
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
    sums += d;
    sums += subgroupShuffleXor(d, 4u); // right in lanes 0 to 3, where the first row comes first
  }
  store_dweight(row + 0u, column, c0);
  store_dweight(row + 1u, column, c1);
  store_dweight(row + 2u, column, c2);
  store_dweight(row + 3u, column, c3);
  store_dweight(row + 4u, column, c4);
  store_dweight(row + 5u, column, c5);
  store_dweight(row + 6u, column, c6);
  store_dweight(row + 7u, column, c7);
  store_dweight(row + 8u, column, c8);
  store_dweight(row + 9u, column, c9);
  store_dweight(row + 10u, column, c10);
  store_dweight(row + 11u, column, c11);
  store_dweight(row + 12u, column, c12);
  store_dweight(row + 13u, column, c13);
  store_dweight(row + 14u, column, c14);
  store_dweight(row + 15u, column, c15);
  if (index % across == 0u && lane < 4u && output < params.outputs) {
    dbias[output / 4u] = select(sums, vec4f(), NO_BIAS);
  }
}

fn input_gradient(index: u32, lane: u32) {
  let across = (params.inputs + 31u) / 32u;
  let row = (index / across) * 16u;
  let column = (index % across) * 32u + lane * 4u;
  let pairs = params.outputs / 2u;
  let stride = params.inputs / 4u;
  // Rows and columns past the end repeat the last ones: their results are not used.
  let last = params.rows - 1u;
  let d0 = min(row + lane, last) * pairs;
  let d1 = min(row + lane + 8u, last) * pairs;
  let w = min(column, params.inputs - 4u) / 4u;
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
  for (var n = 0u; n < pairs; n++) {
    let w0 = weight[w + 2u * n * stride];
    let w1 = weight[w + (2u * n + 1u) * stride];
    let upper = two(d0 + n);
    c0 = plus(c0, subgroupBroadcast(upper, 0u), w0, w1);
    c1 = plus(c1, subgroupBroadcast(upper, 1u), w0, w1);
    c2 = plus(c2, subgroupBroadcast(upper, 2u), w0, w1);
    c3 = plus(c3, subgroupBroadcast(upper, 3u), w0, w1);
    c4 = plus(c4, subgroupBroadcast(upper, 4u), w0, w1);
    c5 = plus(c5, subgroupBroadcast(upper, 5u), w0, w1);
    c6 = plus(c6, subgroupBroadcast(upper, 6u), w0, w1);
    c7 = plus(c7, subgroupBroadcast(upper, 7u), w0, w1);
    let lower = two(d1 + n);
    c8 = plus(c8, subgroupBroadcast(lower, 0u), w0, w1);
    c9 = plus(c9, subgroupBroadcast(lower, 1u), w0, w1);
    c10 = plus(c10, subgroupBroadcast(lower, 2u), w0, w1);
    c11 = plus(c11, subgroupBroadcast(lower, 3u), w0, w1);
    c12 = plus(c12, subgroupBroadcast(lower, 4u), w0, w1);
    c13 = plus(c13, subgroupBroadcast(lower, 5u), w0, w1);
    c14 = plus(c14, subgroupBroadcast(lower, 6u), w0, w1);
    c15 = plus(c15, subgroupBroadcast(lower, 7u), w0, w1);
  }
  store_dx(row + 0u, column, c0);
  store_dx(row + 1u, column, c1);
  store_dx(row + 2u, column, c2);
  store_dx(row + 3u, column, c3);
  store_dx(row + 4u, column, c4);
  store_dx(row + 5u, column, c5);
  store_dx(row + 6u, column, c6);
  store_dx(row + 7u, column, c7);
  store_dx(row + 8u, column, c8);
  store_dx(row + 9u, column, c9);
  store_dx(row + 10u, column, c10);
  store_dx(row + 11u, column, c11);
  store_dx(row + 12u, column, c12);
  store_dx(row + 13u, column, c13);
  store_dx(row + 14u, column, c14);
  store_dx(row + 15u, column, c15);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.inputs + 31u) / 32u;
  // Both kinds of tiles evenly mixed, as a CPU adapter gives each core a stretch of the workgroups.
  let of_weight = across * ((params.outputs + 15u) / 16u);
  let tiles = of_weight + across * ((params.rows + 15u) / 16u);
  let before = g * of_weight / tiles;
  if ((g + 1u) * of_weight / tiles > before) {
    weight_gradient(before, lane);
  } else {
    input_gradient(g - before, lane);
  }
}
