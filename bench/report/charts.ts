import type uPlot from 'uplot';

/**
 * One chart over the epochs. Colours are names of custom properties of report.css, e.g. "--hr". The lists may grow, be
 * emptied and change; the chart shows them as they are when its data are set or it is drawn again.
 */
export interface Chart {
  /** The id of the element that the chart fills. */
  readonly id: string;
  readonly epochs: readonly number[];
  /** Ends of the horizontal axis where they are other than the first and the last epoch. */
  readonly range?: readonly [number, number];
  /** A value an epoch; null where the epoch has none. */
  readonly curves: readonly { readonly label: string; readonly color: string; readonly values: (number | null)[] }[];
  /** Dashed horizontal lines to compare with. */
  readonly levels: readonly { readonly label: string; readonly color: string; readonly value: number }[];
  /** Whether the vertical axis starts at zero. */
  readonly fromZero: boolean;
}

/**
 * Draws the charts and keeps them fitting: to the element's width, to light and dark, to paper. Returns a plot for each.
 * The report carries this function's own source (`toString`), so it reaches for nothing but its arguments and the page.
 */
export function drawCharts(Plot: typeof uPlot, charts: readonly Chart[]): uPlot[] {
  const PAPER_WIDTH = 640; // CSS pixels; an A4 page between ordinary margins has about 680
  const LABEL_HEIGHT = 14;
  const LEADER = 10; // from the plot's edge to a label
  const FONT = '12px system-ui, sans-serif';
  const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const ruler = document.createElement('canvas').getContext('2d')!;
  ruler.font = FONT;
  const textWidth = (text: string) => ruler.measureText(text).width;

  const verticalRange = ({ curves, levels, fromZero }: Chart): [number, number] => {
    const values = [...curves.flatMap((curve) => curve.values), ...levels.map((level) => level.value)];
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return [0, 1];
    const highest = Math.max(...known);
    const lowest = fromZero ? 0 : Math.min(...known);
    const margin = (highest - lowest) * 0.08 || Math.abs(highest) * 0.08 || 1;
    return [fromZero ? 0 : lowest - margin, highest + margin];
  };

  /** The name of each line at its right end; names that would cover each other are moved apart, on leaders. */
  const drawLines = (plot: uPlot, chart: Chart) => {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    const right = bbox.left + bbox.width;
    const height = (value: number) => plot.valToPos(value, 'y', true);
    const ends = chart.curves.flatMap((curve) => {
      const last = curve.values.findLast((value) => value !== null);
      return last == null ? [] : [{ label: curve.label, color: curve.color, at: height(last), y: height(last) }];
    });
    ctx.save();
    ctx.lineWidth = scale;
    for (const level of chart.levels) {
      const at = height(level.value);
      ends.push({ label: level.label, color: level.color, at, y: at });
      ctx.strokeStyle = color(level.color);
      ctx.setLineDash([4 * scale, 4 * scale]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, at);
      ctx.lineTo(right, at);
      ctx.stroke();
    }
    ends.sort((a, b) => a.y - b.y);
    const gap = LABEL_HEIGHT * scale;
    for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + gap);
    let floor = bbox.top + bbox.height;
    for (let i = ends.length - 1; i >= 0; i--, floor -= gap) ends[i].y = Math.min(ends[i].y, floor);
    ctx.setLineDash([]);
    ctx.font = FONT.replace('12px', `${12 * scale}px`);
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    for (const end of ends) {
      ctx.strokeStyle = ctx.fillStyle = color(end.color);
      ctx.beginPath();
      ctx.moveTo(right + 1 * scale, end.at);
      ctx.lineTo(right + (LEADER - 3) * scale, end.y);
      ctx.stroke();
      ctx.fillText(end.label, right + LEADER * scale, end.y);
    }
    ctx.restore();
  };

  const size = (width: number) => ({ width, height: Math.round(Math.max(220, Math.min(300, width * 0.45))) });

  const horizontalRange = ({ range, epochs }: Chart): [number, number] => {
    const [first, last] = range ?? [epochs[0], epochs[epochs.length - 1]];
    return first === last ? [first - 0.5, last + 0.5] : [first, last];
  };

  const labelsWidth = ({ curves, levels }: Chart) =>
    Math.ceil(Math.max(...[...curves, ...levels].map((line) => textWidth(line.label))));

  return charts.map((chart) => {
    const element = document.getElementById(chart.id)!;
    const axis = { font: FONT, stroke: () => color('--muted'), ticks: { show: false } };
    const options: uPlot.Options = {
      ...size(element.clientWidth),
      padding: [12, () => LEADER + labelsWidth(chart) + 2, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => horizontalRange(chart) },
        y: { range: () => verticalRange(chart) },
      },
      axes: [
        { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 36 },
        { ...axis, grid: { stroke: () => color('--rule'), width: 1 }, size: 48 },
      ],
      series: [
        { label: 'Epoch', value: (_, epoch) => (epoch == null ? '' : String(Number(epoch.toFixed(2)))) },
        ...chart.curves.map(
          (curve): uPlot.Series => ({
            label: curve.label,
            stroke: () => color(curve.color),
            width: 2,
            spanGaps: true, // with --eval-every the epochs between have no value
            points: {
              show: () => curve.values.filter((value) => value !== null).length <= 40,
              size: 5,
              fill: () => color(curve.color),
            },
            value: (_, value) => (value == null ? '' : value.toFixed(4)),
          }),
        ),
      ],
      hooks: { drawAxes: [(plot) => drawLines(plot, chart)] },
    };
    const plot = new Plot(options, [[...chart.epochs], ...chart.curves.map((curve) => curve.values)], element);

    new ResizeObserver(() => plot.setSize(size(element.clientWidth))).observe(element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw());
    // A canvas does not follow the style sheet of the paper: it is drawn again, dark on white and to its width.
    addEventListener('beforeprint', () => {
      document.documentElement.classList.add('paper');
      plot.setSize(size(PAPER_WIDTH));
    });
    addEventListener('afterprint', () => {
      document.documentElement.classList.remove('paper');
      plot.setSize(size(element.clientWidth));
    });
    return plot;
  });
}
