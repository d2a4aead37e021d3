// Draws one batch of an epoch's shuffled samples: every positive once, with `negatives` drawn negatives each.
//   j = π(batch · batch_size + i)          π: a bijection on [0, positives · (1 + negatives)), another one every epoch
//   positive number j / (1 + negatives); slot j mod (1 + negatives): slot 0 is the positive itself (label 1), any other a
//   negative (label 0): an item drawn uniformly, or (POPULARITY) from an alias table, and rejected while it is among the
//   user's training items
// Each negative is drawn `candidates` times over, for `hardest` to choose from; a positive then stands as many times.
// Everything is a function of (seed, stream, epoch, j) in integers: the same batches on every adapter, no state.
// step u32[1] · positive_users u32[positives] · offsets u32[users + 1] · positive_items u32[positives], ascending within
// a user · alias vec2u[items] = (threshold, other item) · users, items u32[rows, candidates] · labels f32[rows]
// One thread for one candidate of one sample.
// Sources: Luby and Rackoff 1988 (four rounds of a Feistel network), cycle walking: Black and Rogaway 2002;
// alias table: Walker 1977.
struct Params {
  rows: u32, candidates: u32, batch_size: u32, batches: u32, positives: u32, negatives: u32, item_count: u32,
  half_bits: u32, seed: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read> positive_users: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> positive_items: array<u32>;
@group(0) @binding(5) var<storage, read> alias_table: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> users: array<u32>;
@group(0) @binding(7) var<storage, read_write> items: array<u32>;
@group(0) @binding(8) var<storage, read_write> labels: array<f32>;

override WG: u32 = 64;
override POPULARITY: bool = false;

// Streams of the generator, as in src/random.ts.
const SHUFFLE = 0x10000u;
const NEGATIVE = 0x20000u;
// A user for whom this many draws in a row were rejected takes the next item that is free, so that the loop ends.
const MAX_DRAWS = 256u;

// pcg4d (Jarzynski and Olano 2020, Hash Functions for GPU Rendering): four random words from a four-word counter.
fn pcg4d(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// The high word of a · b: maps a random word to [0, b).
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

fn shuffle(i: u32, count: u32, epoch: u32) -> u32 {
  let mask = (1u << params.half_bits) - 1u;
  var j = i;
  loop {
    var left = j >> params.half_bits;
    var right = j & mask;
    for (var round = 0u; round < 4u; round++) {
      let next = left ^ (pcg4d(vec4u(params.seed, SHUFFLE + round, epoch, right)).x & mask);
      left = right;
      right = next;
    }
    j = (left << params.half_bits) | right;
    if (j < count) { break; }
  }
  return j;
}

// Is the item among the user's training items? Binary search in [start, end).
fn interacted(item: u32, start: u32, end: u32) -> bool {
  var low = start;
  var high = end;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (positive_items[middle] < item) { low = middle + 1u; } else { high = middle; }
  }
  return low < end && positive_items[low] == item;
}

fn draw_negative(user: u32, epoch: u32, sample: u32, candidate: u32) -> u32 {
  let start = offsets[user];
  let end = offsets[user + 1u];
  let stream = NEGATIVE + candidate * MAX_DRAWS;
  var item = 0u;
  for (var draw = 0u; draw < MAX_DRAWS; draw++) {
    let random = pcg4d(vec4u(params.seed, stream + draw, epoch, sample));
    item = multiply_high(random.x, params.item_count);
    if (POPULARITY) {
      let entry = alias_table[item];
      if (random.y >= entry.x) { item = entry.y; }
    }
    if (!interacted(item, start, end)) { return item; }
  }
  for (var tried = 0u; tried < params.item_count && interacted(item, start, end); tried++) {
    item = (item + 1u) % params.item_count;
  }
  return item;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WG + id.x;
  if (i >= params.rows * params.candidates) { return; }
  let row = i / params.candidates;
  let candidate = i % params.candidates;
  let epoch = step[0] / params.batches;
  let batch = step[0] % params.batches;
  let per_positive = 1u + params.negatives;
  let sample = shuffle(batch * params.batch_size + row, params.positives * per_positive, epoch);
  let positive = sample / per_positive;
  let user = positive_users[positive];
  users[i] = user;
  let is_positive = sample % per_positive == 0u;
  if (is_positive) {
    items[i] = positive_items[positive];
  } else {
    items[i] = draw_negative(user, epoch, sample, candidate);
  }
  if (candidate == 0u) { labels[row] = select(0.0, 1.0, is_positive); }
}
