// Outage drills in virtual time: the whole module in a home network that fails it in every way we could think of.
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { DRILLED, ENDLESS, OUTAGES, outageDrill } from "../support/outage-drill.js";
import { drilled } from "../support/outage-drilled.js";

const MINUTE = 60_000;

/** All kinds with all upstreams in outages.full.test.ts; here each kind once. */
const cases = Object.keys(OUTAGES).map((kind, i) => [kind, DRILLED[i % 3]!] as const);

describe("three days of outages: the module comes back by itself, without a restart", () => {
  it.each(cases)("%s (%s)", async (kind, protocol) => await drilled(kind, 1, protocol));

  it.each(DRILLED)("a drill of which the outage does not end fails (%s)", async (protocol) => {
    await expect(outageDrill(ENDLESS, 1, protocol)).rejects.toThrow("not back");
  });
});

describe("the module finds its own way", () => {
  it("connects, sets its clock, then its utility is online; the lamp says each", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      home: true,
      config: { timeServers: ["time-a.test", "time-b.test"] },
    });
    const lamps: string[] = [];
    await bench.until(
      "well",
      () => {
        if (bench.lamp !== lamps.at(-1)) lamps.push(bench.lamp);
        return bench.lamp === "well";
      },
      5 * MINUTE,
    );
    expect(lamps).toEqual(expect.arrayContaining(["no-appliance", "well"]));
    expect(Math.abs(bench.moduleClock.offsetMs)).toBeLessThan(50);
    const { state } = await bench.ask({ k: "state" }, "state");
    expect(state["network"]).toMatchObject({ station: { state: "online" }, time: { set: true } });
  });

  it("tells the charger of a poor connection (Outside Comm status 2)", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      home: true,
      config: { timeServers: ["time-a.test"] },
    });
    bench.home!.rssiDbm = -86;
    const said = (): boolean =>
      bench.told.some(
        ({ event }) => event.event === "frame" && event.dir === "tx" && event.hex.startsWith("080100020E02"),
      );
    await bench.until("outside comm 2", said, 10 * MINUTE);
    bench.told.length = 0;
    bench.home!.hear(-60, bench.nowMs);
    const good = (): boolean =>
      bench.told.some(
        ({ event }) => event.event === "frame" && event.dir === "tx" && event.hex.startsWith("080100020E01"),
      );
    await bench.until("outside comm 1 again", good, MINUTE);
    bench.told.length = 0;
    bench.home!.hear(-88, bench.nowMs);
    await bench.until("outside comm 2 again, while connected", said, MINUTE);
  });
});

describe("crashes in a row", () => {
  it("hold the upstreams back from the third on, while the appliance is served", async () => {
    const bench = new VirtualBench({ engine: nodeEngine() });
    await bench.until("online", () => bench.last("upstream")?.state === "online", MINUTE);
    for (let i = 0; i < 4; i++) {
      bench.cutPower();
      bench.boot("crash");
      await bench.run(2000);
    }
    bench.told.length = 0;
    await bench.run(90_000);
    expect(bench.last("upstream")?.state ?? "stopped").toBe("stopped");
    expect(bench.last("sgd")?.status.link).toBe("online");
    expect(
      bench.told.some(({ event }) => event.event === "log" && event.text.startsWith("4 crashes in a row")),
    ).toBe(false);
    await bench.until("online after the wait", () => bench.last("upstream")?.state === "online", 2 * MINUTE);
  });
});
