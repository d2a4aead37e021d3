// Softmax cross-entropy of a batch of positives, in which each user's own item is to be told from those of all other
// samples, corrected for how often an item is such a sample (Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for
// Large Corpus Item Recommendations; the correction: Bengio and Senécal 2008):
//   z[r, j] = scale · logits[r, j] − log_q[items[j]]        log_q: logarithm of the item's share of all positives
//   others of r: all j with items[j] ≠ items[r], so that the user's own item, drawn again, is no negative
//   losses[r] = log (e^z[r, r] + Σ_others e^z[r, j]) − z[r, r]
//   row_values[r] = (m, 1 / S, −Σ_others e^(z[r, j] − m) / S, 0)    m = max z of r and others;  S = Σ e^(z − m), r and others
// logits f32[rows, rows]: user × item · items u32[rows] · log_q f32[items in all] · losses f32[rows]
// row_values vec4f[rows]
// One workgroup for eight rows, WG / 8 threads a row, each for every (WG / 8)-th column: first the largest z, then the sum.
// A CPU adapter has a single thread a row, so that nobody waits for anybody.
struct Params { rows: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<u32>;
@group(0) @binding(3) var<storage, read> log_q: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> row_values: array<vec4f>;

override WG: u32 = 256;
// So many terms are added up apart: the longer the chain, the more is lost to rounding.
const CHUNK = 32u;
var<workgroup> partial: array<f32, WG>;

// log(1 + e) for 0 ≤ e ≤ 1, as in bce.wgsl.
fn log1p(e: f32) -> f32 {
  let s = e / (2.0 + e);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
}

fn corrected(r: u32, j: u32) -> f32 {
  return params.scale * logits[r * params.rows + j] - log_q[items[j]];
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let strips = WG / 8u;
  let r = (group.y * groups.x + group.x) * 8u + lane / strips;
  let strip = lane % strips;
  let before = lane - strip;
  let end = select(0u, params.rows, r < params.rows);
  let row = min(r, params.rows - 1u);
  let own_item = items[row];
  let own = corrected(row, row);

  var largest = own;
  for (var j = strip; j < end; j += strips) {
    if (items[j] != own_item) { largest = max(largest, corrected(r, j)); }
  }
  partial[lane] = largest;
  workgroupBarrier();
  for (var s = 0u; s < strips; s++) { largest = max(largest, partial[before + s]); }
  workgroupBarrier();

  var sum = 0.0;
  for (var first = strip; first < end; first += CHUNK * strips) {
    var chunk = 0.0;
    for (var j = first; j < min(first + CHUNK * strips, end); j += strips) {
      if (items[j] != own_item) { chunk += exp(corrected(r, j) - largest); }
    }
    sum += chunk;
  }
  partial[lane] = sum;
  workgroupBarrier();
  if (strip > 0u || r >= params.rows) { return; }
  for (var s = 1u; s < strips; s++) { sum += partial[before + s]; }

  let mine = exp(own - largest);
  // Where the user's own item stands far above the others, all that the loss has is what they add to 1.
  let rest = sum + (mine - 1.0);
  losses[r] = (largest - own) + select(log(1.0 + rest), log1p(rest), rest <= 1.0);
  row_values[r] = vec4f(largest, 1.0 / (sum + mine), -sum / (sum + mine), 0.0);
}
