import { createInterface } from 'node:readline';
import type { EpochDone, EpochReady, Hello, RankingDone, Request, StepsDone, Task } from '../protocol.ts';

/** A contender in Node. */
export interface Contender {
  readonly hello: Hello;
  /** Gives what does so many training steps on one batch. */
  prepareSteps(task: Task, weights: string, batch: string): Promise<(count: number) => Promise<StepsDone>>;
  /** Gives what trains one epoch. */
  prepareEpoch(task: Task, weights: string, interactions: string): Promise<() => Promise<EpochDone>>;
  /** Gives what ranks all held-out items; absent where that is not measured. */
  prepareRanking?(task: Task, weights: string, interactions: string): Promise<() => Promise<RankingDone>>;
}

/** Says hello, then answers requests until stdin ends. */
export async function serve(open: () => Promise<Contender>): Promise<void> {
  console.log = console.error; // stdout is for replies; libraries greet there
  console.info = console.error;
  let contender: Contender;
  try {
    contender = await open();
  } catch (error) {
    return say({ missing: oneLine(error) });
  }
  say(contender.hello);
  let steps: ((count: number) => Promise<StepsDone>) | undefined;
  let epoch: (() => Promise<EpochDone>) | undefined;
  let ranking: (() => Promise<RankingDone>) | undefined;

  async function answer(request: Request): Promise<object> {
    switch (request.do) {
      case 'prepareSteps':
        steps = await contender.prepareSteps(request.task, request.weights, request.batch);
        return {};
      case 'steps':
        if (!steps) throw new Error('steps before prepareSteps');
        return steps(request.count);
      case 'prepareEpoch':
        epoch = await contender.prepareEpoch(request.task, request.weights, request.interactions);
        return { drawnOnceMilliseconds: 0 } satisfies EpochReady;
      case 'epoch':
        if (!epoch) throw new Error('epoch before prepareEpoch');
        return epoch();
      case 'prepareRanking':
        ranking = await contender.prepareRanking?.(request.task, request.weights, request.interactions);
        return {};
      case 'rank':
        if (!ranking) throw new Error('rank before prepareRanking, or without it');
        return ranking();
      case 'rankBounds':
        throw new Error('rankBounds is not asked of contenders in Node');
    }
  }

  for await (const line of createInterface({ input: process.stdin })) {
    say(await answer(JSON.parse(line)).catch((error) => ({ error: oneLine(error) })));
  }
  process.exit(0); // a device may keep the process alive
}

function say(reply: object): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ').slice(0, 300);
}
