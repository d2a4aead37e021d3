import { type Html, html } from '../report/markup.ts';
import type { Point } from './lay-out.ts';
import { place, SIZE } from './place.ts';

/**
 * Dots as an SVG, each with its name under the pointer; as many as find room have it written beside them too.
 * @param names of the points, those first in line for a label first
 */
export function picture(points: readonly Point[], names: readonly string[]): Html {
  const { dots, labels } = place(points, names);
  const circles = dots.map(
    ({ x, y }, i) => html`<circle cx="${x}" cy="${y}" r="2"><title>${names[i]!}</title></circle>`,
  );
  const texts = labels.map(({ x, y, text }) => html`<text x="${x}" y="${y}">${text}</text>`);
  return html`<svg viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="map of the items">
<g class="dots">${circles}</g>
<g class="labels">${texts}</g>
</svg>`;
}
