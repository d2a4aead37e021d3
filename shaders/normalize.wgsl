// Rows of length one, so that products of rows are cosines; a row of nothing above 1e-12 becomes zeros:
//   y[r, d] = x[r, d] / √(Σ_d x[r, d]²)
// x, y f32[rows, dim]. One thread for one row.
struct Params { rows: u32, dim: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.rows) { return; }
  let first = r * params.dim;
  // The largest magnitude is taken out, so that no square of an f32 leaves its range.
  var largest = 0.0;
  for (var d = 0u; d < params.dim; d++) { largest = max(largest, abs(x[first + d])); }
  if (largest < 1e-12) {
    for (var d = 0u; d < params.dim; d++) { y[first + d] = 0.0; }
    return;
  }
  var squares = 0.0;
  for (var d = 0u; d < params.dim; d++) {
    let part = x[first + d] / largest;
    squares += part * part;
  }
  let scale = sqrt(squares);
  for (var d = 0u; d < params.dim; d++) { y[first + d] = x[first + d] / largest / scale; }
}
