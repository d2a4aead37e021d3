// Gradient of in_batch_softmax's mean loss with respect to the logits, times that of what came of it:
//   gradient[r, j] = factor · e^(z[r, j] − m) / S      for others j of r
//   gradient[r, r] = factor · −Σ_others e^(z − m) / S, and 0 for the user's own item, drawn again
//   factor = dy[0] · scale / rows
// z, others, m, S, logits, items, log_q and row_values as in in_batch_softmax · dy f32[1] · gradient f32[rows, rows]
// One thread for one column of up to eight rows.
struct Params { rows: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<u32>;
@group(0) @binding(3) var<storage, read> log_q: array<f32>;
@group(0) @binding(4) var<storage, read> row_values: array<vec4f>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let first = (t / params.rows) * 8u;
  if (first >= params.rows) { return; }
  let j = t % params.rows;
  let item = items[j];
  let correction = log_q[item];
  let factor = dy[0] * params.scale / f32(params.rows);
  for (var r = first; r < min(first + 8u, params.rows); r++) {
    let row = row_values[r];
    let i = r * params.rows + j;
    var slope = row.z;
    if (r != j) {
      let share = exp(params.scale * logits[i] - correction - row.x) * row.y;
      slope = select(share, 0.0, items[r] == item);
    }
    gradient[i] = factor * slope;
  }
}
