import type { Command } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { integer, setAction, withGpu } from '../program.ts';
import { asF32 } from '../report/format.ts';
import { Answer, type AnswerOptions, addAnswerOptions } from './answer.ts';
import { type ModelOptions, modelCommand, readInputs } from './opened.ts';

interface Options extends ModelOptions, AnswerOptions {
  readonly item?: string;
  readonly user?: string;
  readonly k: number;
}

export function addSimilarCommand(program: Command): void {
  const command = modelCommand(
    program,
    'similar',
    'The items most like an item, or the users most like a user: cosines of their embeddings, GMF’s and the MLP’s side by ' +
      'side, or of a two-tower model’s vectors.',
    'not needed',
  );
  command
    .option('--item <id>', 'the item')
    .option('--user <id>', 'the user')
    .option('--k <n>', 'how many', integer(1, 100_000), 10);
  addAnswerOptions(command);
  setAction(command, similar);
}

async function similar(checkpoint: string, options: Options): Promise<number> {
  const { item, user, k } = options;
  if ((item === undefined) === (user === undefined)) {
    throw new ConfigError(`similar: ${item === undefined ? 'neither' : 'both'} given; --item or --user would be right`);
  }
  const inputs = await readInputs(checkpoint, options);
  return withGpu(options, async (gpu) => {
    const recommender = inputs.open(gpu);
    const kind = item === undefined ? 'user' : 'item';
    const found =
      item === undefined ? await recommender.similarUsers(user!, k) : await recommender.similarItems(item, k);
    const columns = ['rank', kind, ...(item !== undefined && inputs.names ? ['name'] : []), 'cosine'];
    const answer = new Answer(options, columns, 'similar');
    const rows = found.map(({ id, name, cosine }, i) => ({
      rank: i + 1,
      [kind]: id,
      ...(name === undefined ? {} : { name }),
      cosine: asF32(cosine),
    }));
    answer.write({ about: { to: (item ?? user)! }, rows });
    answer.end();
    return 0;
  });
}
