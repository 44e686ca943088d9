import { describe, expect, it } from "vitest";
import { obedient, Party, WirePair, type WirePairOptions } from "../support/wire-pair.js";
import type { LinkStackOptions } from "../../src/link/stack.js";

const BASIC = 0x0801;
const INTERMEDIATE = 0x0802;

function pairOf(options: WirePairOptions = {}, stack: Partial<LinkStackOptions> = {}) {
  const pair = new WirePair(options);
  const ucm = new Party(pair, 0, { ...stack, echo: options.echo?.[0] === true });
  const sgd = new Party(pair, 1, { ...stack, echo: options.echo?.[1] === true });
  obedient(sgd);
  return { pair, ucm, sgd };
}

/** All traffic as "start from bytes". */
function traffic(pair: WirePair): string[] {
  return pair.log.map((l) => `${l.from} ${l.hex}`);
}

describe("an exchange", () => {
  it("carries a command, its ACK, the application ACK and its ACK, each at its time", () => {
    const { pair, ucm } = pairOf();
    const id = ucm.request(BASIC, "01 00");
    pair.run(5000);
    expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1, nak: -1, reply: Uint8Array.of(3, 1) });
    expect(traffic(pair)).toEqual([
      "0 08 01 00 02 01 00 0C 3D",
      "1 06 00",
      "1 08 01 00 02 03 01 04 42",
      "0 06 00",
    ]);
    const [command, ack, reply, ack2] = pair.log;
    for (const [frame, answer] of [
      [command!, ack!],
      [reply!, ack2!],
    ] as const) {
      expect(answer.startMs - frame.endMs).toBeGreaterThanOrEqual(40);
      expect(answer.startMs - frame.endMs).toBeLessThanOrEqual(60);
    }
    expect(reply!.startMs - ack!.endMs).toBeGreaterThanOrEqual(100);
    expect(reply!.startMs - ack!.endMs).toBeLessThanOrEqual(130);
  });

  it("a command's cycle takes at most 1.15 times the legal minima", () => {
    const { pair, ucm } = pairOf();
    ucm.request(BASIC, "01 00");
    ucm.request(BASIC, "02 00");
    pair.run(5000);
    const frameMs = (8 * 10_000) / 19_200;
    const answerMs = (2 * 10_000) / 19_200;
    const legal = frameMs + 40 + answerMs + 100 + frameMs + 40 + answerMs + 100;
    expect(pair.log[4]!.startMs - pair.log[0]!.startMs).toBeLessThanOrEqual(legal * 1.15);
  });

  it("a type query ends with the ACK, or with NAK 06", () => {
    const { pair, ucm, sgd } = pairOf();
    const yes = ucm.request(INTERMEDIATE, "");
    const no = ucm.request(0x0804, "");
    pair.run(2000);
    expect(ucm.result(yes)).toMatchObject({ outcome: "ok", reply: undefined });
    expect(ucm.result(no)).toMatchObject({ outcome: "nak", nak: 6, tries: 1 });
    expect(sgd.events.filter((e) => e.ev === "asked").map((e) => e.type)).toEqual([INTERMEDIATE, 0x0804]);
  });

  it("negotiates the payload limit, and refuses what is above it", () => {
    const { pair, ucm, sgd } = pairOf({}, { maxPayload: 128 });
    const before = ucm.request(INTERMEDIATE, "02 00 00 00 00 00 00 00");
    ucm.command({ cmd: "query-max-payload", id: 77 });
    pair.run(4000);
    expect(ucm.result(before)).toMatchObject({ outcome: "too-long", tries: 0 });
    expect(ucm.result(77)).toMatchObject({ outcome: "ok", reply: Uint8Array.of(0x19, 6) });
    expect(ucm.events).toContainEqual(
      expect.objectContaining({ ev: "limits", sendPayload: 128, bitsPerSecond: 19_200 }),
    );
    const after = ucm.request(INTERMEDIATE, "02 00 00 00 00 00 00 00");
    pair.run(8000);
    expect(ucm.result(after)).toMatchObject({ outcome: "ok" });
    expect(sgd.messages()).toEqual(["0802 02 00 00 00 00 00 00 00"]);
  });

  it("both sides may ask at once", () => {
    const { pair, ucm, sgd } = pairOf({ seed: 5 });
    obedient(ucm);
    const u = ucm.request(BASIC, "01 00");
    const s = sgd.request(BASIC, "11 01");
    pair.run(20_000);
    expect(ucm.result(u)?.outcome).toBe("ok");
    expect(sgd.result(s)?.outcome).toBe("ok");
    expect(ucm.messages()).toEqual(["0801 11 01"]);
    expect(sgd.messages()).toEqual(["0801 01 00"]);
  });
});
