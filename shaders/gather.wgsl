// Embedding look-up (torch.nn.functional.embedding), written into a column range of a wider matrix, so that two
// look-ups side by side are a concatenation:
//   out[b, column + d] = table[ids[b], d]
// table f32[vocabulary, dim] · ids u32[rows], each < vocabulary · out f32[rows, width]
// One thread for one element of the result.
struct Params { rows: u32, dim: u32, width: u32, column: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.rows * params.dim) { return; }
  let b = i / params.dim;
  let d = i % params.dim;
  out[b * params.width + params.column + d] = table[ids[b] * params.dim + d];
}
