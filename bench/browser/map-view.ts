import { type Placed, SIZE } from '../map/place.ts';
import { byId } from './dom.ts';
import type { EngineClient } from './engine.ts';
import type { MapMessage, MapRequest } from './map-worker.ts';
import { type Asked, titleOf } from './panel.ts';
import type { Named } from './protocol.ts';
import { attempt } from './trouble.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** The same items give the same map. */
const SEED = 42;
/** Fewer points than this have no neighbours to keep. */
const FEWEST = 4;

/** The map of the items, on which the user of the moment is marked. */
export class MapView {
  // Made as the page opens, so that it is there when the network is not.
  readonly #worker = new Worker('map-worker.js', { type: 'module', name: 'map' });
  readonly #dots = new Map<string, SVGElement>();
  #asked: Asked | null = null;

  constructor(engine: EngineClient) {
    const draw = byId('draw-map', HTMLButtonElement);
    draw.addEventListener('click', () =>
      attempt(draw, async () => {
        const { items, dim, values } = await engine.call('vectors');
        if (items.length < FEWEST) throw new Error(`a map of ${items.length} items shows nothing`);
        const names = items.map(titleOf);
        this.#draw(items, names, await this.#layOut({ dim, values, names, seed: SEED }));
        status(`${items.length} items; UMAP.`);
      }),
    );
  }

  /** Marks what a user is recommended, and what the user has taken. */
  mark(asked: Asked | null): void {
    this.#asked = asked;
    for (const dot of this.#dots.values()) dot.removeAttribute('class');
    for (const { id } of asked?.history ?? []) this.#dots.get(id)?.setAttribute('class', 'taken');
    for (const { item } of asked?.recommendations ?? []) {
      const dot = this.#dots.get(item);
      dot?.setAttribute('class', 'recommended');
      dot?.parentNode?.append(dot); // above the others
    }
  }

  clear(): void {
    this.#dots.clear();
    this.#asked = null;
    byId('map', HTMLElement).replaceChildren();
    status('');
  }

  #layOut(request: MapRequest): Promise<Placed> {
    status('Laying out …');
    return new Promise((resolve, reject) => {
      this.#worker.onerror = ({ message }) => reject(new Error(`the map: ${message}`));
      this.#worker.onmessage = ({ data }: MessageEvent<MapMessage>) => {
        if ('share' in data) status(`Laying out: ${Math.round(100 * data.share)} %`);
        else if ('placed' in data) resolve(data.placed);
        else reject(new Error(`the map: ${data.error}`));
      };
      this.#worker.postMessage(request);
    });
  }

  #draw(items: readonly Named[], names: readonly string[], { dots, labels }: Placed): void {
    this.#dots.clear();
    const circles = dots.map(({ x, y }, i) => {
      const title = svg('title', {}, names[i]!);
      const dot = svg('circle', { cx: x, cy: y, r: 2.5 });
      dot.append(title);
      this.#dots.set(items[i]!.id, dot);
      return dot;
    });
    const picture = svg('svg', { viewBox: `0 0 ${SIZE} ${SIZE}`, role: 'img', 'aria-label': 'map of the items' });
    const groups = [svg('g', { class: 'dots' }), svg('g', { class: 'labels' })] as const;
    groups[0].append(...circles);
    groups[1].append(...labels.map(({ x, y, text }) => svg('text', { x, y }, text)));
    picture.append(...groups);
    byId('map', HTMLElement).replaceChildren(picture);
    this.mark(this.#asked);
  }
}

function svg(tag: string, attributes: Readonly<Record<string, string | number>>, text = ''): SVGElement {
  const element = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}

function status(what: string): void {
  byId('map-status', HTMLElement).textContent = what;
}
