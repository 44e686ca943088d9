import { describe, expect, it } from "vitest";
import { frameHex, Party, Puppet, WirePair } from "../support/wire-pair.js";

const SHED = frameHex(0x0801, "01 00");
const END_SHED = frameHex(0x0801, "02 00");
const APP_ACK_SHED = frameHex(0x0801, "03 01");
const APP_ACK_END = frameHex(0x0801, "03 02");

/** A module that answers every command with its application ACK, and a peer that the test plays. */
function answering() {
  const pair = new WirePair();
  const module = new Party(pair, 0);
  module.on = (e) => {
    if (e.ev === "message") module.respond(e.type, `03 0${String(e.payload[0])}`);
  };
  return { pair, module, peer: new Puppet(pair, 1) };
}

/** When the module began to say this, ms. */
function said(pair: WirePair, frame: string): number[] {
  return pair.log.filter(({ from, hex }) => from === 0 && hex === frame).map(({ startMs }) => startMs);
}

describe("a peer that asks something new before it has acknowledged our reply", () => {
  it.each([400, 600, 900, 1500, 2000])(
    "after %d ms: the old reply is let go, the new one is in time",
    (atMs) => {
      const { pair, module, peer } = answering();
      peer.say(10, SHED);
      // Nobody acknowledges the first reply: the peer has given it up.
      peer.say(atMs, END_SHED);
      pair.run(20_000);
      const first = said(pair, APP_ACK_END)[0]!;
      const asked = pair.log.find(({ hex }) => hex === END_SHED)!.endMs;
      expect(first - asked).toBeGreaterThanOrEqual(140);
      expect(first - asked, JSON.stringify(pair.log)).toBeLessThanOrEqual(600);
      // From then on the old one is not said again.
      expect(said(pair, APP_ACK_SHED).filter((ms) => ms > asked + 45)).toEqual([]);
      expect(module.messages()).toEqual(["0801 01 00", "0801 02 00"]);
    },
  );

  it("whoever asked for the old reply is told that it was dropped", () => {
    const { pair, module, peer } = answering();
    peer.say(10, SHED);
    peer.say(900, END_SHED);
    pair.run(20_000);
    const outcomes = module.events.flatMap((e) => (e.ev === "result" ? [e.outcome] : []));
    expect(outcomes).toEqual(["cancelled", "no-ack"]);
  });
});
