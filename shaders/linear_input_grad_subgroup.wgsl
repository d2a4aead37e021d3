// linear_input_grad.wgsl on subgroups of 8 lanes; sums run in the same order as there:
//   dx[r, k] = Σ_n dy[r, n] · weight[n, k]
//   RELU:  dy = 0 where y, the output of a rectifier behind the layer, is not above 0
// dy, y f32[rows, outputs], y unused without RELU · weight f32[outputs, inputs] · dx f32[rows, inputs]; outputs even,
// inputs a multiple of 4
// One subgroup, which is a workgroup, for a tile of 16 rows × 32 columns, as in linear_subgroup.wgsl.
enable subgroups;

struct Params { rows: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec2f>;
@group(0) @binding(2) var<storage, read> y: array<vec2f>;
@group(0) @binding(3) var<storage, read> weight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;

override RELU: bool = false;

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

// Two elements of the gradient before the rectifier.
fn gradient(at: u32) -> vec2f {
  let d = dy[at];
  if (!RELU) { return d; }
  return select(vec2f(), d, y[at] > vec2f());
}

// Writes this lane's columns of one row; rows and columns past the end are not written.
fn store(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.inputs) { return; }
  dx[(row * params.inputs + column) / 4u] = value;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.inputs + 31u) / 32u;
  let row = (g / across) * 16u;
  let column = (g % across) * 32u + lane * 4u;
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
    let upper = gradient(d0 + n);
    c0 = plus(c0, subgroupBroadcast(upper, 0u), w0, w1);
    c1 = plus(c1, subgroupBroadcast(upper, 1u), w0, w1);
    c2 = plus(c2, subgroupBroadcast(upper, 2u), w0, w1);
    c3 = plus(c3, subgroupBroadcast(upper, 3u), w0, w1);
    c4 = plus(c4, subgroupBroadcast(upper, 4u), w0, w1);
    c5 = plus(c5, subgroupBroadcast(upper, 5u), w0, w1);
    c6 = plus(c6, subgroupBroadcast(upper, 6u), w0, w1);
    c7 = plus(c7, subgroupBroadcast(upper, 7u), w0, w1);
    let lower = gradient(d1 + n);
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
}
