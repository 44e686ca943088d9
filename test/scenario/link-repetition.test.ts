/** Found by fuzzing: a command whose first ACK was lost, and whose second try was lost as a whole. */
import { describe, expect, it } from "vitest";
import { frameHex, Party, Puppet, WirePair } from "../support/wire-pair.js";

const SHED = frameHex(0x0801, "01 00");

describe("the third try of a command, when the second never arrived", () => {
  it.each([2_600, 4_500])("%d ms after the first: is the same command, and is answered again", (gapMs) => {
    const pair = new WirePair();
    // Its reply goes unanswered, as on a line that loses what we say.
    const ucm = new Party(pair, 0, { timing: { tries: 1 } });
    const peer = new Puppet(pair, 1);
    ucm.on = (e) => {
      if (e.ev === "message") ucm.respond(e.type, "03 01");
    };
    peer.say(10, SHED);
    peer.say(10 + gapMs, SHED);
    pair.run(20_000);
    expect(ucm.messages()).toEqual(["0801 01 00"]);
    expect(ucm.counters.duplicateFrames).toBe(1);
    expect(peer.heard.map(({ hex }) => hex)).toEqual([
      "06 00",
      "08 01 00 02 03 01 04 42",
      "06 00",
      "08 01 00 02 03 01 04 42",
    ]);
  });

  it("6 s after the first it is another command", () => {
    const pair = new WirePair();
    const ucm = new Party(pair, 0);
    const peer = new Puppet(pair, 1);
    peer.say(10, SHED);
    peer.say(6_010, SHED);
    pair.run(20_000);
    expect(ucm.messages()).toHaveLength(2);
  });
});
