// batch_norm_backward_sums where features are a multiple of 4, in vectors of four features:
//   g[r, n] = dy[r, n];   MASKED: scale · dy[r, n] where y[r, n] > 0, else 0      x̂ = (x − mean) · inverse_std
//   sums[block, n] = (Σ g, Σ g · x̂) over the block's 32 rows
// x, y, dy vec4f[rows, features] · moments vec4f[2 · features]: (mean, inverse_std) of two features each
// sums vec4f[ceil(rows / 32), 2 · features]: of two features each; here features count vectors
// One thread for one vector of one block.
struct Params { rows: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> moments: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec4f>;

override WG: u32 = 64;
override MASKED: bool = false;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let first = (t / params.features) * 32u;
  if (first >= params.rows) { return; }
  let n = t % params.features;
  let one = moments[2u * n];
  let two = moments[2u * n + 1u];
  let mean = vec4f(one.x, one.z, two.x, two.z);
  let inverse_std = vec4f(one.y, one.w, two.y, two.w);
  var sum_g = vec4f();
  var sum_gx = vec4f();
  for (var r = first; r < min(first + 32u, params.rows); r++) {
    let i = r * params.features + n;
    var g = dy[i];
    if (MASKED) { g = select(vec4f(), params.scale * g, y[i] > vec4f()); }
    sum_g += g;
    sum_gx += g * (x[i] - mean) * inverse_std;
  }
  sums[2u * t] = vec4f(sum_g.x, sum_gx.x, sum_g.y, sum_gx.y);
  sums[2u * t + 1u] = vec4f(sum_g.z, sum_gx.z, sum_g.w, sum_gx.w);
}
