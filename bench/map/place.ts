import type { Point } from './lay-out.ts';

/** Of the picture, in its own units. */
export const SIZE = 720;
const MARGIN = 12;
/** Of a label; a letter is about half as wide as high. */
const LETTER = { width: 5.2, height: 11 };
const LONGEST_LABEL = 32;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Placed {
  /** A dot a point. */
  readonly dots: readonly Point[];
  readonly labels: readonly (Point & { readonly text: string })[];
}

/**
 * Points stretched to the picture, and as many of their names beside them as find room.
 * @param names of the points, those first in line for a label first
 */
export function place(points: readonly Point[], names: readonly string[]): Placed {
  const [x, y] = [stretched(points.map((point) => point.x)), stretched(points.map((point) => point.y))];
  const taken: Box[] = [];
  const labels = names.flatMap((name, i) => {
    const text = name.length > LONGEST_LABEL ? `${name.slice(0, LONGEST_LABEL - 1)}…` : name;
    const left = x[i]! + 4;
    const box = { left, right: left + text.length * LETTER.width, top: y[i]! - LETTER.height, bottom: y[i]! + 3 };
    if (box.right > SIZE || taken.some((other) => overlap(box, other))) return [];
    taken.push(grown(box));
    return [{ text, x: round(left), y: round(y[i]!) }];
  });
  return { dots: points.map((_, i) => ({ x: round(x[i]!), y: round(y[i]!) })), labels };
}

/** Numbers stretched to the picture. */
function stretched(values: readonly number[]): number[] {
  const [least, most] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Infinity,
    -Infinity,
  ] as [number, number]);
  const scale = most > least ? (SIZE - 2 * MARGIN) / (most - least) : 0;
  return values.map((value) => MARGIN + scale * (value - least));
}

const round = (value: number) => Number(value.toFixed(1));

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Labels keep a distance, so that the dots between them are seen. */
const grown = ({ left, right, top, bottom }: Box): Box => ({
  left: left - 24,
  right: right + 24,
  top: top - 24,
  bottom: bottom + 24,
});
