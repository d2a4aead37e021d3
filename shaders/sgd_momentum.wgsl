// Stochastic gradient descent with momentum (torch.optim.SGD, dampening 0, not Nesterov's), over one flat arena:
//   buf = momentum · buf + clip · gradient + weight_decay · w
//   w = w − lr · buf
// gradient, weight, momentum_buffer vec4f[n4] · clip f32[2] = (norm, factor) · hyper f32[3] = lr, weight_decay, momentum
// One thread for one vector.
// Source: Sutskever et al. 2013, On the importance of initialization and momentum; PyTorch keeps lr out of the buffer.
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> clip: array<f32>;
@group(0) @binding(3) var<storage, read> hyper: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> momentum_buffer: array<vec4f>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n4) { return; }
  let w = weight[i];
  let buf = hyper[2] * momentum_buffer[i] + (clip[1] * gradient[i] + hyper[1] * w);
  momentum_buffer[i] = buf;
  weight[i] = w - hyper[0] * buf;
}
