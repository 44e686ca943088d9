import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { emitFrame, parseFrame } from "../../src/wire/frame.js";
import { ReceiverBench, SETTINGS } from "../support/receiver-bench.js";
import { hex } from "../support/wire-pair.js";

const SHED = emitFrame(0x0801, Uint8Array.of(1, 0));

/** Bytes that look like traffic more often than noise does: whole frames, broken ones, answers, garbage. */
const piece = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.constantFrom(Uint8Array.of(6, 0), Uint8Array.of(0x15, 3), Uint8Array.of(6), Uint8Array.of(8, 1, 0, 2)),
  fc
    .record({
      type: fc.constantFrom(0x0801, 0x0802, 0x0803, 0x0804, 0x0907, 0xf000),
      payload: fc.uint8Array({ maxLength: 90 }),
      cut: fc.nat({ max: 100 }),
      flip: fc.option(fc.nat({ max: 100 })),
    })
    .map(({ type, payload, cut, flip }) => {
      const frame = emitFrame(type, payload);
      if (flip !== null && flip < frame.length) frame[flip]! ^= 1 << (flip & 7);
      return cut < frame.length && cut > 0 ? frame.slice(0, cut) : frame;
    }),
);
const stream = fc.array(
  fc.record({ bytes: piece, waitMs: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 700 })) }),
  {
    maxLength: 20,
  },
);

function bytesTold(out: readonly string[]): number {
  let told = 0;
  for (const l of out) {
    const words = l.split(" ");
    if (words[1] === "send") continue;
    if (words[1] === "got") told += 2;
    else if (words[1] === "frame") told += 6 + words.slice(3).filter((w) => /^[0-9A-F]{2}$/.test(w)).length;
    else told += words.length - 2;
  }
  return told;
}

/** True where the last piece is a frame whose last byte or two are missing, and ours begins with them. */
function lackedItsEnd(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  const seen = [bytes, ...[0, 1, 2, 3].map((from) => bytes.slice(from))];
  return seen.some((b) => [1, 2].some((n) => !isFault(parseFrame(Uint8Array.of(...b, ...SHED.slice(0, n))))));
}

describe("the receiver on any stream", () => {
  it("never throws, tells every byte once, answers every frame once or says that it could not", () => {
    fc.assert(
      fc.property(stream, fc.constantFrom(8, 64), (pieces, capacity) => {
        const b = new ReceiverBench({}, { ...SETTINGS, maxPayload: capacity }, capacity);
        let t = 0;
        let fed = 0;
        for (const p of pieces) {
          b.feed((t += p.waitMs), p.bytes);
          fed += p.bytes.length;
        }
        const out = b.end();
        expect(bytesTold(out)).toBe(fed);
        const owed = out.filter((l) => / (frame|bad-checksum|frame-timeout|too-long) /.test(l)).length;
        const settled = out.filter((l) => / (send|answer-dropped)/.test(l)).length;
        expect(settled).toBe(owed);
        expect(b.receiver.nextMs()).toBe(Infinity);
      }),
      { numRuns: 3000, seed: 2045 },
    );
  });

  it("after garbage and 20 ms of silence the next good frame is received and acknowledged", () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 20, max: 600 }), (pieces, silenceMs) => {
        const b = new ReceiverBench();
        let t = 0;
        for (const p of pieces) b.feed((t += p.waitMs), p.bytes);
        t += silenceMs;
        b.feed(t, SHED);
        const at = b.end().filter((l) => l.startsWith(`${t} frame `));
        // A frame that lacked only its end may find it in the first bytes of ours; then it is the good one.
        if (at[0] === `${t} frame 0801 01 00 ack`) expect(b.out).toContain(`${t + 45} send ack`);
        else expect([at.length, lackedItsEnd(pieces.at(-1)?.bytes)]).toEqual([1, true]);
      }),
      { numRuns: 3000, seed: 2045 },
    );
  });

  it("how a driver cuts the bytes of one millisecond changes nothing", () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 5 }), (pieces, size) => {
        const whole = new ReceiverBench();
        const cut = new ReceiverBench();
        let t = 0;
        for (const p of pieces) {
          t += p.waitMs;
          whole.feed(t, p.bytes);
          for (let i = 0; i < p.bytes.length; i += size) cut.feed(t, p.bytes.slice(i, i + size));
        }
        expect(cut.end()).toEqual(whole.end());
      }),
      { numRuns: 1000, seed: 2045 },
    );
  });

  it("with an echo: our own bytes are never taken for the peer's, and the peer's next frame is", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 30 }),
        fc.boolean(),
        fc.nat({ max: 40 }),
        (payload, lose, at) => {
          const b = new ReceiverBench();
          const ours = emitFrame(0x0802, payload);
          b.receiver.expectEcho(ours, 0);
          const echo = lose && at < ours.length ? ours.filter((_, i) => i !== at) : ours;
          b.feed(10, echo);
          b.receiver.echoEnds(10);
          b.feed(60, SHED);
          const out = b.end();
          expect(out.filter((l) => l.includes("frame"))).toEqual(["60 frame 0801 01 00 ack"]);
          if (!lose || at >= ours.length) expect(out, hex(ours)).toHaveLength(2);
        },
      ),
      { numRuns: 1000, seed: 2045 },
    );
  });
});
