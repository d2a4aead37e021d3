/** Trains a recommender from the command line: `node bench/train.ts --help`. */
import { Command } from 'commander';
import { parseProgram } from './program.ts';
import { becomeTrainCommand } from './train/command.ts';

const program = new Command('node bench/train.ts');
becomeTrainCommand(program);
await parseProgram(program);
