// Adds the parts of a split sum in order:  out[i] = Σ_part parts[part, i]
// parts f32[count, n] · out f32[n]
// One thread for one element.
struct Params { n: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.n) { return; }
  var sum = 0.0;
  for (var part = 0u; part < params.count; part++) { sum += parts[part * params.n + i]; }
  out[i] = sum;
}
