import { describe, expect, it } from "vitest";
import { hex, Party, Puppet, WirePair } from "../support/wire-pair.js";

/**
 * One whole exchange recorded with a public C++ UCM over a pseudo-terminal (docs/protocol/cta2045.md 9.2):
 * ms since start, who, bytes.
 */
const RECORDED: readonly (readonly [number, "ucm" | "sgd", string])[] = [
  [829.2, "ucm", "08 02 00 00 7A D0"],
  [874.5, "sgd", "06 00"],
  [975.1, "ucm", "08 02 00 02 01 01 04 43"],
  [1020.4, "sgd", "06 00"],
  [1130.7, "sgd", "08 02 00 10 01 81 00 42 00 0C 22 11 02 00 01 00 00 00 40 00 B8 3B"],
  [1171.3, "ucm", "06 00"],
  [1271.4, "ucm", "08 01 00 02 0E 01 E2 58"],
  [1316.7, "sgd", "06 00"],
  [1427.0, "sgd", "08 01 00 02 03 0E E9 4F"],
  [1467.5, "ucm", "06 00"],
];

/** The recorded appliance: each of its lines follows the line before it by the recorded time. */
function recordedSgd(pair: WirePair, side: 0 | 1): Puppet {
  const peer = new Puppet(pair, side);
  let at = 0;
  peer.on = (text, atMs) => {
    if (RECORDED[at]?.[2] !== text) throw new Error(`heard ${text}, recorded is ${RECORDED[at]?.[2]}`);
    at++;
    let sayMs = atMs;
    while (RECORDED[at]?.[1] === "sgd") {
      sayMs += Math.round(RECORDED[at]![0] - RECORDED[at - 1]![0]);
      peer.say(sayMs, RECORDED[at]![2]);
      at++;
    }
  };
  return peer;
}

describe("the recorded exchange", () => {
  it("our UCM against the recorded appliance: the same bytes in the same order, its times within the rules", () => {
    const pair = new WirePair();
    const ucm = new Party(pair, 0);
    recordedSgd(pair, 1);
    const ids = [ucm.request(0x0802, ""), ucm.request(0x0802, "01 01"), ucm.request(0x0801, "0E 01")];
    pair.run(5000);
    expect(pair.log.map((l) => [l.from === 0 ? "ucm" : "sgd", l.hex])).toEqual(
      RECORDED.map(([, who, text]) => [who, text]),
    );
    for (const id of ids) expect(ucm.result(id)).toMatchObject({ outcome: "ok", tries: 1 });
    expect(hex(ucm.result(ids[1]!)!.reply!)).toBe("01 81 00 42 00 0C 22 11 02 00 01 00 00 00 40 00");
    for (const [i, l] of pair.log.entries()) {
      if (l.from !== 0 || i === 0) continue;
      const pause = l.startMs - pair.log[i - 1]!.endMs;
      // Acknowledged, we leave the other side its turn.
      const turnMs = pair.log[i - 1]!.from === 1 && pair.log[i - 1]!.hex === "06 00" ? 30 : 0;
      const [least, most] = l.hex === "06 00" ? [40, 60] : [100, 125 + turnMs];
      expect(pause, l.hex).toBeGreaterThanOrEqual(least!);
      expect(pause, l.hex).toBeLessThanOrEqual(most!);
    }
    // The whole is as quick as the recorded one, but for the 30 ms of turn after the type query.
    const took = pair.log.at(-1)!.startMs - pair.log[0]!.startMs;
    expect(took / (1467.5 - 829.2)).toBeLessThan(1.15);
    expect(ucm.counters).toMatchObject({
      requestsOk: 3,
      retries: 0,
      earlyAcks: 0,
      lateAcks: 0,
      bytesDiscarded: 0,
    });
  });

  it("the recorded UCM against our appliance side: every line of it is understood and answered in time", () => {
    const pair = new WirePair();
    const puppet = new Puppet(pair, 0);
    const sgd = new Party(pair, 1);
    sgd.on = (e) => {
      if (e.ev !== "message") return;
      if (e.type === 0x0802) sgd.respond(0x0802, RECORDED[4]![2].slice(12, -6));
      else sgd.respond(0x0801, `03 ${hex(e.payload.slice(0, 1))}`);
    };
    const said = RECORDED.filter(([, who, text]) => who === "ucm" && text !== "06 00");
    let next = 0;
    const say = (atMs: number) => {
      if (said[next] !== undefined) puppet.say(atMs, said[next++]![2]);
    };
    puppet.on = (text, atMs) => {
      if (text === "06 00" && next === 1) say(atMs + 101);
      if (text !== "06 00") {
        puppet.say(atMs + 40, "06 00");
        say(atMs + 141);
      }
    };
    say(829);
    pair.run(5000);
    expect(pair.log.map((l) => l.hex)).toEqual(RECORDED.map(([, , text]) => text));
    expect(sgd.events.filter((e) => e.ev === "asked" || e.ev === "message")).toHaveLength(3);
    expect(sgd.results().map((r) => r.outcome)).toEqual(["ok", "ok"]);
  });
});
