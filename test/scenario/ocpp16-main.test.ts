/** The main job over OCPP, end to end in virtual time: what the platform says, in the charger's amperes. */
import { describe, expect, it } from "vitest";
import { clearOrder, limitOrder } from "../../host-sim/csms/requests.js";
import {
  amperes,
  ask,
  expectClean,
  near,
  ocppBench,
  online,
  order,
  stoppingCharger,
} from "../support/ocpp-bench.js";

describe("OCPP 1.6 main job", () => {
  it("boots, tells its status, and follows limits of 16, 6 and 0 A within 10 s each", async () => {
    const bench = ocppBench({ profile: stoppingCharger() });
    await online(bench);
    expect(bench.csms.point.boot).toMatchObject({ chargePointModel: "OpenUCM EVSE" });
    expect(bench.csms.point.status).toBe("Available");
    bench.sgd.plug();
    await bench.until("32 A", near(bench, 32), 60_000);
    await bench.until("Charging is told", () => bench.csms.point.status === "Charging", 10_000);
    expect(bench.csms.point.transactions).toHaveLength(1);
    for (const limit of [16, 6, 0]) {
      expect(await order(bench, limitOrder({ limit }, bench.utcMs))).toEqual({ status: "Accepted" });
      await bench.until(`${String(limit)} A`, near(bench, limit), 10_000);
    }
    await bench.until("the pause is told", () => bench.csms.point.status === "SuspendedEVSE", 20_000);
    expect(await order(bench, clearOrder())).toEqual({ status: "Accepted" });
    await bench.until("32 A again", near(bench, 32), 30_000);
    await bench.until("Charging is told", () => bench.csms.point.status === "Charging", 10_000);
    expect(await ask(bench, "TriggerMessage", { requestedMessage: "Heartbeat" })).toEqual({
      status: "Accepted",
    });
    bench.sgd.unplug();
    await bench.until("the end is told", () => bench.csms.point.running === undefined, 60_000);
    expect(bench.csms.point.transactions[0]).toMatchObject({ reason: "EVDisconnected" });
    await bench.until("Available", () => bench.csms.point.status === "Available", 10_000);
    expect(amperes(bench)).toBe(0);
    expectClean(bench);
  });

  it("a charger that clamps level 0 to 6 A is stopped by its contactor, where that is permitted", async () => {
    const bench = ocppBench({ upstream: { emergency: true } });
    await online(bench);
    bench.sgd.plug();
    await bench.until("32 A", near(bench, 32), 60_000);
    await order(bench, limitOrder({ limit: 0 }, bench.utcMs));
    await bench.until("0 A", near(bench, 0), 40_000);
    await bench.until("the contactor is open", () => bench.sgd.state().contactor === "open", 10_000);
    await order(bench, clearOrder());
    await bench.until("32 A again", near(bench, 32), 30_000);
  });
});
