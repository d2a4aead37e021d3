import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type {
  EpochDone,
  EpochReady,
  Failed,
  Hello,
  Missing,
  RankBounds,
  RankingDone,
  Request,
  StepsDone,
  Task,
} from '../protocol.ts';
import type { Entry } from './contenders.ts';

/** One contender's process. What it cannot do is a reason in words, and the contender is then out. */
export class Contender {
  readonly name: string;
  /** What it runs on; null while or when it does not run. */
  hello: Hello | null = null;
  /** Why it is out, or null. */
  out: string | null = null;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #patience: number;
  #stderr = '';

  /** Starts the process and waits for its hello. @param patience seconds that any reply may take */
  static async start(entry: Entry, patience: number): Promise<Contender> {
    const contender = new Contender(entry, patience);
    const hello = await contender.#reply<Hello | Missing>('to start');
    if (!hello) return contender;
    if ('missing' in hello) contender.#leave(hello.missing);
    else contender.hello = hello;
    return contender;
  }

  private constructor({ name, command, args }: Entry, patience: number) {
    this.name = name;
    this.#patience = patience;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => this.#leave(error.message));
    this.#child.stdin!.on('error', () => {}); // it has ended, which the next reply tells
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  prepareSteps(task: Task, weights: string, batch: string): Promise<object | null> {
    return this.#ask({ do: 'prepareSteps', task, weights, batch });
  }

  steps(count: number): Promise<StepsDone | null> {
    return this.#ask({ do: 'steps', count });
  }

  prepareEpoch(task: Task, weights: string, interactions: string): Promise<EpochReady | null> {
    return this.#ask({ do: 'prepareEpoch', task, weights, interactions });
  }

  epoch(): Promise<EpochDone | null> {
    return this.#ask({ do: 'epoch' });
  }

  prepareRanking(task: Task, weights: string, interactions: string): Promise<object | null> {
    return this.#ask({ do: 'prepareRanking', task, weights, interactions });
  }

  rank(): Promise<RankingDone | null> {
    return this.#ask({ do: 'rank' });
  }

  rankBounds(margin: number): Promise<RankBounds | null> {
    return this.#ask({ do: 'rankBounds', margin });
  }

  /** Marks it as out, for a reason that the runner found. */
  refuse(reason: string): void {
    this.out ??= reason;
  }

  close(): void {
    this.#child.stdin?.end();
    this.#child.kill();
  }

  async #ask<Reply extends object>(request: Request): Promise<Reply | null> {
    if (this.out !== null) return null;
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const reply = await this.#reply<Reply | Failed>(`for ${request.do}`);
    if (reply && 'error' in reply) {
      this.refuse(reply.error);
      return null;
    }
    return reply;
  }

  /** The next line that is an object; null when there is none, which puts the contender out. */
  async #reply<Reply>(purpose: string): Promise<Reply | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, 1000 * this.#patience, 'late');
    });
    try {
      for (;;) {
        const next = await Promise.race([this.#lines.next(), late]);
        if (next === 'late') {
          this.#leave(`took longer than ${this.#patience} s ${purpose}`);
          return null;
        }
        if (next.done) {
          this.#leave(`its process ended ${purpose}: ${this.#stderr.trim().split('\n').at(-1) || 'without a word'}`);
          return null;
        }
        if (next.value.startsWith('{')) return JSON.parse(next.value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #leave(reason: string): void {
    this.refuse(reason);
    this.#child.kill('SIGKILL');
  }
}
