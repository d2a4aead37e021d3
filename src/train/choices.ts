import { PROTOCOLS } from '../evaluate/evaluation.ts';

/** What the settings of a training run can be chosen among. */
export const OPTIMIZERS = ['adam', 'lazy-adam', 'sgd'] as const;
export const LOSSES = ['bce', 'in-batch-softmax'] as const;
export const SAMPLERS = ['uniform', 'popularity', 'hard'] as const;
export const EVALUATIONS = [...PROTOCOLS, 'none'] as const;
/** What becomes of a run in which a step leaves the numbers. */
export const ON_NAN = ['stop', 'rewind'] as const;
