import { expect, it } from 'vitest';
import { tensor, zeros } from '../../src/autograd/tape.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { Plan } from '../../src/gpu/plan.ts';
import { useGpu } from '../gpu-fixture.ts';

const fixture = useGpu();

const scaleKernel = defineKernel({
  name: 'my_scale',
  code: `
    struct Params { n: u32, factor: f32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    override OFFSET: f32 = 0.0;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < params.n) { y[id.x] = params.factor * x[id.x] + OFFSET; }
    }`,
  params: { n: 'u32', factor: 'f32' },
  bindings: { x: 'read', y: 'write' },
  constants: ['OFFSET'],
});

it('runs a kernel that someone brings along, beside the engine’s own tensors', async () => {
  const { gpu } = fixture;
  const x = tensor(gpu, [1, -2, 3]);
  const y = zeros(gpu, [3]);
  const plan = new Plan(gpu, 'mine');
  plan.dispatch(scaleKernel, { x: x.view, y: y.view }, { n: 3, factor: 0.5 }, 1, { OFFSET: 10 });
  plan.run();
  expect([...(await y.data())]).toEqual([10.5, 9, 11.5]);
});
