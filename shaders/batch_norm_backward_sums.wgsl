// Backward of BatchNorm (with ReLU and dropout behind it), 1 of 3: what reaches the normalised values, summed block by block.
//   g[r, n] = dy[r, n];   MASKED: scale · dy[r, n] where y[r, n] > 0, else 0      x̂ = (x − mean) · inverse_std
//   sums[block, n] = (Σ g, Σ g · x̂) over the block's 32 rows
// With ReLU in front of it, y > 0 says both that ReLU was open and that dropout kept the element.
// x, y, dy f32[rows, features] · moments vec2f[features] = (mean, inverse_std) · sums vec2f[ceil(rows / 32), features]
// One thread for one feature of one block.
struct Params { rows: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<vec2f>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2f>;

override WG: u32 = 64;
override MASKED: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let first = (t / params.features) * 32u;
  if (first >= params.rows) { return; }
  let n = t % params.features;
  let moment = moments[n];
  var sum = vec2f();
  for (var r = first; r < min(first + 32u, params.rows); r++) {
    let i = r * params.features + n;
    var g = dy[i];
    if (MASKED) { g = select(0.0, params.scale * g, y[i] > 0.0); }
    sum += vec2f(g, g * (x[i] - moment.x) * moment.y);
  }
  sums[t] = sum;
}
