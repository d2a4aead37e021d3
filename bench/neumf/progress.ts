import cliProgress from 'cli-progress';
import { MISSING } from '../report/format.ts';

/** A bar on stderr while something takes long; nothing where stderr is no terminal. */
export class Progress {
  readonly #bar: cliProgress.SingleBar | null;

  /** @param what is being done, e.g. "users" @param total how many there are in all */
  constructor(what: string, total: number) {
    const bar = process.stderr.isTTY
      ? new cliProgress.SingleBar(
          {
            stream: process.stderr,
            format: `${what} {bar} {value} of {total}  {eta_formatted} left`,
            barsize: 20,
            clearOnComplete: true,
            formatTime: (seconds) => (Number.isFinite(seconds) ? `${seconds} s` : MISSING),
          },
          cliProgress.Presets.shades_classic,
        )
      : null;
    bar?.start(total, 0);
    this.#bar = bar;
  }

  update(done: number): void {
    this.#bar?.update(done);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#bar?.stop();
  }
}
