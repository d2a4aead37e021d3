import { formatCount } from '../report/format.ts';
import { html } from '../report/markup.ts';
import { asset, type Heading, renderDocument } from '../report/page.ts';
import type { Point } from './lay-out.ts';
import { picture } from './picture.ts';

export interface ItemMap {
  readonly points: readonly Point[];
  /** The points' names, the first in line for a label first. */
  readonly names: readonly string[];
  /** How the items were chosen, where they are not all. */
  readonly sample: string | null;
  readonly seed: number;
}

/** The map of the items as a page that opens offline and fetches nothing. */
export function renderMap(heading: Heading, { points, names, sample, seed }: ItemMap): string {
  const shown = `${formatCount(points.length)} items${sample === null ? '' : `, ${sample}`}`;
  return renderDocument(
    heading,
    html`<main>
<figure><figcaption>Map of the items <small>neighbours are alike by the cosine of their embeddings; the axes mean nothing</small></figcaption>
${picture(points, names)}</figure>
<p class="note">${shown}. UMAP, seed ${seed}. A dot has its name under the pointer.</p>
</main>`,
    asset('./map.css'),
  );
}
