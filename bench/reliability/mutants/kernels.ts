/** The kernels that compute gradients, and where each has its sign and its last row. */

export interface BackwardKernel {
  /** shaders/<shader>.wgsl. */
  readonly shader: string;
  /** What holds a gradient: bindings that it is written to, or variables. Each is negated in a mutant of its own. */
  readonly gradients: readonly string[];
  /** Texts of the shader, once there each, and what leaves out the last row (or element, block, position) in its place. */
  readonly lastRows: readonly (readonly [text: string, without: string])[];
  /** Test files, one of which should fail. */
  readonly tests: readonly string[];
}

const IN_LOOP = ['min(first + 8u, params.rows)', 'min(first + 8u, params.rows - 1u)'] as const;
const IN_BLOCK = ['min(first + 32u, params.rows)', 'min(first + 32u, params.rows - 1u)'] as const;
const IN_SPAN = ['min(first + params.span, params.rows)', 'min(first + params.span, params.rows - 1u)'] as const;
const ELEMENT = ['i >= params.n', 'i + 1u >= params.n'] as const;
/** Of a weight's gradient, which takes two rows at a time. */
const OF_TWO = ['r < params.rows; r += 2u', 'r + 1u < params.rows; r += 2u'] as const;
const ROW = ['row >= params.rows', 'row + 1u >= params.rows'] as const;

const LINEAR = ['test/kernels/linear.test.ts'];
const BATCH_NORM = ['test/kernels/batch-norm.test.ts'];
const HIDDEN_LAYER = ['test/kernels/hidden-layer.test.ts'];
const ELEMENTWISE = ['test/kernels/elementwise.test.ts'];
const FUSED = ['test/train/fused-step.test.ts', 'test/train/split-step.test.ts'];

export const BACKWARD_KERNELS: readonly BackwardKernel[] = [
  { shader: 'add', gradients: ['sum'], lastRows: [ELEMENT], tests: ELEMENTWISE },
  { shader: 'fill', gradients: ['out'], lastRows: [ELEMENT], tests: ELEMENTWISE },
  { shader: 'hadamard_backward', gradients: ['da', 'db'], lastRows: [ELEMENT], tests: ELEMENTWISE },
  { shader: 'relu_backward', gradients: ['dx'], lastRows: [ELEMENT], tests: ELEMENTWISE },
  { shader: 'bce', gradients: ['gradient'], lastRows: [ELEMENT], tests: ['test/kernels/bce.test.ts'] },
  {
    shader: 'dropout',
    gradients: ['y'],
    lastRows: [['min(4u, params.n - quad * 4u)', 'min(4u, params.n - 1u - quad * 4u)']],
    tests: ['test/kernels/dropout.test.ts'],
  },
  {
    shader: 'split',
    gradients: ['a', 'b'],
    lastRows: [['i >= params.rows * width', 'i >= (params.rows - 1u) * width']],
    tests: ['test/kernels/concat.test.ts'],
  },
  {
    shader: 'sum_parts',
    gradients: ['out'],
    lastRows: [['part < params.count', 'part + 1u < params.count'], ELEMENT],
    tests: LINEAR,
  },
  { shader: 'linear_input_grad', gradients: ['dx'], lastRows: [ROW], tests: LINEAR },
  { shader: 'linear_input_grad_subgroup', gradients: ['dx'], lastRows: [ROW], tests: LINEAR },
  { shader: 'linear_weight_grad', gradients: ['dweight', 'dbias'], lastRows: [IN_SPAN], tests: LINEAR },
  { shader: 'linear_weight_grad_subgroup', gradients: ['dweight', 'dbias'], lastRows: [IN_SPAN], tests: LINEAR },
  {
    shader: 'linear_tiled', // forward too: what only the backward has is the mask and the sums of rows
    gradients: ['sums'],
    lastRows: [ROW, ['min(first + params.span, params.depth)', 'min(first + params.span, params.depth - 1u)']],
    tests: LINEAR,
  },
  { shader: 'batch_norm_backward_sums', gradients: ['sums'], lastRows: [IN_BLOCK], tests: BATCH_NORM },
  { shader: 'batch_norm_backward_sums_vec4', gradients: ['sums'], lastRows: [IN_BLOCK], tests: BATCH_NORM },
  {
    shader: 'batch_norm_backward_finish',
    gradients: ['dgamma', 'dbeta'],
    lastRows: [['min(first + CHUNK * strips, params.blocks)', 'min(first + CHUNK * strips, params.blocks - 1u)']],
    tests: BATCH_NORM,
  },
  { shader: 'batch_norm_backward_apply', gradients: ['dx'], lastRows: [IN_LOOP], tests: BATCH_NORM },
  { shader: 'batch_norm_backward_apply_vec4', gradients: ['dx'], lastRows: [IN_LOOP], tests: BATCH_NORM },
  {
    shader: 'linear_backward_subgroup',
    gradients: ['dx', 'dweight', 'dbias'],
    lastRows: [ROW, OF_TWO],
    tests: LINEAR,
  },
  {
    shader: 'hidden_backward_subgroup',
    gradients: ['dz', 'dgamma', 'dbeta', 'dweight'],
    lastRows: [
      OF_TWO,
      ['min(row + 16u, params.rows)', 'min(row + 16u, params.rows - 1u)'],
      ['row < params.rows; row++', 'row + 1u < params.rows; row++'],
    ],
    tests: HIDDEN_LAYER,
  },
  {
    shader: 'batch_norm_backward_columns',
    gradients: ['dz', 'dgamma', 'dbeta'],
    lastRows: [
      ['min(block + BLOCK, params.rows)', 'min(block + BLOCK, params.rows - 1u)'],
      ['r < params.rows; r++', 'r + 1u < params.rows; r++'],
    ],
    tests: HIDDEN_LAYER,
  },
  {
    shader: 'scatter_add',
    gradients: ['out'],
    lastRows: [
      ['k < start + count', 'k + 1u < start + count'],
      ['i >= params.n * params.lanes', 'i >= (params.n - 1u) * params.lanes'],
    ],
    tests: ['test/kernels/embedding.test.ts'],
  },
  {
    shader: 'in_batch_softmax_grad',
    gradients: ['gradient'],
    lastRows: [IN_LOOP],
    tests: ['test/kernels/in-batch-softmax.test.ts'],
  },
  {
    shader: 'output_bce', // dx: with respect to the logit
    gradients: ['dx', 'dpairs', 'dy'],
    lastRows: [['r >= params.rows', 'r + 1u >= params.rows']],
    tests: FUSED,
  },
  { shader: 'output_grad', gradients: ['dweight', 'dbias'], lastRows: [IN_SPAN], tests: FUSED },
  {
    shader: 'row_norm',
    gradients: ['dy'],
    lastRows: [
      ['k < start + count', 'k + 1u < start + count'],
      ['position < params.n', 'position + 1u < params.n'],
    ],
    tests: FUSED,
  },
  {
    shader: 'adam_scatter',
    gradients: ['g'],
    lastRows: [
      ['k < slot.y + slot.z', 'k + 1u < slot.y + slot.z'],
      ['i >= params.count * params.lanes', 'i >= (params.count - 1u) * params.lanes'],
    ],
    tests: FUSED,
  },
];
