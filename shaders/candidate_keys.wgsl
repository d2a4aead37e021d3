// Logits of a chunk of users' candidates, as keys that order as they do, so that top_k finds the best:
//   keys[u, c] = key(logits[u, c]), or 0 where candidates[user, c] is NONE     user = step · chunk + u
// step u32[1]: the chunk's number · candidates u32[tested, width] · logits f32[chunk, width] · keys u32[chunk, width]
// Of users past the last one, keys are 0. One thread for one candidate.
struct Params { chunk: u32, width: u32, tested: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> candidates: array<u32>;
@group(0) @binding(3) var<storage, read> logits: array<f32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>;

override WG: u32 = 64;
const NONE = 0xffffffffu;

// As pair_scores.wgsl has it.
fn key(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 1u; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.y * groups.x * WG + id.x;
  if (t >= params.chunk * params.width) { return; }
  keys[t] = 0u;
  let user = step[0] * params.chunk + t / params.width;
  if (user >= params.tested) { return; }
  if (candidates[user * params.width + t % params.width] != NONE) { keys[t] = key(logits[t]); }
}
