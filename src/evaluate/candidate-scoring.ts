import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import { checkBindable, type Gpu } from '../gpu/device.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from '../kernels/launch.ts';
import { candidatePairs } from '../kernels/rank.ts';
import type { Forward } from '../models/model.ts';
import type { Candidates } from './candidates.ts';
import type { Scoring } from './scoring.ts';

/** Pairs scored together: enough to fill a GPU, little enough memory for wide models. */
const PAIRS = 16384;

/** A chunk of users with their candidates, padded to one width. */
export interface CandidateSize {
  /** Users of a chunk. */
  readonly chunk: number;
  readonly width: number;
  /** Users in all. */
  readonly tested: number;
}

/** Appends what is done with a chunk's logits, f32[chunk, width]. */
export type BehindCandidates = (
  plan: Plan,
  views: Record<'step' | 'candidates' | 'logits', View>,
  size: CandidateSize,
) => void;

/**
 * Scores users with candidates of their own, a chunk of users after the other; what is kept of a chunk's logits is up to
 * `behind`.
 * @param evaluation a model's evaluation, such as `() => model.evaluation()`
 * Throws ConfigError when the candidate lists do not fit the adapter's limits.
 */
export function scoreCandidates(
  gpu: Gpu,
  evaluation: () => Forward,
  { users, items, width }: Pick<Candidates, 'users' | 'items' | 'width'>,
  behind: BehindCandidates,
): Scoring {
  const tested = users.length;
  checkBindable(gpu, `the candidate lists of ${tested} users`, 4 * items.length);
  const chunk = Math.max(1, Math.min(tested, Math.floor(PAIRS / width)));
  const size = { chunk, width, tested };
  const tapes: Tape[] = [];
  let forward!: Forward;
  const prepare = record(gpu, 'fold for evaluation', (tape) => {
    tapes.push(tape);
    forward = evaluation();
  });
  let clock!: Clock;
  const scoreChunk = record(gpu, 'scores of candidates', (tape) => {
    tapes.push(tape);
    const { plan } = tape;
    clock = new Clock(gpu);
    const ids = (label: string) => zeros(gpu, [chunk * width], { dtype: 'u32', label });
    const pairs = { users: ids('pair users'), items: ids('pair items') };
    const views = { step: clock.step.view, candidates: tensor(gpu, items, { label: 'candidates' }).view };
    const testedUsers = tensor(gpu, users, { label: 'tested users' }).view;
    candidatePairs(plan, { ...views, testedUsers, users: pairs.users.view, items: pairs.items.view }, size);
    const logits = forward(pairs.users, pairs.items);
    behind(plan, { ...views, logits: logits.view }, size);
    clock.advance(logits);
  });
  return {
    chunks: { clock, count: Math.ceil(tested / chunk), prepare, scoreChunk },
    dispose() {
      for (const tape of tapes) tape.dispose();
    },
  };
}
