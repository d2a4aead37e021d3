// Gradients of NeuMF's output layer with respect to weight and bias, and the loss, over one part of the batch's rows:
//   dweight[part, c] = Σ_r dlogit[r] · φ[r, c];  dbias[part] = Σ_r dlogit[r];  loss[part] = scale · Σ_r loss[r]
//   r in [part · span, (part + 1) · span);  φ = [p ⊙ q ; y] and samples = (logit, loss, dlogit, 0) as in output_bce
// With several parts sum_parts adds them in order afterwards; with one the result is final.
// pairs f32[2, rows, dim] · y f32[rows, width] · samples vec4f[rows] · dweight f32[parts, dim + width] · dbias, loss f32[parts]
// One thread for one column of one part.
struct Params { rows: u32, dim: u32, width: u32, span: u32, parts: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pairs: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> samples: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  let columns = params.dim + params.width;
  let part = i / columns;
  if (part >= params.parts) { return; }
  let c = i % columns;
  let first = part * params.span;
  let end = min(first + params.span, params.rows);
  var sum = 0.0;
  if (c < params.dim) {
    let q = params.rows * params.dim;
    for (var r = first; r < end; r++) {
      let at = r * params.dim + c;
      sum += samples[r].z * (pairs[at] * pairs[q + at]);
    }
  } else {
    for (var r = first; r < end; r++) { sum += samples[r].z * y[r * params.width + c - params.dim]; }
  }
  dweight[i] = sum;
  if (c > 0u) { return; }
  var sums = vec4f();
  for (var r = first; r < end; r++) { sums += samples[r]; }
  dbias[part] = sums.z;
  loss[part] = params.scale * sums.y;
}
