// OpenADR through the whole module in virtual time: the journal as a report of the past, and one provider at a time.
import { describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";

const HOUR = 3_600_000;
const polling = { stateSeconds: 60, commoditySeconds: 30 };
const amperes = (bench: VirtualBench): number => bench.sgd.state().currentA;

describe("HISTORY_USAGE", () => {
  it("tells the half hours that the journal has kept, as energy and as mean power", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      flash: FileFlash.blank(),
      vtn: { pollSeconds: 30, requestReports: "none" },
      config: { polling },
    });
    await bench.until("online", () => bench.last("upstream")?.state === "online", 30_000);
    bench.sgd.plug();
    await bench.run(2.2 * HOUR);
    const [ven] = bench.vtn.vens();
    const interval = { startUtcMs: bench.utcMs - 2 * HOUR, durationMs: 2 * HOUR };
    const ask = { name: "HISTORY_USAGE", granularityMs: HOUR / 2, reportBackMs: 0, interval };
    const asked = bench.vtn.requestReports(ven!.venId, [ask]);
    expect(asked).toHaveLength(1);
    await bench.until("the report", () => bench.vtn.state.reports.length > 0, 120_000);
    const values = bench.vtn.state.reports.flatMap((report) => report.values);
    const of = (rid: string) => values.filter((one) => one.rId === rid).map((one) => Number(one.value));
    // 7.68 kW all the time: 3,840 Wh in half an hour, but for the first one, in which the car came.
    expect(of("energy-history").length).toBeGreaterThanOrEqual(3);
    for (const wh of of("energy-history").slice(1)) expect(Math.abs(wh - 3840)).toBeLessThan(80);
    for (const w of of("power-history").slice(1)) expect(Math.abs(w - 7680)).toBeLessThan(160);
    expect(bench.vtn.state.reports.flatMap((report) => report.warnings ?? [])).toEqual([]);
  });
});

describe("one provider at a time", () => {
  it("registers with one, and a change ends all that the first had asked for before the second hears of us", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      vtn: { pollSeconds: 10 },
      config: {
        polling: { stateSeconds: 60, commoditySeconds: 5 },
        oneProvider: true,
        upstreams: [
          {
            id: "first",
            protocol: "openadr2b",
            url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
            venName: "module",
          },
          {
            ...{
              id: "second",
              protocol: "openadr3",
              url: "https://127.0.0.1/openadr3/3.1.0",
              venName: "module",
            },
            ...{ clientId: "module", clientSecretFile: "(of the bench)", pollSeconds: 10 },
          },
        ],
      },
    });
    const state = (id: string): string | undefined => {
      const told = bench.told.flatMap(({ event }) =>
        event.event === "upstream" && event.id === id ? [event.state] : [],
      );
      return told.at(-1);
    };
    bench.sgd.plug();
    await bench.until("the first is online", () => state("first") === "online", 30_000);
    await bench.until("32 A", () => amperes(bench) > 31.9, 60_000);
    expect(bench.vtn.vens()).toHaveLength(1);
    expect(bench.vtn3.vens()).toHaveLength(0);
    const shed = { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 36_000 };
    const made = bench.vtn.createEvent(shed, { utcMs: bench.utcMs });
    if ("error" in made) throw new Error(String(made.error));
    await bench.until("16 A", () => Math.abs(amperes(bench) - 16) < 0.1, 60_000);
    // It is the first provider's event alone.
    bench.vtn.cancelEvent(made.id, { utcMs: bench.utcMs });
    await bench.until("32 A again", () => amperes(bench) > 31.9, 60_000);

    const change = await bench.ask({ k: "owner", order: { verb: "provider", source: "second" } }, "answer");
    expect(change).toMatchObject({ ok: true });
    await bench.until("the second is online", () => state("second") === "online", 60_000);
    expect(state("first")).toBe("stopped");
    expect(bench.vtn3.vens()).toMatchObject([{ venName: "module" }]);
    const { state: all } = await bench.ask({ k: "state" }, "state");
    expect(all["provider"]).toBe("second");
    // A restart keeps to it.
    bench.cutPower();
    bench.boot();
    const from = bench.told.length;
    await bench.run(60_000);
    const online = bench.told
      .slice(from)
      .flatMap(({ event }) => (event.event === "upstream" && event.state === "online" ? [event.id] : []));
    expect(online).toEqual(["second"]);
    const wrong = await bench.ask({ k: "owner", order: { verb: "provider", source: "nobody" } }, "answer");
    expect(wrong).toMatchObject({ ok: false, why: "unknown-source" });
    expect(await bench.ask({ k: "owner", order: { verb: "provider" } }, "answer")).toMatchObject({
      ok: false,
      why: "bad-order",
    });
  });
});
