/** Where random numbers come from: an integer 0 … 2^32 − 1 a call. The world's `RandomPort` is one. */
export interface Uint32Source {
  uint32(): number;
}

/**
 * A uniform integer in 0…max, both included; 0 ≤ max ≤ 2^32 − 1. Numbers from the incomplete last run of
 * the 32-bit range are thrown away, so that no value is likelier than another (no modulo bias).
 */
export function uniformInt(random: Uint32Source, max: number): number {
  const count = max + 1;
  if (!(Number.isInteger(max) && max >= 0 && count <= 0x1_0000_0000)) {
    throw new RangeError(`uniformInt: max ${String(max)} is not in 0…2^32 − 1`);
  }
  const whole = Math.floor(0x1_0000_0000 / count) * count;
  for (;;) {
    const draw = random.uint32();
    if (draw < whole) return draw % count;
  }
}

/** A repeatable generator for tests and simulators (sfc32); never for delays or keys on a device. */
export function seededRandom(seed: number): Uint32Source {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88 | 0;
  let counter = 1;
  function uint32(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let i = 0; i < 16; i++) uint32();
  return { uint32 };
}
