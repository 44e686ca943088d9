/** ev.energy, "OCPP 1.6J charger requirements V1.1", line by line; docs/ocpp16.md shows the result on one page. */
import { describe, expect, it } from "vitest";
import { limitOrder } from "../../host-sim/csms/requests.js";
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

describe("ev.energy's list (lines 20–65)", () => {
  it("20–21 WSS alone: a plain ws:// address to elsewhere is never opened", async () => {
    const bench = ocppBench({ upstream: { url: "ws://csms.example/ocpp" } });
    await bench.run(60_000);
    expect(bench.csms.wire).toEqual([]);
    expect(bench.last("upstream")).toMatchObject({ state: "stopped", fault: "ocpp-not-tls" });
  });

  it("22–24 a right clock before TLS: no connection without one", async () => {
    const bench = ocppBench();
    bench.moduleClock.known = false;
    await bench.run(120_000);
    expect(bench.csms.wire).toEqual([]);
    bench.moduleClock.known = true;
    await online(bench);
  });

  it("25, 39 security profile 2", async () => {
    const bench = ocppBench();
    await online(bench);
    expect(await ask(bench, "GetConfiguration", { key: ["SecurityProfile"] })).toMatchObject({
      configurationKey: [{ value: "2", readonly: true }],
    });
  });

  it("26–37 profiles, 41–59 configuration, meter values and statuses, in one day at home", async () => {
    const bench = ocppBench({ profile: stoppingCharger() });
    await online(bench);
    const { point } = bench.csms;
    // 26–37: Core, Smart Charging, Remote Trigger; Firmware only if they manage it.
    const profiles = await ask(bench, "GetConfiguration", { key: ["SupportedFeatureProfiles"] });
    expect(JSON.stringify(profiles)).toMatch(/Core.*SmartCharging.*RemoteTrigger/);
    for (const requestedMessage of ["BootNotification", "StatusNotification"]) {
      expect(await ask(bench, "TriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" });
    }
    await bench.until("both came", () => point.boots === 2, 10_000);
    // 41–42: sampled data and interval, with the key as they write it (T8).
    for (const [key, value] of [
      ["MeterValuesSampleData", "Energy.Active.Import.Register,Power.Active.Import"],
      ["MeterValueSampleInterval", "60"],
    ]) {
      expect(await ask(bench, "ChangeConfiguration", { key: key!, value: value! })).toEqual({
        status: "Accepted",
      });
    }
    // 53–59: Available, Charging, SuspendedEVSE, SuspendedEV, Faulted.
    const statuses = new Set<string>([point.status]);
    bench.csms.core.onRecord(() => statuses.add(point.status));
    bench.sgd.plug();
    await bench.until("Charging", () => point.status === "Charging", 60_000);
    const transactionId = point.running!.id;
    await bench.run(180_000);
    // 28–29, 45–50: Power.Active.Import, and energy from start, stop and the register.
    expect(point.latest.get("Power.Active.Import")?.value).toBeCloseTo(7680, -2);
    expect(point.latest.get("Energy.Active.Import.Register")?.value).toBeGreaterThan(200);
    // TxProfile, then ChargePointMaxProfile.
    await order(bench, limitOrder({ limit: 16, purpose: "TxProfile", transactionId }, bench.utcMs));
    await bench.until("16 A", near(bench, 16), 10_000);
    await order(bench, limitOrder({ limit: 0 }, bench.utcMs));
    await bench.until("SuspendedEVSE", () => point.status === "SuspendedEVSE", 30_000);
    expect(amperes(bench)).toBe(0);
    await ask(bench, "ClearChargingProfile", {});
    await bench.until("Charging", () => point.status === "Charging", 30_000);
    bench.sgd.fault("car-asleep");
    await bench.until("SuspendedEV", () => point.status === "SuspendedEV", 60_000);
    bench.sgd.fault("ground-fault");
    await bench.until("Faulted", () => point.status === "Faulted", 90_000);
    bench.sgd.fault("none");
    bench.sgd.unplug();
    await bench.until("Available", () => point.status === "Available", 90_000);
    expect([...statuses]).toEqual(
      expect.arrayContaining(["Available", "Charging", "SuspendedEVSE", "SuspendedEV", "Faulted"]),
    );
    const [transaction] = point.transactions;
    const metered = transaction!.meterStop! - transaction!.meterStart;
    expect(Math.abs(metered - bench.sgd.view().energyWh)).toBeLessThanOrEqual(1);
    expectClean(bench);
  });

  it("the same charger without evidence of the cable: what it can tell, it tells", async () => {
    const profile = stoppingCharger();
    const bench = ocppBench({
      profile: { ...profile, answers: { ...profile.answers, commodities: [0, 8] } },
    });
    await online(bench);
    const { point } = bench.csms;
    bench.sgd.plug();
    await bench.until("Charging", () => point.status === "Charging", 60_000);
    bench.sgd.unplug();
    // It cannot know that the car has left: the transaction goes on, and ends after half an hour.
    await bench.until("SuspendedEV", () => point.status === "SuspendedEV", 60_000);
    await bench.until("Available", () => point.status === "Available", 31 * 60_000);
    expect(point.transactions).toMatchObject([{ reason: "Other" }]);
    expectClean(bench);
  });
});
