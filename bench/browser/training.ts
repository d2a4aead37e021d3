import { type Best, type EpochEvent, judged, metricsIn, type StartEvent } from '../../src/train/history.ts';
import {
  describeModel,
  describeRecovery,
  formatCount,
  formatDuration,
  formatRate,
  formatScore,
  MISSING,
} from '../report/format.ts';
import { protocolsOf } from '../report/protocols.ts';
import { byId } from './dom.ts';
import { LiveCharts } from './live-charts.ts';
import type { RunState, Told } from './protocol.ts';
import { showTrouble } from './trouble.ts';

const SAID: Readonly<Record<RunState, string>> = {
  training: 'Training.',
  paused: 'Paused. Nothing is lost: it goes on from this very step.',
  stopped: 'Stopped. The model can be asked.',
  finished: 'All epochs are done. The model can be asked.',
};

/** What the page shows of a run. */
export class TrainingView {
  readonly #charts = new LiveCharts();
  readonly #onState: (state: RunState) => void;
  #start: StartEvent | null = null;

  /** @param onState is told what the run does, after the page says it */
  constructor(onState: (state: RunState) => void) {
    this.#onState = onState;
  }

  hear(told: Told): void {
    if (told.event === 'start') this.#began(told);
    else if (told.event === 'progress') this.#progress(told);
    else if (told.event === 'epoch') this.#epoch(told);
    else if (told.event === 'baseline') this.#charts.baseline(told.name, told.figures);
    else if (told.event === 'tested') this.#tested(told.best);
    else if (told.event === 'recovered') {
      const said = `${describeRecovery(told)}.`;
      say(said);
      this.#note(said);
    } else if (told.event === 'failed') {
      showTrouble(told.error);
      this.#onState('stopped');
    } else {
      say(SAID[told.state]);
      this.#onState(told.state);
    }
  }

  #began(start: StartEvent): void {
    this.#start = start;
    byId('training', HTMLElement).hidden = false;
    byId('notes', HTMLElement).replaceChildren();
    for (const note of start.notes) this.#note(`${note}.`);
    text('run-name', `${describeModel(start)}, ${formatCount(start.parameters)} parameters`);
    text('run-on', `${start.data} · ${start.adapter}`);
    for (const { key, name } of protocolsOf(start)) {
      text(`protocol-${key}`, `${name}${start.validation ? ', validation items' : ''}; dashed: baselines`);
    }
    for (const id of ['now-loss', 'now-hr', 'now-ndcg', 'now-rate', 'now-eta']) text(id, MISSING);
    this.#place(0, start.settings.epochs as number, 0);
    this.#charts.start(start);
  }

  #progress(told: Told & { event: 'progress' }): void {
    text('now-loss', formatScore(told.loss));
    text('now-rate', formatRate(told.samplesPerSecond));
    text('now-eta', formatDuration(told.etaSeconds));
    this.#place(told.epoch - 1 + told.done / told.total, told.epochs, told.epoch);
    this.#charts.progress(told);
  }

  #epoch(event: EpochEvent): void {
    const epochs = this.#start!.settings.epochs as number;
    const [protocol] = protocolsOf(this.#start!);
    const { 'hr@10': hr, 'ndcg@10': ndcg } = protocol?.metricsIn(judged(event)) ?? {};
    text('now-loss', formatScore(event.loss));
    text('now-hr', formatScore(hr));
    text('now-ndcg', formatScore(ndcg));
    text('now-rate', formatRate(event.samplesPerSecond));
    this.#place(event.epoch, epochs, event.epoch);
    this.#charts.epoch(event);
    say(`Epoch ${event.epoch} of ${epochs}: loss ${formatScore(event.loss)}, HR@10 ${formatScore(hr)}.`);
  }

  #tested(best: Best): void {
    const figures = protocolsOf(this.#start!).map(({ name, metricsIn: of }) => {
      const { 'hr@10': hr, 'ndcg@10': ndcg } = of(metricsIn(best)) ?? {};
      return `HR@10 ${formatScore(hr)} and NDCG@10 ${formatScore(ndcg)} (${name})`;
    });
    this.#note(
      `Epoch ${best.epoch} was the best on the validation items. The model has its weights, and on the test items ${figures.join(', ')}.`,
    );
  }

  #place(done: number, epochs: number, epoch: number): void {
    const bar = byId('progress', HTMLProgressElement);
    bar.max = epochs;
    bar.value = done;
    text('now-epoch', `${epoch} of ${epochs}`);
  }

  #note(note: string): void {
    const paragraph = document.createElement('p');
    paragraph.className = 'note';
    paragraph.textContent = note;
    byId('notes', HTMLElement).append(paragraph);
  }
}

/** Says it also to those who do not see the page. */
export function say(what: string): void {
  text('status', what);
}

function text(id: string, content: string): void {
  byId(id, HTMLElement).textContent = content;
}
