/** Destroys a page's devices at random moments. */
import { loseDevices } from '../../../bench/reliability/device-loss/trials.ts';

export async function main({ count, seed }: { readonly count: number; readonly seed: number }) {
  const { losses, recoveries, wrong } = await loseDevices(count, seed);
  return { losses, recoveries, wrong };
}
