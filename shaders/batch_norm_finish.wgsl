// BatchNorm's statistics from the blocks' partial ones, and the running averages (torch.nn.BatchNorm1d):
//   moments[n] = (mean, 1 / √(variance + eps))            variance = Σ (x − mean)² / rows
//   running_mean = (1 − momentum) · running_mean + momentum · mean
//   running_var  = (1 − momentum) · running_var  + momentum · Σ (x − mean)² / (rows − 1)
// statistics vec2f[ceil(rows / 8), features] · moments vec2f[features] · running_mean, running_var f32[features]
// Blocks are joined pairwise: Chan, Golub and LeVeque 1979, Updating Formulae for Computing Sample Variances.
// One workgroup for eight features: a thread joins, for one of them, every (WG / 8)-th block, then the first eight threads join
// the threads' results in order. A CPU adapter has a single thread a feature, so that nobody waits for anybody.
struct Params { rows: u32, features: u32, momentum: f32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> statistics: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> moments: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> running_var: array<f32>;

override WG: u32 = 64;
// So many blocks are joined apart: the longer the chain, the more is lost to rounding.
const CHUNK = 16u;
var<workgroup> partial: array<vec3f, WG>;

// (mean, Σ (x − mean)², count) of two sets together.
fn join(a: vec3f, b: vec3f) -> vec3f {
  let count = a.z + b.z;
  if (b.z == 0.0) { return a; }
  let delta = b.x - a.x;
  return vec3f(a.x + delta * (b.z / count), a.y + b.y + delta * delta * (a.z * b.z / count), count);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = (group.y * groups.x + group.x) * 8u + lane % 8u;
  let strips = WG / 8u;
  let blocks = (params.rows + 7u) / 8u;
  var all = vec3f();
  if (n < params.features) {
    for (var first = lane / 8u; first < blocks; first += CHUNK * strips) {
      var chunk = vec3f();
      for (var block = first; block < min(first + CHUNK * strips, blocks); block += strips) {
        let s = statistics[block * params.features + n];
        chunk = join(chunk, vec3f(s, f32(min(8u, params.rows - block * 8u))));
      }
      all = join(all, chunk);
    }
  }
  partial[lane] = all;
  workgroupBarrier();
  if (lane >= 8u || n >= params.features) { return; }
  for (var strip = 1u; strip < strips; strip++) { all = join(all, partial[8u * strip + lane]); }
  let count = f32(params.rows);
  moments[n] = vec2f(all.x, 1.0 / sqrt(all.y / count + params.eps));
  running_mean[n] = mix(running_mean[n], all.x, params.momentum);
  running_var[n] = mix(running_var[n], all.y / (count - 1.0), params.momentum);
}
