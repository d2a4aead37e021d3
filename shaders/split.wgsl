// A matrix into its left and right columns (torch.split along dim -1), the backward of concat:  [a[r] ; b[r]] = x[r]
// x f32[rows, left + right] · a f32[rows, left] · b f32[rows, right]
// One thread for one element of x.
struct Params { rows: u32, left: u32, right: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> a: array<f32>;
@group(0) @binding(3) var<storage, read_write> b: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let width = params.left + params.right;
  if (i >= params.rows * width) { return; }
  let r = i / width;
  let c = i % width;
  if (c < params.left) {
    a[r * params.left + c] = x[i];
  } else {
    b[r * params.right + c - params.left] = x[i];
  }
}
