/**
 * Demand response judged by the simulated charger's current, never by an acknowledgement: the module with its
 * flash, the line and the charger in virtual time, utilities without a wire.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import type { Ask, GridEvent } from "../../src/grid/event.js";
import { drmAsk } from "../../src/grid/drm.js";
import { ChargerRig, type ChargerRigOptions } from "../support/charger-rig.js";
import { event, HOUR, interval, limit, MINUTE, SECOND } from "../support/grid.js";

/** Every change has settled after this. */
const SETTLE_MS = 60 * SECOND;

function charging(options: ChargerRigOptions = {}): ChargerRig {
  const rig = new ChargerRig(options);
  rig.sgd.plug();
  rig.run(45 * SECOND);
  return rig;
}

const now = (ask: Ask | Ask["ask"], more: Partial<GridEvent> = {}): GridEvent =>
  event({ start: "now", intervals: [interval(ask, HOUR)], ...more });

function settled(rig: ChargerRig): number {
  rig.run(SETTLE_MS);
  return rig.amperes;
}

describe("demand response modes of AS/NZS 4755, as the South Australian text accepts them", () => {
  const chargers = [
    ["evse-level2-32a", 32, 32],
    ["evse-level2-40a", 40, 40],
    ["evse-level2-40a-at-20a", 40, 20],
    ["evse-level2-40a-at-20a-installed", 40, 20],
    ["evse-three-phase-11kw", 16, 16],
  ] as const;
  const site = (ratedA: number, installerMaxA: number, phases: number) => ({
    region: "au",
    charger: { ratedA, installerMaxA, phases, voltage: phases === 3 ? 230 : 240 },
    polling: { stateSeconds: 60, commoditySeconds: 5 },
  });

  it.each(chargers)("%s", (profile, ratedA, installerMaxA) => {
    const phases = profile.includes("three-phase") ? 3 : 1;
    const rig = charging({ profile, config: site(ratedA, installerMaxA, phases) });
    rig.run(5 * MINUTE);
    const unconstrained = rig.amperes;
    expect(unconstrained).toBeCloseTo(installerMaxA, 0);
    let revision = 0;
    const mode = (number: number, permitted: boolean, reference?: "installer" | "dynamic"): number => {
      const drm = drmAsk(number, reference);
      if (isFault(drm)) throw new Error(drm.text);
      const emergencyPermitted = drm.emergencyPermitted || permitted;
      rig.give("utility-a", [now(drm.ask, { emergencyPermitted, revision: ++revision })]);
      const amperes = settled(rig);
      rig.give("utility-a", []);
      rig.run(5 * MINUTE + SETTLE_MS);
      expect(rig.amperes, `after DRM ${String(number)}`).toBeCloseTo(unconstrained, 0);
      return amperes / unconstrained;
    };
    // Off.
    expect(mode(0, true)).toBe(0);
    expect(mode(1, true)).toBe(0);
    // 40 to 60 % of the unconstrained limit, and 60 to 80 % for DRM 3, of either declared reference.
    for (const reference of ["installer", "dynamic"] as const) {
      const half = mode(2, false, reference);
      expect(half).toBeGreaterThanOrEqual(0.4);
      expect(half).toBeLessThanOrEqual(0.6);
      const most = mode(3, false, reference);
      expect(most).toBeGreaterThanOrEqual(0.6);
      expect(most).toBeLessThanOrEqual(0.8);
    }
    expect(mode(4, false)).toBeCloseTo(1, 1);
    for (const number of [5, 6, 7, 8]) {
      expect(drmAsk(number)).toMatchObject({
        fault: "drm-unsupported",
        text: expect.stringContaining("generation") as unknown,
      });
    }
  });

  it("DRM 1 without permission to open the contactor: as little as the charger gives, and no Grid Emergency", () => {
    const rig = charging({ config: { region: "au" } });
    rig.give("utility-a", [now(limit(0))]);
    expect(settled(rig)).toBe(6);
    expect(rig.commands.map(({ op }) => op)).not.toContain(0x0b);
  });

  it("DRM 0 and 1 are not the owner's to override in Australia", () => {
    const rig = charging({ config: { region: "au" } });
    rig.give("utility-a", [now(limit(0), { emergencyPermitted: true })]);
    expect(settled(rig)).toBe(0);
    rig.owner({ verb: "override" });
    expect(settled(rig)).toBe(0);
  });
});

describe("one against the other: every cell of docs/arbitration.md by the charger's current", () => {
  const page = readFileSync(new URL("../../docs/arbitration.md", import.meta.url), "utf8");
  const [head, ...rows] = page
    .split("\n## One against the other\n")[1]!
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("|") && !line.includes("---"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const amperes: Readonly<Record<string, number>> = {
    "grid emergency": 0,
    "soft emergency": 8,
    stop: 6,
    event: 16,
    override: 32,
    boost: 32,
    "off-peak": 0,
    nobody: 32,
  };
  const cells = rows.flatMap((row) =>
    row.slice(1).flatMap((cell, i) => (cell === "" ? [] : [[row[0]!, head![i + 1]!, cell] as const])),
  );

  it.each(cells)("%s against %s: %s", (one, other, cell) => {
    for (const region of ["us", "au"] as const) {
      const parties = [one, other];
      const offPeak = parties.includes("off-peak") ? [{ days: ["mon"], from: "00:01", to: "12:00" }] : [];
      const rig = charging({ config: { region, offPeak } });
      const asks: Record<string, GridEvent> = {
        "grid emergency": now("emergency", { emergencyPermitted: true }),
        "soft emergency": now("emergency"),
        stop: now(limit(0)),
        event: now("shed"),
      };
      parties.forEach((party, i) => {
        if (asks[party])
          rig.give(i === 0 ? "utility-a" : "utility-b", [{ ...asks[party], id: `e${String(i)}` }]);
        if (party === "override") rig.owner({ verb: "override" });
        if (party === "boost") rig.owner({ verb: "boost", durationMs: HOUR });
      });
      rig.run(30 * SECOND);
      const special = cell.split("; ").find((part) => part.startsWith(`${region}: `));
      const winner = special?.slice(4) ?? cell.split(";")[0]!;
      expect(settled(rig), `${region}: ${winner}`).toBe(amperes[winner]);
    }
  });
});

describe("overlapping sources", () => {
  it("the higher rank wins while it lasts, then the other goes on, then End Shed once", () => {
    const rig = charging();
    rig.give("utility-a", [now("shed", { intervals: [interval("shed", 30 * MINUTE)] })]);
    expect(settled(rig)).toBe(16);
    rig.give("utility-b", [
      now("critical-peak", { rank: 9, intervals: [interval("critical-peak", 10 * MINUTE)] }),
    ]);
    expect(settled(rig)).toBe(8);
    const from = rig.commands.length;
    rig.run(10 * MINUTE);
    expect(rig.amperes).toBe(16);
    expect(rig.commands.slice(from).map(({ op }) => op)).not.toContain(0x02);
    rig.run(20 * MINUTE);
    expect(rig.amperes).toBe(32);
    expect(rig.commands.slice(from).filter(({ op }) => op === 0x02)).toHaveLength(1);
    const reasons = rig.told.flatMap((told) => (told.event === "intent" ? [told.reason] : []));
    expect(reasons.join("\n")).toMatch(
      /utility-b' asks to reduce charging strongly.*this outranks the request of 'utility-a'/,
    );
  });

  it("consent: a paused agent is not obeyed, a dismissed one is refused, an admitted one is", () => {
    const rig = charging();
    rig.give("utility-a", [now("shed")]);
    expect(settled(rig)).toBe(16);
    rig.owner({ verb: "pause", source: "utility-a" });
    expect(settled(rig)).toBe(32);
    rig.owner({ verb: "admit", source: "utility-a" });
    expect(settled(rig)).toBe(16);
    rig.owner({ verb: "dismiss", source: "utility-a" });
    expect(settled(rig)).toBe(32);
    expect(rig.give("utility-a", [now("shed")])).toMatchObject([{ verdict: "refused", why: "dismissed" }]);
    rig.boot();
    expect(settled(rig)).toBe(32);
    rig.owner({ verb: "admit", source: "utility-a" });
    rig.give("utility-a", [now("shed", { revision: 1 })]);
    expect(settled(rig)).toBe(16);
  });
});

describe("the random delay in the UK, at the charger", () => {
  const uk = (): ChargerRig => charging({ config: { region: "uk", offPeak: [] }, seed: 4 });
  const delay = (rig: ChargerRig) => rig.ucm!.state(rig.now).delay;

  it("an event binds at once; its end is delayed to the second, and counted down", () => {
    const rig = uk();
    rig.give("utility-a", [now("shed", { intervals: [interval("shed", 10 * MINUTE)] })]);
    rig.until("16 A without a delay", () => rig.amperes === 16, 20 * SECOND);
    rig.run(10 * MINUTE);
    const { running, totalMs, remainingMs } = delay(rig);
    expect(running).toBe(true);
    expect(totalMs % 1000).toBe(0);
    const endMs = rig.nowMs + remainingMs;
    rig.run(remainingMs - 1);
    expect(rig.amperes).toBe(16);
    rig.until("32 A", () => rig.amperes === 32, 20 * SECOND);
    const end = rig.commands.filter(({ op }) => op === 0x02).at(-1)!;
    expect(end.atMs - endMs).toBeGreaterThanOrEqual(0);
    expect(end.atMs - endMs).toBeLessThan(1000);
  });

  it("no delay where the source has spread its end already, for emergencies, and after the owner's word", () => {
    const rig = uk();
    rig.give("utility-a", [now("shed", { delayApplied: true, intervals: [interval("shed", 5 * MINUTE)] })]);
    rig.run(5 * MINUTE);
    rig.until("32 A at once", () => rig.amperes === 32, 20 * SECOND);
    rig.give("utility-a", [now("emergency", { revision: 1, emergencyPermitted: true })]);
    rig.until("0 A at once", () => rig.amperes === 0, 20 * SECOND);
    rig.owner({ verb: "override" });
    expect(settled(rig)).toBe(0);
    rig.give("utility-a", [now("shed", { revision: 2 })]);
    rig.until("the override goes before a shed, without a delay", () => rig.amperes === 32, 30 * SECOND);
    rig.owner({ verb: "resume" });
    rig.until("16 A without a delay", () => rig.amperes === 16, 20 * SECOND);
    rig.owner({ verb: "override", durationMs: 60_000 });
    rig.until("32 A without a delay", () => rig.amperes === 32, 20 * SECOND);
  });

  it("no delay under a utility's event when power returns", () => {
    const rig = uk();
    rig.give("utility-a", [now("shed")]);
    expect(settled(rig)).toBe(16);
    rig.cut();
    rig.run(5 * SECOND);
    rig.boot();
    rig.run(SECOND);
    expect(delay(rig).running).toBe(false);
    expect(settled(rig)).toBe(16);
  });

  it("half an hour, where it is set so from outside", () => {
    const rig = uk();
    expect(rig.ucm!.delayOrder({ verb: "set-max", maxMs: 1_800_000 }, rig.now).ok).toBe(true);
    let longest = 0;
    for (let i = 0; i < 40; i++) {
      rig.cut();
      rig.boot();
      rig.run(SECOND);
      longest = Math.max(longest, delay(rig).totalMs);
    }
    expect(longest).toBeGreaterThan(1_200_000);
    expect(longest).toBeLessThanOrEqual(1_800_000);
  });
});

describe("what is owed", () => {
  it("End Shed is sent after a re-plug until it is verified, and not while a curtailment is wanted", () => {
    const rig = charging();
    rig.give("utility-a", [now("shed", { intervals: [interval("shed", 10 * MINUTE)] })]);
    expect(settled(rig)).toBe(16);
    rig.pull();
    rig.run(2 * MINUTE);
    rig.plugIn();
    const from = rig.commands.length;
    expect(settled(rig)).toBe(16);
    expect(rig.commands.slice(from).map(({ op }) => op)).not.toContain(0x02);
    rig.pull();
    rig.run(9 * MINUTE);
    rig.plugIn();
    rig.sgd.fault("app-nak-busy:2");
    expect(settled(rig)).toBe(32);
    expect(rig.ucm!.state().sgd.load).toMatchObject({ command: "EndShed", result: "verified" });
  });

  it("an open-ended event ends at the cap when its utility falls silent, at the charger", () => {
    const rig = charging({ config: { openEndedCapHours: 0.5 } });
    rig.give("utility-a", [now("shed", { intervals: [interval("shed", Infinity)] })]);
    expect(settled(rig)).toBe(16);
    rig.utilities["utility-a"]!.online = false;
    rig.wake();
    rig.run(25 * MINUTE);
    expect(rig.amperes).toBe(16);
    rig.run(7 * MINUTE);
    expect(rig.amperes).toBe(32);
  });
});
