/** Memory is compared when what nobody needs any more has gone. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage at once, all of it. */
export const collectGarbage: () => void = runInNewContext('gc');
