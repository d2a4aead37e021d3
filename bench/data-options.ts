/** The options that say what data a command reads. */
import { type Command, Option } from 'commander';
import type { DataFormat, DatasetOptions } from '../src/data/dataset.ts';
import { ConfigError } from '../src/errors.ts';

export interface DataOptions {
  readonly data: string;
  readonly format: DataFormat;
  readonly userColumn?: string | number;
  readonly itemColumn?: string | number;
  readonly timestampColumn?: string | number;
}

/** @param data the option that names it; commands whose answer has a format of its own call the data's otherwise */
export function addDataOptions(program: Command, data: Option, format = '--format'): void {
  program
    .addOption(data)
    .addOption(
      new Option(`${format} <name>`, 'format of the data')
        .choices(['auto', 'movielens', 'csv', 'tsv', 'ncf'])
        .default('auto'),
    )
    .option('--user-column <name>', 'the users’ column, by name or number from 1 (default: found)', column)
    .option('--item-column <name>', 'the items’ column (default: found)', column)
    .option('--timestamp-column <name>', 'the time’s column (default: found)', column);
}

/** What loadDataset takes of them. Throws ConfigError when columns are given incompletely. */
export function datasetOptions(options: DataOptions): Pick<DatasetOptions, 'format' | 'columns'> {
  const { format, userColumn, itemColumn, timestampColumn } = options;
  if (userColumn === undefined && itemColumn === undefined && timestampColumn === undefined) return { format };
  if (userColumn === undefined || itemColumn === undefined) {
    throw new ConfigError(
      'columns are given together: --user-column and --item-column, and --timestamp-column where there is a time',
    );
  }
  const timestamp = timestampColumn === undefined ? {} : { timestamp: timestampColumn };
  return { format, columns: { user: userColumn, item: itemColumn, ...timestamp } };
}

function column(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
