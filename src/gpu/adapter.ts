import type { AdapterKind } from '../platform/types.ts';

/** Software adapters by the names their drivers give; `isFallbackAdapter` is not set by all of them. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i;

/** Its description, or what there is of it. */
export function adapterName(info: GPUAdapterInfo): string {
  return (
    info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(' ') || 'unnamed adapter'
  );
}

export function adapterKind(info: GPUAdapterInfo): AdapterKind {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || SOFTWARE.test(names) ? 'software' : 'hardware';
}
