/** Journal, owner's orders and what survives a power cut, through the whole module in virtual time. */
import { describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench, type VirtualBenchOptions } from "../../host-sim/virtual/virtual-bench.js";
import type { JournalPart, Role } from "../../src/journal/access.js";
import { Journal } from "../../src/journal/journal.js";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** 2026-06-02, a Tuesday. */
const TUESDAY = Date.UTC(2026, 5, 2);

/** Slow polls: these tests live through hours. */
function benchOf({ config, ...options }: Partial<VirtualBenchOptions> = {}): VirtualBench {
  return new VirtualBench({
    engine: nodeEngine(),
    flash: FileFlash.blank(),
    vtn: { pollSeconds: 30 },
    config: { polling: { stateSeconds: 60, commoditySeconds: 30 }, ...config },
    ...options,
  });
}

const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

/** Everything of a part, page by page. */
async function read(
  bench: VirtualBench,
  what: JournalPart,
  role: Role = "owner",
  format: "csv" | "json" = "json",
): Promise<{ why: string; text: string }> {
  const lines: string[] = [];
  for (let from = 0; ;) {
    const page = await bench.ask({ k: "journal", what, role, format, from }, "journal");
    if (page.why !== "") return { why: page.why, text: "" };
    expect(page.lines.length).toBeLessThanOrEqual(50);
    lines.push(...page.lines);
    if (page.next === null) return { why: "", text: lines.join("\n") };
    from = page.next;
  }
}

async function rows(bench: VirtualBench, what: JournalPart): Promise<Record<string, unknown>[]> {
  return JSON.parse((await read(bench, what)).text) as Record<string, unknown>[];
}

const codes = async (bench: VirtualBench): Promise<string[]> =>
  (await rows(bench, "security")).map((row) => `${String(row["code"])}: ${String(row["text"])}`);

async function charging(bench: VirtualBench): Promise<void> {
  bench.sgd.plug();
  await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
}

function shed(bench: VirtualBench, durationSeconds: number): void {
  bench.vtn.createEvent(
    { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds },
    { utcMs: bench.utcMs },
  );
}

describe("the journal of the whole module", () => {
  it("says once what to set where a utility's prices cannot be told to the appliance", async () => {
    const bench = benchOf({ utcMs: TUESDAY });
    await charging(bench);
    for (const startInSeconds of [60, 1200]) {
      const created = bench.vtn.createEvent(
        { signal: "ELECTRICITY_PRICE", type: "price", level: 0.31, startInSeconds, durationSeconds: 600 },
        { utcMs: bench.utcMs },
      );
      expect(created).toHaveProperty("id");
      await bench.run(15 * MINUTE);
    }
    const told = (await rows(bench, "events")).filter((row) => /price/i.test(String(row["text"])));
    // Whole: the journal cuts what is long, and the end of the sentence is as good as nothing.
    expect(told.map((row) => [row["level"], row["text"]])).toEqual([
      [
        "warning",
        "OpenADR 2.0b: Configure normalPrice: the appliance takes relative prices, these are absolute.",
      ],
    ]);
  });

  it("holds the session, its changes, the half hours and what happened, over a power cut", async () => {
    const bench = benchOf({ utcMs: TUESDAY });
    await charging(bench);
    await bench.run(40 * MINUTE);
    shed(bench, 1800);
    await bench.until("16 A", () => Math.abs(amperes(bench) - 16) < 0.1, 60_000);
    await bench.run(5 * MINUTE);
    const engineStore = JSON.stringify(bench.store);
    await bench.darkness(2 * MINUTE);
    bench.boot();
    await bench.run(10 * MINUTE);
    // The event stood in flash: nothing of it was kept elsewhere.
    expect(amperes(bench)).toBeCloseTo(16, 0);
    expect(engineStore).toBe("{}");
    await bench.until("the end", () => amperes(bench) > 31.9, HOUR);
    await bench.run(30 * MINUTE);
    bench.sgd.unplug();
    await bench.run(70 * MINUTE);

    const energy = await rows(bench, "energy");
    const total = energy.reduce((sum, row) => sum + Number(row["energy_wh"]), 0);
    // 32 A and half an hour of 16 A at 240 V, until the car was unplugged.
    const meterWh = bench.sgd.view().energyWh;
    // What flowed before the module first read the meter is nobody's half hour.
    expect(meterWh - total).toBeGreaterThanOrEqual(0);
    expect(meterWh - total).toBeLessThan(80);
    const [session] = (await rows(bench, "sessions")) as { energy_wh: number; changes: { ask: string }[] }[];
    expect(Math.abs(session!.energy_wh - meterWh)).toBeLessThan(0.02 * meterWh);
    expect(session!.changes.map((change) => change.ask)).toEqual(expect.arrayContaining(["shed", "normal"]));
    const events = (await rows(bench, "events")).map((row) => String(row["text"]));
    expect(events).toEqual(
      expect.arrayContaining([
        "Utility 'utility' is online.",
        expect.stringContaining("asks to reduce charging"),
        "Shed: verified.",
        "EndShed: verified.",
      ]),
    );
    expect(await codes(bench)).toEqual([
      "power-cycle: power",
      "setup: configuration: first",
      "power-cycle: power",
    ]);
    expect(new Journal(bench.flash!).security.firstBroken()).toBe(-1);
  });

  it("is read by role: charging data with the owner's consent alone", async () => {
    for (const shareChargingData of [false, true]) {
      const bench = benchOf({ config: { shareChargingData } });
      await bench.run(MINUTE);
      expect((await read(bench, "energy", "agent")).why).toBe(shareChargingData ? "" : "forbidden");
      expect((await read(bench, "sessions", "manager")).why).toBe("forbidden");
      expect((await read(bench, "security", "manager")).why).toBe("forbidden");
      expect((await read(bench, "security", "agent", "csv")).text).toMatch(/^utc,code,text,chain\n2026-/);
      expect((await read(bench, "events", "manager", "csv")).text).toMatch(/^utc,level,text\n2026-/);
    }
  });

  it("says that there is none where the world has no flash", async () => {
    const bench = new VirtualBench({ engine: nodeEngine() });
    await bench.run(MINUTE);
    expect((await read(bench, "events")).why).toBe("no-journal");
    expect(await bench.ask({ k: "factory-reset" }, "answer")).toMatchObject({ ok: false, why: "no-flash" });
  });

  it("notes a refused certificate once, however often it is refused, and the end in order", async () => {
    const bench = benchOf();
    const real = bench.network;
    bench.network = () => "tls-untrusted" as "refused";
    await bench.run(2 * HOUR);
    const refused = async (): Promise<number> =>
      (await codes(bench)).filter((code) => code === "certificate-refused: utility: tls-untrusted").length;
    expect(await refused()).toBe(1);
    bench.network = real;
    await bench.until("online", () => bench.last("upstream")?.state === "online", HOUR);
    bench.network = () => "tls-untrusted" as "refused";
    await bench.run(2 * HOUR);
    expect(await refused()).toBe(2);
    await bench.ask({ k: "stop" }, "state").catch(() => undefined);
    expect((await codes(bench)).at(-1)).toBe("stop: ");
  });

  it("notes that the appliance went away, and why the module started", async () => {
    const bench = benchOf();
    await charging(bench);
    bench.sgd.fault("deaf");
    bench.sgd.fault("mute");
    await bench.run(30 * MINUTE);
    expect(await codes(bench)).toContain("removed-from-socket: the appliance is silent");
    bench.boot("watchdog");
    await bench.run(MINUTE);
    expect((await codes(bench)).at(-1)).toBe("start: watchdog");
  });

  it("erases on a quiet line alone, one sector at a time", async () => {
    const bench = benchOf({ flash: FileFlash.blank(24 + 5) });
    await charging(bench);
    for (let i = 0; i < 400; i++) {
      const verb = i % 2 === 0 ? "pause" : "admit";
      await bench.ask({ k: "owner", order: { verb, source: "utility" } }, "answer");
      await bench.run(2_000);
    }
    const { journal } = (await bench.ask({ k: "state" }, "state")).state as {
      journal: { erases: number; forcedErases: number; refusedValues: number };
    };
    expect(journal.erases).toBeGreaterThan(6);
    expect(journal).toMatchObject({ forcedErases: 0, refusedValues: 0 });
    expect(new Journal(bench.flash!).security.firstBroken()).toBe(-1);
  });
});

describe("the owner's orders", () => {
  it("refuses by name what makes no sense, and carries out the rest", async () => {
    const bench = benchOf();
    await charging(bench);
    const order = async (given: unknown) => await bench.ask({ k: "owner", order: given }, "answer");
    expect(await order({ verb: "dance" })).toMatchObject({ ok: false, why: "bad-order" });
    expect((await order({ verb: "pause" })).text).toBe("order.source is missing for pause");
    expect((await order({ verb: "boost", durationMs: "1" })).text).toMatch(
      /order.durationMs must be a number/,
    );
    expect(await order({ verb: "pause", source: "nobody" })).toMatchObject({ why: "unknown-source" });
    expect(await order(null)).toMatchObject({ ok: false });
    shed(bench, 600);
    await bench.until("16 A", () => Math.abs(amperes(bench) - 16) < 0.1, 60_000);
    expect(await order({ verb: "override", durationMs: 120_000 })).toMatchObject({ ok: true });
    await bench.until("32 A", () => amperes(bench) > 31.9, 60_000);
    await bench.until("16 A again", () => amperes(bench) < 16.1, 150_000);
    expect(await order({ verb: "dismiss", source: "utility" })).toMatchObject({ ok: true });
    await bench.until("32 A", () => amperes(bench) > 31.9, 60_000);
    expect(await codes(bench)).toContain("setup: dismiss utility");
    const { owner, schedule, delay } = (await bench.ask({ k: "state" }, "state")).state as Record<
      "owner" | "schedule" | "delay",
      unknown
    >;
    expect(owner).toMatchObject({ consent: [{ source: "utility", word: "dismiss" }], heldOff: false });
    expect(schedule).toEqual([]);
    expect(delay).toMatchObject({ enabled: false, running: false });
  });

  it("sets the random delay from outside", async () => {
    const bench = benchOf();
    const delay = async (given: unknown) => await bench.ask({ k: "delay", order: given }, "answer");
    expect(await delay({ verb: "set-max", maxMs: 1_800_001 })).toMatchObject({ ok: false });
    expect(await delay({ verb: "set-max", maxMs: 1_800_000 })).toMatchObject({ ok: true });
    expect(await delay({ verb: "enable" })).toMatchObject({ ok: true });
    bench.boot();
    await bench.run(1000);
    expect((await bench.ask({ k: "state" }, "state")).state["delay"]).toMatchObject({
      enabled: true,
      maxMs: 1_800_000,
    });
  });

  it("lists the stored events with their random delay", async () => {
    const bench = benchOf();
    await bench.until("online", () => bench.last("upstream")?.state === "online", 60_000);
    shed(bench, 600);
    await bench.run(40_000);
    expect((await bench.ask({ k: "state" }, "state")).state["schedule"]).toMatchObject([
      { source: "utility", state: "in", ask: "shed", cancelled: false },
    ]);
  });
});

describe("a charger in the UK", () => {
  const config = { region: "uk", timeZone: "GMT0BST,M3.5.0/1,M10.5.0" };
  const state = async (bench: VirtualBench) =>
    (await bench.ask({ k: "state" }, "state")).state as {
      delay: { running: boolean; totalMs: number; remainingMs: number; cause: string; enabled: boolean };
      owner: { schedule: string };
    };

  /** Power returns until chance gives a delay worth looking at. */
  async function bootWithLongDelay(bench: VirtualBench): Promise<void> {
    for (;;) {
      bench.boot();
      await bench.run(10);
      if ((await state(bench)).delay.totalMs > 120_000) return;
    }
  }

  it("charges after a random delay when power returns, not before, and counts down", async () => {
    const bench = benchOf({ config, utcMs: TUESDAY });
    await charging(bench);
    await bench.darkness(MINUTE);
    await bootWithLongDelay(bench);
    await bench.run(60_000);
    const { delay } = await state(bench);
    expect(delay).toMatchObject({ running: true, cause: "power-restored", enabled: true });
    expect(delay.totalMs).toBeLessThanOrEqual(600_000);
    expect(delay.totalMs % 1000).toBe(0);
    await bench.run(20_000);
    expect((await state(bench)).delay.remainingMs).toBe(delay.remainingMs - 20_000);
    expect(amperes(bench)).toBe(0);
    await bench.run(delay.remainingMs - 25_000);
    expect(amperes(bench)).toBe(0);
    await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
  });

  it("begins at once after a restart that was no power cut, and where the owner's rule says so", async () => {
    for (const [given, reason] of [
      [{}, "watchdog"],
      [{ afterPowerCut: "at-once" }, "power"],
    ] as const) {
      const bench = benchOf({ config: { ...config, ...given }, utcMs: TUESDAY });
      await charging(bench);
      bench.boot(reason);
      await bench.run(30_000);
      expect((await state(bench)).delay.running).toBe(false);
      expect(amperes(bench)).toBeCloseTo(32, 0);
    }
  });

  it("stays off after a power cut where it is set to, until the owner says otherwise", async () => {
    const bench = benchOf({ config: { ...config, afterPowerCut: "off" }, utcMs: TUESDAY });
    await charging(bench);
    bench.boot();
    await bench.run(2 * HOUR);
    expect(amperes(bench)).toBe(0);
    await bench.ask({ k: "owner", order: { verb: "resume" } }, "answer");
    await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
  });

  it("does not charge in the off-peak schedule's pauses, local time, until the owner removes it", async () => {
    // 06:50 UTC is 07:50 in London's summer.
    const bench = benchOf({ config, utcMs: TUESDAY + 6 * HOUR + 50 * MINUTE });
    await charging(bench);
    expect((await state(bench)).owner.schedule).toBe("offered");
    await bench.run(20 * MINUTE + 40_000);
    expect(amperes(bench)).toBe(0);
    expect(bench.last("intent")).toMatchObject({ source: "local" });
    await bench.ask({ k: "owner", order: { verb: "remove-schedule" } }, "answer");
    await bench.until("charging", () => amperes(bench) > 31.9, 11 * MINUTE);
    expect((await state(bench)).owner.schedule).toBe("removed");
    expect(await codes(bench)).toContain("setup: remove-schedule");
    bench.boot("requested");
    await bench.run(MINUTE);
    expect(amperes(bench)).toBeCloseTo(32, 0);
  });

  it("yields its schedule to demand response and to a boost", async () => {
    const bench = benchOf({ config, utcMs: TUESDAY + 8 * HOUR });
    bench.sgd.plug();
    await bench.run(15 * MINUTE);
    expect(amperes(bench)).toBe(0);
    await bench.ask({ k: "owner", order: { verb: "boost", durationMs: 600_000 } }, "answer");
    await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
    shed(bench, 300);
    await bench.until("16 A: the event binds, and needs no delay", () => amperes(bench) < 16.1, 60_000);
  });

  it("waits for a random delay when a car is plugged in", async () => {
    const bench = benchOf({ config, utcMs: TUESDAY });
    await bench.run(40 * MINUTE);
    bench.sgd.plug();
    await bench.until("it begins", () => amperes(bench) > 1, 60_000);
    await bench.until("and is paused", () => amperes(bench) === 0, 90_000);
    expect((await state(bench)).delay).toMatchObject({ running: true, cause: "plug-in" });
    await bench.until("charging", () => amperes(bench) > 31.9, 11 * MINUTE);
    await bench.run(HOUR);
    // Once is enough.
    expect(amperes(bench)).toBeCloseTo(32, 0);
  });

  it("ends the running delay at the owner's word, and the delays of an event are its own", async () => {
    const bench = benchOf({ config, utcMs: TUESDAY });
    await charging(bench);
    await bootWithLongDelay(bench);
    await bench.run(30_000);
    expect((await state(bench)).delay.running).toBe(true);
    await bench.ask({ k: "delay", order: { verb: "cancel" } }, "answer");
    await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
    shed(bench, 120);
    await bench.until("16 A", () => amperes(bench) < 16.1, 60_000);
    await bench.run(125_000);
    // The end is a change of load like another: delayed.
    expect((await state(bench)).delay).toMatchObject({ running: true, cause: "change" });
    expect(amperes(bench)).toBeCloseTo(16, 0);
    await bench.ask({ k: "delay", order: { verb: "disable" } }, "answer");
    await bench.until("charging", () => amperes(bench) > 31.9, 60_000);
  });
});

describe("configured limits", () => {
  it("holds a ceiling against everybody, and a floor against utilities", async () => {
    const bench = benchOf({ config: { ceilingPercent: 75, floorPercent: 60 } });
    bench.sgd.plug();
    await bench.until("24 A", () => Math.abs(amperes(bench) - 24) < 0.5, 90_000);
    shed(bench, 600);
    await bench.until("60 %", () => Math.abs(amperes(bench) - 19.2) < 0.5, 60_000);
  });

  it("takes its off-peak hours from the configuration", async () => {
    const bench = benchOf({
      utcMs: TUESDAY + 12 * HOUR,
      config: { offPeak: [{ days: ["tue"], from: "12:10", to: "12:20" }] },
    });
    await charging(bench);
    await bench.until("paused", () => amperes(bench) === 0, 11 * MINUTE);
    await bench.until("charging", () => amperes(bench) > 31.9, 11 * MINUTE);
    expect(bench.utcMs).toBeLessThan(TUESDAY + 12 * HOUR + 21 * MINUTE);
  });
});

describe("factory reset", () => {
  it.each(["us", "uk"])("forgets what is the owner's, says so, and starts anew (%s)", async (region) => {
    const bench = benchOf({ config: { region, offPeak: [] } });
    await charging(bench);
    await bench.ask({ k: "owner", order: { verb: "pause", source: "utility" } }, "answer");
    await bench.run(40 * MINUTE);
    expect(await rows(bench, "energy")).not.toEqual([]);
    expect(await bench.ask({ k: "factory-reset" }, "answer")).toMatchObject({ ok: true });
    await bench.run(2 * MINUTE);
    expect(await rows(bench, "energy")).toEqual([]);
    expect((await rows(bench, "events")).length).toBeLessThan(5);
    const kept =
      region === "uk" ? ["power-cycle: power", "setup: configuration: first", "setup: pause utility"] : [];
    expect(await codes(bench)).toEqual([
      ...kept,
      `factory-reset: ${region === "uk" ? "" : "the log before this entry was purged"}`,
      "start: factory-reset",
      "setup: configuration: first",
    ]);
    const { owner } = (await bench.ask({ k: "state" }, "state")).state as { owner: { consent: unknown[] } };
    expect(owner.consent).toEqual([]);
    await bench.until("online", () => bench.last("upstream")?.state === "online", 60_000);
  });
});
