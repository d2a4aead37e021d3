// Two matrices side by side (torch.cat along dim -1):  out[r] = [a[r] ; b[r]]
// a f32[rows, left] · b f32[rows, right] · out f32[rows, left + right]
// One thread for one element of the result.
struct Params { rows: u32, left: u32, right: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let width = params.left + params.right;
  if (i >= params.rows * width) { return; }
  let r = i / width;
  let c = i % width;
  if (c < params.left) {
    out[i] = a[r * params.left + c];
  } else {
    out[i] = b[r * params.right + c - params.left];
  }
}
