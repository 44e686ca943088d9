/** SecurityEventNotification out of the module's security log: what has a word, in order, once, over outages and power cuts. */
import { describe, expect, it } from "vitest";
import { CsmsCore } from "../../host-sim/csms/core.js";
import { Journal } from "../../src/journal/journal.js";
import { JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { SECURITY_CODES, type SecurityCode } from "../../src/journal/security-log.js";
import type { Services } from "../../src/ocpp16/services.js";
import { FlashSim } from "../support/flash-sim.js";
import { Harness, T0 } from "../support/ocpp-harness.js";

/** A charge point with the module's own security log beside it. */
class Logged {
  readonly journal = new Journal(new FlashSim(JOURNAL_SECTORS));
  readonly harness: Harness;

  constructor(core = new CsmsCore({ heartbeatSeconds: 3600 })) {
    this.note("power-cycle", "power");
    const { security } = this.journal;
    const services: Services = {
      security: {
        head: () => security.head,
        entries: () => security.entries(),
        add: (act, text) => this.note(act, text),
      },
      certificates: { call: () => undefined },
    };
    this.harness = new Harness({}, services, { core });
  }

  note(code: SecurityCode, text: string): void {
    const now = (this as { harness?: Harness }).harness?.now ?? { ms: 0, utcMs: T0 };
    this.journal.addSecurity(code, text, now);
  }

  /** What the platform has been told. */
  get told(): unknown[] {
    return this.harness.csms.got("SecurityEventNotification").map((one) => one["type"]);
  }
}

describe("what is told", () => {
  it.each([
    ["start", "crash", "StartupOfTheDevice"],
    ["power-cycle", "power", "StartupOfTheDevice"],
    ["stop", "", "ResetOrReboot"],
    ["reset", "platform: soft", "ResetOrReboot"],
    ["user-reset", "asked by the appliance", "ResetOrReboot"],
    ["factory-reset", "", "ResetOrReboot"],
    ["factory-reset", "the log before this entry was purged", "SecurityLogWasCleared"],
    ["update-installed", "1.2.0", "FirmwareUpdated"],
    ["update-refused", "the signature is wrong", "InvalidFirmwareSignature"],
    ["certificate-refused", "platform: tls-untrusted", "InvalidCentralSystemCertificate"],
    ["certificate-refused", "platform: tls-expired", "InvalidCentralSystemCertificate"],
    ["certificate-refused", "platform: tls-client-certificate", "FailedToAuthenticateAtCentralSystem"],
    ["certificate-refused", "platform: tls-version", "InvalidTLSVersion"],
    ["certificate-refused", "platform: tls-static-rsa", "InvalidTLSCipherSuite"],
    ["login-refused", "platform: http-401", "FailedToAuthenticateAtCentralSystem"],
    ["messages-invalid", "platform: ocpp-garbage", "InvalidMessages"],
    ["own-certificate-refused", "CertificateSigned", "InvalidChargePointCertificate"],
    ["security-setup", "platform: AuthorizationKey", "ReconfigurationOfSecurityParameters"],
    ["clock-set", "by 3600 s", "SettingSystemTime"],
    ["memory-short", "2048 bytes", "MemoryExhaustion"],
    ["tampering", "", "TamperDetectionActivated"],
  ] as const)("%s (%s): %s", (code, text, type) => {
    const logged = new Logged();
    logged.harness.start();
    logged.note(code, text);
    logged.harness.advance(1000);
    expect(logged.told).toEqual(["StartupOfTheDevice", type]);
    expect(logged.harness.csms.securityEvents[1]).toMatchObject(
      text === "" ? { type } : { type, techInfo: text },
    );
    expect(logged.harness.faults).toEqual([]);
  });

  it.each([
    ["setup", "consent"],
    ["login-failed", "at the local page"],
    ["removed-from-socket", ""],
    ["update-accepted", "1.2.0"],
    ["update-rolled-back", "1.2.0"],
    ["update-refused", "it is for another board"],
    ["certificate-refused", "utility: tls-untrusted"],
    ["certificate-refused", "platform: tls-handshake"],
    ["login-refused", "utility: http-401"],
    ["messages-invalid", "utility: x"],
  ] as const)(
    "%s (%s) stays in the log: the list has no word for it, or it is about another upstream",
    (code, text) => {
      const logged = new Logged();
      logged.harness.start();
      logged.note(code, text);
      logged.harness.advance(1000);
      expect(logged.told).toEqual(["StartupOfTheDevice"]);
      expect(logged.harness.point.nextMs()).toBeGreaterThan(logged.harness.ms);
    },
  );

  it("every code of the log has been decided on above", () => {
    expect(SECURITY_CODES).toHaveLength(21);
  });
});

describe("when", () => {
  it("what happens offline is told in order when the platform is back, with its own time", () => {
    const logged = new Logged();
    const { harness } = logged;
    harness.start();
    harness.reachable = false;
    harness.cut();
    for (const [code, text] of [
      ["login-refused", "platform: http-401"],
      ["setup", "delay"],
      ["clock-set", "by 60 s"],
    ] as const) {
      harness.advance(60_000);
      logged.note(code, text);
    }
    const last = new Date(T0 + harness.ms).toISOString().slice(0, 19);
    harness.reachable = true;
    harness.advance(1_300_000);
    expect(logged.told).toEqual([
      "StartupOfTheDevice",
      "FailedToAuthenticateAtCentralSystem",
      "SettingSystemTime",
    ]);
    expect(String(harness.csms.securityEvents[2]!["timestamp"])).toContain(last);
  });

  it("over a power cut nothing is lost, and nothing told is told again", () => {
    const logged = new Logged();
    const { harness } = logged;
    harness.start();
    harness.reachable = false;
    harness.cut();
    logged.note("tampering", "");
    harness.advance(5000);
    logged.note("power-cycle", "power");
    harness.reachable = true;
    harness.boot().start();
    expect(logged.told).toEqual(["StartupOfTheDevice", "TamperDetectionActivated", "StartupOfTheDevice"]);
    harness.boot().start();
    expect(logged.told).toHaveLength(3);
  });

  it("an answer that is lost: told once more", () => {
    const logged = new Logged();
    const { harness } = logged;
    harness.start();
    logged.note("tampering", "");
    harness.answers = false;
    harness.advance(1000).cut();
    harness.answers = true;
    harness.advance(60_000);
    expect(logged.told.filter((one) => one === "TamperDetectionActivated")).toHaveLength(1);
    expect(harness.sent.filter((text) => text.includes("TamperDetectionActivated"))).toHaveLength(2);
  });

  it("a platform that is new hears of this start and after, not of the years before", () => {
    const logged = new Logged();
    for (let i = 0; i < 5; i++) logged.note("tampering", "");
    logged.note("start", "crash");
    logged.note("tampering", "again");
    logged.harness.start();
    expect(logged.told).toEqual(["StartupOfTheDevice", "TamperDetectionActivated"]);
  });

  it("a log that has turned over since is told from its oldest entry", () => {
    const logged = new Logged();
    const { harness } = logged;
    harness.start();
    harness.reachable = false;
    harness.cut();
    for (let i = 0; i < 400; i++) {
      logged.note("tampering", `attempt ${String(i)} at the lid of the charger, seen by its switch`);
      logged.journal.tidy();
    }
    harness.reachable = true;
    harness.advance(1_300_000);
    const told = harness.csms.securityEvents.length;
    expect(told).toBeGreaterThan(20);
    expect(harness.csms.securityEvents.at(-1)).toMatchObject({
      techInfo: expect.stringContaining("attempt 399") as string,
    });
    harness.cut().advance(60_000);
    expect(harness.csms.securityEvents).toHaveLength(told);
  });

  it("a platform that does not know the message is asked once a start", () => {
    const core = new CsmsCore({ heartbeatSeconds: 3600, failures: { SecurityEventNotification: 1 } });
    const logged = new Logged(core);
    logged.harness.start().advance(600_000);
    expect(logged.told).toHaveLength(1);
    logged.harness.boot().start();
    expect(logged.told).toEqual(["StartupOfTheDevice", "StartupOfTheDevice"]);
  });

  it("without a log the start alone is told", () => {
    const harness = new Harness().start();
    expect(harness.csms.securityEvents).toMatchObject([{ type: "StartupOfTheDevice" }]);
    harness.cut().advance(60_000);
    expect(harness.csms.securityEvents).toHaveLength(1);
  });
});

describe("what the charge point itself writes to the log", () => {
  it("a new password, a reset from afar, a certificate that does not fit", () => {
    const logged = new Logged();
    const { harness } = logged;
    harness.start();
    harness.ask("ChangeConfiguration", {
      key: "AuthorizationKey",
      value: "0123456789abcdef0123456789abcdef01234567",
    });
    harness.advance(5000);
    harness.deliver('[2,"c1","CertificateSigned",{"certificateChain":"x"}]');
    harness.point.onCertificate({ ev: "installed", credentials: "platform", ok: false }, harness.now);
    harness.ask("Reset", { type: "Soft" });
    harness.advance(60_000);
    expect(logged.told).toEqual([
      "StartupOfTheDevice",
      "ReconfigurationOfSecurityParameters",
      "InvalidChargePointCertificate",
      "ResetOrReboot",
    ]);
    const log = [...logged.journal.security.entries()].map((one) => one.text).join();
    expect(log).not.toContain("0123456789");
  });
});
