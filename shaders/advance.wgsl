// Ends a step: its loss goes into the log and the clock moves on. Every random number and Adam's bias correction are
// functions of that clock.
//   log[step mod capacity] = loss[0];  step = step + 1
// step u32[1] · loss f32[1] · log f32[capacity] · one thread
struct Params { capacity: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> step: array<u32>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> log: array<f32>;

@compute @workgroup_size(1)
fn main() {
  log[step[0] % params.capacity] = loss[0];
  step[0] += 1u;
}
