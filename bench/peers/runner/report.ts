import { cpus } from 'node:os';
import type { Line } from './measure.ts';
import { absences, type Layout } from './table.ts';

/** Where and how the figures came about. */
export interface Setting {
  readonly date: string;
  readonly command: string;
  readonly cpu: string;
  readonly rounds: number;
  /** Each contender's device. */
  readonly devices: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
}

export function settingOf(lines: readonly Line[], command: string, rounds: number): Setting {
  const present = lines.flatMap(({ contender, hello }) => (hello ? [{ contender, ...hello }] : []));
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    cpu: `${model.trim()}, ${cpus().length} cores`,
    rounds,
    devices: Object.fromEntries(present.map(({ contender, device }) => [contender, device])),
    versions: Object.assign({ node: process.versions.node }, ...present.map(({ versions }) => versions)),
  };
}

/** @param table the figures, in the same layout */
export function report(setting: Setting, lines: readonly Line[], table: string, layout: Layout): string {
  const { date, command, cpu, rounds, devices, versions } = setting;
  const named = (pairs: Readonly<Record<string, string>>, between: string) =>
    Object.entries(pairs).map(([name, value]) => `${name}${between}${value}`);
  const notes = [
    `${date}, ${cpu}: medians of ${rounds} rounds, all contenders in turn. “× ours”: median over the rounds of their time / ours; “of medians”: the medians’ ratio. Above 1, ours is faster.`,
    ...named(devices, ': '),
    named(versions, ' ').join(', '),
    ...absences(lines).map((reason) => `no figures: ${reason}`),
  ];
  if (layout === 'text') return [...notes, '', table].join('\n');
  return [`\`${command}\``, '', table, '', ...notes.map((note) => `- ${note}`), ''].join('\n');
}

/** The setting first, then each line, as JSON. */
export function jsonLines(setting: Setting, lines: readonly Line[]): string {
  return [setting, ...lines].map((object) => JSON.stringify(object)).join('\n');
}
