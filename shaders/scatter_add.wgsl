// Gradient of an embedding look-up (torch.nn.functional.embedding's backward), dense: every row is written.
//   out[r, d] = Σ over p in order[segment of r], ascending:  dy[p, column + d]      (0 for a row that does not occur)
// segments vec2u[vocabulary] and order u32[n] come from the group_* kernels · dy f32[n, width] · out f32[vocabulary, dim]
// `lanes` threads for one row, each for every lanes-th block of four columns; no atomics, so the same bits every run.
struct Params { vocabulary: u32, dim: u32, width: u32, column: u32, lanes: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> segments: array<vec2u>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.vocabulary * params.lanes) { return; }
  let r = i / params.lanes;
  let segment = segments[r];
  let end = segment.x + segment.y;
  for (var d = (i % params.lanes) * 4u; d < params.dim; d += params.lanes * 4u) {
    var sum = vec4f();
    for (var k = segment.x; k < end; k++) {
      // Past the last column this reads a neighbour, which is not written below.
      let base = order[k] * params.width + params.column + d;
      sum += vec4f(dy[base], dy[base + 1u], dy[base + 2u], dy[base + 3u]);
    }
    let to = r * params.dim + d;
    out[to] = sum.x;
    if (d + 1u < params.dim) { out[to + 1u] = sum.y; }
    if (d + 2u < params.dim) { out[to + 2u] = sum.z; }
    if (d + 3u < params.dim) { out[to + 3u] = sum.w; }
  }
}
