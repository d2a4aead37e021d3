// out[i] = 0
// out f32[n]
// One thread for every threads-th element, several of them.
struct Params { n: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.y * groups.x * WG + id.x;
  if (first >= params.threads) { return; }
  for (var i = first; i < params.n; i += params.threads) { out[i] = 0.0; }
}
