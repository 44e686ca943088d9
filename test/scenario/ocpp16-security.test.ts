/** From what happens to the module, over its journal, to the platform: security events and the security log. */
import { describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import type { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { ask, expectClean, ocppBench, online } from "../support/ocpp-bench.js";

const told = (bench: VirtualBench): unknown[] => bench.csms.point.securityEvents.map((one) => one["type"]);
const withJournal = (): VirtualBench => ocppBench({ flash: FileFlash.blank() });

describe("security events of the whole module", () => {
  it("a start, a refused password, a clock that is set, a reset from afar: each told once", async () => {
    const bench = withJournal();
    await online(bench);
    await bench.until("the start is told", () => told(bench).length === 1, 10_000);
    bench.csms.door = "http-401";
    bench.csms.cut();
    await bench.run(600_000);
    bench.csms.door = "open";
    await bench.until("back", () => bench.csms.isConnected, 900_000);
    await bench.until("told", () => told(bench).length === 2, 10_000);
    expect(bench.csms.point.securityEvents[1]).toMatchObject({ techInfo: "platform: http-401" });
    await ask(bench, "ChangeConfiguration", {
      key: "AuthorizationKey",
      value: "0123456789abcdef0123456789abcdef",
    });
    await bench.until("back", () => bench.csms.isConnected, 60_000);
    await bench.until("told", () => told(bench).length === 3, 10_000);
    await ask(bench, "Reset", { type: "Soft" });
    await bench.until("told", () => told(bench).length === 4, 60_000);
    await bench.run(600_000);
    expect(told(bench)).toEqual([
      "StartupOfTheDevice",
      "FailedToAuthenticateAtCentralSystem",
      "ReconfigurationOfSecurityParameters",
      "ResetOrReboot",
    ]);
    expectClean(bench);
  });

  it("what happens while the platform is away is told after a power cut, in order", async () => {
    const bench = withJournal();
    await online(bench);
    await bench.until("the start is told", () => told(bench).length === 1, 10_000);
    bench.csms.door = "refused";
    bench.csms.cut();
    await bench.run(60_000);
    await bench.darkness(60_000);
    bench.boot();
    bench.csms.door = "http-401";
    await bench.run(900_000);
    bench.csms.door = "open";
    await bench.until("told", () => told(bench).length === 3, 1_200_000);
    expect(told(bench).slice(1)).toEqual(["StartupOfTheDevice", "FailedToAuthenticateAtCentralSystem"]);
    expectClean(bench);
  });

  it("messages that are none are InvalidMessages, a garbage a connection, and the log is uploaded on demand", async () => {
    const bench = withJournal();
    await online(bench);
    for (let i = 0; i < 3; i++) {
      bench.csms.sendText("nonsense");
      await bench.run(1000);
    }
    await bench.until("told", () => told(bench).includes("InvalidMessages"), 900_000);
    const log = { remoteLocation: "https://127.0.0.1:1/logs/" };
    expect(await ask(bench, "GetLog", { logType: "SecurityLog", requestId: 1, log })).toEqual({
      status: "Accepted",
      filename: "security.log",
    });
    await bench.until(
      "it went wrong, there is no such server",
      () => {
        return bench.csms.point.got("LogStatusNotification").some((one) => one["status"] === "UploadFailure");
      },
      120_000,
    );
    expectClean(bench);
  });
});
