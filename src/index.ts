/** The public face of neumf-webgpu. */

// Files: blobSource everywhere; fileSource and listFolder in Node
export * from '#files';
// The engine: device, tensors, ops, optimizers
export { Clock } from './autograd/clock.ts';
export {
  type BatchNormTensors,
  batchNorm,
  foldBatchNorm,
} from './autograd/ops/batch-norm.ts';
export { bceWithLogits } from './autograd/ops/bce.ts';
export { concat } from './autograd/ops/concat.ts';
export { type DropoutOptions, dropout } from './autograd/ops/dropout.ts';
export { embedding, type Lookup } from './autograd/ops/embedding.ts';
export { hadamard } from './autograd/ops/hadamard.ts';
export { type HiddenLayer, hiddenLayers } from './autograd/ops/hidden-layers.ts';
export { inBatchSoftmax, type SoftmaxOptions } from './autograd/ops/in-batch-softmax.ts';
export { linear, linearRelu } from './autograd/ops/linear.ts';
export type { Targets } from './autograd/ops/output.ts';
export { relu } from './autograd/ops/relu.ts';
export { split } from './autograd/ops/split.ts';
export { type ParameterSpec, Parameters } from './autograd/parameters.ts';
export type { Branch, Rows, Tables } from './autograd/tables.ts';
export { noGrad, record, type Tape, type TensorData, tensor, zeros } from './autograd/tape.ts';
export type { Tensor } from './autograd/tensor.ts';
// Evaluation and baselines
export { type EaseOptions, easeScorer } from './baselines/ease.ts';
export { type ItemKnnOptions, itemKnnScorer } from './baselines/item-knn.ts';
export type { Watch } from './baselines/long-loop.ts';
export { popularityScorer } from './baselines/popularity.ts';
export { chanceRanks } from './baselines/random.ts';
export { candidateRanks, fullRanks, ranksBy, type Scorer } from './baselines/ranks.ts';
// Data
export { type Dataset, type DatasetOptions, loadDataset } from './data/dataset.ts';
export { type IdMap, type Ids, identityIds, StringIds } from './data/id-map.ts';
export type { Interactions } from './data/interactions.ts';
export type { ByteSource } from './data/source.ts';
export { leaveOneOut, popularity, type Split } from './data/split.ts';
export { readTitles } from './data/titles.ts';
export { drawValidation, validationAsTest } from './data/validation.ts';
// Errors
export {
  ConfigError,
  DataError,
  DeviceLostError,
  GpuError,
  GpuOutOfMemoryError,
  GpuValidationError,
  NoAdapterError,
  NonFiniteError,
} from './errors.ts';
export { alarms, type RunFigures } from './evaluate/alarms.ts';
export { type BeyondAccuracy, beyondAccuracy } from './evaluate/beyond-accuracy.ts';
export { type Candidates, candidates } from './evaluate/candidates.ts';
export { type Evaluated, Evaluation, type EvaluationOptions, type Ranks } from './evaluate/evaluation.ts';
export { FullRanking } from './evaluate/full-ranking.ts';
export { LeaveOneOut } from './evaluate/leave-one-out.ts';
export { auc, hitRate, type Metrics, mrr, ndcg } from './evaluate/metrics.ts';
export { metricsByStratum, type Stratum } from './evaluate/strata.ts';
export type { TopItems } from './evaluate/top-items.ts';
export { type Frugality, Gpu, type OpenOptions } from './gpu/device.ts';
export { defineKernel, type Kernel } from './gpu/kernel.ts';
export { Plan, runPlans } from './gpu/plan.ts';
export { profile, type Timing } from './gpu/profiler.ts';
export { type ModelConfig, type ModelKind, PRESETS, type Preset, SCHEDULES, type Schedule } from './models/config.ts';
// Models
export { fuse, type TrainedWeights } from './models/fuse.ts';
export { type Forward, Model } from './models/model.ts';
export { decodeSafetensors, encodeSafetensors, type SafetensorsFile, type StoredTensor } from './models/safetensors.ts';
export { type Sizes, sizesOf } from './models/sizes.ts';
export { loadWeights, readWeights } from './models/weights.ts';
export { Adam, type AdamOptions } from './optim/adam.ts';
export { clipGradNorm } from './optim/clip.ts';
export { DeferredAdam } from './optim/deferred-adam.ts';
export { LazyAdam } from './optim/lazy-adam.ts';
export { RowAdam } from './optim/row-adam.ts';
export { Sgd, type SgdOptions } from './optim/sgd.ts';
export type { WeightDecayOptions } from './optim/weight-decay.ts';
export { blobSource } from './platform/browser-files.ts';
// Recommend
export { FOLD_IN } from './recommend/fold-in.ts';
export { Recommender } from './recommend/recommender.ts';
export { retrieveThenRank, type TwoStageOptions } from './recommend/two-stages.ts';
export type {
  FoldedIn,
  Neighbour,
  Recommendation,
  RecommenderOptions,
  RecommendOptions,
} from './recommend/types.ts';
// Train a recommender
export {
  type CheckpointInfo,
  checkpointInfo,
  encodeCheckpoint,
  restoreCheckpoint,
} from './train/checkpoint.ts';
export type { Interlude, TrainProgress } from './train/epoch.ts';
export { extendCheckpoint } from './train/extend.ts';
export { type BranchKind, FINE_TUNING_LR, type PretrainSettings } from './train/fine-tuning.ts';
export { FITTED_BASELINES, type FittedBaseline } from './train/fitted-baselines.ts';
export { type FusedStepOptions, fusedStep } from './train/fused-step.ts';
export {
  type Best,
  bestEpoch,
  type EndEvent,
  type EpochEvent,
  type HistoryEvent,
  type NoteEvent,
  type RecoveredEvent,
  type StartEvent,
} from './train/history.ts';
export { LastingRun, type LastingRunOptions } from './train/lasting-run.ts';
export { logPopularity } from './train/log-popularity.ts';
export { type MemoryUse, memoryTable, memoryUse } from './train/memory.ts';
export { Pretraining, pretrainingInfo } from './train/pretrain.ts';
export { type EndedRun, type RunsEvent, type Spread, summariseRuns } from './train/runs.ts';
export { learningRate, type ScheduleSettings } from './train/schedule.ts';
export { DEFAULT_SETTINGS, resolveSettings, splitOptions, type TrainSettings } from './train/settings.ts';
export { loadStateDict, readStateDict, type StateDict } from './train/state-dict.ts';
export { type Batch, type Optimizer, type StepOptions, trainingStep } from './train/step.ts';
export { Trainer, type TrainerOptions } from './train/trainer.ts';
export { verdict } from './train/verdict.ts';
