import { expect, it } from 'vitest';
import { Workplace } from '../cli/command.ts';

const place = new Workplace();

it('tables of any number of shards come to the same weights, figures and recommendations, also resumed', async () => {
  const size = ['--users', '700', '--items', '200', '--dim', '64', '--binding', '65536'];
  const { code, stdout } = await place.run('reliability/large-tables', size);
  expect(code).toBe(0);
  expect(stdout).toMatch(/gmf_user_emb\.weight +700 × 64 +175\.0 KiB +– +350\.0 KiB/);
  const [weights, ...others] = [...stdout.matchAll(/KiB +(?:3|6|11) +(?:resumed)? +([0-9a-f]{16}) /g)].map(
    ([, sha]) => sha,
  );
  expect(others).toEqual([weights, weights]);
  expect(stdout).toContain('all the same');
});
