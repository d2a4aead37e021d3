/**
 * What in a run's figures says that something is wrong with it. Every function gives a sentence, or null when there is
 * nothing to say.
 */
import type { Evaluated, Ranks } from './evaluation.ts';
import { CUTOFF, type Metrics } from './metrics.ts';

const HR = `hr@${CUTOFF}` as const;
const NDCG = `ndcg@${CUTOFF}` as const;

/** What a run has to show. */
export interface RunFigures {
  /** Mean training loss of each epoch, nats a sample. */
  readonly losses: readonly number[];
  /** The loss that knowing nothing but the share of positives gives; null where the loss is no plain cross-entropy. */
  readonly baseRateLoss: number | null;
  /** Metrics of each epoch that was evaluated. */
  readonly evaluated: readonly Evaluated[];
  readonly baselines: Readonly<Record<string, Evaluated>>;
  readonly testedUsers: number;
  /** The model at the end; null when it was not looked at. */
  readonly final: {
    readonly ranks: Ranks;
    /** How many candidates each held-out item has beside it. */
    readonly others: Ranks;
    readonly metrics: Evaluated;
    /** Units of each hidden layer that are above zero for any pair looked at. */
    readonly activeUnits: readonly number[];
  } | null;
}

/** All that there is to say of a run; of its epochs, the first that gives the reason. */
export function alarms({ losses, baseRateLoss, evaluated, baselines, testedUsers, final }: RunFigures): string[] {
  const said: (string | null)[] = [];
  for (const protocol of ['sampled', 'full'] as const) {
    const epochs = evaluated.flatMap((epoch) => byProtocol(epoch).get(protocol) ?? []);
    const ease = byProtocol(baselines.EASE ?? {}).get(protocol);
    const judges = [ndcgAboveHr, implausible, (own: Metrics) => (ease ? farAboveEase(own, ease, testedUsers) : null)];
    for (const judge of judges) {
      const first = epochs.map(judge).find((alarm) => alarm !== null);
      if (first) said.push(`${protocol}: ${first}`);
    }
  }
  if (baseRateLoss !== null) said.push(lossOfBaseRate(losses, baseRateLoss));
  if (final) {
    said.push(allTied(final.ranks, final.others), deadLayer(final.activeUnits));
    if (baselines.popularity) said.push(likePopularity(final.metrics, baselines.popularity));
  }
  return said.filter((alarm) => alarm !== null);
}

/** One item is held out a user, so that a hit gains at most 1: NDCG@k ≤ HR@k whatever the ranks. */
export function ndcgAboveHr(metrics: Metrics): string | null {
  for (const name of Object.keys(metrics)) {
    const [metric, k] = name.split('@');
    if (metric !== 'hr') continue;
    const [hr, ndcg] = [metrics[`hr@${Number(k)}`]!, metrics[`ndcg@${Number(k)}`]!];
    if (ndcg > hr + 1e-9) return `NDCG@${k} ${score(ndcg)} is above HR@${k} ${score(hr)}, which no ranking gives`;
  }
  return null;
}

/**
 * The held-out item of nearly everyone at the very top. The best figures published for 99 sampled negatives are far from
 * it (NCF on Pinterest: NDCG@10 .56), and what a user takes next is not that certain: such ranks come of held-out items
 * in the training data, or of ties that count for the model.
 */
export function implausible(metrics: Metrics): string | null {
  if (!(metrics[NDCG] > 0.9)) return null;
  return `NDCG@${CUTOFF} ${score(metrics[NDCG])} is implausibly high: held-out items may be among the training data`;
}

/**
 * More than a quarter above EASE, which is among the best in independent comparisons (Dacrema et al. 2021; Anelli et al.
 * 2022) and beaten there by a few hundredths of its figure at most, as on the NCF paper's MovieLens-1M (HR@10 .719) by the
 * best matrix factorisation (.729; Rendle et al. 2020). Three standard errors of a share, √(p (1 − p) / users), are added,
 * so that few tested users make no alarm.
 */
export function farAboveEase(metrics: Metrics, ease: Metrics, testedUsers: number): string | null {
  for (const name of [HR, NDCG]) {
    const [own, theirs] = [metrics[name], ease[name]];
    const chance = 3 * Math.sqrt((theirs * (1 - theirs)) / testedUsers);
    if (own > 1.25 * theirs + chance) {
      return `${name.toUpperCase()} ${score(own)} is far above EASE’s ${score(theirs)}: held-out items may be among the training data`;
    }
  }
  return null;
}

/** H(p) = −p ln p − (1 − p) ln (1 − p), p = 1 / (1 + negatives): the least loss, in nats, of one logit for all pairs. */
export function baseRateEntropy(negatives: number): number {
  const p = 1 / (1 + negatives);
  return negatives > 0 ? -p * Math.log(p) - (1 - p) * Math.log(1 - p) : 0;
}

/** A model that tells any pair from another gets below the entropy of the labels; a hundredth allows for rounding and luck. */
export function lossOfBaseRate(losses: readonly number[], baseRateLoss: number): string | null {
  const last = losses.at(-1);
  if (last === undefined || last < 0.99 * baseRateLoss) return null;
  return `the last epoch’s loss ${score(last)} is not below ${score(baseRateLoss)}, what the share of positives alone gives: the model has not learnt`;
}

/** Ranks at the end of every list: all scores alike, or none of them a number. */
export function allTied(ranks: Ranks, others: Ranks): string | null {
  for (const protocol of ['sampled', 'full'] as const) {
    const [own, last] = [ranks[protocol], others[protocol]];
    if (!own || !last?.some((count) => count > 0)) continue;
    if (own.every((rank, row) => rank === last[row])) {
      return `${protocol}: every candidate ties with the held-out item or beats it: all scores are equal, or not numbers`;
    }
  }
  return null;
}

/** A layer of units that are zero for every pair: nothing goes through it, forward or backward. */
export function deadLayer(activeUnits: readonly number[]): string | null {
  const dead = activeUnits.indexOf(0);
  return dead < 0 ? null : `hidden layer ${dead + 1} is dead: its units are zero for every pair looked at`;
}

/** HR and NDCG within ± .005 of popularity's under every protocol: what an MLP gives whose users make no difference. */
export function likePopularity(metrics: Evaluated, popularity: Evaluated): string | null {
  const theirs = byProtocol(popularity);
  const pairs = [...byProtocol(metrics)].map(([protocol, own]) => [own, theirs.get(protocol)] as const);
  const alike = pairs.every(
    ([own, other]) => other && [HR, NDCG].every((name) => Math.abs(own[name] - other[name]) <= 0.005),
  );
  if (pairs.length === 0 || !alike) return null;
  const [own, other] = pairs[0]!;
  return `HR@${CUTOFF} ${score(own[HR])} and NDCG@${CUTOFF} ${score(own[NDCG])} are popularity’s, ${score(other![HR])} and ${score(other![NDCG])}: nothing of the users was learnt, as by a dead MLP`;
}

function byProtocol({ full, ...sampled }: Evaluated): Map<keyof Ranks, Metrics> {
  const protocols = new Map<keyof Ranks, Metrics>();
  if (sampled[HR] !== undefined) protocols.set('sampled', sampled as Metrics);
  if (full) protocols.set('full', full);
  return protocols;
}

function score(value: number): string {
  return value.toFixed(4);
}
