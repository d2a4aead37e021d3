import { join } from 'node:path';
import { summariseRuns } from '../../src/train/runs.ts';
import { resolveSettings } from '../../src/train/settings.ts';
import { replaceFile } from '../files.ts';
import { jsonLine } from '../json-line.ts';
import { type NamedRun, renderRuns, runsTable } from '../report/runs.ts';
import type { TrainOptions } from './options.ts';
import { type FinishedRun, type Outcome, type RunInput, runOnce } from './run.ts';

/**
 * Trains with --runs seeds one after the other, each run in a folder of its own, and sums up those that were finished.
 * All are evaluated on the candidates of the first: what then differs between them is what training drew, weights and
 * samples, and the same baselines stand beside them all.
 */
export async function runMany(input: Omit<RunInput, 'out' | 'fitted'>): Promise<Outcome> {
  const { beginning, options, signal } = input;
  const { seed: first, evalSeed } = resolveSettings(beginning.settings);
  const all = Array.from({ length: options.runs }, (_, i) => ({ ...beginning.settings, seed: first + i, evalSeed }));
  for (const settings of all) resolveSettings(settings); // before anything is trained
  const runs: (NamedRun & FinishedRun)[] = [];
  let trouble: string | null = null;
  try {
    for (const settings of all) {
      if (signal.aborted) break;
      const name = `run-${runs.length + 1}`;
      if (!options.json) console.log(`${runs.length ? '\n' : ''}${name} of ${all.length}, seed ${settings.seed}`);
      const out = join(options.out, name);
      const fitted = runs[0] && { fitted: runs[0].fitted };
      const run = await runOnce({ ...input, ...fitted, beginning: { ...beginning, settings }, out });
      trouble ??= run.trouble;
      if (!run.end.stopped) runs.push({ name, seed: settings.seed, ...run });
    }
  } finally {
    // also where a later run could not begin
    if (runs.length > 1) sumUp(runs, options);
    else if (!options.json) console.log('\nruns      none to sum up: fewer than two were finished');
  }
  return { stopped: runs.length < all.length, trouble };
}

function sumUp(runs: readonly NamedRun[], { out, json }: TrainOptions): void {
  const [{ start }] = runs;
  const event = summariseRuns(runs);
  const text = jsonLine(event);
  console.log(json ? text : `\n${runsTable(event, start)}\n`);
  replaceFile(out, 'runs.json', `${text}\n`);
  replaceFile(out, 'runs.html', renderRuns(event, runs, new Date()));
  if (!json) console.log(`wrote ${join(out, 'runs.html')}, ${join(out, 'runs.json')}`);
}
