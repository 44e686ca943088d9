import { describe, expect, it } from "vitest";
import { obedient, Party, seeded, WirePair, type WireFaults } from "../support/wire-pair.js";

const BASIC = 0x0801;

function run(seed: number, faults: WireFaults, plugs: number, echo: boolean) {
  const pair = new WirePair({ seed, faults, echo: [echo, echo] });
  const random = seeded(seed * 7919);
  const ucm = new Party(pair, 0, { echo });
  const sgd = new Party(pair, 1, { echo });
  obedient(ucm);
  obedient(sgd);
  const asked: [Party, number][] = [];
  let sheds = 0;
  const endMs = 60_000;
  for (let i = 0; i < 12; i++) {
    const who = random() % 3 === 0 ? sgd : ucm;
    pair.at(random() % endMs, () => {
      const kind = random() % 4;
      if (kind === 0) {
        asked.push([who, who.request(BASIC, "01 00")]);
        if (who === ucm) sheds++;
      } else if (kind === 1) asked.push([who, who.request(BASIC, "12 00")]);
      else if (kind === 2) asked.push([who, who.request(0x0802, "")]);
      else asked.push([who, who.request(0x0802, "01 01")]);
    });
  }
  for (let i = 0; i < plugs; i++) {
    const offMs = random() % endMs;
    pair.at(offMs, () => pair.plug(false));
    pair.at(offMs + 1 + (random() % 2000), () => pair.plug(true));
  }
  pair.run(endMs + 60_000);
  return { pair, ucm, sgd, asked, sheds };
}

describe("two links on a bad line", () => {
  const faults: WireFaults[] = [
    {},
    { loss: 0.01 },
    { flip: 0.01 },
    { loss: 0.05, flip: 0.05, duplicate: 0.1, lostAnswer: 0.1 },
    { lostAnswer: 0.5 },
    { duplicate: 1 },
  ];
  it.each(faults)("every request ends in exactly one result: %j", (f) => {
    for (let seed = 1; seed <= 60; seed++) {
      const { asked } = run(seed, f, 0, seed % 4 === 0);
      for (const [who, id] of asked) {
        expect(
          who.results().filter((r) => r.id === id),
          `seed ${seed} id ${id}`,
        ).toHaveLength(1);
      }
    }
  });

  it("on a good line every request succeeds", () => {
    let retries = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { asked, ucm, sgd } = run(seed, {}, 0, false);
      for (const [who, id] of asked) {
        const r = who.result(id)!;
        expect([r.outcome, id, seed]).toEqual(["ok", id, seed]);
      }
      retries += ucm.counters.retries + sgd.counters.retries;
    }
    // Only simultaneous starts collide.
    expect(retries).toBeLessThan(60);
  });

  it("with 1 % byte loss nearly every request succeeds, and none is delivered twice", () => {
    let asked = 0;
    let ok = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const r = run(seed, { loss: 0.01 }, 0, false);
      for (const [who, id] of r.asked) {
        asked++;
        if (who.result(id)!.outcome === "ok") ok++;
      }
      expect(r.sgd.messages().filter((m) => m === "0801 01 00").length).toBeLessThanOrEqual(r.sheds);
    }
    expect(ok / asked).toBeGreaterThan(0.985);
  });

  it("plugged and unplugged at any moment: one result each, and afterwards everything works", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const { pair, ucm, sgd, asked } = run(seed, seed % 2 ? {} : { loss: 0.02 }, 6, seed % 5 === 0);
      for (const [who, id] of asked) {
        expect(
          who.results().filter((r) => r.id === id),
          `seed ${seed} id ${id}`,
        ).toHaveLength(1);
      }
      pair.faults = {};
      if (!pair.plugged) pair.plug(true);
      const a = ucm.request(BASIC, "02 00");
      const b = sgd.request(BASIC, "11 00");
      pair.run(pair.nowMs + 30_000);
      expect([ucm.result(a)?.outcome, sgd.result(b)?.outcome, seed]).toEqual(["ok", "ok", seed]);
    }
  });
});
