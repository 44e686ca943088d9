// Whatever a server sends: the VEN does not throw, says what is wrong or goes on, and takes no event in half.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMessage } from "../../src/openadr2/inbound.js";
import { isFault } from "../../src/base/fault.js";
import {
  Bench,
  createReport,
  distribute,
  event,
  message,
  nothing,
  registered,
  reportRequest,
  response,
} from "../unit/openadr2-harness.js";

const seeds = [
  nothing,
  registered("reg-1"),
  distribute(""),
  distribute(
    event({ startAfterSeconds: 30, priority: 1 }) +
      event({ id: "b", signals: [{}, { name: "ENERGY_PRICE", type: "price" }] }),
  ),
  createReport(
    reportRequest({ start: "2026-11-21T12:00:00Z", duration: "PT5M", granularity: "PT1M", back: "PT1M" }),
  ),
  message(
    "oadrCancelReport",
    "<pyld:requestID>x</pyld:requestID><ei:reportRequestID>rr-1</ei:reportRequestID><pyld:reportToFollow>true</pyld:reportToFollow>",
  ),
  message("oadrRequestReregistration", "<ei:venID>ven-1</ei:venID>"),
  message(
    "oadrCancelPartyRegistration",
    "<pyld:requestID>c</pyld:requestID><ei:registrationID>reg-1</ei:registrationID>",
  ),
  message("oadrUpdatedReport", response()),
];
const encoder = new TextEncoder();
const bytesOf = seeds.map((s) => encoder.encode(s));

const edit = fc.record({
  at: fc.nat(100_000),
  how: fc.constantFrom("byte", "drop", "copy", "word", "swap"),
  n: fc.nat(100_000),
  word: fc.constantFrom(
    "-1",
    "99999999999",
    "PT1X",
    "P",
    "",
    "NaN",
    "cancelled",
    "<x/>",
    "&#0;",
    "1e400",
    "\u0000",
    "<!--",
    "]]>",
    "2",
  ),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let out = bytes;
  for (const { at, how, n, word } of edits) {
    const i = at % (out.length + 1);
    const rest = (from: number): Uint8Array => out.subarray(Math.min(from, out.length));
    const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
    if (how === "byte") out = join(out.subarray(0, i), Uint8Array.of(n & 0xff), rest(i + 1));
    else if (how === "drop") out = join(out.subarray(0, i), rest(i + (n % 60)));
    else if (how === "copy")
      out = join(out.subarray(0, i), out.subarray(n % out.length, (n % out.length) + 80), rest(i));
    else if (how === "swap") out = join(rest(i), out.subarray(0, i));
    else {
      // The text of some element becomes another.
      const text = new TextDecoder().decode(out);
      const texts = [...text.matchAll(/>([^<]+)</g)];
      const hit = texts[n % Math.max(1, texts.length)];
      if (hit !== undefined) {
        out = encoder.encode(
          `${text.slice(0, hit.index + 1)}${word}${text.slice(hit.index + 1 + hit[1]!.length)}`,
        );
      }
    }
  }
  return out;
}

/** A million in the full suite (about 70 s), a few thousand otherwise. */
const full = process.env["OPENUCM_FULL"] === "1";
const runs = Number(process.env["OPENUCM_FUZZ_RUNS"] ?? (full ? 1_000_000 : 2000));
const sequences = Math.min(20_000, Math.ceil(runs / 10));

describe("OpenADR 2.0b VEN under mutated messages", () => {
  it("reads them in any pieces alike, and never throws", () => {
    fc.assert(
      fc.property(fc.nat(seeds.length - 1), fc.array(edit, { maxLength: 3 }), (seed, edits) => {
        const bytes = mutate(bytesOf[seed]!, edits);
        const read = readMessage(bytes);
        if (!isFault(read)) expect(read.events.length).toBeLessThanOrEqual(8);
      }),
      { numRuns: runs },
    );
  }, 600_000);

  it("stays in a defined state and applies an event list whole or not at all", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(seeds.length - 1), fc.array(edit, { maxLength: 2 }), fc.boolean()), {
          minLength: 1,
          maxLength: 6,
        }),
        (steps) => {
          const bench = new Bench().register().sgd({});
          for (const [seed, edits, ok] of steps) {
            for (let i = 0; bench.waiting === undefined && i < 5; i++) bench.advance(900_000);
            if (bench.waiting === undefined) break;
            const before = bench.held;
            const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(mutate(bytesOf[seed]!, edits));
            bench.reply(text, ok ? 200 : 500);
            const { state, fault, text: words } = bench.ven.status();
            expect(["stopped", "registering", "connecting", "online", "failing"]).toContain(state);
            if (state === "failing") {
              expect(fault).not.toBe("");
              expect(words.length).toBeGreaterThan(10);
              // A message that was not understood has changed nothing.
              if (fault.startsWith("xml") || fault.startsWith("http")) expect(bench.held).toBe(before);
            }
            for (const held of bench.held) {
              expect(Number.isFinite(held.start)).toBe(true);
              expect(held.intervals.length > 0 || held.cancelled).toBe(true);
              for (const interval of held.intervals) expect(interval.durationMs).toBeGreaterThan(0);
            }
          }
        },
      ),
      { numRuns: sequences },
    );
  }, 600_000);
});
