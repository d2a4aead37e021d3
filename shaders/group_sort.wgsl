// Grouping a batch's ids by row, 2 of 2: each row's list into ascending positions, which makes the sums over it the same
// in every run.
//   groups[start .. start + count) = the row's positions, sorted; they lie in the second half, from n on
//   groups[first position] = row + 1;  of all other positions 0 remains
//   slots[row] = (step + 1, start, count, slots[row].x)      the last and the step before it that the row was grouped in;
//     PRESENT: without it step instead of step + 1, of rows that are yet to be grouped for the present step
//   head[row] = 0 again, for the next step
// Which row gets which part of `groups` does not matter, so a running total replaces a prefix sum.
// left u32[split] · right u32[n − split] · head u32[rows] · next u32[n] · groups u32[2 n] · total u32[1], zero before
// step u32[1] · slots vec4u[rows]
// One thread for one position, of which the row's first arrival does the work: most rows hold a handful of positions,
// where insertion is fastest; a row that fills the batch takes heapsort, so that the worst case stays n log n.
struct Params { n: u32, split: u32, offset: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<u32>;
@group(0) @binding(2) var<storage, read> right: array<u32>;
@group(0) @binding(3) var<storage, read_write> head: array<u32>;
@group(0) @binding(4) var<storage, read> next: array<u32>;
@group(0) @binding(5) var<storage, read_write> groups: array<u32>;
@group(0) @binding(6) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read_write> slots: array<vec4u>;

override WG: u32 = 64;
override PRESENT: bool = true;
const INSERTION_LIMIT = 24u;

fn insertion_sort(start: u32, count: u32) {
  for (var i = 1u; i < count; i++) {
    let value = groups[start + i];
    var j = i;
    while (j > 0u && groups[start + j - 1u] > value) {
      groups[start + j] = groups[start + j - 1u];
      j--;
    }
    groups[start + j] = value;
  }
}

// Restores the heap order below `root` in the first `count` elements.
fn sift_down(start: u32, first: u32, count: u32) {
  var root = first;
  loop {
    var child = 2u * root + 1u;
    if (child >= count) { break; }
    if (child + 1u < count && groups[start + child + 1u] > groups[start + child]) { child++; }
    if (groups[start + root] >= groups[start + child]) { break; }
    let value = groups[start + root];
    groups[start + root] = groups[start + child];
    groups[start + child] = value;
    root = child;
  }
}

fn heap_sort(start: u32, count: u32) {
  for (var i = count / 2u; i > 0u; i--) { sift_down(start, i - 1u, count); }
  for (var last = count - 1u; last > 0u; last--) {
    let value = groups[start];
    groups[start] = groups[start + last];
    groups[start + last] = value;
    sift_down(start, 0u, last);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let p = id.y * workgroups.x * WG + id.x;
  if (p >= params.n || next[p] != 0u) { return; } // only the first arrival has nothing behind it
  var row = 0u;
  if (p < params.split) { row = left[p]; } else { row = params.offset + right[p - params.split]; }
  let newest = head[row];
  head[row] = 0u;
  var count = 0u;
  for (var q = newest; q != 0u; q = next[q - 1u]) { count++; }
  let start = params.n + atomicAdd(&total, count);
  // Backwards, so that positions that arrived in order are sorted already.
  var to = start + count;
  for (var q = newest; q != 0u; q = next[q - 1u]) {
    to--;
    groups[to] = q - 1u;
  }
  if (count <= INSERTION_LIMIT) { insertion_sort(start, count); } else { heap_sort(start, count); }
  groups[groups[start]] = row + 1u;
  slots[row] = vec4u(step[0] + select(0u, 1u, PRESENT), start, count, slots[row].x);
}
