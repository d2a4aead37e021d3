/** A run as its events tell it: of one protocol, of both, and with epochs evaluated on validation items. */
import type { Run } from '../../bench/report/html.ts';
import type { Best, EndEvent, EpochEvent, NoteEvent, StartEvent } from '../../src/train/history.ts';

export const start: StartEvent = {
  event: 'start',
  adapter: 'llvmpipe: Mesa 25.0.7',
  adapterKind: 'software',
  data: 'online-retail',
  users: 4074,
  items: 3145,
  interactions: 264_514,
  testedUsers: 4074,
  parameters: 289_217,
  protocols: { sampled: 'leave-one-out, 99 sampled negatives, ties against the model' },
  baselines: {
    random: { 'hr@10': 0.1, 'ndcg@10': 0.0454 },
    popularity: { 'hr@10': 0.393, 'ndcg@10': 0.211 },
  },
  settings: { model: 'neumf', preset: 'paper-8', epochs: 3, mlpLayers: [32, 16, 8] },
  notes: ['3 users have a single interaction: kept for training, not tested'],
};
export const epochs: EpochEvent[] = [
  {
    event: 'epoch',
    epoch: 1,
    lr: 1e-3,
    loss: 0.317,
    'hr@10': 0.5,
    'ndcg@10': 0.3,
    seconds: 12.3,
    evalSeconds: 0.8,
    samplesPerSecond: 1_034_000,
  },
  { event: 'epoch', epoch: 2, lr: 1e-3, loss: 0.254, seconds: 112.5, samplesPerSecond: 987 },
  {
    event: 'epoch',
    epoch: 3,
    lr: 5e-4,
    loss: 0.244,
    'hr@10': 0.55,
    'ndcg@10': 0.32,
    seconds: 9,
    evalSeconds: 1.25,
    samplesPerSecond: 1_100_000,
  },
];
export const note: NoteEvent = { event: 'note', note: '--out run: report.html cannot be written: the disk is full' };
export const end: EndEvent = {
  event: 'end',
  best: { epoch: 3, chosenOn: 'test items', 'hr@10': 0.55, 'ndcg@10': 0.32 },
  final: null,
  alarms: [],
  weightsSha256: 'ab'.repeat(32),
  seconds: 135.9,
  stopped: false,
};
export const full = { 'hr@10': 0.07, 'ndcg@10': 0.035, 'mrr@10': 0.02, 'hr@5': 0.04, 'ndcg@5': 0.025, 'mrr@5': 0.015 };
/** The same run with both protocols, two cut-offs, and everything that its end has to say. */
export const both = {
  start: {
    ...start,
    protocols: { ...start.protocols, full: 'leave-one-out, all unseen items, ties against the model' },
    baselines: { popularity: { 'hr@10': 0.393, 'ndcg@10': 0.211, full: { 'hr@10': 0.036, 'ndcg@10': 0.018 } } },
  },
  epochs: epochs.map((epoch) => (epoch['hr@10'] === undefined ? epoch : { ...epoch, full })),
  end: {
    ...end,
    best: { ...end.best!, 'mrr@10': 0.26, 'hr@5': 0.4, 'ndcg@5': 0.28, 'mrr@5': 0.24, auc: 0.83, full },
    final: {
      epoch: 3,
      strata: [
        { stratum: 'head', items: 280, testedUsers: 1435, 'hr@10': 0.87, 'ndcg@10': 0.56, full },
        { stratum: 'tail', items: 2865, testedUsers: 0 },
      ],
      lists: { 'coverage@10': 0.129, 'gini@10': 0.9809, 'popularity@10': 506.74 },
    },
    alarms: ['hidden layer 2 is dead: its units are zero for every pair looked at'],
  },
} as const satisfies Run;
/** The same run with epochs evaluated on validation items. */
export const figures = { 'hr@10': 0.45, 'ndcg@10': 0.25 };
export const untested: Best = { epoch: 3, chosenOn: 'validation items', validation: figures };
export const validated: Run & { readonly end: EndEvent } = {
  start: {
    ...start,
    baselines: { popularity: start.baselines.popularity! },
    validation: {
      protocols: start.protocols,
      testedUsers: 4000,
      baselines: { popularity: { 'hr@10': 0.3, 'ndcg@10': 0.2 } },
    },
  },
  epochs: epochs.map(({ 'hr@10': hr, 'ndcg@10': _, ...rest }) => (hr ? { ...rest, validation: figures } : rest)),
  end: { ...end, best: { ...end.best!, ...untested } },
};
export const unevaluated = epochs.map(({ 'hr@10': _, 'ndcg@10': __, evalSeconds: ___, ...rest }) => rest);
export const progress = {
  epoch: 1,
  epochs: 3,
  done: 50,
  total: 200,
  loss: 0.3,
  samplesPerSecond: 1_034_000,
  etaSeconds: 725,
  atMost: false,
};

/** Epochs of both branches, before those of a run with pre-training. */
export const branches = epochs
  .slice(0, 2)
  .map((epoch, i) => ({ ...epoch, branch: i ? ('mlp' as const) : ('gmf' as const) }));
