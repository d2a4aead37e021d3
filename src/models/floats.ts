/** Floats of other widths than 32 bits, as weights of other programs come in. */

/**
 * IEEE 754 binary16, exactly: (−1)^s · 2^(e − 15) · (1 + f / 1024), and for e = 0 (−1)^s · 2^−14 · f / 1024; e = 31 is
 * infinity, or no number where f is not 0.
 */
export function fromF16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (word) => {
    const sign = word & 0x8000 ? -1 : 1;
    const exponent = (word >> 10) & 31;
    const fraction = (word & 1023) / 1024;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction) : sign * 2 ** -14 * fraction;
  });
}

/** bfloat16, exactly: the upper half of a binary32. */
export function fromBf16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(bits, (word) => word << 16).buffer);
}
