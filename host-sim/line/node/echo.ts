/** So long after its last bit has left an echo may still come, ms: the latency of USB adapters (16 ms), and our own. */
const SLACK_MS = 60;

/**
 * Takes out of what an adapter hears the bytes that it has sent itself, as two-wire adapters do whose receiver stays
 * on. Exactly these bytes are expected, in this order; where others come, somebody else spoke too (a collision), and
 * from there on everything is passed on as it was heard.
 */
export class EchoFilter {
  #expected: { readonly bytes: Uint8Array; readonly untilMs: number; at: number }[] = [];

  /** These bytes leave, the last of them at `freeMs`. */
  sending(bytes: Uint8Array, freeMs: number): void {
    if (bytes.length > 0) this.#expected.push({ bytes: bytes.slice(), untilMs: freeMs + SLACK_MS, at: 0 });
  }

  /** What of `heard` is not our own. */
  received(heard: Uint8Array, nowMs: number): Uint8Array {
    this.#expected = this.#expected.filter((one) => one.untilMs >= nowMs);
    for (let i = 0; i < heard.length; i++) {
      const first = this.#expected[0];
      if (first === undefined) return heard.slice(i);
      if (first.bytes[first.at] !== heard[i]) {
        this.#expected = [];
        return heard.slice(i);
      }
      if (++first.at === first.bytes.length) this.#expected.shift();
    }
    return new Uint8Array(0);
  }
}
