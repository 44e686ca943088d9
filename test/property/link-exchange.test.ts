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

describe("one exchange against theory", () => {
  /** Share of commands that succeed on a line that loses this share of the bytes. */
  function measured(loss: number, tries: number, runs: number): number {
    let ok = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const pair = new WirePair({ seed: seed * 31 + tries, faults: { loss } });
      const timing = { tries };
      const ucm = new Party(pair, 0, { timing });
      obedient(new Party(pair, 1, { timing }));
      const id = ucm.request(BASIC, "01 00");
      pair.run(20_000, () => ucm.result(id) !== undefined);
      if (ucm.result(id)!.outcome === "ok") ok++;
    }
    return ok / runs;
  }

  it.each([0, 0.001, 0.01, 0.05])(
    "a single try needs the 8 bytes of the command and the 8 of the reply: loss %d",
    (loss) => {
      // The ACK in between may be lost: a reply says more.
      const theory = (1 - loss) ** 16;
      const runs = 1500;
      const sigma = Math.sqrt((theory * (1 - theory)) / runs);
      expect(Math.abs(measured(loss, 1, runs) - theory)).toBeLessThanOrEqual(4 * sigma);
    },
  );

  it("three tries of command and reply lift 85 % to more than 98 % at 1 % loss", () => {
    expect(measured(0.01, 3, 1000)).toBeGreaterThan(0.98);
  });
});
