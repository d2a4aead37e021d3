// Sum of all elements times a constant, in a fixed order:  out[0] = scale · Σ x[i]
// x f32[n] · out f32[1]
// One workgroup: each thread adds every WG-th element, then the first adds the WG partial sums.
struct Params { n: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;
var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.n; i += WG) { sum += x[i]; }
  partial[lane] = sum;
  workgroupBarrier();
  if (lane > 0u) { return; }
  var total = 0.0;
  for (var l = 0u; l < WG; l++) { total += partial[l]; }
  out[0] = params.scale * total;
}
