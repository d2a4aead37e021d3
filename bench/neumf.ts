#!/usr/bin/env node
/** The command line of the package: `neumf --help`, in the repository `node bench/neumf.ts --help`. */
import { Command } from 'commander';
import { addEvaluateCommand } from './neumf/evaluate.ts';
import { addExportCommand } from './neumf/export.ts';
import { addRecommendCommand } from './neumf/recommend.ts';
import { addSimilarCommand } from './neumf/similar.ts';
import { parseProgram } from './program.ts';
import { becomeTrainCommand } from './train/command.ts';

const program = new Command('neumf').description(
  'Trains recommenders on implicit feedback with WebGPU, and recommends with them. `neumf <command> --help` has the details.',
);
becomeTrainCommand(program.command('train'));
addEvaluateCommand(program);
addRecommendCommand(program);
addSimilarCommand(program);
addExportCommand(program);

await parseProgram(program);
