// Rank of each tested user's held-out item among the candidates, 0 for the best; ties count against the model:
//   ranks[u] = |{c ≥ 1 : candidate c exists and not logits[u, c] < logits[u, 0]}|
// A logit that is not a number counts against the model too.
// step u32[1]: the chunk's number · candidates u32[tested, width] · logits f32[chunk, width] · ranks u32[tested]
// One thread for one user.
struct Params { chunk: u32, width: u32, tested: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> candidates: array<u32>;
@group(0) @binding(3) var<storage, read> logits: array<f32>;
@group(0) @binding(4) var<storage, read_write> ranks: array<u32>;

override WG: u32 = 64;
const NONE = 0xffffffffu;

// By the bits: compilers may assume that there are no NaNs and fold `x != x`.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let u = step[0] * params.chunk + i;
  if (i >= params.chunk || u >= params.tested) { return; }
  let held_out = logits[i * params.width];
  let broken = is_nan(held_out);
  var rank = 0u;
  for (var c = 1u; c < params.width; c++) {
    if (candidates[u * params.width + c] == NONE) { continue; }
    let other = logits[i * params.width + c];
    if (broken || is_nan(other) || other >= held_out) { rank++; }
  }
  ranks[u] = rank;
}
