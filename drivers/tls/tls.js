// TLS client connections of the chip: the port of src/ports/stream.ts over Mbed TLS. `poll` gives events, and is called
// every few milliseconds. Keys go in and never come out.
/* global Native, native */

/** What may wait to be sent, beside the 4 KB that C holds. */
const MOST_WAITING_BYTES = 65536;

class Tls extends Native("xs_tls_destructor") {
  constructor(options) {
    super();
    /** The time of the firmware's trusted clock, or undefined: then dates of certificates are not judged. */
    this.utcMs = options.utcMs;
    this.timeoutMs = options.timeoutMs ?? 0;
    this.event = { kind: 0, id: 0, bytes: undefined, fault: "", reason: "", text: "" };
    this.waiting = [];
    this.told = [];
    this.ending = [];
    /** Ids that have a connection and were neither closed nor told to have ended. */
    this.live = [];
    /** What is opened as soon as a connection that ends has ended. */
    this.later = [];
    this.nativeStart();
  }
  // The native half. In this form, arguments and all, the SDK's compiler makes each of them the C function itself.
  // prettier-ignore
  nativeStart() { return native("xs_tls").call(this); }
  // prettier-ignore
  nativeCredentials(name, roots, certificate, key, profile) { return native("xs_tls_credentials").call(this, name, roots, certificate, key, profile); }
  // prettier-ignore
  nativeOpen(id, host, port, credentials, utcMs, timeoutMs) { return native("xs_tls_open").call(this, id, host, port, credentials, utcMs, timeoutMs); }
  // prettier-ignore
  nativeWrite(id, bytes, from) { return native("xs_tls_write").call(this, id, bytes, from); }
  // prettier-ignore
  nativeEnd(id, waits) { return native("xs_tls_end").call(this, id, waits); }
  // prettier-ignore
  nativeRead(event) { return native("xs_tls_read").call(this, event); }
  // prettier-ignore
  nativeBusy() { return native("xs_tls_busy").call(this); }
  // prettier-ignore
  nativeClose() { return native("xs_tls_close").call(this); }

  setCredentials(name, set) {
    const { ca, cert, key, profile } = set ?? {};
    const reason = this.nativeCredentials(name, ca, cert, key, profile === "openadr-2.0b" ? 1 : 0);
    return reason === "fine" ? undefined : reason;
  }
  get busy() {
    return this.nativeBusy();
  }
  open(request) {
    const { id, secure } = request;
    this.forget(id);
    this.close(id);
    this.openLater();
    this.later.push(request);
    if (!secure) {
      this.later.pop();
      this.fail(id, "protocol not-secure");
    } else if (this.later.length === 1) this.openLater();
    // One that ends for each that waits, or it is one too many.
    else if (this.busy - this.live.length < this.later.length) {
      this.later.pop();
      this.fail(id, "busy busy");
    }
  }
  /** Opens what waits, in order, while there is room; what has nothing to wait for is told that it failed. */
  openLater() {
    while (this.later.length > 0) {
      const { id, host, port, credentials } = this.later[0];
      // Before it is tried: the worker may free one meanwhile, and never takes one.
      const isEnding = this.busy > this.live.length;
      const failed = this.nativeOpen(id, host, port, credentials, this.utcMs() ?? NaN, this.timeoutMs);
      if (failed === "busy busy" && isEnding) return;
      this.later.shift();
      if (failed === undefined) this.live.push(id);
      else this.fail(id, failed);
    }
  }
  fail(id, failed) {
    const at = failed.indexOf(" ");
    this.told.push({ id, ev: "failed", reason: failed.slice(0, at), text: failed.slice(at + 1) });
  }
  write(id, bytes) {
    if (this.waiting.some((each) => each.id === id)) this.keep(id, bytes, 0);
    else {
      const taken = this.nativeWrite(id, bytes, 0);
      if (taken < bytes.length) this.keep(id, bytes, taken);
    }
  }
  close(id) {
    this.told = this.told.filter((event) => event.id !== id);
    this.later = this.later.filter((each) => each.id !== id);
    this.live = this.live.filter((each) => each !== id);
    // What waits goes out first, for a while; its events are kept from the caller meanwhile.
    const isWaiting = this.waiting.some((each) => each.id === id);
    if (isWaiting) this.ending.push(id);
    this.nativeEnd(id, isWaiting ? 1 : 0);
  }
  /** Ends everything and wipes what is secret. */
  end() {
    this.waiting.length = this.told.length = this.ending.length = this.live.length = this.later.length = 0;
    this.nativeClose();
  }
  keep(id, bytes, from) {
    let sum = bytes.length;
    for (const each of this.waiting) if (each.id === id) sum += each.bytes.length - each.from;
    if (sum <= MOST_WAITING_BYTES) {
      this.waiting.push({ id, bytes: bytes.slice(from), from: 0 });
      return;
    }
    this.forget(id);
    this.close(id);
    this.told.push({ id, ev: "failed", reason: "closed", text: "too-much-waiting" });
  }
  forget(id) {
    this.waiting = this.waiting.filter((each) => each.id !== id);
    this.ending = this.ending.filter((each) => each !== id);
  }
  /** Sends on what waits, in order. */
  push() {
    const stuck = [];
    this.waiting = this.waiting.filter((each) => {
      if (stuck.includes(each.id)) return true;
      each.from += this.nativeWrite(each.id, each.bytes, each.from);
      if (each.from >= each.bytes.length) return false;
      stuck.push(each.id);
      return true;
    });
    this.ending = this.ending.filter((id) => {
      if (stuck.includes(id)) return true;
      this.nativeEnd(id, 0);
      return false;
    });
  }
  /** The oldest event that has not been taken, as a StreamEvent; undefined: there is none. */
  poll() {
    if (this.waiting.length > 0) this.push();
    this.openLater();
    if (this.told.length > 0) return this.told.shift();
    for (;;) {
      if (!this.nativeRead(this.event)) return undefined;
      const event = this.read(this.event);
      const isEnding = this.ending.includes(event.id);
      // Nothing more of it can be sent.
      if (event.ev === "closed" || event.ev === "failed") {
        this.forget(event.id);
        this.live = this.live.filter((each) => each !== event.id);
      }
      if (!isEnding) return event;
    }
  }
  read(e) {
    const { kind, id } = e;
    switch (kind) {
      case 1:
        return { id, ev: "open", text: e.text };
      case 2: {
        const bytes = new Uint8Array(e.bytes);
        e.bytes = undefined;
        return { id, ev: "data", bytes };
      }
      case 3:
        return { id, ev: "closed" };
      default:
        return {
          id,
          ev: "failed",
          reason: e.fault,
          text: e.text === "" ? e.reason : `${e.reason} ${e.text}`,
        };
    }
  }
}

export default Tls;
