import type { Dataset } from '../../src/data/dataset.ts';
import type { Evaluation } from '../../src/evaluate/evaluation.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { StartEvent } from '../../src/train/history.ts';
import type { Trainer } from '../../src/train/trainer.ts';

/** What a run begins with: data, model, adapter, protocol and baselines. */
export function startEvent(gpu: Gpu, dataset: Dataset, trainer: Trainer, path: string): StartEvent {
  const { split } = dataset;
  return {
    event: 'start',
    adapter: gpu.adapterName,
    adapterKind: gpu.adapterKind,
    data: dataset.name,
    users: split.users,
    items: split.items,
    interactions: dataset.interactions,
    testedUsers: split.test.users.length,
    parameters: trainer.model.parameters.count,
    protocols: trainer.evaluation?.protocols ?? {},
    baselines: trainer.baselines(),
    ...(trainer.validation && { validation: validationOf(trainer, trainer.validation) }),
    settings: { ...trainer.settings, data: path },
    notes: notes(dataset, trainer),
  };
}

function validationOf(trainer: Trainer, validation: Evaluation): NonNullable<StartEvent['validation']> {
  const { protocols, split } = validation;
  return { protocols, testedUsers: split.test.users.length, baselines: trainer.baselines(validation) };
}

/** What a user should know of the data before trusting the figures. */
function notes({ split, duplicates, lastBy }: Dataset, { sampler, settings }: Trainer): string[] {
  const said: string[] = [];
  if (split.untested > 0) {
    said.push(`${split.untested} users have a single interaction: kept for training, not tested`);
  }
  if (duplicates > 0) said.push(`${duplicates} repeated interactions were joined with the first of their kind`);
  if (lastBy === 'file order') said.push('no timestamps were found: a user’s last row in the file is the test item');
  if (sampler.leftOut > 0) {
    said.push('the last batch of an epoch would be one sample, which batch norm cannot normalise: it is left out');
  }
  if (settings.loss === 'in-batch-softmax') said.push('no negatives are drawn: the other items of a batch are');
  return said;
}
