import { Clock } from '../autograd/clock.ts';
import { record, type Tape, tensor, zeros } from '../autograd/tape.ts';
import type { Gpu } from '../gpu/device.ts';
import { checkBindable } from '../gpu/limits.ts';
import type { Plan } from '../gpu/plan.ts';
import type { View } from '../kernels/launch.ts';
import { candidatePairs } from '../kernels/rank.ts';
import type { Forward } from '../models/model.ts';
import type { Candidates } from './candidates.ts';
import { partsOf } from './chunks.ts';
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

/** Appends what is done with a chunk's logits, f32[chunk, width]; called once for each part of the users. */
export type BehindCandidates = (
  plan: Plan,
  views: Record<'step' | 'candidates' | 'logits', View>,
  size: CandidateSize,
) => void;

/**
 * Scores users with candidates of their own, a chunk of users after the other; what is kept of a chunk's logits is up to
 * `behind`.
 * @param kept numbers of a user that `behind` keeps in one tensor
 * @param evaluation a model's evaluation, such as `() => model.evaluation()`
 * Throws ConfigError when the candidate lists do not fit the adapter's limits.
 */
export function scoreCandidates(
  gpu: Gpu,
  evaluation: () => Forward,
  { users, items, width }: Pick<Candidates, 'users' | 'items' | 'width'>,
  behind: BehindCandidates,
  kept: number,
): Scoring {
  checkBindable(gpu, `the list of ${width} candidates`, 4 * width);
  const ranges = partsOf(users.length, gpu.bindingLimit / 4 / Math.max(width, kept));
  const chunk = Math.max(1, Math.min(ranges[0]!.to, Math.floor(PAIRS / width)));
  const tapes: Tape[] = [];
  let forward!: Forward;
  let clock!: Clock;
  const prepare = record(gpu, 'fold for evaluation', (tape) => {
    tapes.push(tape);
    clock = new Clock(gpu);
    forward = evaluation();
  });
  const parts = ranges.map(({ from, to }) => {
    const size = { chunk, width, tested: to - from };
    const scoreChunk = record(gpu, 'scores of candidates', (tape) => {
      tapes.push(tape);
      const { plan } = tape;
      const ids = (label: string) => zeros(gpu, [chunk * width], { dtype: 'u32', label });
      const pairs = { users: ids('pair users'), items: ids('pair items') };
      const candidates = tensor(gpu, items.subarray(from * width, to * width), { label: 'candidates' }).view;
      const views = { step: clock.step.view, candidates };
      const testedUsers = tensor(gpu, users.subarray(from, to), { label: 'tested users' }).view;
      candidatePairs(plan, { ...views, testedUsers, users: pairs.users.view, items: pairs.items.view }, size);
      const logits = forward(pairs.users, pairs.items);
      behind(plan, { ...views, logits: logits.view }, size);
      clock.advance(logits);
    });
    return { count: Math.ceil(size.tested / chunk), scoreChunk };
  });
  return {
    chunks: { clock, prepare, parts },
    dispose() {
      for (const tape of tapes) tape.dispose();
    },
  };
}
