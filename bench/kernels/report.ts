import { formatBytes } from '../../src/gpu/format.ts';
import { MISSING } from '../report/format.ts';
import type { Setting } from './cases.ts';
import type { Comparison, KeptRun } from './compare.ts';
import type { Measured } from './json.ts';
import { gigabytesPerSecond, gigaflopsPerSecond, type Results } from './results.ts';
import { comparisonTable, digits, shortName, table } from './table.ts';

/** The results of one preset at one batch, for a terminal. */
export function report(results: Results, { preset, batch }: Setting, measured: Measured): string {
  const { copy, multiplyAdd, failures } = results;
  const { adapter, adapterKind, rounds, clock } = measured;
  const rate = multiplyAdd ? digits(gigaflopsPerSecond(multiplyAdd.flops, multiplyAdd.time)) : MISSING;
  return [
    `${adapter} (${adapterKind}), ${preset}, batch ${batch}; medians of ${rounds} rounds by ${clock}`,
    `copyBufferToBuffer: ${digits(gigabytesPerSecond(copy.bytes, copy.time))} GB/s read and written, ${formatBytes(copy.bytes / 2)}, by the host’s clock`,
    `multiply-adds in registers: ${rate} GFLOP/s`,
    'Replays read the same inputs: those that fit the caches come from there.',
    '',
    ...(results.lines.length > 0 ? [table(results)] : []),
    ...failures.map(({ kernels, shape, failure }) => `FAILED ${shortName(kernels)}, ${shape}: ${failure}`),
    '',
  ].join('\n');
}

/** @param file which the earlier run was kept in */
export function comparisonReport({ earlier, now, lines, geometricMean }: Comparison, file: string): string {
  const both = lines.filter(({ ratio }) => ratio !== null).length;
  const [gone, added] = [lines.filter((line) => line.now === null), lines.filter((line) => line.earlier === null)];
  const adapters =
    earlier.adapter === now.adapter
      ? [`compared with ${file}: the same adapter, ${now.adapter}`]
      : [
          `compared with ${file}, which another adapter measured:`,
          `  earlier ${earlier.adapter}`,
          `  now     ${now.adapter}`,
        ];
  const mean =
    geometricMean === null
      ? 'no kernel and shape in common'
      : `${both} in common, geometric mean ${digits(geometricMean)}`;
  return [
    ...adapters,
    `ceilings, earlier → now: copy ${ceilings(earlier, now, 'gigabytesPerSecond')} GB/s, multiply-adds ${ceilings(earlier, now, 'gigaflopsPerSecond')} GFLOP/s`,
    '',
    comparisonTable(lines),
    '',
    `earlier / now, above 1 is faster now: ${mean}; ${gone.length} only earlier, ${added.length} only now`,
  ].join('\n');
}

function ceilings(earlier: KeptRun, now: KeptRun, which: keyof KeptRun['ceilings']): string {
  return [earlier, now].map(({ ceilings }) => (ceilings[which] > 0 ? digits(ceilings[which]) : MISSING)).join(' → ');
}
