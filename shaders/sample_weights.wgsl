// How much each sample of a batch counts in the loss: a positive as its item says, a negative 1.
//   weights[r] = labels[r] · item_weights[items[r]] + (1 − labels[r])
// items u32[rows] · labels f32[rows], 1 or 0 · item_weights f32[items] · weights f32[rows]
// One thread for one sample.
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> items: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read> item_weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.rows) { return; }
  weights[r] = labels[r] * item_weights[items[r]] + (1.0 - labels[r]);
}
