// The DC form on the chip: the port of src/link/spi.ts. `poll` gives its events, and is called every few milliseconds.
/* global Native, native */

class SpiPeripheral extends Native("xs_spi_peripheral_destructor") {
  constructor(options) {
    super();
    const { host, clock, in: input, out, select, attention, reset = -1, mode = 0 } = options;
    this.event = { kind: 0, on: false, atMs: 0, bytes: undefined };
    native("xs_spi_peripheral").call(this, host, clock, input, out, select, attention, reset, mode);
  }
  close() {
    native("xs_spi_peripheral_close").call(this);
  }
  get nowMs() {
    return native("xs_spi_peripheral_now").call(this);
  }
  attention(asserted) {
    native("xs_spi_peripheral_attention").call(this, asserted);
  }
  load(bytes) {
    if (!native("xs_spi_peripheral_load").call(this, bytes))
      throw new RangeError("too long, or a transfer is under way");
  }
  /** The oldest event that has not been taken, as a SpiEvent; undefined: there is none. */
  poll() {
    const e = this.event;
    if (!native("xs_spi_peripheral_read").call(this, e)) return undefined;
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
