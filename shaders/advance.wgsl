// Ends a step: its loss goes into the log and the clock moves on. Every random number and Adam's bias correction are
// functions of that clock. The first step whose loss or gradient norm is infinite or not a number is noted.
//   log[step mod capacity] = loss[0];  step = step + 1
//   trouble = (step + 1, loss's bits, norm's bits, 0) where trouble[0] = 0 and one of them is not finite
// step u32[1] · loss f32[1] · norm f32[≥ 1], the first is looked at; the loss stands in where no norm is computed
// log f32[capacity] · trouble u32[4], zeros until a step goes wrong · one thread
struct Params { capacity: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> step: array<u32>;
@group(0) @binding(2) var<storage, read> loss: array<u32>;
@group(0) @binding(3) var<storage, read> norm: array<u32>;
@group(0) @binding(4) var<storage, read_write> log: array<u32>;
@group(0) @binding(5) var<storage, read_write> trouble: array<u32>;

// By the bits: compilers may assume that there are no infinities and no NaNs, and fold what asks for them.
const EXPONENT = 0x7f800000u;

@compute @workgroup_size(1)
fn main() {
  log[step[0] % params.capacity] = loss[0];
  step[0] += 1u;
  let finite = (loss[0] & EXPONENT) != EXPONENT && (norm[0] & EXPONENT) != EXPONENT;
  if (finite || trouble[0] != 0u) { return; }
  trouble[0] = step[0];
  trouble[1] = loss[0];
  trouble[2] = norm[0];
}
