import { type Command, InvalidArgumentError } from 'commander';
import { PRESETS } from '../../../src/models/config.ts';
import { BUNDLED } from '../../dataset.ts';
import { addListOption, integer, integers, names } from '../../program.ts';

export interface Options {
  readonly preset: readonly string[];
  readonly batch: readonly number[];
  readonly peers: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly patience: number;
  readonly check?: boolean;
  readonly epoch?: boolean;
  readonly epochShare: number;
  readonly ranking?: boolean;
  readonly testedUsers?: number;
  readonly data: string;
  readonly json?: boolean;
  readonly out?: string;
}

/** @param peers their ids, all of them the default */
export function addOptions(program: Command, peers: readonly string[]): void {
  addListOption(program, '--preset <list>', 'presets', names(Object.keys(PRESETS)), ['paper-8', 'lesson']);
  addListOption(program, '--batch <list>', 'samples in a batch', integers(2, 2 ** 20), [256, 1024, 4096, 65536]);
  addListOption(program, '--peers <list>', 'whom to compare with', names(peers), peers);
  program
    .option('--rounds <n>', 'measurements of each, in turn', integer(1, 1000), 5)
    .option('--seconds <s>', 'of steps in a measurement', positive, 1)
    .option('--patience <s>', 'after which a contender is given up', positive, 180)
    .option('--check', 'only compare the losses of the first steps')
    .option('--epoch', 'time epochs, sampling included, instead of steps')
    .option('--epoch-share <share>', 'part of the interactions that makes an epoch', share, 0.02)
    .option('--ranking', 'time ranking every held-out item among all unseen items, instead of training')
    .option('--tested-users <n>', 'rank only so many of them, evenly chosen', integer(1, 2 ** 30))
    .option('--data <path>', 'interactions for epochs and ranking; online-retail comes along', BUNDLED)
    .option('--json', 'a JSON object a line on stdout instead of the table')
    .option('--out <path>', 'writes the table and all figures to PATH.md and PATH.json');
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('A number above 0 would be right.');
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('A number above 0, up to 1 would be right.');
}
