/** A platform's UpdateFirmware over the module's own updater, in the words of OCPP. */
import { describe, expect, it } from "vitest";
import { OrderedUpdate } from "../../src/ordered-update.js";
import type { UpdateStatus } from "../../src/update/updater.js";

const NOW = { ms: 5000, utcMs: Date.UTC(2026, 10, 21, 12) };

/** An updater that the test moves. */
function fake() {
  let status: UpdateStatus = {
    ...{ version: "1.4.0", board: "x", slot: "a", phase: "idle", target: "", percent: 0 },
    ...{ fetchedBytes: 0, heldBytes: 0, nextCheckMs: 0 },
    last: { result: "", why: "", text: "", utcMs: null },
  };
  let checks = 0;
  const updater = {
    check: () => {
      if (status.phase !== "idle") return false;
      checks++;
      return true;
    },
    status: () => status,
  };
  const ends = (result: UpdateStatus["last"]["result"], utcMs: number) =>
    (status = { ...status, phase: "idle", last: { result, why: "", text: "", utcMs } });
  const goes = (phase: UpdateStatus["phase"]) => (status = { ...status, phase });
  return { ordered: new OrderedUpdate(updater), ends, goes, checks: () => checks };
}

const later = (ms: number) => ({ ms: NOW.ms + ms, utcMs: NOW.utcMs + ms });

describe("UpdateFirmware", () => {
  it("looks at the time that the platform names, once", () => {
    const { ordered, checks } = fake();
    ordered.request({ retrieveUtcMs: NOW.utcMs + 60_000 });
    expect(ordered.status(NOW)).toBe("Idle");
    expect(ordered.status({ ms: 9e9, utcMs: undefined })).toBe("Idle");
    expect(checks()).toBe(0);
    expect(ordered.status(later(60_000))).toBe("Downloading");
    ordered.status(later(61_000));
    expect(checks()).toBe(1);
    expect(ordered.version).toBe("1.4.0");
  });

  it("tells each step", () => {
    const { ordered, goes } = fake();
    ordered.request({ retrieveUtcMs: 0 });
    const told = [ordered.status(NOW)];
    for (const phase of ["checking", "downloading", "waiting", "restarting", "trial"] as const) {
      goes(phase);
      told.push(ordered.status(NOW));
    }
    expect(told).toEqual([
      "Downloading",
      "Downloading",
      "Downloading",
      "Downloaded",
      "Installing",
      "Installing",
    ]);
  });

  it.each([
    ["none", "Installed"],
    ["installed", "Installed"],
    ["refused", "DownloadFailed"],
    ["failed", "DownloadFailed"],
    ["no-time", "DownloadFailed"],
    ["rolled-back", "InstallationFailed"],
  ] as const)("a look that ends with %s: %s", (result, status) => {
    const { ordered, ends } = fake();
    ends("failed", 1);
    ordered.request({ retrieveUtcMs: 0 });
    // What ended before it was ordered is not its end.
    expect(ordered.status(NOW)).toBe("Downloading");
    ends(result, 2);
    expect(ordered.status(NOW)).toBe(status);
  });

  it("waits while another look is under way", () => {
    const { ordered, goes, ends, checks } = fake();
    goes("checking");
    ordered.request({ retrieveUtcMs: 0 });
    expect(ordered.status(NOW)).toBe("Idle");
    ends("none", 1);
    expect(ordered.status(NOW)).toBe("Downloading");
    expect(checks()).toBe(1);
  });

  it("the module's own daily look is no news, its installation is, also after the restart", () => {
    const { ordered, goes, ends } = fake();
    for (const result of ["none", "failed", "refused"] as const) {
      goes("checking");
      expect(ordered.status(NOW)).toBe("Idle");
      ends(result, 1);
      expect(ordered.status(NOW)).toBe("Idle");
    }
    goes("trial");
    expect(ordered.status(NOW)).toBe("Installing");
    ends("installed", 2);
    expect(ordered.status(NOW)).toBe("Installed");
  });
});
