// The gradients of embedding rows, for clipping before adam_scatter: each row's sum, and partial sums of their squares and of
// those of the other gradients, in a fixed order, as global_norm's.
//   gradient = Σ over the row's positions p, ascending:  dy[p];  dy[first position] = gradient
//   partial[j] = Σ over first positions ≡ j (mod threads) of |gradient|²  +  Σ over i ≡ j (mod threads) of |others[i]|²
// groups, slots, dy and the parameters as in adam_scatter · others vec4f[n4] · partial f32[threads]
// One thread for every threads-th position, and every threads-th vector of the others.
struct Params { n: u32, split: u32, dim_a: u32, dim_b: u32, x: u32, n4: u32, threads: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read> others: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;

override WG: u32 = 64;

// The sums of up to four neighbouring vectors at begin + stride · p, left at the first p, and their square. What is loaded
// past `width` is not used.
fn sum_up(start: u32, count: u32, begin: u32, width: u32, stride: u32, before: u32) -> f32 {
  let first = begin + stride * (groups[start] - before);
  var g0 = dy[first];
  var g1 = dy[first + 1u];
  var g2 = dy[first + 2u];
  var g3 = dy[first + 3u];
  for (var k = start + 1u; k < start + count; k++) {
    let i = begin + stride * (groups[k] - before);
    g0 += dy[i];
    g1 += dy[i + 1u];
    g2 += dy[i + 2u];
    g3 += dy[i + 3u];
  }
  if (count > 1u) {
    dy[first] = g0;
    if (width > 1u) { dy[first + 1u] = g1; }
    if (width > 2u) { dy[first + 2u] = g2; }
    if (width > 3u) { dy[first + 3u] = g3; }
  }
  let squares = vec4f(dot(g0, g0), dot(g1, g1), dot(g2, g2), dot(g3, g3));
  return dot(select(vec4f(), squares, vec4u(0u, 1u, 2u, 3u) < vec4u(width)), vec4f(1.0));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.threads) { return; }
  let chunks_a = (params.dim_a + 3u) / 4u;
  var sum = 0.0;
  for (var position = id.x; position < params.n; position += params.threads) {
    let key = groups[position];
    if (key == 0u) { continue; }
    let start = slots[key - 1u].y;
    let count = slots[key - 1u].z;
    let is_item = position >= params.split;
    // Four vectors of branch a, four more, …, then of branch b: in one loop, which compiles in half the time of two.
    for (var chunk = 0u; chunk < chunks_a + (params.dim_b + 3u) / 4u; chunk++) {
      let in_a = chunk < chunks_a;
      let d = 4u * select(chunk - chunks_a, chunk, in_a);
      let begin = select(params.x + select(0u, params.dim_b, is_item), 0u, in_a) + d;
      let width = select(params.dim_b, params.dim_a, in_a) - d;
      let stride = select(2u * params.dim_b, params.dim_a, in_a);
      sum += sum_up(start, count, begin, width, stride, select(0u, params.split, is_item && !in_a));
    }
  }
  for (var i = id.x; i < params.n4; i += params.threads) { sum += dot(others[i], others[i]); }
  partial[id.x] = sum;
}
