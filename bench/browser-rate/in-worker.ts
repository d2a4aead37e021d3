/** Measures in a worker, where the page's engine runs too; the same module is the page's and the worker's. */
import { measure, type Rate, type Wanted } from './measure.ts';

type Answer = { readonly rate: Rate } | { readonly error: string };

/** Called by the page. */
export function main(wanted: Wanted): Promise<Rate> {
  const worker = new Worker(import.meta.url, { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<Answer>) =>
      'rate' in data ? resolve(data.rate) : reject(new Error(data.error));
    worker.postMessage(wanted);
  });
}

if (typeof document === 'undefined') {
  const page = self as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>;
  page.addEventListener('message', ({ data }: MessageEvent<Wanted>) => {
    measure(data).then(
      (rate) => page.postMessage({ rate } satisfies Answer),
      (error) => page.postMessage({ error: String(error) } satisfies Answer),
    );
  });
}
