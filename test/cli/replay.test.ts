import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from './command.ts';

const place = new Workplace();
const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}.json`, import.meta.url));

describe('replaying traces', () => {
  it('ends with 0 when all quantities are within the tolerance', async () => {
    const { code, stdout } = await place.run('replay', [golden('gmf'), golden('neumf-lesson')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/gmf\.json: gmf, 6 steps, PyTorch/);
    expect(stdout).toMatch(/^ {2}final mlp\.9\.running_var +4 +\d\.\d\de-\d+ +\d\.\d\de-\d+$/m);
    expect(stdout).toMatch(/all within 0\.0001\n$/);
  });

  it('ends with 1 when some are not, and marks them', async () => {
    const { code, stdout } = await place.run('replay', ['--tolerance', '1e-12', golden('gmf')]);
    expect(code).toBe(1);
    const marked = stdout.match(/ {2}beyond the tolerance$/gm)!.length;
    expect(stdout).toMatch(new RegExp(`\\n${marked} quantities differ by more than 1e-12\\n$`));
  });

  it('prints a JSON object a quantity when asked to', async () => {
    place.write('gmf.json.gz', gzipSync(readFileSync(golden('gmf'))));
    const { code, stdout } = await place.run('replay', ['--json', 'gmf.json.gz']);
    expect(code).toBe(0);
    const quantities = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(quantities).toHaveLength(12);
    for (const quantity of quantities) {
      expect(Object.keys(quantity)).toEqual(['file', 'quantity', 'values', 'absolute', 'relative', 'passed']);
      expect(quantity).toMatchObject({ file: 'gmf.json.gz', passed: true });
    }
  });
});

describe('one line says what was wrong, and the exit code is 2:', () => {
  beforeAll(() => {
    const trace = JSON.parse(readFileSync(golden('gmf'), 'utf8'));
    const changed = (change: object) => JSON.stringify({ ...trace, ...change });
    place.write('broken.json', '{"model": "gmf", ');
    place.write('list.json', '[]');
    place.write('cut.json.gz', gzipSync(JSON.stringify(trace)).subarray(0, 300));
    place.write('model.json', changed({ model: 'svd' }));
    place.write('ids.json', changed({ items: 3 }));
    place.write('adam.json', changed({ adam: { ...trace.adam, lr: null } }));
  });

  it.concurrent.each<[string, string[], string | RegExp]>([
    ['a missing file', ['nowhere.json'], 'nowhere.json: no such file'],
    ['broken JSON', ['broken.json'], /^error: broken\.json: not JSON: /],
    ['JSON that is no trace', ['list.json'], 'list.json: the file should be an object'],
    ['a damaged gzip', ['cut.json.gz'], 'cut.json.gz: unexpected end of file'],
    ['an unknown model', ['model.json'], 'model.json: model is "svd"; gmf, mlp, neumf would be right'],
    [
      'tables that do not fit the sizes',
      ['ids.json'],
      'ids.json: initial.gmf_item_emb.weight has 248 values, and [3,8] takes 24',
    ],
    ['no learning rate', ['adam.json'], 'adam.json: adam.lr is null, and should be a number'],
    ['no file at all', [], "missing required argument 'file'"],
    [
      'a bad tolerance',
      ['--tolerance', '0', 'x'],
      "option '--tolerance <number>' argument '0' is invalid. A number above 0 would be right.",
    ],
  ])('%s', async (_, args, message) => {
    await place.expectRefused('replay', args, message);
  });
});
