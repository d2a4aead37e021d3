import type { Waited } from './types.ts';

/** How long a pause between two looks is at most, and how much of the time waited so far. */
const LONGEST_MS = 16;
const SHARE = 0.1;

/** A time during which somebody always waits for a device. */
interface Spell {
  waiting: number;
}
const spells = new WeakMap<GPUDevice, Spell>();

/**
 * Waits for a device and has the browser look after it. Firefox looks ten times a second whether work is done, and
 * whenever something is submitted: an empty submit, which computes nothing, makes it look. Chromium does without.
 */
export async function waitFor<T>(promise: Promise<T>, { device }: Waited): Promise<T> {
  let spell = spells.get(device);
  if (spell?.waiting) spell.waiting++;
  else {
    spell = { waiting: 1 };
    spells.set(device, spell);
    void nudge(device.queue, spell);
  }
  try {
    return await promise;
  } finally {
    spell.waiting--;
  }
}

async function nudge(queue: GPUQueue, spell: Spell): Promise<void> {
  const since = performance.now();
  while (spell.waiting > 0) {
    queue.submit([]);
    const milliseconds = Math.min(LONGEST_MS, SHARE * (performance.now() - since));
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}
