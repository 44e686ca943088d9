// The DC form on the chip: the port of src/link/spi.ts. `poll` gives its events, and is called every few milliseconds.
/* global Native, native */

class SpiPeripheral extends Native("xs_spi_peripheral_destructor") {
  constructor(options) {
    super();
    const { host, clock, in: input, out, select, attention, reset = -1, mode = 0 } = options;
    this.event = { kind: 0, on: false, atMs: 0, bytes: undefined };
    this.nativeOpen(host, clock, input, out, select, attention, reset, mode);
  }
  // The native half. In this form, arguments and all, the SDK's compiler makes each of them the C function itself.
  // prettier-ignore
  nativeOpen(host, clock, input, out, select, attention, reset, mode) { return native("xs_spi_peripheral").call(this, host, clock, input, out, select, attention, reset, mode); }
  // prettier-ignore
  nativeNow() { return native("xs_spi_peripheral_now").call(this); }
  // prettier-ignore
  nativeLoad(bytes) { return native("xs_spi_peripheral_load").call(this, bytes); }
  // prettier-ignore
  nativeRead(event) { return native("xs_spi_peripheral_read").call(this, event); }
  // prettier-ignore
  attention(asserted) { return native("xs_spi_peripheral_attention").call(this, asserted); }
  // prettier-ignore
  close() { return native("xs_spi_peripheral_close").call(this); }

  get nowMs() {
    return this.nativeNow();
  }
  load(bytes) {
    if (!this.nativeLoad(bytes)) throw new RangeError("too long, or a transfer is under way");
  }
  /** The oldest event that has not been taken, as a SpiEvent; undefined: there is none. */
  poll() {
    const e = this.event;
    if (!this.nativeRead(e)) return undefined;
    const { kind, on, atMs } = e;
    switch (kind) {
      case 1:
        return { ev: "select", on, atMs };
      case 2:
        return { ev: "in", bytes: new Uint8Array(e.bytes), atMs };
      case 3:
        return { ev: "out", atMs };
      default:
        return { ev: "reset", on, atMs };
    }
  }
}

export default SpiPeripheral;
