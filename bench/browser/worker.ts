/** The worker: the engine and all that waits for it, away from the page's thread. */
import type { Call, Failure, Message } from './protocol.ts';
import { Session } from './session.ts';

// The type of a worker's own scope is not among the DOM's; a Worker seen from the page has the same two methods.
const page = self as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>;
const tell = (message: Message) => page.postMessage(message);
const session = new Session(tell);

page.addEventListener('message', async ({ data: { id, method, args } }: MessageEvent<Call>) => {
  try {
    const value = await (session[method] as (...args: readonly unknown[]) => Promise<unknown>).apply(session, [
      ...args,
    ]);
    tell({ id, value });
  } catch (error) {
    tell({ id, error: failure(error) });
  }
});

/** A name and a line: an error itself would lose its class on the way. */
function failure(error: unknown): Failure {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) };
}
