import { describe, expect, it, vi } from 'vitest';
import { relu } from '../../src/autograd/ops/relu.ts';
import { tensor, zeros } from '../../src/autograd/tape.ts';
import {
  ConfigError,
  DeviceLostError,
  GpuError,
  GpuOutOfMemoryError,
  GpuValidationError,
  NoAdapterError,
} from '../../src/errors.ts';
import { Gpu } from '../../src/gpu/device.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { Plan } from '../../src/gpu/plan.ts';

describe('an opened Gpu', () => {
  it('says which adapter runs, and that this one is software', async () => {
    using gpu = await Gpu.open();
    expect(gpu.adapterName).toMatch(/swiftshader|llvmpipe/i);
    expect(gpu.adapterKind).toBe('software');
  });

  it('says how much a binding holds and how much memory there is, and takes less of both where it is told to', async () => {
    using gpu = await Gpu.open();
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits;
    expect(gpu.bindingLimit).toBe(Math.min(maxBufferSize, maxStorageBufferBindingSize));
    expect(gpu.memory).toBeGreaterThan(2 ** 20);
    using frugal = await Gpu.open({ bindingLimit: 4096, memory: 10_000 });
    using again = await frugal.reopen();
    using borrowed = await Gpu.borrow(gpu.device, { bindingLimit: 4096, memory: 10_000 });
    for (const one of [frugal, again, borrowed]) expect([one.bindingLimit, one.memory]).toEqual([4096, 10_000]);
    expect((await Gpu.borrow(gpu.device, { bindingLimit: 2 ** 50 })).bindingLimit).toBe(gpu.bindingLimit);
  });

  it('reads back what was written, whole and in part, and nothing of nothing', async () => {
    using gpu = await Gpu.open();
    const buffer = gpu.createBuffer('numbers', 12);
    gpu.write(buffer, 0, Float32Array.of(1, 2, 3));
    expect([...new Float32Array(await gpu.read({ buffer }))]).toEqual([1, 2, 3]);
    expect([...new Float32Array(await gpu.read({ buffer, offset: 4 }))]).toEqual([2, 3]);
    expect([...new Float32Array(await gpu.read({ buffer, offset: 4, size: 4 }))]).toEqual([2]);
    expect(await zeros(gpu, [0, 8]).data()).toHaveLength(0);
  });

  it('reads several things at once, and with as few staging buffers as that needs', async () => {
    using gpu = await Gpu.open();
    const tensors = [1, 2, 3].map((value) => tensor(gpu, [value]));
    const read = async () => (await Promise.all(tensors.map((t) => t.data()))).map(([value]) => value);
    expect(await read()).toEqual([1, 2, 3]);
    const { buffers } = gpu.counters;
    for (let i = 0; i < 5; i++) expect(await read()).toEqual([1, 2, 3]);
    expect(gpu.counters.buffers).toBe(buffers);
  });

  it('refuses to work once it is closed', async () => {
    const gpu = await Gpu.open();
    const x = tensor(gpu, [1]);
    gpu.close();
    gpu.close();
    await expect(x.data()).rejects.toThrow(new GpuError('this Gpu was closed'));
  });

  it('refuses hardware where there is none, and says what to do', async () => {
    const opening = Gpu.open({ adapter: 'hardware' });
    await expect(opening).rejects.toThrow(NoAdapterError);
    await expect(opening).rejects.toThrow(/hardware.*(driver|mesa)/);
  });
});

const RELU = defineKernel({ name: 'relu', params: { n: 'u32' }, bindings: { x: 'read', out: 'write' } });

/** relu with a constant that its shader does not have. */
function broken(gpu: Gpu): Plan {
  const kernel = defineKernel({ ...RELU, constants: ['TILE'] });
  const plan = new Plan(gpu, 'broken');
  const [x, out] = [gpu.createBuffer('x', 4), gpu.createBuffer('out', 4)];
  plan.dispatch(kernel, { x: { buffer: x }, out: { buffer: out } }, { n: 1 }, 1, { TILE: 8 });
  return plan;
}

describe('what goes wrong on the device arrives as a typed error', () => {
  it('a lost device, at the next read and at every one after it', async () => {
    const gpu = await Gpu.open();
    const x = tensor(gpu, [1, 2]);
    await x.data();
    gpu.device.destroy();
    for (let i = 0; i < 2; i++) await expect(relu(x).data()).rejects.toThrow(DeviceLostError);
    await expect(gpu.idle()).rejects.toThrow(DeviceLostError);
    await expect(gpu.idle()).rejects.toThrow(/^the GPU device was lost \(destroyed\): .+/);
  });

  it('a device lost while a read is on its way', async () => {
    const gpu = await Gpu.open();
    const reading = tensor(gpu, [1, 2]).data();
    gpu.device.destroy();
    await expect(reading).rejects.toThrow(DeviceLostError);
  });

  it('a device lost while something is awaited that then never comes', async () => {
    const gpu = await Gpu.open();
    const waiting = gpu.wait(new Promise(() => {}));
    gpu.device.destroy();
    await expect(waiting).rejects.toThrow(DeviceLostError);
  });

  it('a device lost while kernels are compiled, as that and not as a kernel that does not compile', async () => {
    const gpu = await Gpu.open();
    const plan = new Plan(gpu, 'compiled');
    const [x, out] = [gpu.createBuffer('x', 4), gpu.createBuffer('out', 4)];
    plan.dispatch(RELU, { x: { buffer: x }, out: { buffer: out } }, { n: 1 }, 1);
    const compiling = plan.compile();
    gpu.device.destroy();
    await expect(compiling).rejects.toThrow(DeviceLostError);
  });

  it('a device lost after it has refused a command, as the loss that may be behind the refusal', async () => {
    const gpu = await Gpu.open();
    const reading = gpu.read({ buffer: gpu.createBuffer('small', 8), offset: 0, size: 64 });
    const refusal = await reading.catch((error) => error);
    expect(refusal).toBeInstanceOf(GpuValidationError);
    gpu.device.destroy();
    expect(await gpu.causeOf(refusal)).toBeInstanceOf(DeviceLostError);
  });

  it('a command that WebGPU refuses, at the submit or the read that follows', async () => {
    using gpu = await Gpu.open();
    const buffer = gpu.createBuffer('small', 8);
    const other = gpu.createBuffer('large', 64);
    const copy = async () => {
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(other, 0, buffer, 0, 64);
      gpu.submit(encoder.finish());
      await gpu.read({ buffer });
    };
    const copying = copy();
    await expect(copying).rejects.toThrow(GpuValidationError);
    await expect(copying).rejects.toThrow(/^WebGPU refused a command: [^\n]*small[^\n]*$/);
    expect(() => gpu.check()).toThrow(GpuValidationError); // and from then on
  });

  it('a read past the end of a buffer, at that read', async () => {
    using gpu = await Gpu.open();
    const buffer = gpu.createBuffer('small', 8);
    await expect(gpu.read({ buffer, offset: 0, size: 64 })).rejects.toThrow(GpuValidationError);
  });

  it('a buffer larger than the adapter allows, before it is asked for, with both sizes', async () => {
    using gpu = await Gpu.open();
    const make = () => zeros(gpu, [2 ** 20, 2 ** 20], { label: 'user_emb' });
    expect(make).toThrow(GpuOutOfMemoryError);
    expect(make).toThrow(/^user_emb needs 4\.0 TiB, and .+ allows \d\.\d GiB in one buffer$/);
    expect([...(await tensor(gpu, [7]).data())]).toEqual([7]);
  });

  it('a binding larger than the adapter allows, by its buffer', async () => {
    using gpu = await Gpu.open();
    const [x, out] = [gpu.createBuffer('pairs', 4), gpu.createBuffer('out', 4)];
    const views = { x: { buffer: x, size: gpu.bindingLimit + 4 }, out: { buffer: out } };
    const dispatch = () => new Plan(gpu, 'large').dispatch(RELU, views, { n: 1 }, 1);
    expect(dispatch).toThrow(ConfigError);
    expect(dispatch).toThrow(
      /^pairs needs \S+ MiB \(\d+ bytes\), and .+ allows .+ in one binding$|^pairs needs 1\.0 GiB/,
    );
  });

  // Other software adapters give out memory that there is not.
  it.runIf(process.env.NEUMF_ADAPTER === 'swiftshader')('a device that has no more memory', async () => {
    using gpu = await Gpu.open();
    const allocating = gpu.allocate(() => {
      const buffer = gpu.createBuffer('too much', 2 ** 30); // within the limits, but not within what it can allocate
      gpu.write(buffer, 0, Float32Array.of(1)); // what comes of that is not the news
    });
    await expect(allocating).rejects.toThrow(GpuOutOfMemoryError);
    expect(() => gpu.check()).toThrow(/^the GPU is out of memory: [^\n]+$/);
  });

  it('a kernel that cannot be compiled, by its name', async () => {
    using gpu = await Gpu.open();
    const plan = broken(gpu);
    await expect(plan.compile()).rejects.toThrow(GpuValidationError);
    await expect(plan.compile()).rejects.toThrow(/kernel relu\(TILE=8\) does not compile: .*TILE/);
  });

  it('a kernel that cannot be compiled, also when nobody asked for that before it ran', async () => {
    using gpu = await Gpu.open();
    const run = async () => {
      broken(gpu).run();
      await gpu.idle();
    };
    const running = run();
    await expect(running).rejects.toThrow(GpuValidationError);
    await expect(running).rejects.toThrow(/TILE.*relu/);
  });

  it('a kernel without a shader, by the file that is missing', async () => {
    using gpu = await Gpu.open();
    const kernel = defineKernel({ name: 'no_such', params: {}, bindings: {} });
    const plan = new Plan(gpu, 'missing');
    plan.dispatch(kernel, {}, {}, 1);
    await expect(plan.compile()).rejects.toThrow('no shader "no_such": shaders/no_such.wgsl cannot be read');
  });
});

describe('a Gpu in place of another', () => {
  it('is opened on the same adapter, and only there', async () => {
    using gpu = await Gpu.open();
    gpu.device.destroy();
    using next = await gpu.reopen();
    expect([...(await relu(tensor(next, [-1, 2])).data())]).toEqual([0, 2]);
    expect(next.adapterName).toBe(gpu.adapterName);

    const other = Object.assign(await Gpu.open(), { adapterName: 'another adapter' });
    vi.spyOn(Gpu, 'open').mockResolvedValueOnce(other);
    const opening = next.reopen();
    await expect(opening).rejects.toThrow(NoAdapterError);
    await expect(opening).rejects.toThrow(/^.+ is gone; there is only another adapter$/);
    expect(() => other.check()).toThrow('this Gpu was closed');
  });

  it('is not opened for a device that was borrowed', async () => {
    using owner = await Gpu.open();
    const gpu = await Gpu.borrow(owner.device);
    expect([owner.borrowed, gpu.borrowed]).toEqual([false, true]);
    await expect(gpu.reopen()).rejects.toThrow(new GpuError('this Gpu was borrowed: its owner opens the next one'));
  });
});

describe('a borrowed device', () => {
  it('does its work and is not destroyed with the Gpu', async () => {
    using owner = await Gpu.open();
    const gpu = await Gpu.borrow(owner.device);
    expect([...(await relu(tensor(gpu, [-1, 2])).data())]).toEqual([0, 2]);
    gpu.close();
    expect([...(await relu(tensor(owner, [-3, 4])).data())]).toEqual([0, 4]);
  });

  it('that computes nothing is refused', async () => {
    const { create } = await import('webgpu');
    const webgpu = create(['backend=null']);
    const adapter = await webgpu.requestAdapter();
    const device = await adapter!.requestDevice();
    await expect(Gpu.borrow(device)).rejects.toThrow(NoAdapterError);
    await expect(Gpu.borrow(device)).rejects.toThrow(/computes nothing/);
    device.destroy();
  });
});
