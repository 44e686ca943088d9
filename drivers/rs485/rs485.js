// The frame line of src/ports/line.ts on the chip: its interrupt handler acknowledges by itself (frame-line.h).
// `sendFrame` and `configure` are the port; `poll` gives what has happened since, and is called every few milliseconds.
/* global Native, native */

const faults = [
  "resync",
  "bad-checksum",
  "frame-timeout",
  "too-long",
  "bad-answer",
  "collision",
  "echo-missing",
  "answer-dropped",
  "discarded",
];

class Rs485 extends Native("xs_rs485_destructor") {
  constructor(options) {
    super();
    const { port, transmit, receive, bitsPerSecond = 19200 } = options;
    const { driveEnable = -1, driveInverted = false, echo = false } = options;
    this.event = { kind: 0, fault: 0, code: 0, type: 0, atMs: 0, bytes: undefined };
    this.nativeOpen(port, transmit, receive, driveEnable, driveInverted, echo, bitsPerSecond);
  }
  // The native half. In this form, arguments and all, the SDK's compiler makes each of them the C function itself.
  // prettier-ignore
  nativeOpen(port, transmit, receive, driveEnable, driveInverted, echo, rate) { return native("xs_rs485").call(this, port, transmit, receive, driveEnable, driveInverted, echo, rate); }
  // prettier-ignore
  nativeNow() { return native("xs_rs485_now").call(this); }
  // prettier-ignore
  nativeCounter(index) { return native("xs_rs485_counter").call(this, index); }
  // prettier-ignore
  nativeWrite(bytes) { return native("xs_rs485_write").call(this, bytes); }
  // prettier-ignore
  nativeConfigure(bitsPerSecond, maxPayload, bitRates, ...types) { return native("xs_rs485_configure").call(this, bitsPerSecond, maxPayload, bitRates, ...types); }
  // prettier-ignore
  nativeRead(event) { return native("xs_rs485_read").call(this, event); }
  // prettier-ignore
  close() { return native("xs_rs485_close").call(this); }

  get nowMs() {
    return this.nativeNow();
  }
  get lost() {
    return {
      events: this.nativeCounter(0),
      frames: this.nativeCounter(1),
      overruns: this.nativeCounter(2),
      lineErrors: this.nativeCounter(3),
    };
  }
  sendFrame(bytes) {
    if (!this.nativeWrite(bytes)) throw new RangeError("a frame too long for the line");
  }
  configure({ bitsPerSecond, maxPayload, bitRates = 1, types }) {
    this.nativeConfigure(bitsPerSecond, maxPayload, bitRates, ...types);
  }
  /** The oldest event that has not been taken, as a FrameLineEvent; undefined: there is none. */
  poll() {
    const e = this.event;
    if (!this.nativeRead(e)) return undefined;
    const { kind, code, atMs } = e;
    switch (kind) {
      case 1:
        return { ev: "frame", type: e.type, payload: new Uint8Array(e.bytes), endMs: atMs, answer: code };
      case 2:
        return { ev: "answer", code, atMs };
      case 3:
        return { ev: "sent", atMs };
      case 4:
        return { ev: "unsent", why: e.fault === 0 ? "received" : "busy", atMs };
      case 5:
        return { ev: "answered", code, atMs };
      case 6:
        return { ev: "noise", fault: faults[e.fault], bytes: new Uint8Array(e.bytes), atMs };
      default:
        return { ev: "carrier", on: code === 1, atMs };
    }
  }
}

export default Rs485;
