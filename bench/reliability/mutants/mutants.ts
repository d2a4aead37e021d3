import { ConfigError } from '../../../src/errors.ts';
import type { BackwardKernel } from './kernels.ts';

/** A shader with one mistake in it. */
export interface Mutant {
  readonly shader: string;
  /** Such as "−dx" or "without the last: i >= params.n". */
  readonly mistake: string;
  readonly text: string;
}

/**
 * All mutants of a kernel.
 * @param text of its shader. Throws ConfigError when that no longer has what is to be changed.
 */
export function mutantsOf({ shader, gradients, lastRows }: BackwardKernel, text: string): Mutant[] {
  const negated = gradients.map((name) => {
    const changed = negate(name, text);
    if (changed === text)
      throw new ConfigError(`${shader}.wgsl assigns nothing to ${name}: what it assigns would be right`);
    return { shader, mistake: `−${name}`, text: changed };
  });
  const shortened = lastRows.map(([there, without]) => {
    const parts = text.split(there);
    if (parts.length !== 2) {
      throw new ConfigError(`${shader}.wgsl has "${there}" ${parts.length - 1} times: once would be right`);
    }
    return { shader, mistake: `without the last of ${there}`, text: parts.join(without) };
  });
  return [...negated, ...shortened];
}

/** Every assignment to name, or to an element of it, with the other sign; a variable's first value is left as it is. */
function negate(name: string, text: string): string {
  const assignment = new RegExp(`(?<!var |[.\\w])(${name}(?:\\[[^;=]*\\])?) (\\+?)= ([^;]+);`, 'g');
  return text
    .split('\n')
    .map((line) => (line.startsWith('//') ? line : line.replace(assignment, '$1 $2= -($3);')))
    .join('\n');
}
