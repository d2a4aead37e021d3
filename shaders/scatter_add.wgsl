// Gradient of an embedding look-up (torch.nn.functional.embedding's backward):
//   out[r, d] = Σ over p in the row's group, ascending:  dy[p, column + d]
// A gradient that is split takes a dispatch for each shard: its rows [first, first + rows).
// groups u32[2 n] and slots vec4u[vocabulary] come from the group_* kernels · dy f32[n, width] · out f32[rows, dim], zeros before: rows that do not occur stay 0
// `lanes` threads for one position, of which the first of a row does the work, each for every lanes-th block of four columns; no atomics, so the same bits every run.
struct Params { n: u32, dim: u32, width: u32, column: u32, lanes: u32, first: u32, rows: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<vec4u>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * WG + id.x;
  if (i >= params.n * params.lanes) { return; }
  let key = groups[i / params.lanes];
  if (key == 0u) { return; }
  let row = key - 1u;
  let own = row - params.first; // of a row before the first, more than there are
  if (own >= params.rows) { return; }
  let start = slots[row].y;
  let count = slots[row].z;
  for (var d = (i % params.lanes) * 4u; d < params.dim; d += params.lanes * 4u) {
    var sum = vec4f();
    for (var k = start; k < start + count; k++) {
      // Past the last column this reads a neighbour, which is not written below.
      let base = groups[k] * params.width + params.column + d;
      sum += vec4f(dy[base], dy[base + 1u], dy[base + 2u], dy[base + 3u]);
    }
    let to = own * params.dim + d;
    out[to] = sum.x;
    if (d + 1u < params.dim) { out[to + 1u] = sum.y; }
    if (d + 2u < params.dim) { out[to + 2u] = sum.z; }
    if (d + 3u < params.dim) { out[to + 3u] = sum.w; }
  }
}
