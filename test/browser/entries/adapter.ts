/** WebGPU as the browser gives it, without the engine: is there an adapter, and does it compute? */
export interface Answer {
  vendor: string;
  architecture: string;
  squares: number[];
}

export async function main(numbers: number[]): Promise<Answer> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('requestAdapter() gave null');
  const device = await adapter.requestDevice();
  const code = `
    @group(0) @binding(0) var<storage, read_write> values: array<f32>;
    @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&values)) { values[id.x] *= values[id.x]; }
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const input = Float32Array.from(numbers);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const values = device.createBuffer({ size: input.byteLength, usage });
  const back = device.createBuffer({
    size: input.byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(values, 0, input);

  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer: values } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(numbers.length / 4));
  pass.end();
  encoder.copyBufferToBuffer(values, 0, back, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);

  await back.mapAsync(GPUMapMode.READ);
  const squares = [...new Float32Array(back.getMappedRange())];
  const { vendor, architecture } = adapter.info;
  return { vendor, architecture, squares };
}
