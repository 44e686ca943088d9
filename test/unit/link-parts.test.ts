import { describe, expect, it } from "vitest";
import { ByteFrameLine } from "../../src/link/byte-frame-line.js";
import { countNoise, newCounters } from "../../src/link/counters.js";
import { Link } from "../../src/link/link.js";
import { Limits } from "../../src/link/limits.js";
import type { FrameTrace, LinkEvent } from "../../src/link/messages.js";
import {
  airMs,
  BIT_RATES,
  DEFAULT_TIMING,
  linkTiming,
  PAYLOAD_LIMITS,
  payloadCode,
} from "../../src/link/timing.js";
import type { FrameLineEvent, FrameLineSettings } from "../../src/ports/line.js";
import { frameHex, hex, obedient, Party, Puppet, unhex, WirePair } from "../support/wire-pair.js";
import { SETTINGS } from "../support/receiver-bench.js";

const BASIC = 0x0801;

describe("timing", () => {
  it("what we send keeps the rules, what we accept is wider", () => {
    const t = DEFAULT_TIMING;
    expect(t.ackDelayMs).toBeGreaterThan(t.ackMinMs);
    expect(t.ackDelayMs).toBeLessThanOrEqual(60);
    expect(t.ackWaitMs).toBeGreaterThan(t.ackMaxMs);
    expect(t.replyDelayMs).toBeGreaterThan(100);
    expect(t.replyWaitMs).toBeGreaterThan(t.replyMaxMs);
    expect(t.gapMs).toBeGreaterThan(100);
    for (const d of t.replyDelays) expect(d.delayMs).toBeLessThan(t.replyMaxMs);
  });

  it("a profile changes what it names and nothing else", () => {
    expect(linkTiming({ tries: 1 })).toEqual({ ...DEFAULT_TIMING, tries: 1 });
    expect(linkTiming()).toEqual(DEFAULT_TIMING);
  });

  it("512 bytes are the most at 19,200 bit/s; 4,096 need 115,200", () => {
    const most = BIT_RATES.map((rate) => PAYLOAD_LIMITS[payloadCode(9999, rate, 500)]);
    expect(most.slice(0, 4)).toEqual([512, 1500, 2048, 4096]);
    expect(payloadCode(100, 19_200, 500)).toBe(5);
    expect(payloadCode(0, 19_200, 500)).toBe(0);
    expect(airMs(960, 19_200)).toBe(500);
  });
});

describe("counters", () => {
  it("each fault of the receiver has its place; bytes are counted whatever it is called", () => {
    const c = newCounters();
    const names = [
      ["resync", "resyncs"],
      ["bad-checksum", "checksumErrors"],
      ["frame-timeout", "frameTimeouts"],
      ["too-long", "tooLong"],
      ["bad-answer", "badAnswers"],
      ["collision", "collisions"],
      ["echo-missing", "echoesMissing"],
      ["answer-dropped", "answersDropped"],
    ] as const;
    for (const [fault, counter] of names) {
      countNoise(c, fault, 3);
      expect(c[counter], fault).toBe(1);
    }
    countNoise(c, "discarded", 3);
    expect(c).toMatchObject({ bytesReceived: 27, bytesDiscarded: 27 });
    expect(JSON.parse(JSON.stringify(c))).toEqual(c);
  });
});

describe("limits", () => {
  function limitsOf(timing = {}) {
    const events: LinkEvent[] = [];
    const settings: FrameLineSettings[] = [];
    const limits = new Limits({
      line: { sendFrame: () => undefined, configure: (s) => settings.push(s) },
      timing: linkTiming(timing),
      counters: newCounters(),
      emit: (e) => events.push(e),
      types: [BASIC],
      maxPayload: 512,
      bitRates: 0b1001,
    });
    return { limits, events, settings };
  }

  it("data-link is always among the supported types", () => {
    const { limits, settings } = limitsOf();
    expect(settings.at(-1)!.types).toEqual([0x0801, 0x0803]);
    limits.support([0x0803, 0x0802]);
    expect(settings.at(-1)!.types).toEqual([0x0803, 0x0802]);
  });

  it("strict about the time before the negotiation, where a laboratory asks for it", () => {
    expect(limitsOf().settings.at(-1)!.maxPayload).toBe(512);
    const strict = limitsOf({ acceptUnnegotiated: false, unnegotiatedReplyBytes: 2 });
    expect(strict.settings.at(-1)!.maxPayload).toBe(2);
    expect(strict.limits.replyPayload).toBe(2);
    strict.limits.asked(5);
    strict.limits.asked(6);
    expect(strict.settings.at(-1)!.maxPayload).toBe(512);
    expect(strict.events).toHaveLength(1);
  });

  it("the peer's limit: unknown codes change nothing, and the rate has the last word", () => {
    const { limits, events } = limitsOf();
    expect(limits.sendPayload).toBe(2);
    expect(limits.replyPayload).toBe(64);
    limits.peerTold(14, 1);
    expect(limits.sendPayload).toBe(2);
    limits.peerTold(13, 2);
    limits.peerTold(13, 3);
    expect(limits.sendPayload).toBe(512);
    expect(limits.replyPayload).toBe(512);
    limits.switchRate(3, 4);
    expect(limits.sendPayload).toBe(4096);
    limits.switchRate(3, 5);
    limits.fallBack(6);
    limits.fallBack(7);
    expect(limits.sendPayload).toBe(512);
    limits.defaults(8);
    limits.defaults(9);
    expect(events.map((e) => e.ev === "limits" && [e.atMs, e.sendPayload])).toEqual([
      [2, 512],
      [4, 4096],
      [6, 512],
      [8, 2],
    ]);
    expect([-1, 0, 1, 3, 9].map((code) => limits.canRun(code))).toEqual([false, true, false, true, false]);
  });
});

describe("byte line to frame line", () => {
  function lineOf() {
    const events: string[] = [];
    const written: string[] = [];
    const rates: number[] = [];
    const line = new ByteFrameLine({
      line: {
        write: (b) => written.push(hex(b)),
        setBitRate: (r) => {
          rates.push(r);
          return r !== 38_400;
        },
      },
      timing: linkTiming(),
      settings: SETTINGS,
      emit: (e: FrameLineEvent) => events.push("why" in e ? `${e.ev} ${e.why}` : e.ev),
    });
    return { line, events, written, rates };
  }
  const SHED = unhex("08 01 00 02 01 00 0C 3D");

  it("an answer that comes due while our frame leaves follows it directly", () => {
    const { line, events, written } = lineOf();
    line.sendFrame(new Uint8Array(100));
    line.poll(0);
    line.onLine({ ev: "rx", bytes: SHED, atMs: 5 }, 5);
    line.poll(50);
    expect(written).toHaveLength(1);
    line.onLine({ ev: "sent", atMs: 53 }, 53);
    expect(written[1]).toBe("06 00");
    line.onLine({ ev: "sent", atMs: 55 }, 55);
    expect(events).toEqual(["frame", "sent", "answered"]);
  });

  it("a world that never says `sent` is not waited for longer than a second", () => {
    const { line, events } = lineOf();
    line.sendFrame(SHED);
    line.poll(0);
    expect(line.nextMs()).toBe(1005);
    line.poll(1005);
    expect(events).toEqual(["sent"]);
    line.onLine({ ev: "sent", atMs: 1100 }, 1100);
    expect(events).toEqual(["sent"]);
  });

  it("without a carrier nothing leaves, and what was asked is given back", () => {
    const { line, events, written } = lineOf();
    line.onLine({ ev: "rx", bytes: SHED, atMs: 0 }, 0);
    line.onLine({ ev: "carrier", on: false, atMs: 1 }, 1);
    line.sendFrame(SHED);
    line.poll(100);
    expect(written).toEqual([]);
    expect(events).toEqual(["frame", "carrier", "unsent busy"]);
    line.onLine({ ev: "rx", bytes: SHED, atMs: 200 }, 200);
    line.poll(300);
    expect(written).toEqual([]);
  });

  it("a carrier that is told again is no news: what is leaving goes on", () => {
    const { line, events } = lineOf();
    line.sendFrame(SHED);
    line.poll(0);
    line.onLine({ ev: "carrier", on: true, atMs: 1 }, 1);
    line.onLine({ ev: "sent", atMs: 5 }, 5);
    expect(events).toEqual(["sent"]);
  });

  it("our frame keeps 110 ms from a NAK of ours that went out while it was held", () => {
    const { line, events, written } = lineOf();
    line.onLine({ ev: "rx", bytes: unhex("08 01 00 02 01 00 0C 3E"), atMs: 0 }, 0);
    line.sendFrame(SHED);
    line.poll(1);
    line.poll(45);
    line.onLine({ ev: "sent", atMs: 46 }, 46);
    expect(line.nextMs()).toBe(156);
    line.poll(155);
    expect(written).toEqual(["15 03"]);
    line.poll(156);
    expect(written).toEqual(["15 03", hex(SHED)]);
    expect(events).toEqual(["noise", "answered"]);
  });

  it("a held frame is given back after exactly a second without a free line", () => {
    const { line, events } = lineOf();
    line.onLine({ ev: "rx", bytes: unhex("08 01"), atMs: 0 }, 0);
    line.sendFrame(SHED);
    line.poll(0);
    for (let t = 10; t < 1000; t += 10) line.onLine({ ev: "rx", bytes: unhex("FF"), atMs: t }, t);
    line.poll(999);
    expect(events).not.toContain("unsent busy");
    line.poll(1000);
    expect(events).toContain("unsent busy");
  });

  it("the rate is set when it changes, and a line without one keeps its own", () => {
    const { line, rates } = lineOf();
    line.configure(SETTINGS);
    line.configure({ ...SETTINGS, bitsPerSecond: 115_200 });
    line.configure({ ...SETTINGS, bitsPerSecond: 115_200 });
    line.configure({ ...SETTINGS, bitsPerSecond: 38_400 });
    line.configure({ ...SETTINGS, bitsPerSecond: 115_200 });
    expect(rates).toEqual([115_200, 38_400]);
  });
});

describe("link on a frame line of another kind", () => {
  function linkOf() {
    const events: LinkEvent[] = [];
    const sent: string[] = [];
    const link = new Link({
      line: { sendFrame: (b) => sent.push(hex(b)), configure: () => undefined },
      random: { uint32: () => 0 },
      emit: (e) => events.push(e),
    });
    return { link, events, sent };
  }

  it("a line that neither sends nor refuses is given up", () => {
    const { link, events, sent } = linkOf();
    link.command({ cmd: "request", id: 1, type: BASIC, payload: Uint8Array.of(1, 0) }, 0);
    for (let t = 0; t < 60_000; t = Math.max(t + 1, Math.min(link.nextMs(), 60_000))) link.poll(t);
    expect(events).toMatchObject([{ ev: "result", id: 1, outcome: "no-ack", tries: 3 }]);
    expect(sent).toHaveLength(3);
    expect(link.counters.sendTimeouts).toBe(3);
  });

  it("`unsent` and `sent` for something no longer wanted are taken calmly", () => {
    const { link, events } = linkOf();
    link.onLine({ ev: "unsent", why: "busy", atMs: 0 }, 0);
    link.onLine({ ev: "unsent", why: "received", atMs: 0 }, 0);
    link.onLine({ ev: "sent", atMs: 1 }, 1);
    link.onLine({ ev: "answer", code: 3, atMs: 2 }, 2);
    link.onLine({ ev: "carrier", on: true, atMs: 3 }, 3);
    expect(events).toEqual([]);
    expect(link.counters.strayAnswers).toBe(1);
  });

  it("keeps quiet until its line's answer has left, and 110 ms from there, or from noise", () => {
    const { link, sent } = linkOf();
    const state = {
      ev: "frame",
      type: BASIC,
      payload: Uint8Array.of(0x13, 1),
      endMs: 0,
      answer: -1,
    } as const;
    link.onLine(state, 0);
    link.command({ cmd: "request", id: 1, type: BASIC, payload: Uint8Array.of(0x12, 0) }, 0);
    link.poll(150);
    expect(sent).toEqual([]);
    expect(link.nextMs()).toBe(310);
    link.onLine({ ev: "answered", code: -1, atMs: 190 }, 190);
    expect(link.nextMs()).toBe(300);
    link.onLine({ ev: "noise", fault: "resync", bytes: Uint8Array.of(1), atMs: 250 }, 250);
    expect(link.nextMs()).toBe(360);
    link.poll(359);
    expect(sent).toEqual([]);
    link.poll(360);
    expect(sent).toHaveLength(1);
  });

  it("a response after a reset answers nothing that is remembered, and is sent all the same", () => {
    const { link, sent } = linkOf();
    link.onLine({ ev: "frame", type: BASIC, payload: Uint8Array.of(1, 0), endMs: 0, answer: -1 }, 0);
    link.onLine({ ev: "answered", code: -1, atMs: 46 }, 46);
    link.command({ cmd: "reset" }, 50);
    link.command({ cmd: "respond", id: 1, type: BASIC, payload: Uint8Array.of(3, 1) }, 50);
    link.poll(200);
    expect(sent).toEqual(["08 01 00 02 03 01 04 42"]);
  });

  it("commands never emit, not even a reset of what was negotiated", () => {
    const { link, events } = linkOf();
    link.onLine({ ev: "frame", type: 0x0803, payload: Uint8Array.of(0x19, 8), endMs: 0, answer: -1 }, 0);
    const before = events.length;
    link.command({ cmd: "request", id: 1, type: BASIC, payload: Uint8Array.of(1, 0) }, 10);
    link.command({ cmd: "reset" }, 20);
    link.command({ cmd: "bit-rate", id: 2, code: 3 }, 20);
    expect(events).toHaveLength(before);
    expect(link.nextMs()).toBe(20);
    link.poll(20);
    expect(events.slice(before)).toMatchObject([
      { ev: "result", id: 1, outcome: "cancelled" },
      { ev: "limits", sendPayload: 2 },
      { ev: "result", id: 2, outcome: "cancelled" },
    ]);
  });

  it("what is supported is the session's to say", () => {
    const pair = new WirePair();
    const asking = new Party(pair, 0);
    const asked = new Party(pair, 1);
    asked.command({ cmd: "support", types: [0x0907] });
    const ids = [asking.request(0x0907, ""), asking.request(BASIC, ""), asking.request(0x0803, "")];
    pair.run(2000);
    expect(ids.map((id) => asking.result(id)?.outcome)).toEqual(["ok", "nak", "ok"]);
  });

  it("codes that the table lacks are counted too", () => {
    const { link } = linkOf();
    link.onLine({ ev: "answer", code: 9, atMs: 2 }, 2);
    link.onLine({ ev: "answered", code: 9, atMs: 3 }, 3);
    expect(link.counters.naksReceived[9]).toBe(1);
    expect(link.counters.naksSent[9]).toBe(1);
  });
});

describe("the trace", () => {
  it("has every frame and answer of both directions, and what was none", () => {
    const pair = new WirePair();
    const trace: FrameTrace[] = [];
    const ucm = new Party(pair, 0, { trace: (t) => trace.push(t) });
    obedient(new Party(pair, 1));
    pair.inject(0, unhex("AA BB"));
    pair.run(100);
    ucm.request(BASIC, "01 00");
    pair.run(2000);
    expect(trace.map((t) => `${t.dir} ${hex(t.bytes)} ${t.fault}`.trim())).toEqual([
      "rx AA BB resync",
      "tx 08 01 00 02 01 00 0C 3D",
      "rx 06 00",
      "rx 08 01 00 02 03 01 04 42",
      "tx 06 00",
    ]);
    const times = trace.map((t) => t.atMs);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });
});

describe("our process stalls", () => {
  it("up to 150 ms the ACK still leaves in time; beyond 200 ms it is not sent, and the repetition is answered once", () => {
    const pair = new WirePair();
    const party = new Party(pair, 0);
    obedient(party);
    const peer = new Puppet(pair, 1);
    // A party that is not polled for a while.
    let stalledUntilMs = 0;
    pair.ends[0] = {
      onByteLine: (e, nowMs) => party.onByteLine(e, nowMs),
      poll: (nowMs) => party.poll(nowMs),
      nextMs: () => Math.max(party.nextMs(), stalledUntilMs),
    };
    const shed = frameHex(BASIC, "01 00");
    peer.on = (text, atMs) => text.length > 5 && peer.say(atMs + 45, "06 00");
    peer.say(0, shed);
    pair.run(10);
    stalledUntilMs = 150;
    pair.run(1500);
    expect(peer.heard[0]).toMatchObject({ hex: "06 00" });
    expect(peer.heard[0]!.atMs).toBeLessThan(200);

    const before = peer.heard.length;
    peer.say(5000, shed);
    pair.run(5010);
    stalledUntilMs = 5300;
    pair.run(5400);
    expect(peer.heard.length).toBe(before);
    expect(party.counters.answersDropped).toBe(1);
    peer.say(5600, shed);
    pair.run(9000);
    expect(party.messages()).toEqual(["0801 01 00", "0801 01 00"]);
    expect(party.counters.duplicateFrames).toBe(1);
  });
});
