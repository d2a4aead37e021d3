// Folds an evaluated BatchNorm into the linear layer before it, so that the layer is one dispatch of linear.wgsl:
//   s[n] = gamma[n] / √(running_var[n] + eps)
//   folded_weight[n, k] = s[n] · weight[n, k];  folded_bias[n] = s[n] · (bias[n] − running_mean[n]) + beta[n]
// weight, folded_weight f32[outputs, inputs] · bias, folded_bias f32[outputs]
// gamma, beta, running_mean, running_var f32[outputs]
// One thread for one weight; those of the first column write the bias too.
struct Params { inputs: u32, outputs: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> running_mean: array<f32>;
@group(0) @binding(6) var<storage, read> running_var: array<f32>;
@group(0) @binding(7) var<storage, read_write> folded_weight: array<f32>;
@group(0) @binding(8) var<storage, read_write> folded_bias: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.inputs * params.outputs) { return; }
  let n = i / params.inputs;
  let scale = gamma[n] / sqrt(running_var[n] + params.eps);
  folded_weight[i] = scale * weight[i];
  if (i % params.inputs == 0u) { folded_bias[n] = scale * (bias[n] - running_mean[n]) + beta[n]; }
}
