// Embedding look-up (torch.nn.functional.embedding), written into a column range of a wider matrix, so that two
// look-ups side by side are a concatenation:
//   out[b, column + d] = table[ids[b], d]
// A table that is split takes a dispatch for each shard: its rows [first, first + count), of which only they are looked up.
// table f32[count, dim] · ids u32[rows], each below the table's length · out f32[rows, width]
// One thread for four columns of one row.
struct Params { rows: u32, dim: u32, width: u32, column: u32, first: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let blocks = (params.dim + 3u) / 4u;
  if (i >= params.rows * blocks) { return; }
  let b = i / blocks;
  let begin = (i % blocks) * 4u;
  let row = ids[b] - params.first; // of a row before the first, more than there are
  if (row >= params.count) { return; }
  let at = row * params.dim;
  let to = b * params.width + params.column;
  for (var d = begin; d < min(begin + 4u, params.dim); d++) { out[to + d] = table[at + d]; }
}
