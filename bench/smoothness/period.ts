import type { CDPSession, Page } from 'puppeteer-core';

/** One task of the page's thread, in milliseconds. */
export interface Task {
  /** From its beginning to its end: also while other threads had the processor. */
  readonly wall: number;
  /** What it computed itself. */
  readonly cpu: number;
}

export interface Period {
  readonly seconds: number;
  readonly tasks: readonly Task[];
  readonly framesPerSecond: number;
  /** Bytes that the JavaScript of the page and of the worker holds, its arrays included, garbage collected. */
  readonly pageHeap: number;
  readonly workerHeap: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Watches the page for so long, while somebody does something there. Its heaps are looked at afterwards, as collecting garbage is a task of its own. */
export async function watchPeriod(page: Page, seconds: number, done: () => Promise<void>): Promise<Period> {
  await page.tracing.start({ categories: ['toplevel'] });
  const [framesPerSecond] = await Promise.all([page.evaluate(countFrames, seconds * 1000), done()]);
  const trace = JSON.parse(new TextDecoder().decode(await page.tracing.stop())) as { traceEvents: TraceEvent[] };
  const engine = page.workers().find((worker) => worker.url().endsWith('/worker.js'))!;
  const client = await page.createCDPSession();
  const heaps = { pageHeap: await liveHeap(client), workerHeap: await liveHeap(engine.client) };
  await client.detach();
  return { seconds, tasks: tasksOfPages(trace.traceEvents), framesPerSecond, ...heaps };
}

/** Runs in the page. */
function countFrames(milliseconds: number): Promise<number> {
  return new Promise((resolve) => {
    const start = performance.now();
    let frames = 0;
    const count = () => {
      const passed = performance.now() - start;
      if (passed >= milliseconds) resolve((1000 * frames) / passed);
      else requestAnimationFrame(count);
      frames++;
    };
    requestAnimationFrame(count);
  });
}

/** The tasks of all pages' threads; all but one of the pages are empty. */
function tasksOfPages(events: readonly TraceEvent[]): Task[] {
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const named = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const pages = new Set(named.map(thread));
  return events
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && pages.has(thread(event)))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

async function liveHeap(client: CDPSession): Promise<number> {
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = await client.send('Runtime.getHeapUsage');
  return usedSize + backingStorageSize;
}
