// linear_weight_grad.wgsl on subgroups of 8 lanes; sums run in the same order as there:
//   dweight[part, n, k] = Σ_r dy[r, n] · x[r, k];  dbias[part, n] = Σ_r dy[r, n]      r in [part · span, (part + 1) · span)
//   NO_BIAS:  dbias = 0 (linear_weight_grad.wgsl says why)
//   RELU:     dy = 0 where y, the output of a rectifier behind the layer, is not above 0
// x f32[rows, inputs] · dy, y f32[rows, outputs], y unused without RELU · dweight f32[parts, outputs, inputs]
// dbias f32[parts, outputs]; inputs and outputs multiples of 4
// One subgroup, which is a workgroup, for a tile of 16 outputs × 32 inputs of one part, much as in linear_subgroup.wgsl:
// two rows at a time, of which lanes 0 to 3 load the first row's dy, four numbers each, and lanes 4 to 7 the second one's.
enable subgroups;

struct Params { rows: u32, inputs: u32, outputs: u32, span: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dbias: array<vec4f>;

override NO_BIAS: bool = false;
override RELU: bool = false;

// c plus two steps of the sum, the first one first.
fn plus(c: vec4f, x: vec2f, w0: vec4f, w1: vec4f) -> vec4f {
  return c + x.x * w0 + x.y * w1;
}

// Four elements of the gradient before the rectifier.
fn gradient(at: u32) -> vec4f {
  let d = dy[at];
  if (!RELU) { return d; }
  return select(vec4f(), d, y[at] > vec4f());
}

// Writes this lane's columns of one output's row; outputs and columns past the end are not written.
fn store(part: u32, output: u32, column: u32, value: vec4f) {
  if (output >= params.outputs || column >= params.inputs) { return; }
  dweight[((part * params.outputs + output) * params.inputs + column) / 4u] = value;
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.inputs + 31u) / 32u;
  let tiles = across * ((params.outputs + 15u) / 16u);
  let part = g / tiles;
  let first = part * params.span;
  if (part > 0u && first >= params.rows) { return; } // part 0 is written even for a batch of no rows
  let row = ((g % tiles) / across) * 16u;
  let column = (g % across) * 32u + lane * 4u;
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
  let end = min(first + params.span, params.rows);
  for (var r = first; r < end; r += 2u) {
    // An odd number of rows ends with one of zeros.
    let own_row = r + lane / 4u;
    let d = select(vec4f(), gradient(own_dy + min(own_row, end - 1u) * dy_stride), own_row < end);
    let w0 = x[own_x + r * x_stride];
    let w1 = select(vec4f(), x[own_x + min(r + 1u, end - 1u) * x_stride], r + 1u < end);
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
  store(part, row + 0u, column, c0);
  store(part, row + 1u, column, c1);
  store(part, row + 2u, column, c2);
  store(part, row + 3u, column, c3);
  store(part, row + 4u, column, c4);
  store(part, row + 5u, column, c5);
  store(part, row + 6u, column, c6);
  store(part, row + 7u, column, c7);
  store(part, row + 8u, column, c8);
  store(part, row + 9u, column, c9);
  store(part, row + 10u, column, c10);
  store(part, row + 11u, column, c11);
  store(part, row + 12u, column, c12);
  store(part, row + 13u, column, c13);
  store(part, row + 14u, column, c14);
  store(part, row + 15u, column, c15);
  if (g % across == 0u && lane < 4u && output < params.outputs) {
    dbias[(part * params.outputs + output) / 4u] = select(sums, vec4f(), NO_BIAS);
  }
}
