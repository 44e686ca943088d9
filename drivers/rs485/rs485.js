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
    native("xs_rs485").call(this, port, transmit, receive, driveEnable, driveInverted, echo, bitsPerSecond);
  }
  close() {
    native("xs_rs485_close").call(this);
  }
  get nowMs() {
    return native("xs_rs485_now").call(this);
  }
  get lost() {
    const count = native("xs_rs485_counter");
    return { events: count(0), frames: count(1), overruns: count(2), lineErrors: count(3) };
  }
  sendFrame(bytes) {
    if (!native("xs_rs485_write").call(this, bytes)) throw new RangeError("a frame too long for the line");
  }
  configure({ bitsPerSecond, maxPayload, bitRates = 1, types }) {
    native("xs_rs485_configure").call(this, bitsPerSecond, maxPayload, bitRates, ...types);
  }
  /** The oldest event that has not been taken, as a FrameLineEvent; undefined: there is none. */
  poll() {
    const e = this.event;
    if (!native("xs_rs485_read").call(this, e)) return undefined;
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
