// Linear layer (torch.nn.functional.linear), optionally with ReLU and with the partial statistics of a BatchNorm behind it:
//   y[r, n] = Σ_k x[r, k] · weight[n, k] + bias[n]
//   RELU:        y = max(y, 0)
//   STATISTICS:  statistics[block, n] = (mean, Σ (y − mean)²) of the block's 8 rows, for batch_norm_finish
// x f32[rows, inputs] · weight f32[outputs, inputs] · bias f32[outputs] · y f32[rows, outputs]
// statistics vec2f[ceil(rows / 8), outputs], or 1 unused element
// One thread for a block of 8 rows × 4 columns in registers: 12 loads for 32 multiply-adds, no shared memory and no
// barrier, which is what a CPU adapter wants. Neighbouring threads share the rows of x.
struct Params { rows: u32, inputs: u32, outputs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>;

override WG: u32 = 64;
override RELU: bool = false;
override STATISTICS: bool = false;

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: vec4f) -> vec4f {
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

// Writes up to four columns of one row; a row past the end is not written.
fn store(row: u32, column: u32, value: vec4f) {
  if (row >= params.rows) { return; }
  let to = row * params.outputs + column;
  let v = select(value, relu(value), RELU);
  y[to] = v.x;
  if (column + 1u < params.outputs) { y[to + 1u] = v.y; }
  if (column + 2u < params.outputs) { y[to + 2u] = v.z; }
  if (column + 3u < params.outputs) { y[to + 3u] = v.w; }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let columns = (params.outputs + 3u) / 4u;
  if (i >= columns * ((params.rows + 7u) / 8u)) { return; }
  let c = (i % columns) * 4u;
  let r = (i / columns) * 8u;
  let inputs = params.inputs;
  // Rows and columns past the end repeat the last one: their results are not used.
  let last = params.rows - 1u;
  let x0 = min(r + 0u, last) * inputs;
  let x1 = min(r + 1u, last) * inputs;
  let x2 = min(r + 2u, last) * inputs;
  let x3 = min(r + 3u, last) * inputs;
  let x4 = min(r + 4u, last) * inputs;
  let x5 = min(r + 5u, last) * inputs;
  let x6 = min(r + 6u, last) * inputs;
  let x7 = min(r + 7u, last) * inputs;
  let end = params.outputs - 1u;
  let w0 = min(c + 0u, end) * inputs;
  let w1 = min(c + 1u, end) * inputs;
  let w2 = min(c + 2u, end) * inputs;
  let w3 = min(c + 3u, end) * inputs;
  let b = vec4f(bias[c], bias[min(c + 1u, end)], bias[min(c + 2u, end)], bias[min(c + 3u, end)]);
  var a0 = b;
  var a1 = b;
  var a2 = b;
  var a3 = b;
  var a4 = b;
  var a5 = b;
  var a6 = b;
  var a7 = b;
  for (var k = 0u; k < inputs; k++) {
    let w = vec4f(weight[w0 + k], weight[w1 + k], weight[w2 + k], weight[w3 + k]);
    a0 += x[x0 + k] * w;
    a1 += x[x1 + k] * w;
    a2 += x[x2 + k] * w;
    a3 += x[x3 + k] * w;
    a4 += x[x4 + k] * w;
    a5 += x[x5 + k] * w;
    a6 += x[x6 + k] * w;
    a7 += x[x7 + k] * w;
  }
  store(r + 0u, c, a0);
  store(r + 1u, c, a1);
  store(r + 2u, c, a2);
  store(r + 3u, c, a3);
  store(r + 4u, c, a4);
  store(r + 5u, c, a5);
  store(r + 6u, c, a6);
  store(r + 7u, c, a7);
  if (STATISTICS) {
    let n = min(8u, params.rows - r);
    let block = array(a0, a1, a2, a3, a4, a5, a6, a7);
    var mean = vec4f();
    for (var j = 0u; j < n; j++) { mean += block[j]; }
    mean /= f32(n);
    var squares = vec4f();
    for (var j = 0u; j < n; j++) { squares += (block[j] - mean) * (block[j] - mean); }
    let to = (r / 8u) * params.outputs + c;
    for (var j = 0u; j < min(4u, params.outputs - c); j++) { statistics[to + j] = vec2f(mean[j], squares[j]); }
  }
}
