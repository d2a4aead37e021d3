// Stochastic gradient descent (torch.optim.SGD without momentum), over one flat arena:
//   w = w − lr · (clip · gradient + weight_decay · w)
// gradient, weight vec4f[n4] · clip f32[2] = (norm, factor) · hyper f32[2] = lr, weight_decay
// One thread for one vector.
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> clip: array<f32>;
@group(0) @binding(3) var<storage, read> hyper: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n4) { return; }
  weight[i] -= hyper[0] * (clip[1] * gradient[i] + hyper[1] * weight[i]);
}
