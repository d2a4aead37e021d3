// Rectifier:  out[i] = max(x[i], 0)
// x, out f32[n]
// One thread for one element.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

// max(value, 0), where a NaN stays one, as in PyTorch: in a max it could become 0, and the loss would not show it. By the bits,
// because compilers may assume that there are none: zeros for 0x80000000 (−0) to 0xff800000 (−∞).
fn relu(value: f32) -> f32 {
  return select(value, 0.0, bitcast<u32>(value) - 0x80000000u <= 0x7f800000u);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n) { return; }
  out[i] = relu(x[i]);
}
