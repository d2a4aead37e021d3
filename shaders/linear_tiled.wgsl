// The three products of a linear layer as one, in tiles in workgroup memory (linear.wgsl, linear_input_grad.wgsl and
// linear_weight_grad.wgsl have the formulas; sums run in the same order as there):
//   c[part, i, j] = init[j] + Σ_k A[i, k] · B[j, k]      k in [part · span, (part + 1) · span)
//   A_ALONG_K:   A[i, k] = a[i · a_stride + k], else a[k · a_stride + i];  B_ALONG_K: likewise
//   MASKED:      A[i, k] = 0 where y, laid out as a, is not above 0: a rectifier's gradient
//   BIAS:        init = bias, else 0
//   RELU:        c = max(c, 0)
//   STATISTICS:  extra[block, j] = (mean, Σ (c − mean)²) of the block's 8 rows, for batch_norm_finish
//   ROW_SUMS:    extra[part, i] = Σ_k A[i, k], the bias' gradient;  NO_BIAS: 0 instead (linear_weight_grad.wgsl says why)
// a, b, y, bias f32, y and bias unused without their constants · c f32[parts, rows, columns]
// extra f32[2 · ceil(rows / 8) · columns], f32[parts · rows], or unused · the layer's inputs and outputs are multiples of 4,
// so that no four numbers reach into the next row
// One workgroup of 128 threads for a tile of 64 × 64: 16 k at a time, the threads bring A and B into workgroup memory, four
// numbers a load, then each multiplies 8 rows × 4 columns in registers.
struct Params { rows: u32, columns: u32, depth: u32, span: u32, a_stride: u32, b_stride: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<f32>;

override A_ALONG_K: bool = true;
override B_ALONG_K: bool = true;
override MASKED: bool = false;
override BIAS: bool = false;
override RELU: bool = false;
override STATISTICS: bool = false;
override ROW_SUMS: bool = false;
override NO_BIAS: bool = false;

// 16 k of 64 rows, and of 64 columns; four more of each k keep threads off each other's memory banks.
var<workgroup> tile_a: array<f32, 1088>;
var<workgroup> tile_b: array<f32, 1088>;

// Which row (or column) and k of a slab the i-th four numbers begin at: neighbours along the memory.
fn place(i: u32, along_k: bool) -> vec2u {
  return select(vec2u((i % 16u) * 4u, i / 16u), vec2u(i / 4u, (i % 4u) * 4u), along_k);
}

// Four numbers of A; zeros from `end` on and past the last row.
fn load_a(i: u32, k: u32, end: u32) -> vec4f {
  if (i >= params.rows || k >= end) { return vec4f(); }
  let at = select(k * params.a_stride + i, i * params.a_stride + k, A_ALONG_K) / 4u;
  let v = a[at];
  if (!MASKED) { return v; }
  return select(vec4f(), v, y[at] > vec4f());
}

// Four numbers of B, likewise.
fn load_b(j: u32, k: u32, end: u32) -> vec4f {
  if (j >= params.columns || k >= end) { return vec4f(); }
  return b[select(k * params.b_stride + j, j * params.b_stride + k, B_ALONG_K) / 4u];
}

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: vec4f) -> vec4f {
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

// Writes this thread's columns of one row; rows and columns past the end are not written.
fn store(part: u32, row: u32, column: u32, value: vec4f) {
  if (row >= params.rows || column >= params.columns) { return; }
  c[((part * params.rows + row) * params.columns + column) / 4u] = select(value, relu(value), RELU);
}

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let g = group.y * groups.x + group.x;
  let across = (params.columns + 63u) / 64u;
  let tiles = across * ((params.rows + 63u) / 64u);
  let part = g / tiles;
  let first = part * params.span;
  if (part > 0u && first >= params.depth) { return; } // part 0 is written even where there is nothing to sum
  let end = min(first + params.span, params.depth);
  let tile_row = ((g % tiles) / across) * 64u;
  let tile_column = (g % across) * 64u;
  let r = thread / 16u;
  let n = thread % 16u;
  let row = tile_row + r * 8u;
  let column = tile_column + n * 4u;
  var init = vec4f();
  if (BIAS) { init = bias[min(column, params.columns - 4u) / 4u]; }
  var c0 = init;
  var c1 = init;
  var c2 = init;
  var c3 = init;
  var c4 = init;
  var c5 = init;
  var c6 = init;
  var c7 = init;
  var sums = array(vec4f(), vec4f());
  let step_a = select(1u, 68u, A_ALONG_K);
  let step_b = select(1u, 68u, B_ALONG_K);
  for (var slab = first; slab < end; slab += 16u) {
    for (var i = thread; i < 256u; i += 128u) {
      let p = place(i, A_ALONG_K);
      let x = load_a(tile_row + p.x, slab + p.y, end);
      let q = place(i, B_ALONG_K);
      let z = load_b(tile_column + q.x, slab + q.y, end);
      let at_a = p.y * 68u + p.x;
      tile_a[at_a] = x.x;
      tile_a[at_a + step_a] = x.y;
      tile_a[at_a + 2u * step_a] = x.z;
      tile_a[at_a + 3u * step_a] = x.w;
      let at_b = q.y * 68u + q.x;
      tile_b[at_b] = z.x;
      tile_b[at_b + step_b] = z.y;
      tile_b[at_b + 2u * step_b] = z.z;
      tile_b[at_b + 3u * step_b] = z.w;
    }
    workgroupBarrier();
    for (var k = 0u; k < min(16u, end - slab); k++) {
      let i = k * 68u + r * 8u;
      let j = k * 68u + n * 4u;
      let u = vec4f(tile_a[i], tile_a[i + 1u], tile_a[i + 2u], tile_a[i + 3u]);
      let v = vec4f(tile_a[i + 4u], tile_a[i + 5u], tile_a[i + 6u], tile_a[i + 7u]);
      let w = vec4f(tile_b[j], tile_b[j + 1u], tile_b[j + 2u], tile_b[j + 3u]);
      c0 += u.x * w;
      c1 += u.y * w;
      c2 += u.z * w;
      c3 += u.w * w;
      c4 += v.x * w;
      c5 += v.y * w;
      c6 += v.z * w;
      c7 += v.w * w;
      if (ROW_SUMS && tile_column == 0u) {
        sums[0] += u;
        sums[1] += v;
      }
    }
    workgroupBarrier();
  }
  store(part, row + 0u, column, c0);
  store(part, row + 1u, column, c1);
  store(part, row + 2u, column, c2);
  store(part, row + 3u, column, c3);
  store(part, row + 4u, column, c4);
  store(part, row + 5u, column, c5);
  store(part, row + 6u, column, c6);
  store(part, row + 7u, column, c7);
  if (STATISTICS && row < params.rows && column < params.columns) {
    let count = min(8u, params.rows - row);
    let block = array(c0, c1, c2, c3, c4, c5, c6, c7);
    var mean = vec4f();
    for (var j = 0u; j < count; j++) { mean += block[j]; }
    mean /= f32(count);
    var squares = vec4f();
    for (var j = 0u; j < count; j++) { squares += (block[j] - mean) * (block[j] - mean); }
    let at = 2u * ((row / 8u) * params.columns + column);
    for (var j = 0u; j < 4u; j++) {
      extra[at + 2u * j] = mean[j];
      extra[at + 2u * j + 1u] = squares[j];
    }
  }
  if (ROW_SUMS && column == 0u) {
    for (var j = 0u; j < min(8u, max(row, params.rows) - row); j++) {
      extra[part * params.rows + row + j] = select(sums[j / 4u][j % 4u], 0.0, NO_BIAS);
    }
  }
}
