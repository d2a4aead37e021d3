/** What the settings of a training run can be chosen among. */
export const OPTIMIZERS = ['adam', 'lazy-adam', 'sgd'] as const;
export const LOSSES = ['bce', 'in-batch-softmax'] as const;
