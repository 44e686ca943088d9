/** Small integers, little endian, appended to and taken from records. */
export class ByteWriter {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  put(value: number, width: 1 | 2 | 4): this {
    for (let i = 0; i < width; i++) this.bytes[this.at++] = (value >>> (8 * i)) & 0xff;
    return this;
  }

  putBytes(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  done(): Uint8Array {
    return this.bytes;
  }
}

/** An unsigned integer at a place; 0 beyond the end. */
export function take(bytes: Uint8Array, at: number, width: 1 | 2 | 4): number {
  let value = 0;
  for (let i = 0; i < width; i++) value += (bytes[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}

/** UTC as records keep it: whole seconds since 1970, 0 for unknown. Good until 2106. */
export function packUtc(utcMs: number | undefined): number {
  return utcMs === undefined ? 0 : Math.max(0, Math.floor(utcMs / 1000));
}

export function unpackUtc(seconds: number): number | undefined {
  return seconds === 0 ? undefined : seconds * 1000;
}
