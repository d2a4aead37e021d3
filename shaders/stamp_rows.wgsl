// After adam_settle: every row has had all steps.
//   slots[r].x = step
// step u32[1] · slots vec4u[rows]
// One thread for one row.
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> slots: array<vec4u>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.rows) { return; }
  slots[i].x = step[0];
}
