// The k best of each user's items by key, in descending order; ties by the lower item:
//   best[r, s] = the k first of user r's candidates, sorted by (−key, item), that stand in span s; (0, NONE) where there are fewer
//   candidates of row r: (keys[r, i], i) for all items i, or with MERGE the pairs best_before[r, …], each span's sorted already
// keys u32[rows, width], or with MERGE vec2u[rows, width] · best vec2u[out_rows, spans, k], spans = ceil(width / span)
// With MERGE row r stands for user step · rows + r, of `tested`, and there is one span; else best is a chunk's own.
// step u32[1]: the chunk's number. Key 0 is a masked item: it is never among the best.
// One thread for one span of one row: most items fail its comparison with the last of the k, and need one load.
struct Params { rows: u32, width: u32, span: u32, k: u32, tested: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> best: array<vec2u>;

override WG: u32 = 64;
override MERGE: bool = false;
const NONE = 0xffffffffu;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  let spans = (params.width + params.span - 1u) / params.span;
  let row = t / spans;
  if (row >= params.rows) { return; }
  let user = step[0] * params.rows + row;
  if (user >= params.tested) { return; }
  let k = params.k;
  let to = select(t, user, MERGE) * k;
  for (var j = 0u; j < k; j++) { best[to + j] = vec2u(0u, NONE); }
  let first = (t % spans) * params.span;
  var least = 0u; // the key of the last of the k best so far
  for (var c = first; c < min(first + params.span, params.width); c++) {
    let at = row * params.width + c;
    var candidate = vec2u();
    if (MERGE) {
      candidate = vec2u(keys[2u * at], keys[2u * at + 1u]);
    } else {
      candidate = vec2u(keys[at], c);
    }
    if (candidate.x <= least) { continue; }
    var j = k - 1u;
    while (j > 0u && best[to + j - 1u].x < candidate.x) {
      best[to + j] = best[to + j - 1u];
      j--;
    }
    best[to + j] = candidate;
    least = best[to + k - 1u].x;
  }
}
