// Gradients of a linear layer with respect to weight and bias, over one part of the batch's rows:
//   dweight[part, n, k] = Σ_r dy[r, n] · x[r, k];  dbias[part, n] = Σ_r dy[r, n]      r in [part · span, (part + 1) · span)
//   NO_BIAS:  dbias = 0: a BatchNorm behind the layer subtracts whatever the bias adds. The sum would be rounding noise
//             around that zero, which Adam turns into steps of full size.
//   RELU:     dy = 0 where y, the output of a rectifier behind the layer, is not above 0
// With several parts sum_parts adds them in order afterwards; with one the result is final.
// x f32[rows, inputs] · dy, y f32[rows, outputs], y unused without RELU · dweight f32[parts, outputs, inputs]
// dbias f32[parts, outputs]
// One thread for a block of 8 outputs × 4 inputs of one part in registers.
struct Params { rows: u32, inputs: u32, outputs: u32, span: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbias: array<f32>;

override WG: u32 = 64;
override NO_BIAS: bool = false;
override RELU: bool = false;

// One element of the gradient before the rectifier.
fn gradient(at: u32) -> f32 {
  let d = dy[at];
  if (!RELU) { return d; }
  return select(0.0, d, y[at] > 0.0);
}

// Writes up to four columns of one output's row; outputs past the end are not written.
fn store(part: u32, output: u32, column: u32, weight: vec4f, bias: f32) {
  if (output >= params.outputs) { return; }
  let row = part * params.outputs + output;
  let to = row * params.inputs + column;
  dweight[to] = weight.x;
  if (column + 1u < params.inputs) { dweight[to + 1u] = weight.y; }
  if (column + 2u < params.inputs) { dweight[to + 2u] = weight.z; }
  if (column + 3u < params.inputs) { dweight[to + 3u] = weight.w; }
  if (column == 0u) { dbias[row] = select(bias, 0.0, NO_BIAS); }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let columns = (params.inputs + 3u) / 4u;
  let blocks = columns * ((params.outputs + 7u) / 8u);
  let part = i / blocks;
  let first = part * params.span;
  if (part > 0u && first >= params.rows) { return; } // part 0 is written even for a batch of no rows
  let c = (i % columns) * 4u;
  let n = ((i % blocks) / columns) * 8u;
  // Outputs and inputs past the end repeat the last one: their results are not used.
  let last = params.outputs - 1u;
  let n0 = min(n + 0u, last);
  let n1 = min(n + 1u, last);
  let n2 = min(n + 2u, last);
  let n3 = min(n + 3u, last);
  let n4 = min(n + 4u, last);
  let n5 = min(n + 5u, last);
  let n6 = min(n + 6u, last);
  let n7 = min(n + 7u, last);
  let end = params.inputs - 1u;
  let c0 = min(c + 0u, end);
  let c1 = min(c + 1u, end);
  let c2 = min(c + 2u, end);
  let c3 = min(c + 3u, end);
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var a4 = vec4f();
  var a5 = vec4f();
  var a6 = vec4f();
  var a7 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  for (var r = first; r < min(first + params.span, params.rows); r++) {
    let base = r * params.inputs;
    let v = vec4f(x[base + c0], x[base + c1], x[base + c2], x[base + c3]);
    let row = r * params.outputs;
    let d0 = vec4f(gradient(row + n0), gradient(row + n1), gradient(row + n2), gradient(row + n3));
    let d1 = vec4f(gradient(row + n4), gradient(row + n5), gradient(row + n6), gradient(row + n7));
    a0 += d0.x * v;
    a1 += d0.y * v;
    a2 += d0.z * v;
    a3 += d0.w * v;
    a4 += d1.x * v;
    a5 += d1.y * v;
    a6 += d1.z * v;
    a7 += d1.w * v;
    b0 += d0;
    b1 += d1;
  }
  store(part, n + 0u, c, a0, b0.x);
  store(part, n + 1u, c, a1, b0.y);
  store(part, n + 2u, c, a2, b0.z);
  store(part, n + 3u, c, a3, b0.w);
  store(part, n + 4u, c, a4, b1.x);
  store(part, n + 5u, c, a5, b1.y);
  store(part, n + 6u, c, a6, b1.z);
  store(part, n + 7u, c, a7, b1.w);
}
