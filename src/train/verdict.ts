import { popularity } from '../data/split.ts';
import { alarms, baseRateEntropy, type RunFigures } from '../evaluate/alarms.ts';
import { beyondAccuracy } from '../evaluate/beyond-accuracy.ts';
import { activeUnits } from '../evaluate/hidden-units.ts';
import { metricsByStratum } from '../evaluate/strata.ts';
import type { EndEvent, StartEvent } from './history.ts';
import type { TrainSettings } from './settings.ts';
import type { Trainer } from './trainer.ts';

/** Looks at a run at its end: the final model's figures, and what in all of its figures is suspicious. */
export async function verdict(
  trainer: Trainer,
  baselines: StartEvent['baselines'],
): Promise<Pick<EndEvent, 'final' | 'alarms'>> {
  const { history, settings, split } = trainer;
  const { figures, evidence } = await lookAt(trainer);
  return {
    final: figures,
    alarms: alarms({
      losses: history.map(({ loss }) => loss),
      baseRateLoss: baseRateLoss(settings),
      evaluated: trainer.validation ? [trainer.best ?? {}] : history,
      baselines,
      testedUsers: split.test.users.length,
      final: evidence,
    }),
  };
}

/**
 * Weights of positives have the mean 1, so that those of --ips-power leave it as it is. Null for the softmax, for positives
 * alone, and for hard negatives, which a model that learns draws harder and harder, so that its loss need not fall.
 */
function baseRateLoss({ loss, sampler, negatives }: TrainSettings): number | null {
  return loss === 'bce' && sampler !== 'hard' && negatives > 0 ? baseRateEntropy(negatives) : null;
}

async function lookAt({
  evaluation,
  model,
  split,
  validation,
  best,
  history,
  stopped,
}: Trainer): Promise<{ figures: EndEvent['final']; evidence: RunFigures['final'] }> {
  if (!evaluation || stopped) return { figures: null, evidence: null };
  const ranks = await evaluation.ranks();
  return {
    figures: {
      epoch: (validation && best ? best : history.at(-1))?.epoch ?? 0,
      strata: metricsByStratum(evaluation, ranks),
      lists: beyondAccuracy(await evaluation.recommended(), popularity(split)),
    },
    evidence: {
      ranks,
      others: evaluation.others,
      metrics: evaluation.metricsOf(ranks),
      activeUnits: await activeUnits(model, split.test),
    },
  };
}
