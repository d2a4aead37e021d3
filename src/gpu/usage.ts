/**
 * What buffers are for. GPUBufferUsage is a global only after a platform’s requestAdapter; its values are fixed by the
 * specification.
 */
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const UNIFORM = 0x40;
export const STORAGE = 0x80 | COPY_SRC | COPY_DST;
