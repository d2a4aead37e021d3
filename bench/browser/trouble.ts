import { byId, make } from './dom.ts';

/** As of 2026: github.com/gpuweb/gpuweb/wiki/Implementation-Status, and MDN’s compatibility data for GPU. */
const MISSING_WEBGPU = [
  'It is in Chrome and Edge: 113 or later on Windows, macOS and ChromeOS, 121 on Android 12, on Linux 144 with Intel graphics of the 12th generation or newer and 147 with NVIDIA’s driver 535 or newer; in Safari 26; in Firefox 141 on Windows, and on Macs with Apple silicon in 145 (macOS 26) or 147.',
  'With other GPUs on Linux start Chrome with --enable-unsafe-webgpu --ozone-platform=x11 --use-angle=vulkan --enable-features=Vulkan,VulkanFromANGLE; on Windows on ARM enable “Unsafe WebGPU Support” in chrome://flags (#enable-unsafe-webgpu) and restart.',
  'In other Firefoxes set dom.webgpu.enabled to true in about:config; in Safari 18 turn WebGPU on in Settings, Feature Flags.',
  'The page’s address has to begin with https:// or be localhost.',
] as const;

/** What a person can do about an error, by its name. */
const ADVICE: Readonly<Record<string, { readonly what: string; readonly advice: readonly string[] }>> = {
  NoAdapterError: { what: 'No usable WebGPU', advice: MISSING_WEBGPU },
  GpuOutOfMemoryError: {
    what: 'The GPU has too little memory for this',
    advice: ['Close other tabs, or take a smaller preset, a smaller batch or less data.'],
  },
  DeviceLostError: {
    what: 'The GPU went away',
    advice: ['Its driver was restarted or the browser took it back. Start again, or load a checkpoint.'],
  },
  DataError: { what: 'The file cannot be read', advice: [] },
  ConfigError: { what: 'This does not work as it is', advice: [] },
  NonFiniteError: {
    what: 'Training left the numbers',
    advice: ['A smaller learning rate often helps, and so does gradient clipping.'],
  },
  GpuError: { what: 'The GPU refused', advice: [] },
  GpuValidationError: {
    what: 'The browser’s WebGPU refused a command',
    advice: ['That is a mistake of this program or of the browser.'],
  },
  RangeError: {
    what: 'The browser has too little memory for this',
    advice: ['Close other tabs, or take less data or a smaller preset.'],
  },
};

/** Says what went wrong, and what can be done about it. */
export function showTrouble({ name, message }: Error | { readonly name: string; readonly message: string }): void {
  const { what, advice } = ADVICE[name] ?? { what: 'Something went wrong', advice: [] };
  const paragraphs = advice.map((text) => make('li', text));
  const list = paragraphs.length > 0 ? [make('ul', paragraphs)] : [];
  const box = byId('trouble', HTMLElement);
  box.replaceChildren(make('strong', what), make('p', message), ...list);
  box.hidden = false;
}

export function hideTrouble(): void {
  byId('trouble', HTMLElement).hidden = true;
}

/** Runs what a person asked for and shows what comes of it where it fails; the control is out of use meanwhile. */
export async function attempt(control: HTMLButtonElement | null, body: () => Promise<void>): Promise<void> {
  hideTrouble();
  control?.setAttribute('aria-busy', 'true');
  try {
    await body();
  } catch (error) {
    showTrouble(error as Error);
  } finally {
    control?.removeAttribute('aria-busy');
  }
}
