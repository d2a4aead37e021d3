/** Loaded before a command line by `node --import`: destroys its device as the 60th submit of training steps is made. */
import { globals } from 'webgpu';

const { prototype } = (globals as { GPUDevice: { prototype: GPUDevice } }).GPUDevice;
const { createCommandEncoder } = prototype;
let submits = 0;
prototype.createCommandEncoder = function (descriptor) {
  if (descriptor?.label === 'train' && ++submits === 60) this.destroy();
  return createCommandEncoder.call(this, descriptor);
};
