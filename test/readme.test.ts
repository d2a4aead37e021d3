import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

/** README's programs, as they stand there but for where the library is imported from. */
const programs = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) =>
  text!.replace("'neumf-webgpu'", JSON.stringify(join(process.cwd(), 'src/index.ts'))),
);
const folder = mkdtempSync(join(tmpdir(), 'readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(program: string, files: Record<string, string> = {}): Promise<string> {
  for (const [name, text] of Object.entries({ ...files, 'program.ts': program })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return (await promisify(execFile)(process.execPath, ['program.ts'], { cwd: folder })).stdout;
}

/** 40 users in two groups, each with 8 items of its group's 20. */
function smallData(): string {
  const rows = ['user,item,timestamp'];
  for (let user = 0; user < 40; user++) {
    for (let n = 0; n < 8; n++) rows.push(`u${user},i${20 * (user % 2) + ((7 * user + 3 * n) % 20)},${n}`);
  }
  return rows.join('\n');
}

describe('README', () => {
  it('has a program that trains and writes a checkpoint', async () => {
    const stdout = await run(programs[0]!, { 'bench/data/online-retail.tsv.gz': smallData() });
    expect(stdout).toMatch(/a software adapter|a hardware adapter/);
    expect(stdout).toMatch(/popularity: \{\s+'hr@10'/);
    expect(stdout).toMatch(/^4 loss 0\.\d{4}, HR@10 [01]\.\d{4}, in the catalogue [01]\.\d{4}$/m);
    expect(stdout.match(/item: 'i\d+'/g), 'two lists of five').toHaveLength(10);
    expect(stdout.match(/id: 'i\d+'/g)).toHaveLength(5);
    expect(stdout).toContain("source: 'model'");
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(true);
  });

  it('has a program that computes a gradient step by step', async () => {
    const stdout = await run(programs[1]!);
    // By hand: only the first output is positive, in both rows; its weights' gradient is the sum of the rows of x.
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/\[ 1\.1\d*, 0, 0\.25, 0 \].*\[ 1\.5, -2, 2, 0, 0, 0 \]/);
  });
});
