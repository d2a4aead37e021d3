import type { Dataset } from '../../src/data/dataset.ts';
import type { Evaluation } from '../../src/evaluate/evaluation.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { StartEvent } from '../../src/train/history.ts';
import type { Trainer } from '../../src/train/trainer.ts';

/**
 * What a run begins with: data, model, adapter, protocol and baselines.
 * @param given the data's path, settings beside the trainer's, and what is to be said of the weights
 */
export function startEvent(
  gpu: Gpu,
  dataset: Dataset,
  trainer: Trainer,
  given: Pick<StartEvent, 'data' | 'settings' | 'notes'>,
): StartEvent {
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
    settings: { ...trainer.settings, ...given.settings, data: given.data },
    notes: [...given.notes, ...notesOn(dataset, trainer)],
  };
}

function validationOf(trainer: Trainer, validation: Evaluation): NonNullable<StartEvent['validation']> {
  const { protocols, split } = validation;
  return { protocols, testedUsers: split.test.users.length, baselines: trainer.baselines(validation) };
}

/** What a user should know of the data before trusting the figures. */
function notesOn({ split, duplicates, lastBy }: Dataset, { sampler, settings }: Trainer): string[] {
  const said: string[] = [];
  const tested = new Set(split.test.users);
  const { offsets } = split.train;
  const absent = Array.from({ length: split.users }, (_, user) => user).filter(
    (user) => offsets[user] === offsets[user + 1] && !tested.has(user),
  );
  const single = split.untested - absent.length;
  if (single > 0) said.push(`${single} users have a single interaction: kept for training, not tested`);
  if (absent.length > 0) said.push(`${absent.length} users are known but not in this data: their rows are kept`);
  if (duplicates > 0) said.push(`${duplicates} repeated interactions were joined with the first of their kind`);
  if (lastBy === 'file order') said.push('no timestamps were found: a user’s last row in the file is the test item');
  if (sampler.leftOut > 0) {
    said.push('the last batch of an epoch would be one sample, which batch norm cannot normalise: it is left out');
  }
  if (settings.loss === 'in-batch-softmax') said.push('no negatives are drawn: the other items of a batch are');
  return said;
}
