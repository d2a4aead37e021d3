import type { Command } from 'commander';
import { ConfigError } from '../../src/errors.ts';
import { resolveSettings, splitOptions } from '../../src/train/settings.ts';
import { datasetOptions } from '../data-options.ts';
import { openDataset } from '../dataset.ts';
import { setAction, withGpu } from '../program.ts';
import { beginningOf } from './beginning.ts';
import { addTrainOptions, givenSettings, type TrainOptions } from './options.ts';
import { runOnce } from './run.ts';
import { openRunFolder } from './run-folder.ts';
import { runMany } from './runs.ts';

/** As shells have it for Ctrl-C. */
const STOPPED = 130;

/** Makes a command the one that trains. */
export function becomeTrainCommand(command: Command): void {
  command.description(
    'Trains MF, GMF, MLP, NeuMF or a two-tower model on implicit feedback with WebGPU and writes a checkpoint, a history and a report.',
  );
  addTrainOptions(command);
  setAction(command, train);
}

/** Trains as the command line says, and gives the exit code. */
async function train(options: TrainOptions): Promise<number> {
  if (options.runs > 1 && options.resume !== undefined) {
    throw new ConfigError(
      `--resume with --runs ${options.runs}: one run goes on from a checkpoint; --resume ${options.resume} alone would be right`,
    );
  }
  openRunFolder(options.out);
  const beginning = beginningOf(options, givenSettings(options));
  const knownIds = beginning.ids;
  const split = splitOptions(resolveSettings(beginning.settings));
  const dataset = await openDataset(options.data, { ...datasetOptions(options), ...split, knownIds });
  return withGpu(options, async (gpu) => {
    const signal = interruptSignal();
    const device = { gpu };
    const input = { device, dataset, beginning, options, signal };
    try {
      const { stopped, trouble } =
        options.runs > 1 ? await runMany(input) : await runOnce({ ...input, out: options.out });
      if (trouble) throw new ConfigError(`the run has ended, but its last state is not kept: ${trouble}`);
      return stopped ? STOPPED : 0;
    } catch (error) {
      if (error !== signal.reason) throw error;
      console.error('note: stopped while the baselines were fitted, so nothing was trained and nothing is written');
      return STOPPED;
    } finally {
      device.gpu.close();
    }
  });
}

/**
 * Aborts at the first Ctrl-C, or when the terminal or whoever reads the output has gone, so that checkpoint and report are
 * written; a second Ctrl-C ends the process at once.
 */
function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(STOPPED);
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  process.on('SIGHUP', () => stop.abort());
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || code === 'EIO') stop.abort();
  });
  return stop.signal;
}
