import uPlot from 'uplot';
import type { Evaluated } from '../../src/evaluate/evaluation.ts';
import { type EpochEvent, judged, type StartEvent } from '../../src/train/history.ts';
import { type Chart, drawCharts } from '../report/charts.ts';
import { protocolsOf } from '../report/protocols.ts';
import { byId } from './dom.ts';
import type { Told } from './protocol.ts';

/** Points of the loss after which every second one is left out. */
const MOST_POINTS = 1000;

const METRICS = [
  { key: 'hr@10', name: 'HR', color: '--hr' },
  { key: 'ndcg@10', name: 'NDCG', color: '--ndcg' },
] as const;

type Protocol = 'sampled' | 'full';
type Curve = Chart['curves'][number];

/** A chart whose lists grow while it is on the page. */
class LiveChart {
  readonly #epochs: number[] = [];
  readonly #range: [number, number] = [0, 1];
  readonly #curves: readonly Curve[];
  readonly #levels: Chart['levels'][number][] = [];
  readonly #id: string;
  readonly #fromZero: boolean;
  #plot: uPlot | null = null;

  constructor(id: string, curves: readonly Omit<Curve, 'values'>[], fromZero: boolean) {
    this.#id = id;
    this.#curves = curves.map((curve) => ({ ...curve, values: [] }));
    this.#fromZero = fromZero;
  }

  /** Empties it for a run of so many epochs; the place it has on the page must be seen. */
  begin(epochs: number): void {
    this.#epochs.length = 0;
    this.#levels.length = 0;
    for (const { values } of this.#curves) values.length = 0;
    this.#range[1] = epochs;
    drawSoon(this);
  }

  add(epoch: number, values: readonly (number | null)[]): void {
    this.#epochs.push(epoch);
    this.#curves.forEach((curve, i) => {
      curve.values.push(values[i] ?? null);
    });
    if (this.#epochs.length > MOST_POINTS) this.#thin();
  }

  level(level: Chart['levels'][number]): void {
    this.#levels.push(level);
  }

  draw(): void {
    if (!this.#plot) {
      const [epochs, range, curves, levels] = [this.#epochs, this.#range, this.#curves, this.#levels];
      const chart = { id: this.#id, epochs, range, curves, levels, fromZero: this.#fromZero };
      [this.#plot = null] = drawCharts(uPlot, [chart]);
      return;
    }
    this.#plot.setData([this.#epochs, ...this.#curves.map(({ values }) => values)]);
    this.#plot.redraw(false, true);
  }

  #thin(): void {
    for (const list of [this.#epochs, ...this.#curves.map(({ values }) => values)] as (number | null)[][]) {
      list.splice(0, list.length, ...list.filter((_, i) => i % 2 === 0));
    }
  }
}

/** Charts that have changed. One is drawn a frame, so that they never hold up the page, and none while nobody sees it. */
const changed = new Set<LiveChart>();

function drawSoon(chart: LiveChart): void {
  if (changed.size === 0) requestAnimationFrame(drawNext);
  changed.add(chart);
}

function drawNext(): void {
  const [chart] = changed;
  chart!.draw();
  changed.delete(chart!);
  if (changed.size > 0) requestAnimationFrame(drawNext);
}

/** The curves of a run as it goes: loss between reports, and the metrics of each epoch beside the baselines. */
export class LiveCharts {
  readonly #loss = new LiveChart('loss-chart', [{ label: 'loss', color: '--ink' }], false);
  readonly #metrics: Readonly<Record<Protocol, LiveChart>> = {
    sampled: newMetricsChart('metrics-sampled'),
    full: newMetricsChart('metrics-full'),
  };
  #protocols: ReturnType<typeof protocolsOf> = [];
  #last = { epoch: 0, done: 0, sum: 0 };

  start(event: StartEvent): void {
    const epochs = event.settings.epochs as number;
    this.#last = { epoch: 0, done: 0, sum: 0 };
    this.#protocols = protocolsOf(event);
    this.#loss.begin(epochs);
    for (const key of ['sampled', 'full'] as const) {
      byId(`figure-${key}`, HTMLElement).hidden = !this.#protocols.some((protocol) => protocol.key === key);
    }
    for (const { key } of this.#protocols) this.#metrics[key].begin(epochs);
    for (const [name, figures] of Object.entries((event.validation ?? event).baselines)) this.baseline(name, figures);
  }

  baseline(name: string, figures: Evaluated): void {
    for (const { key, metricsIn } of this.#protocols) {
      const metrics = metricsIn(figures);
      for (const metric of METRICS) {
        const value = metrics[metric.key];
        if (value !== undefined) {
          this.#metrics[key].level({ label: `${name} ${metric.name}`, color: metric.color, value });
        }
      }
      drawSoon(this.#metrics[key]);
    }
  }

  /** The mean loss of the samples since the report before. */
  progress({ epoch, done, total, loss }: Told & { event: 'progress' }): void {
    const before = this.#last.epoch === epoch ? this.#last : { done: 0, sum: 0 };
    this.#last = { epoch, done, sum: loss * done };
    if (done <= before.done) return;
    this.#loss.add(epoch - 1 + done / total, [(loss * done - before.sum) / (done - before.done)]);
    drawSoon(this.#loss);
  }

  epoch(event: EpochEvent): void {
    if (this.#last.epoch !== event.epoch) this.#loss.add(event.epoch, [event.loss]);
    drawSoon(this.#loss);
    for (const { key, metricsIn } of this.#protocols) {
      const metrics = metricsIn(judged(event));
      this.#metrics[key].add(event.epoch, [metrics['hr@10'] ?? null, metrics['ndcg@10'] ?? null]);
      drawSoon(this.#metrics[key]);
    }
  }
}

function newMetricsChart(id: string): LiveChart {
  const curves = METRICS.map(({ name, color }) => ({ label: `${name}@10`, color }));
  return new LiveChart(id, curves, true);
}
