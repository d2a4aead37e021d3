/** The same seed and settings in Node, which is on SwiftShader here, and in browsers. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { TrainSettings } from '../../src/train/settings.ts';
import { LESSON_LIKE } from '../train/fixture.ts';
import { type Account, main } from './entries/train.ts';
import { runIn } from './harness.ts';

const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe.each<[string, Partial<TrainSettings>]>([
  ['the lesson’s way of training', { ...LESSON_LIKE, batchSize: 90 }],
  ['the paper’s', { gmfDim: 4, mlpDim: 8, mlpLayers: [8, 4], batchSize: 128, lr: 0.01 }],
])('with %s', (_, settings) => {
  let inNode: Account;
  beforeAll(async () => {
    inNode = await main(settings);
  });

  describe.each(inject('browsers'))('%s', (browser) => {
    let inBrowser: Account;
    beforeAll(async () => {
      inBrowser = await runIn<Account>(browser, new URL('entries/train.ts', import.meta.url), settings);
    });

    it('draws the batches that Node draws', () => {
      expect(inBrowser.batches).toEqual(inNode.batches);
      expect(inBrowser.batches.at(-1)!.users.length).toBeLessThan(inBrowser.batches[0]!.users.length);
      expect(new Set(inBrowser.batches.map(({ users }) => users.join())).size).toBe(6);
    });

    it('has the losses of Node, step by step, to 1e-4', () => {
      const differences = inBrowser.losses.map((loss, step) => loss / inNode.losses[step]! - 1);
      expect(inBrowser.losses).toHaveLength(inNode.losses.length);
      console.log(`${browser} and Node on ${inNode.adapter}: losses differ by at most ${largest(differences)}`);
      expect(largest(differences)).toBeLessThan(1e-4);
      expect(inBrowser.losses.at(-1)).toBeLessThan(inBrowser.losses[0]!);
    });

    it('ends with the weights and the ranking of Node', () => {
      for (const [name, values] of Object.entries(inBrowser.weights)) {
        const expected = inNode.weights[name]!;
        expect(values).toHaveLength(expected.length);
        const difference = largest(values.map((value, i) => value - expected[i]!));
        expect(difference, name).toBeLessThanOrEqual(1e-3 * largest(expected));
      }
      for (const metric of ['hr@10', 'ndcg@10'] as const) {
        expect(Math.abs(inBrowser.metrics[metric]! - inNode.metrics[metric]!), metric).toBeLessThanOrEqual(0.005);
      }
      expect(inBrowser.metrics['hr@10']).toBeGreaterThan(0);
    });
  });
});
