// Grouping a batch's ids by row, 4 of 4: each row's segment into ascending positions, which makes the sums over it
// the same in every run.
//   order[start .. start + count) sorted
// segments vec2u[vocabulary] · order u32[n]
// One thread for one row: most segments hold a handful of positions, where insertion is fastest; a row that fills the
// batch takes heapsort, so that the worst case stays n log n.
struct Params { vocabulary: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> segments: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> order: array<u32>;

override WG: u32 = 64;
const INSERTION_LIMIT = 24u;

fn insertion_sort(start: u32, count: u32) {
  for (var i = 1u; i < count; i++) {
    let value = order[start + i];
    var j = i;
    while (j > 0u && order[start + j - 1u] > value) {
      order[start + j] = order[start + j - 1u];
      j--;
    }
    order[start + j] = value;
  }
}

// Restores the heap order below `root` in the first `count` elements.
fn sift_down(start: u32, first: u32, count: u32) {
  var root = first;
  loop {
    var child = 2u * root + 1u;
    if (child >= count) { break; }
    if (child + 1u < count && order[start + child + 1u] > order[start + child]) { child++; }
    if (order[start + root] >= order[start + child]) { break; }
    let value = order[start + root];
    order[start + root] = order[start + child];
    order[start + child] = value;
    root = child;
  }
}

fn heap_sort(start: u32, count: u32) {
  for (var i = count / 2u; i > 0u; i--) { sift_down(start, i - 1u, count); }
  for (var last = count - 1u; last > 0u; last--) {
    let value = order[start];
    order[start] = order[start + last];
    order[start + last] = value;
    sift_down(start, 0u, last);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WG + id.x;
  if (r >= params.vocabulary) { return; }
  let segment = segments[r];
  if (segment.y < 2u) { return; }
  if (segment.y <= INSERTION_LIMIT) {
    insertion_sort(segment.x, segment.y);
  } else {
    heap_sort(segment.x, segment.y);
  }
}
