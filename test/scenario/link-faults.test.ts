import { describe, expect, it } from "vitest";
import type { LinkStackOptions } from "../../src/link/stack.js";
import {
  frameHex,
  obedient,
  Party,
  Puppet,
  unhex,
  WirePair,
  type WirePairOptions,
} from "../support/wire-pair.js";

const BASIC = 0x0801;
const SHED = "08 01 00 02 01 00 0C 3D";
const ACK_SHED = "08 01 00 02 03 01 04 42";
const STATE_1 = frameHex(BASIC, "13 01");
const STATE_2 = frameHex(BASIC, "13 02");

/** Our link against a puppet that follows a script. */
function puppetry(options: WirePairOptions = {}, stack: Partial<LinkStackOptions> = {}) {
  const pair = new WirePair(options);
  const ucm = new Party(pair, 0, stack);
  const peer = new Puppet(pair, 1);
  return { pair, ucm, peer };
}

function twoLinks(options: WirePairOptions = {}, stack: Partial<LinkStackOptions> = {}) {
  const pair = new WirePair(options);
  const ucm = new Party(pair, 0, stack);
  const sgd = new Party(pair, 1, stack);
  obedient(sgd);
  return { pair, ucm, sgd };
}

describe("retries", () => {
  it("three tries without an ACK, with 100–2000 ms of random pause, then no-ack", () => {
    const pauses: number[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      const { pair, ucm, peer } = puppetry({ seed });
      const id = ucm.request(BASIC, "01 00");
      pair.run(10_000);
      expect(ucm.result(id)).toMatchObject({ outcome: "no-ack", tries: 3 });
      expect(peer.heard.map((h) => h.hex)).toEqual([SHED, SHED, SHED]);
      for (const i of [1, 2]) pauses.push(peer.heard[i]!.atMs - peer.heard[i - 1]!.atMs - 250 - 5);
      expect(ucm.counters).toMatchObject({ retries: 2, ackTimeouts: 3, requestsFailed: 1 });
    }
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(99);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2001);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(1000);
  });

  it("other pauses by setting: a fixed 500 ms, as one source has it, and a single try, as another", () => {
    const fixed = puppetry({}, { timing: { backoffMinMs: 500, backoffMaxMs: 500 } });
    fixed.ucm.request(BASIC, "01 00");
    fixed.pair.run(5000);
    expect(fixed.peer.heard[1]!.atMs - fixed.peer.heard[0]!.atMs).toBe(250 + 500 + 5);
    const once = puppetry({}, { timing: { tries: 1 } });
    once.ucm.request(BASIC, "01 00");
    once.pair.run(5000);
    expect(once.peer.heard).toHaveLength(1);
  });

  it.each([
    ["15 03", 3, "nak"],
    ["15 05", 3, "nak"],
    ["15 07", 1, "nak"],
    ["15 06", 1, "nak"],
    ["15 02", 1, "nak"],
    ["15 00", 1, "nak"],
  ])("%s: %i tries", (nak, tries, outcome) => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => text === SHED && peer.say(atMs + 45, nak);
    const id = ucm.request(BASIC, "01 00");
    pair.run(10_000);
    const code = Number.parseInt(nak.slice(3), 16);
    expect(ucm.result(id)).toMatchObject({ outcome, nak: code, tries });
    expect(ucm.counters.naksReceived[code]).toBe(tries);
  });

  it("a NAK 03 and then an ACK is a success", () => {
    const { pair, ucm, peer } = puppetry();
    let n = 0;
    peer.on = (text, atMs) => {
      if (text !== SHED) return;
      if (n++ === 0) return peer.say(atMs + 45, "15 03");
      peer.say(atMs + 45, "06 00");
      peer.say(atMs + 160, ACK_SHED);
    };
    const id = ucm.request(BASIC, "01 00");
    pair.run(10_000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 2 });
  });
});

describe("what a peer may do with its ACK", () => {
  it.each([
    [10, "ok", { earlyAcks: 1, lateAcks: 0 }],
    [45, "ok", { earlyAcks: 0, lateAcks: 0 }],
    [230, "ok", { earlyAcks: 0, lateAcks: 1 }],
  ])("an ACK after %i ms: %s", (delay, outcome, counters) => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => {
      if (text !== SHED) return;
      peer.say(atMs + delay, "06 00");
      peer.say(atMs + delay + 120, ACK_SHED);
    };
    const id = ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.result(id)).toMatchObject({ outcome, tries: 1 });
    expect(ucm.counters).toMatchObject(counters);
  });

  it("an ACK after 300 ms is too late, and counted as stray", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => text === SHED && peer.say(atMs + 300, "06 00");
    ucm.request(BASIC, "01 00");
    pair.run(1000);
    expect(ucm.counters).toMatchObject({ strayAnswers: 1, ackTimeouts: 1 });
  });

  it("an ACK told before our own `sent`: taken; one from before our last bit: not", () => {
    const { pair, ucm, peer } = puppetry({ sentDelayMs: 30, halfDuplex: false });
    peer.on = (text, atMs) => {
      if (text !== SHED) return;
      peer.say(atMs + 10, "06 00");
      peer.say(atMs + 150, ACK_SHED);
    };
    const id = ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1 });

    const stray = puppetry({ halfDuplex: false });
    stray.ucm.request(BASIC, "01 00");
    stray.peer.say(1, "06 00");
    stray.pair.run(3);
    stray.pair.run(100);
    expect(stray.ucm.counters.strayAnswers).toBe(1);
  });

  it("ACK and reply in one burst", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => text === SHED && peer.say(atMs + 45, `06 00 ${ACK_SHED}`);
    const id = ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1 });
  });

  it("the reply before the ACK", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => text === SHED && peer.say(atMs + 45, `${ACK_SHED} 06 00`);
    const id = ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1 });
    expect(ucm.counters).toMatchObject({ repliesBeforeAck: 1, strayAnswers: 1 });
  });

  it("the ACK lost, the reply arriving during our pause: no second try goes out", () => {
    const { pair, ucm, peer } = puppetry({}, { timing: { backoffMinMs: 900, backoffMaxMs: 900 } });
    peer.on = (text, atMs) => text === SHED && peer.say(atMs + 400, ACK_SHED);
    const id = ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1 });
    expect(peer.heard.map((h) => h.hex)).toEqual([SHED, "06 00"]);
  });

  it("an ACK and no reply: no-reply after 3.2 s, and a late one is delivered and counted", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => {
      if (text !== SHED) return;
      peer.say(atMs + 45, "06 00");
      peer.say(atMs + 45 + 4000, ACK_SHED);
    };
    const id = ucm.request(BASIC, "01 00");
    pair.run(6000);
    expect(ucm.result(id)).toMatchObject({ outcome: "no-reply", tries: 1 });
    expect(ucm.result(id)!.atMs).toBeGreaterThanOrEqual(3245);
    expect(ucm.result(id)!.atMs).toBeLessThanOrEqual(3260);
    expect(ucm.counters).toMatchObject({ replyTimeouts: 1, lateReplies: 1 });
    expect(ucm.messages()).toEqual(["0801 03 01"]);
  });
});

describe("repetitions", () => {
  it("a reply twice is acknowledged twice and taken once", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => {
      if (text !== SHED) return;
      peer.say(atMs + 45, "06 00");
      peer.say(atMs + 200, ACK_SHED);
      peer.say(atMs + 400, ACK_SHED);
    };
    ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.results()).toHaveLength(1);
    expect(ucm.messages()).toEqual([]);
    expect(ucm.counters.duplicateReplies).toBe(1);
    expect(peer.heard.filter((h) => h.hex === "06 00")).toHaveLength(2);
  });

  it("a state twice in a row is delivered once; a different one is news; later it is news again", () => {
    const { pair, ucm, peer } = puppetry();
    peer.say(0, STATE_1);
    peer.say(300, STATE_1);
    peer.say(600, STATE_2);
    peer.say(5000, STATE_2);
    pair.run(6000);
    expect(ucm.messages()).toEqual(["0801 13 01", "0801 13 02", "0801 13 02"]);
    expect(ucm.counters.duplicateFrames).toBe(1);
  });

  it("a command whose ACK was lost comes again: delivered once, answered once", () => {
    const { pair, sgd, ucm } = twoLinks({ seed: 3 });
    pair.faults = { lostAnswer: 1 };
    ucm.request(BASIC, "01 00");
    pair.run(60);
    pair.faults = {};
    pair.run(20_000);
    expect(sgd.messages()).toEqual(["0801 01 00"]);
    expect(sgd.counters.duplicateFrames + ucm.counters.repliesBeforeAck).toBeGreaterThan(0);
    expect(ucm.results().at(-1)).toMatchObject({ outcome: "ok" });
  });

  it("when our response was never acknowledged, the repeated command gets it again", () => {
    const { pair, ucm: sgd, peer } = puppetry({}, { timing: { tries: 1 } });
    obedient(sgd);
    peer.say(0, SHED);
    peer.say(1500, SHED);
    let replies = 0;
    peer.on = (text, atMs) => {
      if (text === ACK_SHED && ++replies === 2) peer.say(atMs + 45, "06 00");
    };
    pair.run(6000);
    expect(replies).toBe(2);
    expect(sgd.messages()).toEqual(["0801 01 00"]);
    expect(sgd.counters.duplicateFrames).toBe(1);
  });

  it("a peer that asks every second is answered every time", () => {
    const { pair, ucm, sgd } = twoLinks();
    for (let i = 0; i < 10; i++) pair.at(i * 1000, () => ucm.request(BASIC, "12 00"));
    pair.run(15_000);
    expect(sgd.messages()).toHaveLength(10);
    expect(ucm.results().filter((r) => r.outcome === "ok")).toHaveLength(10);
  });

  it("pass-through packets are never taken for repetitions", () => {
    const { pair, ucm, sgd } = twoLinks({}, { types: [BASIC, 0x0907] });
    ucm.command({ cmd: "query-max-payload", id: 900 });
    for (let i = 0; i < 3; i++) ucm.request(0x0907, "45 00 00 01");
    pair.run(15_000);
    expect(sgd.messages()).toEqual(Array(3).fill("0907 45 00 00 01"));
  });
});

describe("who speaks when", () => {
  it("the peer's message in the middle of our exchange is delivered and answered", () => {
    const { pair, ucm, peer } = puppetry();
    obedient(ucm);
    peer.on = (text, atMs) => {
      if (text === SHED) {
        peer.say(atMs + 45, "06 00");
        peer.say(atMs + 200, frameHex(BASIC, "12 00"));
        peer.say(atMs + 1500, ACK_SHED);
      }
      if (text.startsWith("08 01 00 02 13")) peer.say(atMs + 45, "06 00");
    };
    const id = ucm.request(BASIC, "01 00");
    pair.run(6000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok" });
    expect(ucm.messages()).toEqual(["0801 12 00"]);
    expect(peer.heard.map((h) => h.hex)).toContain(STATE_1);
  });

  it("no request of ours goes out while the peer waits for our reply", () => {
    const { pair, ucm, peer } = puppetry();
    peer.on = (text, atMs) => text.length > 5 && peer.say(atMs + 45, "06 00");
    peer.say(0, SHED);
    pair.run(100);
    ucm.request(BASIC, "12 00");
    pair.run(1500);
    expect(peer.heard.map((h) => h.hex)).toEqual(["06 00"]);
    ucm.respond(BASIC, "03 01");
    pair.run(3000);
    expect(peer.heard.map((h) => h.hex.slice(0, 14))).toEqual(["06 00", "08 01 00 02 03", "08 01 00 02 12"]);
  });

  it("a session that never replies blocks for 3.2 s, not for ever", () => {
    const { pair, ucm, peer } = puppetry();
    peer.say(0, SHED);
    pair.run(10);
    ucm.request(BASIC, "12 00");
    pair.run(6000);
    const asked = peer.heard.find((h) => h.hex.startsWith("08 01 00 02 12"))!;
    expect(asked.atMs).toBeGreaterThan(3000);
    expect(asked.atMs).toBeLessThan(3400);
  });

  it("a frame that arrives while ours is held sends ours back, and nothing is lost", () => {
    const { pair, ucm, peer } = puppetry();
    obedient(ucm);
    peer.on = (text, atMs) => {
      if (text.length > 5) peer.say(atMs + 45, "06 00");
      if (text.startsWith("08 01 00 02 12")) peer.say(atMs + 200, STATE_1);
    };
    peer.say(0, SHED);
    pair.at(2, () => ucm.request(BASIC, "12 00"));
    pair.run(4000);
    expect(ucm.results().map((r) => [r.outcome, r.tries])).toEqual([
      ["ok", 1],
      ["ok", 1],
    ]);
    expect(peer.heard.map((h) => h.hex.slice(12, 14))).toEqual(["", "03", "12", ""]);
  });

  it("a line that is never free: no-ack in the end, and the counter says why", () => {
    const { pair, ucm, peer } = puppetry();
    for (let t = 0; t < 30_000; t += 8) peer.say(t, "FF FF");
    pair.run(50);
    const id = ucm.request(BASIC, "01 00");
    pair.run(20_000);
    expect(ucm.result(id)).toMatchObject({ outcome: "no-ack" });
    expect(ucm.counters.sendTimeouts).toBe(3);
    expect(peer.heard).toEqual([]);
  });

  it("the max-payload reply waits a second, other replies 110 ms after our ACK", () => {
    const { pair, ucm, peer } = puppetry({}, { maxPayload: 300 });
    peer.say(0, "08 03 00 02 18 00 BA 75");
    peer.on = (text, atMs) => text.length > 5 && peer.say(atMs + 45, "06 00");
    pair.run(3000);
    const [ack, reply] = peer.heard;
    expect(ack!.hex).toBe("06 00");
    expect(reply!.hex).toMatch(/^08 03 00 02 19 07/);
    expect(reply!.atMs - ack!.atMs).toBeGreaterThanOrEqual(1000);
    expect(ucm.messages()).toEqual([]);
  });

  it("a profile may answer the max-payload query as quickly as everything else", () => {
    const { pair, peer } = puppetry({}, { timing: { replyDelays: [] } });
    peer.say(0, "08 03 00 02 18 00 BA 75");
    pair.run(400);
    const [ack, reply] = peer.heard;
    expect(reply!.atMs - ack!.atMs).toBeGreaterThanOrEqual(110);
    expect(reply!.atMs - ack!.atMs).toBeLessThan(130);
  });
});

describe("silence, plugs, rates", () => {
  it("15 min without valid traffic: everything at its defaults, and said", () => {
    const { pair, ucm } = twoLinks();
    ucm.command({ cmd: "query-max-payload", id: 900 });
    pair.run(5000);
    pair.ends[1] = undefined;
    pair.run(900_000);
    expect(ucm.events.at(-1)).not.toMatchObject({ ev: "peer", state: "lost" });
    pair.run(902_000);
    expect(ucm.events.slice(-2)).toMatchObject([
      { ev: "limits", sendPayload: 2, bitsPerSecond: 19_200 },
      { ev: "peer", state: "lost" },
    ]);
    expect(ucm.counters.peerLost).toBe(1);
    const id = ucm.request(0x0802, "02 00 00");
    pair.run(pair.nowMs + 100);
    expect(ucm.result(id)?.outcome).toBe("too-long");
  });

  it("unplugged: everything is cancelled, and after plugging in it works as new", () => {
    const { pair, ucm } = twoLinks();
    const ids = [ucm.request(BASIC, "01 00"), ucm.request(BASIC, "12 00")];
    pair.run(10);
    pair.plug(false);
    const refused = ucm.request(BASIC, "02 00");
    pair.run(1000);
    for (const id of [...ids, refused]) expect(ucm.result(id)?.outcome).toBe("cancelled");
    expect(ucm.events).toContainEqual(expect.objectContaining({ ev: "peer", state: "unplugged" }));
    pair.plug(true);
    const again = ucm.request(BASIC, "01 00");
    pair.run(3000);
    expect(ucm.result(again)?.outcome).toBe("ok");
    expect(ucm.counters.unplugs).toBe(1);
  });

  it("a session that asks again at every refusal does not stop time", () => {
    const { pair, ucm } = twoLinks();
    ucm.on = (e) => {
      if (e.ev === "result" && e.outcome === "cancelled") ucm.request(BASIC, "01 00");
    };
    pair.plug(false);
    ucm.request(BASIC, "01 00");
    pair.run(1000);
    expect(ucm.results().length).toBeGreaterThan(50);
  });

  it("reset cancels, and goes back to 2 bytes", () => {
    const { pair, ucm } = twoLinks();
    ucm.command({ cmd: "query-max-payload", id: 900 });
    pair.run(5000);
    const id = ucm.request(BASIC, "01 00");
    pair.run(5002);
    ucm.command({ cmd: "reset" });
    pair.run(9000);
    expect(ucm.result(id)?.outcome).toBe("cancelled");
    expect(ucm.events).toContainEqual(expect.objectContaining({ ev: "limits", sendPayload: 2 }));
    const next = ucm.request(BASIC, "01 00");
    pair.run(12_000);
    expect(ucm.result(next)?.outcome).toBe("ok");
  });

  it("the queue is bounded: what is above it is cancelled, not kept", () => {
    const { pair, ucm } = twoLinks();
    for (let i = 0; i < 50; i++) ucm.request(BASIC, "12 00");
    pair.run(100_000);
    expect(ucm.results()).toHaveLength(50);
    expect(ucm.results().filter((r) => r.outcome === "ok").length).toBeGreaterThanOrEqual(32);
  });

  it("a higher bit rate: asked, acknowledged at the old one, tried at the new one", () => {
    const { pair, ucm, sgd } = twoLinks({}, { bitRates: 0b1001, maxPayload: 4096 });
    ucm.command({ cmd: "bit-rate", id: 5, code: 3 });
    pair.run(4000);
    expect(ucm.result(5)).toMatchObject({ outcome: "ok", tries: 1 });
    expect(pair.bitsPerSecond).toEqual([115_200, 115_200]);
    expect(sgd.events).toContainEqual(expect.objectContaining({ ev: "limits", bitsPerSecond: 115_200 }));
    ucm.command({ cmd: "query-max-payload", id: 6 });
    pair.run(8000);
    // 4,096 bytes need 115,200 bit/s; at 19,200 it would have been 512.
    expect(ucm.result(6)?.reply).toEqual(Uint8Array.of(0x19, 13));
    const id = ucm.request(0x0802, `02 00 ${"00 ".repeat(3000)}`);
    pair.run(12_000);
    expect(ucm.result(id)?.outcome).toBe("ok");
    // A request that fails is no reason to leave the rate.
    expect(ucm.result(ucm.request(0x0804, ""))).toBeUndefined();
    pair.run(pair.nowMs + 2000);
    expect(pair.bitsPerSecond).toEqual([115_200, 115_200]);
    pair.run(pair.nowMs + 950_000);
    expect(pair.bitsPerSecond).toEqual([19_200, 19_200]);
  });

  it("Basic opcodes 17, 18 and 19 are no data-link messages", () => {
    const { pair, ucm: sgd, peer } = puppetry({}, { bitRates: 0b1001 });
    for (const [i, payload] of ["17 03", "18 00", "19 05"].entries()) {
      peer.say(i * 4000, frameHex(BASIC, payload));
    }
    pair.run(12_000);
    expect(sgd.messages()).toEqual(["0801 17 03", "0801 18 00", "0801 19 05"]);
    expect(sgd.events.filter((e) => e.ev === "limits")).toEqual([]);
    expect(pair.bitsPerSecond[0]).toBe(19_200);
    expect(peer.heard.map((h) => h.hex)).toEqual(["06 00", "06 00", "06 00"]);
  });

  it("a rate that our line or the peer cannot do", () => {
    const ours = twoLinks();
    ours.ucm.command({ cmd: "bit-rate", id: 5, code: 3 });
    ours.pair.run(100);
    expect(ours.ucm.result(5)?.outcome).toBe("cancelled");
    const pair = new WirePair();
    const ucm = new Party(pair, 0, { bitRates: 0b1001 });
    new Party(pair, 1);
    ucm.command({ cmd: "bit-rate", id: 5, code: 3 });
    pair.run(3000);
    expect(ucm.result(5)).toMatchObject({ outcome: "nak", nak: 7 });
    expect(pair.bitsPerSecond).toEqual([19_200, 19_200]);
  });

  it("a peer that acknowledges the rate and does not switch: both are back at 19,200", () => {
    const { pair, ucm, peer } = puppetry({}, { bitRates: 0b1001 });
    peer.on = (text, atMs) => text.startsWith("08 03 00 02 17") && peer.say(atMs + 45, "06 00");
    ucm.command({ cmd: "bit-rate", id: 5, code: 3 });
    pair.run(15_000);
    expect(ucm.result(5)?.outcome).toBe("no-ack");
    // At once, not when the trial time is over.
    expect(ucm.result(5)!.atMs).toBeLessThan(8000);
    const back = ucm.events.find((e) => e.ev === "limits" && e.bitsPerSecond === 19_200);
    expect(back?.atMs).toBe(ucm.result(5)!.atMs);
    expect(pair.bitsPerSecond[0]).toBe(19_200);
    expect(ucm.counters).toMatchObject({ bitRateChanges: 1, bitRateFallbacks: 1 });
  });

  it("the asked side falls back too when nothing comes at the new rate", () => {
    const { pair, ucm: sgd, peer } = puppetry({}, { bitRates: 0b1001 });
    peer.say(0, frameHex(0x0803, "17 03"));
    pair.run(500);
    expect(pair.bitsPerSecond[0]).toBe(115_200);
    expect(peer.heard.map((h) => h.hex)).toEqual(["06 00"]);
    pair.run(20_000);
    expect(pair.bitsPerSecond[0]).toBe(19_200);
    expect(sgd.counters.bitRateFallbacks).toBe(1);
  });

  it("with an adapter that echoes: exchanges work, a collision is seen and survived", () => {
    const pair = new WirePair({ seed: 11, echo: [true, true] });
    const ucm = new Party(pair, 0, { echo: true });
    const sgd = new Party(pair, 1, { echo: true });
    obedient(ucm);
    obedient(sgd);
    for (let i = 0; i < 40; i++) {
      pair.at(i * 4000, () => {
        ucm.request(BASIC, "01 00");
        sgd.request(BASIC, "11 01");
      });
    }
    pair.run(300_000);
    const results = [...ucm.results(), ...sgd.results()].filter((r) => r.id < 10_000);
    expect(results).toHaveLength(80);
    expect(results.filter((r) => r.outcome !== "ok")).toEqual([]);
    expect(ucm.counters.collisions).toBeGreaterThan(0);
    expect(ucm.counters.echoesMissing).toBe(0);
  });

  it("garbage from outside at any time is counted byte for byte", () => {
    const { pair, ucm } = twoLinks();
    pair.at(0, () => pair.inject(0, unhex("FF 00 12 34 56")));
    ucm.request(BASIC, "01 00");
    pair.run(4000);
    expect(ucm.counters).toMatchObject({ bytesDiscarded: 5, requestsOk: 1 });
    expect(ucm.counters).toMatchObject({ acksSent: 1, acksReceived: 1, framesSent: 1, framesReceived: 1 });
    expect(ucm.counters.bytesReceived).toBe(5 + 2 + 8);
    expect(ucm.counters.bytesSent).toBe(8 + 2);
  });
});
