// Outage drills in virtual time: the whole module in a home network that fails it in every way we could think of.
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { OUTAGES, outageDrill } from "../support/outage-drill.js";

const MINUTE = 60_000;

describe("three days of outages: the module comes back by itself, without a restart", () => {
  it.each(Object.keys(OUTAGES))("%s", async (kind) => {
    const { backMs, restarts, reinits, hours } = await outageDrill(kind, 1);
    expect(backMs).toHaveLength(OUTAGES[kind]!.times);
    expect(restarts).toBe(0);
    if (kind === "radio driver hung") expect(reinits).toBeGreaterThan(0);
    expect(hours).toBeGreaterThanOrEqual(72);
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
