import type { Recommender } from '../../src/recommend/recommender.ts';
import { csvLines } from '../csv.ts';
import { asF32 } from '../report/format.ts';

/** Users asked for at once. */
const USERS = 1024;
const COLUMNS = ['user', 'rank', 'item', 'name', 'score'];

/** The best items of all users, as `neumf recommend --all --format csv` writes them. The name is empty where an item has none. */
export async function recommendationsCsv(recommender: Recommender, includeSeen: boolean): Promise<Blob> {
  const { userIds } = recommender.ids;
  const parts = [csvLines([COLUMNS])];
  for (let first = 0; first < userIds.size; first += USERS) {
    const length = Math.min(USERS, userIds.size - first);
    const users = Array.from({ length }, (_, i) => userIds.idOf(first + i));
    const lists = await recommender.recommend(users, { includeSeen });
    const rows = lists.flatMap((list, i) =>
      list.map(({ item, name = '', score }, j) => [users[i]!, j + 1, item, name, asF32(score)]),
    );
    parts.push(csvLines(rows));
  }
  return new Blob(parts, { type: 'text/csv' });
}
