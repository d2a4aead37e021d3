/** What the console says at the end of a run. */
import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import { CUTOFF, type Metrics } from '../../src/evaluate/metrics.ts';
import { type Best, type EndEvent, type FinalFigures, hitRateAt10, type StartEvent } from '../../src/train/history.ts';
import { describeChoice, formatCount, formatDuration, formatScore } from './format.ts';
import { cutoffsIn, type Protocol } from './protocols.ts';

const LABEL = 10;

interface RunSoFar {
  /** Epochs that were planned, finished and evaluated. */
  readonly epochs: number;
  readonly finished: number;
  readonly evaluated: number;
  /** On the test items. */
  readonly baselines: StartEvent['baselines'];
}

export function summaryLines(
  { best, final, alarms, seconds, stopped, weightsSha256 }: EndEvent,
  protocols: readonly Protocol[],
  { epochs, finished, evaluated, baselines }: RunSoFar,
): string[] {
  const line = (label: string, text: string) => `${label.padEnd(LABEL)}${text}`;
  return [
    ...(best
      ? [
          line(
            'best',
            `epoch ${best.epoch}: ${chosenBy(best, protocols)} (${describeChoice(best, evaluated, finished)})`,
          ),
          ...(best.validation ? testLines(best, baselines, protocols).map((text) => line('test', text)) : []),
          ...otherCutoffs(best, protocols).map((k) => line(`at ${k}`, results(best, protocols, k))),
        ]
      : [line('best', 'none: no epoch was evaluated')]),
    ...(final ? finalLines(final, protocols, line) : []),
    ...alarms.map((alarm) => line('ALARM', alarm)),
    line('time', `${formatDuration(seconds)}${stopped ? `, stopped before epoch ${epochs} was finished` : ''}`),
    line('weights', `sha256 ${weightsSha256}`),
  ];
}

/** The figures that an epoch was chosen by. */
function chosenBy({ validation, ...tested }: Best, protocols: readonly Protocol[]): string {
  return validation ? `validation ${results(validation, protocols)}` : results(tested, protocols);
}

/** What the epoch that validation items chose reaches on the test items, and the baselines there. */
function testLines(best: Best, baselines: StartEvent['baselines'], protocols: readonly Protocol[]): string[] {
  if (hitRateAt10(best) === undefined) return ['not yet: the run was stopped'];
  const rows = Object.entries({ [`epoch ${best.epoch}`]: best, ...baselines });
  return rows.map(([name, evaluated]) => `${name}: ${results(evaluated, protocols)}`);
}

/** HR and NDCG under each protocol, which is named where there are two. */
function results(evaluated: Evaluated, protocols: readonly Protocol[], k: number = CUTOFF): string {
  const parts = protocols.map(({ key, metricsIn }) => {
    const metrics: Partial<Metrics> = metricsIn(evaluated);
    const scores = `HR@${k} ${formatScore(metrics[`hr@${k}`])}, NDCG@${k} ${formatScore(metrics[`ndcg@${k}`])}`;
    return protocols.length > 1 ? `${key} ${scores}` : scores;
  });
  return parts.join('; ');
}

function otherCutoffs(best: Evaluated, [first]: readonly Protocol[]): number[] {
  return first ? cutoffsIn(first.metricsIn(best)).filter((k) => k !== CUTOFF) : [];
}

function finalLines(
  { epoch, strata, lists }: FinalFigures,
  protocols: readonly Protocol[],
  line: (label: string, text: string) => string,
): string[] {
  const coverage = lists[`coverage@${CUTOFF}`];
  const share = coverage === undefined ? '' : `${(100 * coverage).toFixed(1)} % of all items`;
  return [
    ...strata.map((one) =>
      line(
        one.stratum,
        `${formatCount(one.items)} items, ${formatCount(one.testedUsers)} users tested in epoch ${epoch}: ${results(one, protocols)}`,
      ),
    ),
    ...(share
      ? [
          line(
            'lists',
            `the ${CUTOFF} best of each user in epoch ${epoch}: ${share}, Gini ${formatScore(lists[`gini@${CUTOFF}`])}, mean popularity ${lists[`popularity@${CUTOFF}`].toFixed(1)}`,
          ),
        ]
      : []),
  ];
}
