/** Bytes that grow. */
export class Bytes {
  #view = new DataView(new ArrayBuffer(1 << 16));
  length = 0;

  #room(count: number): void {
    if (this.length + count <= this.#view.byteLength) return;
    const larger = new Uint8Array(2 * (this.length + count));
    larger.set(this.taken());
    this.#view = new DataView(larger.buffer);
  }
  u8(value: number): this {
    this.#room(1);
    this.#view.setUint8(this.length++, value);
    return this;
  }
  u16(value: number): this {
    this.#room(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
    return this;
  }
  u32(value: number): this {
    this.#room(4);
    this.#view.setUint32(this.length, value === Infinity ? 0xffffffff : value, true);
    this.length += 4;
    return this;
  }
  bytes(value: Uint8Array): this {
    this.#room(value.length);
    new Uint8Array(this.#view.buffer).set(value, this.length);
    this.length += value.length;
    return this;
  }
  taken(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.length);
  }
}
