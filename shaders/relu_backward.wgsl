// Backward of the rectifier, from its output:  dx[i] = dy[i] where y[i] > 0, else 0
// y, dy, dx f32[n]
// One thread for one element.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n) { return; }
  dx[i] = select(0.0, dy[i], y[i] > 0.0);
}
