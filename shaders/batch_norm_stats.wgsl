// Partial statistics of BatchNorm, block by block (two passes over the block, never Σx² − (Σx)²):
//   statistics[block, n] = (mean, Σ (x − mean)²) of x[block · 8 .. block · 8 + 8, n]
// x f32[rows, features] · statistics vec2f[ceil(rows / 8), features]
// One thread for one feature of one block.
struct Params { rows: u32, features: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec2f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let first = (i / params.features) * 8u;
  if (first >= params.rows) { return; }
  let n = i % params.features;
  let end = min(first + 8u, params.rows);
  var mean = 0.0;
  for (var r = first; r < end; r++) { mean += x[r * params.features + n]; }
  mean /= f32(end - first);
  var squares = 0.0;
  for (var r = first; r < end; r++) {
    let difference = x[r * params.features + n] - mean;
    squares += difference * difference;
  }
  statistics[i] = vec2f(mean, squares);
}
