import { NoAdapterError } from '../errors.ts';
import type { Gpu } from './device.ts';

/**
 * Dawn's null backend accepts every command and computes nothing: a tiny kernel must write what it should. Throws
 * NoAdapterError, with the device closed.
 */
export async function proveThatItComputes(gpu: Gpu): Promise<void> {
  const { device } = gpu;
  const module = device.createShaderModule({
    label: 'probe',
    code: '@group(0) @binding(0) var<storage, read_write> out: array<u32>; @compute @workgroup_size(1) fn main() { out[0] = 6007u * 7919u; }',
  });
  const compiled = device.createComputePipelineAsync({ label: 'probe', layout: 'auto', compute: { module } });
  const pipeline = await gpu.wait(compiled);
  const buffer = gpu.createBuffer('probe', 4);
  const entries = [{ binding: 0, resource: { buffer } }];
  const group = device.createBindGroup({ label: 'probe', layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder({ label: 'probe' });
  const pass = encoder.beginComputePass({ label: 'probe' });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  gpu.submit(encoder.finish());
  const [value] = new Uint32Array(await gpu.read({ buffer, offset: 0, size: 4 }));
  buffer.destroy();
  if (value !== 6007 * 7919) {
    gpu.close();
    throw new NoAdapterError(
      `${gpu.adapterName || 'the adapter'} computes nothing (Dawn's null backend?): a test kernel wrote ${value}`,
    );
  }
}
