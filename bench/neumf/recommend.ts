import type { Command } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { printable } from '../../src/printable.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { retrieveThenRank } from '../../src/recommend/two-stages.ts';
import type { Recommendation, RecommendOptions } from '../../src/recommend/types.ts';
import { integer, setAction, withGpu } from '../program.ts';
import { asF32 } from '../report/format.ts';
import { Answer, type AnswerOptions, addAnswerOptions } from './answer.ts';
import { ID_LIST, idList, readUsers } from './ids.ts';
import { type ModelOptions, modelCommand, readInputs } from './opened.ts';
import { Progress } from './progress.ts';

/** Users asked for at once: enough for the device, and little enough to show progress and to hold their lists. */
const USERS = 1024;

interface Options extends ModelOptions, AnswerOptions, RecommendOptions {
  readonly user?: readonly string[];
  readonly users?: string;
  readonly all?: boolean;
  readonly history?: readonly string[];
  readonly k: number;
  readonly retriever?: string;
}

export function addRecommendCommand(program: Command): void {
  const command = modelCommand(
    program,
    'recommend',
    'The best items for users, without those that they have interacted with.',
    'the users’ interactions, which tell what they have seen; not needed with --include-seen or --history',
  );
  command
    .option('--user <id...>', `recommend to these users: ids ${ID_LIST}`, idList)
    .option('--users <file>', 'recommend to the users of a file: of its column “user”, else of its first one')
    .option('--all', 'recommend to all users of the checkpoint')
    .option(
      '--history <id...>',
      `recommend to a user whom the model does not know, who has taken these items: ids ${ID_LIST}`,
      idList,
    )
    .option('--k <n>', 'items for each user', integer(1, 100_000), 10)
    .option('--exclude <id...>', `items to recommend to nobody: ids ${ID_LIST}`, idList)
    .option('--candidates <id...>', `recommend nothing but these items: ids ${ID_LIST}`, idList)
    .option('--include-seen', 'also what users have interacted with')
    .option(
      '--retriever <file>',
      'a checkpoint of another model, e.g. a two-tower one: its 1,000 best items of each user are ranked by <checkpoint>',
    );
  addAnswerOptions(command);
  setAction(command, recommend);
}

async function recommend(checkpoint: string, options: Options): Promise<number> {
  const asked = [options.user, options.users, options.all, options.history].filter((one) => one !== undefined);
  if (asked.length !== 1) {
    const given = asked.length === 0 ? 'none of them was given' : `${asked.length} of them were given`;
    throw new ConfigError(`recommend: ${given}; one of --user, --users, --all and --history would be right`);
  }
  const named = options.users === undefined ? options.user : await readUsers(options.users);
  const inputs = await readInputs(checkpoint, options);
  const first = options.retriever === undefined ? null : await readInputs(options.retriever, options);
  const columns = [...(options.history ? [] : ['user']), 'rank', 'item', ...(inputs.names ? ['name'] : []), 'score'];
  return withGpu(options, async (gpu) => {
    const recommender = inputs.open(gpu);
    const answer = new Answer(options, columns, 'recommendations');
    if (options.history) await answerNewcomer(recommender, options, options.history, answer);
    else await answerUsers(recommender, first?.open(gpu) ?? null, named ?? allUsers(recommender), options, answer);
    answer.end();
    return 0;
  });
}

async function answerUsers(
  recommender: Recommender,
  retriever: Recommender | null,
  users: readonly string[],
  { k, exclude, candidates, includeSeen }: Options,
  answer: Answer,
): Promise<void> {
  const options = { k, exclude, candidates, includeSeen };
  const progress = new Progress('users', users.length);
  try {
    for (let first = 0; first < users.length; first += USERS) {
      const batch = users.slice(first, first + USERS);
      const lists = retriever
        ? await retrieveThenRank(retriever, recommender, batch, options)
        : await recommender.recommend(batch, options);
      lists.forEach((list, i) => {
        answer.write({ about: { user: batch[i]! }, rows: rowsOf(list) });
      });
      progress.update(first + batch.length);
    }
  } finally {
    progress.close();
  }
}

async function answerNewcomer(
  recommender: Recommender,
  { k, exclude, candidates, includeSeen }: Options,
  history: readonly string[],
  answer: Answer,
): Promise<void> {
  const { source, unknown, recommendations } = await recommender.foldIn(history, {
    k,
    exclude,
    candidates,
    includeSeen,
  });
  if (unknown.length > 0) console.error(printable(`note: unknown items had no part in it: ${unknown.join(', ')}`));
  if (source === 'popularity')
    console.error('note: no item of the history is known, so these are the most popular items');
  answer.write({ about: { source }, rows: rowsOf(recommendations) });
}

const rowsOf = (list: readonly Recommendation[]) =>
  list.map(({ item, name, score }, i) => ({
    rank: i + 1,
    item,
    ...(name === undefined ? {} : { name }),
    score: asF32(score),
  }));

function allUsers({ ids: { userIds } }: Recommender): string[] {
  return Array.from({ length: userIds.size }, (_, user) => userIds.idOf(user));
}
