/** What the soak counts, and what it calls growth. */
import { describe, expect, it } from 'vitest';
import { courses } from '../../bench/reliability/soak/growth.ts';
import { LiveObjects } from '../../bench/reliability/soak/live-objects.ts';
import type { Sample } from '../../bench/reliability/soak/sample.ts';
import { Workplace } from '../cli/command.ts';

const MIB = 2 ** 20;
const LEVEL = {
  loss: 0.5,
  rss: 300 * MIB,
  heap: 14 * MIB,
  external: 22 * MIB,
  buffersMade: 90,
  bindGroupsMade: 70,
  liveObjects: 100,
  resources: 0,
};

/** An epoch each tenth of a minute, for an hour. */
function hour(changed: (epoch: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 600 }, (_, epoch) => ({ minutes: epoch / 10, epoch, ...LEVEL, ...changed(epoch) }));
}

const grown = (samples: readonly Sample[]) =>
  courses(samples).flatMap(({ quantity, grown }) => (grown ? [quantity] : []));

describe('an hour', () => {
  it('that is level, rises and falls, shrinks, or has one high sample has not grown', () => {
    expect(grown(hour(() => ({})))).toEqual([]);
    expect(
      grown(hour((epoch) => ({ rss: LEVEL.rss + (epoch % 7) * 10 * MIB, liveObjects: 100 + (epoch % 2) }))),
    ).toEqual([]);
    expect(grown(hour((epoch) => ({ heap: LEVEL.heap - epoch * 10_000 })))).toEqual([]);
    expect(grown(hour((epoch) => (epoch === 599 ? { heap: 90 * MIB, bindGroupsMade: 71 } : {})))).toEqual([]);
  });

  it('may keep every epoch’s record', () => {
    expect(
      grown(hour((epoch) => ({ heap: LEVEL.heap + epoch * 2000, external: LEVEL.external + epoch * 2000 }))),
    ).toEqual([]);
  });

  it('in which each of 1,000 steps an epoch keeps an object of 16 bytes has grown', () => {
    expect(grown(hour((epoch) => ({ heap: LEVEL.heap + epoch * 16_000 })))).toEqual(['heap']);
    expect(grown(hour((epoch) => ({ rss: LEVEL.rss + epoch * 100_000 })))).toEqual(['rss']);
  });

  it('in which one more object is made or stays has grown', () => {
    for (const quantity of ['buffersMade', 'bindGroupsMade', 'liveObjects', 'resources'] as const) {
      expect(grown(hour((epoch) => (epoch > 250 ? { [quantity]: LEVEL[quantity] + 1 } : {})))).toEqual([quantity]);
    }
  });

  it('is told as medians of its thirds, and its slope', () => {
    const [rss] = courses(hour((epoch) => ({ rss: epoch })));
    expect(rss).toMatchObject({ quantity: 'rss', thirds: [99.5, 299.5, 499.5] });
    expect(rss!.perHour).toBeCloseTo(600, 6);
  });
});

it('live objects are those that were made and neither destroyed nor collected', async () => {
  const make = () => ({ destroy() {} });
  const device = { createBuffer: make, createBindGroup: () => ({}), createCommandEncoder: () => ({}) };
  const live = new LiveObjects(device as unknown as GPUDevice);
  const { createBuffer, createBindGroup } = device as { createBuffer: typeof make; createBindGroup: () => object };
  const kept = [createBuffer(), createBuffer(), createBindGroup()];
  (() => {
    for (let i = 0; i < 1000; i++) createBindGroup();
  })();
  expect(await live.count()).toBe(3);
  (kept[0] as ReturnType<typeof make>).destroy();
  (kept[0] as ReturnType<typeof make>).destroy();
  expect(await live.count()).toBe(2);
});

it('node bench/reliability/soak.ts --minutes 0 is refused', async () => {
  await new Workplace().expectRefused('reliability/soak', ['--minutes', '0'], /from 1 to 1440 would be right/);
});
