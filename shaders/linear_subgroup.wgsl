// The three products of a linear layer as one, on subgroups of 8 lanes (linear.wgsl, linear_input_grad.wgsl and
// linear_weight_grad.wgsl have the formulas; sums run in the same order as there):
//   c[part, i, j] = init[j] + Σ_k a[i · a_row + k · a_k] · b[j · b_column + k · b_k]     k in [part · span, (part + 1) · span)
//   BIAS:        init = bias, else 0
//   RELU:        c = max(c, 0)
//   STATISTICS:  extra[block, j] = (mean, Σ (c − mean)²) of the block's 8 rows, for batch_norm_finish
//   ROW_SUMS:    extra[part, i] = Σ_k a[i, k], the bias' gradient;  NO_BIAS: 0 instead (linear_weight_grad.wgsl says why)
// a, b, bias f32 · c f32[parts, rows, columns] · extra f32[2 · ceil(rows / 8) · columns], f32[parts · rows], or 1 unused
// One subgroup, which is a workgroup, for a tile of 16 rows × 16 columns: each lane loads two rows' and two columns'
// elements and hands its rows' to the other lanes, so that 4 loads a lane feed 32 multiply-adds. On a CPU adapter, where
// every lane's load is a branch of its own, that is what the time goes into.
enable subgroups;

struct Params {
  rows: u32, columns: u32, depth: u32, span: u32, a_row: u32, a_k: u32, b_column: u32, b_k: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;
@group(0) @binding(5) var<storage, read_write> extra: array<f32>;

override BIAS: bool = false;
override RELU: bool = false;
override STATISTICS: bool = false;
override ROW_SUMS: bool = false;
override NO_BIAS: bool = false;

// Writes this lane's two columns of one row; rows and columns past the end are not written.
fn store(part: u32, row: u32, column: u32, value: vec2f) {
  if (row >= params.rows) { return; }
  let to = (part * params.rows + row) * params.columns + column;
  let v = select(value, max(value, vec2f()), RELU);
  if (column < params.columns) { c[to] = v.x; }
  if (column + 8u < params.columns) { c[to + 8u] = v.y; }
}

// Partial statistics of 8 rows, this lane's two columns.
fn store_statistics(row: u32, column: u32, block: array<vec2f, 8>) {
  if (row >= params.rows) { return; }
  let n = min(8u, params.rows - row);
  var values = block;
  var mean = vec2f();
  for (var j = 0u; j < n; j++) { mean += values[j]; }
  mean /= f32(n);
  var squares = vec2f();
  for (var j = 0u; j < n; j++) { squares += (values[j] - mean) * (values[j] - mean); }
  let to = 2u * ((row / 8u) * params.columns + column);
  if (column < params.columns) {
    extra[to] = mean.x;
    extra[to + 1u] = squares.x;
  }
  if (column + 8u < params.columns) {
    extra[to + 16u] = mean.y;
    extra[to + 17u] = squares.y;
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let across = (params.columns + 15u) / 16u;
  let tiles = across * ((params.rows + 15u) / 16u);
  let g = group.y * groups.x + group.x;
  let part = g / tiles;
  let first = part * params.span;
  if (part > 0u && first >= params.depth) { return; } // part 0 is written even where there is nothing to sum
  let row = ((g % tiles) / across) * 16u;
  let column = (g % across) * 16u + lane;
  // Rows and columns past the end repeat the last one: their results are not used.
  let a0 = min(row + lane, params.rows - 1u) * params.a_row;
  let a1 = min(row + lane + 8u, params.rows - 1u) * params.a_row;
  let j0 = min(column, params.columns - 1u);
  let j1 = min(column + 8u, params.columns - 1u);
  let b0 = j0 * params.b_column;
  let b1 = j1 * params.b_column;
  var init = vec2f();
  if (BIAS) { init = vec2f(bias[j0], bias[j1]); }
  var c0 = init;
  var c1 = init;
  var c2 = init;
  var c3 = init;
  var c4 = init;
  var c5 = init;
  var c6 = init;
  var c7 = init;
  var c8 = init;
  var c9 = init;
  var c10 = init;
  var c11 = init;
  var c12 = init;
  var c13 = init;
  var c14 = init;
  var c15 = init;
  var sums = vec2f();
  for (var k = first; k < min(first + params.span, params.depth); k++) {
    let x = vec2f(a[a0 + k * params.a_k], a[a1 + k * params.a_k]);
    let w = vec2f(b[b0 + k * params.b_k], b[b1 + k * params.b_k]);
    c0 += subgroupBroadcast(x.x, 0u) * w;
    c1 += subgroupBroadcast(x.x, 1u) * w;
    c2 += subgroupBroadcast(x.x, 2u) * w;
    c3 += subgroupBroadcast(x.x, 3u) * w;
    c4 += subgroupBroadcast(x.x, 4u) * w;
    c5 += subgroupBroadcast(x.x, 5u) * w;
    c6 += subgroupBroadcast(x.x, 6u) * w;
    c7 += subgroupBroadcast(x.x, 7u) * w;
    c8 += subgroupBroadcast(x.y, 0u) * w;
    c9 += subgroupBroadcast(x.y, 1u) * w;
    c10 += subgroupBroadcast(x.y, 2u) * w;
    c11 += subgroupBroadcast(x.y, 3u) * w;
    c12 += subgroupBroadcast(x.y, 4u) * w;
    c13 += subgroupBroadcast(x.y, 5u) * w;
    c14 += subgroupBroadcast(x.y, 6u) * w;
    c15 += subgroupBroadcast(x.y, 7u) * w;
    if (ROW_SUMS) { sums += x; }
  }
  store(part, row, column, c0);
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
  if (STATISTICS) {
    store_statistics(row, column, array(c0, c1, c2, c3, c4, c5, c6, c7));
    store_statistics(row + 8u, column, array(c8, c9, c10, c11, c12, c13, c14, c15));
  }
  if (ROW_SUMS && g % across == 0u) {
    let bias_grad = select(sums, vec2f(), NO_BIAS);
    let to = part * params.rows + row + lane;
    if (row + lane < params.rows) { extra[to] = bias_grad.x; }
    if (row + lane + 8u < params.rows) { extra[to + 8u] = bias_grad.y; }
  }
}
