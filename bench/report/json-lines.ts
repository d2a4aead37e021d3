import type { HistoryEvent } from '../../src/train/history.ts';
import { jsonLine } from '../json-line.ts';
import type { Display } from './display.ts';

/** `--json`: every event as one JSON object a line on `stream`, and nothing else. */
export function createJsonLines(stream: NodeJS.WritableStream): Display {
  const print = (event: HistoryEvent) => void stream.write(`${jsonLine(event)}\n`);
  return {
    fitting() {},
    start: print,
    progress() {},
    epoch: print,
    recovered: print,
    note: print,
    end: print,
    close() {},
  };
}
