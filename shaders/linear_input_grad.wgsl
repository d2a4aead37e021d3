// Gradient of a linear layer with respect to its input:
//   dx[r, k] = Σ_n dy[r, n] · weight[n, k]
//   RELU:  dy = 0 where y, the output of a rectifier behind the layer, is not above 0
// dy, y f32[rows, outputs], y unused without RELU · weight f32[outputs, inputs] · dx f32[rows, inputs]
// One thread for a block of 8 rows × 4 columns in registers, as in linear.wgsl.
struct Params { rows: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

override WG: u32 = 64;
override RELU: bool = false;

// One element of the gradient before the rectifier.
fn gradient(at: u32) -> f32 {
  let d = dy[at];
  if (!RELU) { return d; }
  return select(0.0, d, y[at] > 0.0);
}

// Writes up to four columns of one row; a row past the end is not written.
fn store(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows) { return; }
  let to = row * params.inputs + column;
  dx[to] = value.x;
  if (column + 1u < params.inputs) { dx[to + 1u] = value.y; }
  if (column + 2u < params.inputs) { dx[to + 2u] = value.z; }
  if (column + 3u < params.inputs) { dx[to + 3u] = value.w; }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let columns = (params.inputs + 3u) / 4u;
  if (i >= columns * ((params.rows + 7u) / 8u)) { return; }
  let c = (i % columns) * 4u;
  let r = (i / columns) * 8u;
  let outputs = params.outputs;
  // Rows and columns past the end repeat the last one: their results are not used.
  let last = params.rows - 1u;
  let d0 = min(r + 0u, last) * outputs;
  let d1 = min(r + 1u, last) * outputs;
  let d2 = min(r + 2u, last) * outputs;
  let d3 = min(r + 3u, last) * outputs;
  let d4 = min(r + 4u, last) * outputs;
  let d5 = min(r + 5u, last) * outputs;
  let d6 = min(r + 6u, last) * outputs;
  let d7 = min(r + 7u, last) * outputs;
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
  for (var n = 0u; n < outputs; n++) {
    let base = n * params.inputs;
    let w = vec4f(weight[base + c0], weight[base + c1], weight[base + c2], weight[base + c3]);
    a0 += gradient(d0 + n) * w;
    a1 += gradient(d1 + n) * w;
    a2 += gradient(d2 + n) * w;
    a3 += gradient(d3 + n) * w;
    a4 += gradient(d4 + n) * w;
    a5 += gradient(d5 + n) * w;
    a6 += gradient(d6 + n) * w;
    a7 += gradient(d7 + n) * w;
  }
  store(r + 0u, c, a0);
  store(r + 1u, c, a1);
  store(r + 2u, c, a2);
  store(r + 3u, c, a3);
  store(r + 4u, c, a4);
  store(r + 5u, c, a5);
  store(r + 6u, c, a6);
  store(r + 7u, c, a7);
}
