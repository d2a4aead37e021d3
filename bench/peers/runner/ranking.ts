import type { RankBounds, Task } from '../protocol.ts';
import type { Entry } from './contenders.ts';
import { inTurn, type Line, type Measuring, type Runner, withRunners } from './measure.ts';
import { compare } from './statistics.ts';

/**
 * Logits within this of the held-out item's, relative to the user's largest, may stand on either side of it: f32 sums of
 * other orders differ by some 1e-6.
 */
export const MARGIN = 1e-5;

/**
 * Ranks every held-out item among all unseen items: checks that ours are the ranks of each contender, up to logits that
 * only rounding tells apart, then times them in turn.
 * @param tested users
 */
export function measureRankings(
  entries: readonly Entry[],
  task: Task,
  weights: string,
  interactions: string,
  tested: number,
  how: Measuring,
): Promise<Line[]> {
  return withRunners(entries, how, async (runners) => {
    const name = `${task.preset}, ranking`;
    const ranks = new Map<Runner, readonly number[]>();
    let ours: readonly number[] = [];
    for (const runner of runners) {
      const { contender } = runner;
      how.say(`${name}: checking ${contender.name}`);
      await contender.prepareRanking(task, weights, interactions);
      if (runner === runners[0]) ours = (await contender.rank())?.ranks ?? [];
      else refuseOther(runner, await contender.rankBounds(MARGIN), ours);
    }
    await inTurn(runners, how.checkOnly ? { ...how, rounds: 1 } : how, name, async (runner) => {
      const done = await runner.contender.rank();
      if (!done) return;
      ranks.set(runner, done.ranks);
      if (!how.checkOnly) runner.times.push(done.milliseconds);
    });
    return runners.map((runner) => lineOf(task, runner, runners[0], tested, countSame(ranks.get(runner), ours)));
  });
}

/** Puts a contender out when a rank of ours is not within its bounds. */
function refuseOther({ contender }: Runner, bounds: RankBounds | null, ours: readonly number[]): void {
  if (!bounds) return;
  const user = ours.findIndex((rank, i) => !(rank >= bounds.least[i] && rank <= bounds.most[i]));
  if (user < 0) return;
  const range = `${bounds.least[user]} to ${bounds.most[user]}`;
  contender.refuse(`not the same ranks: tested user ${user} has ${range}, and ours is ${ours[user]}`);
}

const countSame = (theirs: readonly number[] | undefined, ours: readonly number[]) =>
  theirs ? ours.filter((rank, i) => rank === theirs[i]).length : null;

function lineOf(task: Task, { contender, times }: Runner, ours: Runner, tested: number, same: number | null): Line {
  const both = contender.out === null && ours.contender.out === null;
  const time = both && times.length > 0 ? compare(times, ours.times) : null;
  return {
    figure: 'ranking',
    preset: task.preset,
    batchSize: null,
    contender: contender.name,
    hello: contender.hello,
    out: contender.out,
    time,
    samplesPerSecond: time && (1000 * tested * task.items) / time.median,
    difference: null,
    losses: null,
    drawnOnce: 0,
    sameRanks: both && same !== null ? { users: same, of: tested } : null,
  };
}
