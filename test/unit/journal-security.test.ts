import { describe, expect, it } from "vitest";
import { JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { Recorder } from "../../src/journal/recorder.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import { FlashSim } from "../support/flash-sim.js";
import { HOUR, MINUTE, T0 } from "../support/grid.js";

const at = (ms: number) => ({ ms, utcMs: T0 + ms });
const flash = () => new FlashSim(JOURNAL_SECTORS + 6);
const codes = (recorder: Recorder) =>
  [...recorder.journal.security.entries()].map(({ code, text }) => `${code} ${text}`);
const seen = (recorder: Recorder, link: SgdStatus["link"], ms: number) =>
  recorder.onSgd({ link, meteredAtMs: 0 } as SgdStatus, at(ms));

describe("what the security log is told, and how often", () => {
  it("a changed log is told at the next start, once", () => {
    const sim = flash();
    const recorder = new Recorder(sim);
    recorder.started("power", "first", at(0));
    recorder.setUp("dismiss utility", at(1000));
    recorder.stopped(at(2000));
    // Somebody takes the entry out.
    const place = Buffer.from(sim.bytes).indexOf("dismiss utility");
    sim.bytes[place]! &= 0x60;
    for (const start of [1, 2]) {
      const again = new Recorder(sim);
      again.started("power", "", at(start * HOUR));
      expect(codes(again).filter((line) => line.startsWith("tampering"))).toEqual([
        "tampering the security log was changed",
      ]);
    }
  });

  it("a whole log says nothing of tampering", () => {
    const sim = flash();
    for (let start = 0; start < 5; start++) new Recorder(sim).started("power", "", at(start * HOUR));
    expect(codes(new Recorder(sim))).toEqual(Array.from({ length: 5 }, () => "power-cycle power"));
  });

  it("a module that hangs loosely in its socket is told once an hour", () => {
    const recorder = new Recorder(flash());
    for (let minute = 0; minute < 130; minute++) {
      seen(recorder, "online", minute * MINUTE);
      seen(recorder, "absent", minute * MINUTE + 30_000);
    }
    expect(codes(recorder)).toEqual(
      Array.from({ length: 3 }, () => "removed-from-socket the appliance is silent"),
    );
  });

  it("a certificate that is refused and accepted in turn is told once an hour; another reason at once", () => {
    const recorder = new Recorder(flash());
    for (let minute = 0; minute < 61; minute++) {
      recorder.onUpstream("utility", "failing", "tls-untrusted", "", at(minute * MINUTE));
      recorder.onUpstream("utility", "online", "", "", at(minute * MINUTE + 1000));
    }
    recorder.onUpstream("utility", "failing", "tls-expired", "", at(61 * MINUTE));
    expect(codes(recorder)).toEqual([
      "certificate-refused utility: tls-untrusted",
      "certificate-refused utility: tls-untrusted",
      "certificate-refused utility: tls-expired",
    ]);
  });
});
