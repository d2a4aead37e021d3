import { expect, it } from 'vitest';
import { below, pcg4d, STREAM } from '../src/random.ts';
import { Draws } from './numbers.ts';
import * as reference from './reference/random.ts';

it('pcg4d gives the words of the reference', () => {
  const draws = new Draws(1);
  const counters = Array.from({ length: 500 }, () => [...draws.ids(4, 2 ** 32)] as [number, number, number, number]);
  counters.push([0, 0, 0, 0], [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [42, STREAM.shuffle, 0, 0]);
  for (const counter of counters) {
    expect([...pcg4d(new Uint32Array(4), ...counter)]).toEqual(reference.pcg4d(...counter));
  }
});

it('a word is mapped below a bound exactly', () => {
  const draws = new Draws(2);
  for (let i = 0; i < 2000; i++) {
    const [word, bound] = draws.ids(2, 2 ** 32) as unknown as [number, number];
    expect(below(word, bound)).toBe(reference.below(word, bound));
  }
  expect(below(0xffffffff, 0xffffffff)).toBe(0xfffffffe);
  expect(below(0xffffffff, 1)).toBe(0);
});

it('streams do not overlap, with up to 65,536 rounds, draws or layers in each', () => {
  const starts = Object.values(STREAM);
  expect(starts.every((start, i) => starts.every((other, j) => i === j || Math.abs(start - other) >= 65536))).toBe(
    true,
  );
});
