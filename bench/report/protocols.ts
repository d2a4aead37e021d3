import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import type { Metrics } from '../../src/evaluate/metrics.ts';
import type { StartEvent } from '../../src/train/history.ts';

/** A protocol whose figures a run has, and where its events have them. */
export interface Protocol {
  readonly key: 'sampled' | 'full';
  /** In full, e.g. "leave-one-out, 99 sampled negatives, ties against the model". */
  readonly name: string;
  metricsIn(evaluated: Evaluated): Partial<Metrics>;
}

export function protocolsOf({ protocols: { sampled, full } }: Pick<StartEvent, 'protocols'>): Protocol[] {
  const all: Protocol[] = [];
  if (sampled) all.push({ key: 'sampled', name: sampled, metricsIn: (evaluated) => evaluated });
  if (full) all.push({ key: 'full', name: full, metricsIn: (evaluated) => evaluated.full ?? {} });
  return all;
}

/** The cut-offs at which there are metrics, ascending. */
export function cutoffsIn(metrics: Partial<Metrics>): number[] {
  const cutoffs = Object.keys(metrics).flatMap((name) => (name.startsWith('hr@') ? [Number(name.slice(3))] : []));
  return cutoffs.sort((a, b) => a - b);
}

/** The metrics that a table shows: the others are among them under another name, or HR over k. */
export function metricNames(metrics: Partial<Metrics>): (keyof Metrics)[] {
  const cutoffs = cutoffsIn(metrics);
  const byCutoff = (['hr', 'ndcg', 'mrr'] as const).flatMap((metric) => cutoffs.map((k) => `${metric}@${k}` as const));
  return metrics.auc === undefined ? byCutoff : [...byCutoff, 'auc'];
}
