import { requestAdapter } from '../../../src/platform/node.ts';

/** Gives libraries made for browsers a `navigator.gpu`: the very adapter that neumf-webgpu would choose. */
export function offerWebGpu(): void {
  const gpu = {
    requestAdapter: async () => (await requestAdapter('auto')).adapter,
    wgslLanguageFeatures: new Set<string>(),
    getPreferredCanvasFormat: () => 'bgra8unorm',
  };
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}
