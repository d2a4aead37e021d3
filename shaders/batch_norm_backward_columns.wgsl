// Backward of BatchNorm in training with ReLU and dropout behind it in one, as batch_norm_backward_sums_vec4.wgsl,
// batch_norm_backward_finish.wgsl and batch_norm_backward_apply_vec4.wgsl compute it one behind the other, to the same bits:
//   g = scale · dy where y > 0, else 0;  x̂ = (z − mean) · inverse_std
//   dbeta = Σ_r g;  dgamma = Σ_r g · x̂;  dz = gamma · inverse_std · (g − dbeta / rows − x̂ · dgamma / rows)
// z, y, dy, dz vec4f[rows, features] · gamma, dgamma, dbeta vec4f[features] · moments vec4f[2 · features]: (mean,
// inverse_std) of two features each; here features count vectors
// One thread for one vector of all rows: on a CPU adapter and a small batch, dispatches cost more than cores that idle.
// dz holds g first.
struct Params { rows: u32, features: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;
@group(0) @binding(2) var<storage, read> moments: array<vec4f>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> y: array<vec4f>;
@group(0) @binding(5) var<storage, read> dy: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dgamma: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dbeta: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dz: array<vec4f>;

override WG: u32 = 64;

// Rows that are summed apart, and so many of those sums, as in batch_norm_backward_sums and _finish.
const BLOCK = 32u;
const CHUNK = 16u * BLOCK;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let n = id.y * groups.x * WG + id.x;
  if (n >= params.features) { return; }
  let one = moments[2u * n];
  let two = moments[2u * n + 1u];
  let mean = vec4f(one.x, one.z, two.x, two.z);
  let inverse_std = vec4f(one.y, one.w, two.y, two.w);
  var sum_g = vec4f();
  var sum_gx = vec4f();
  for (var chunk = 0u; chunk < params.rows; chunk += CHUNK) {
    var chunk_g = vec4f();
    var chunk_gx = vec4f();
    for (var block = chunk; block < min(chunk + CHUNK, params.rows); block += BLOCK) {
      var block_g = vec4f();
      var block_gx = vec4f();
      for (var r = block; r < min(block + BLOCK, params.rows); r++) {
        let i = r * params.features + n;
        let g = select(vec4f(), params.scale * dy[i], y[i] > vec4f());
        dz[i] = g;
        block_g += g;
        block_gx += g * (z[i] - mean) * inverse_std;
      }
      chunk_g += block_g;
      chunk_gx += block_gx;
    }
    sum_g += chunk_g;
    sum_gx += chunk_gx;
  }
  dbeta[n] = sum_g;
  dgamma[n] = sum_gx;
  let rows = f32(params.rows);
  let scale = gamma[n] * inverse_std;
  let mean_g = sum_g / rows;
  for (var r = 0u; r < params.rows; r++) {
    let i = r * params.features + n;
    let normalised = (z[i] - mean) * inverse_std;
    dz[i] = scale * (dz[i] - mean_g - normalised * sum_gx / rows);
  }
}
