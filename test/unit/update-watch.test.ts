// An updater that hangs is seen and ended, by itself or by the watchdog; one that is only slow is left alone.
import { describe, expect, it } from "vitest";
import { MOST_LATE_MS, Watch } from "../../src/health/watch.js";
import { Ucm } from "../../src/app.js";
import { sealJson } from "../../src/base/json.js";
import { seededRandom } from "../../src/base/random.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { MemoryStore } from "../../host-sim/release/verify.js";
import { imageOf, Rig, TestRepo } from "../support/update-rig.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function rigWith(image = imageOf(60_000)): Rig {
  const repo = new TestRepo();
  repo.add("1.1.0", image);
  return new Rig(repo);
}

/** Judges the updater at each turn; the hardware resets the module where it starves. Answers how often it did. */
function watched(rig: Rig, forMs: number, until: () => boolean): number {
  let watch = new Watch();
  let resets = 0;
  rig.run(forMs, () => {
    watch.polled("update", rig.updater.dueMs(), rig.now);
    if (watch.stuck(rig.now) !== undefined) {
      resets++;
      watch = new Watch();
      rig.boot();
    }
    return until();
  });
  return resets;
}

const installed = (rig: Rig) => (): boolean => rig.told("update-installed").length > 0;

describe("the watchdog and the updater", () => {
  it.each(["verify", "erase", "hash", "read", "boot"])(
    "a lost answer to %s is waited for a minute",
    (what) => {
      const rig = rigWith();
      let lost = 0;
      rig.loses = (call) => call.do === what && lost++ === 0;
      expect(watched(rig, 30 * HOUR, installed(rig))).toBe(0);
      expect(lost).toBeGreaterThan(0);
      expect(rig.running).toBe("1.1.0");
    },
  );

  it("a restart that does not come, with the new image ready, is the watchdog's", () => {
    const rig = rigWith();
    rig.restartsHang = 1;
    expect(watched(rig, 5 * HOUR, installed(rig))).toBe(1);
    expect(rig.running).toBe("1.1.0");
  });

  it("a restart that does not come, on the way back from a bad image, is the watchdog's", () => {
    const rig = rigWith();
    rig.behaviours.set("1.1.0", "no-network");
    rig.run(3 * HOUR, () => rig.slots.state.trial);
    rig.restartsHang = 1;
    expect(watched(rig, HOUR, () => rig.told("update-rolled-back").length > 0)).toBe(1);
    expect(rig.running).toBe("1.0.0");
  });

  it("neither a slow server, nor one that breaks off for half an hour, nor a line that is never quiet resets", () => {
    const rig = rigWith(imageOf(30_000));
    let from = 0;
    rig.trouble = ({ url }) => {
      if (!url.endsWith(".bin")) return undefined;
      if (from === 0) from = rig.ms;
      return rig.ms - from < 20 * MINUTE ? "refused" : undefined;
    };
    rig.quietFromMs = 3 * HOUR;
    expect(watched(rig, 30 * HOUR, installed(rig))).toBe(0);
    expect(rig.running).toBe("1.1.0");
  });
});

describe("the whole module", () => {
  it("starves the watchdog where an image on trial gives up and the chip does not restart", () => {
    const config = readConfig({
      upstreams: [],
      update: { url: "https://updates.test/fw", root: "root.json", checkHours: 24 },
    }) as UcmConfig;
    const store = new MemoryStore();
    store.set(
      "update.trial",
      sealJson({ version: "1.1.0", from: "1.0.0", sha256: "0", session: "", network: true, why: "" }),
    );
    let fedMs = 0;
    let ms = 0;
    let sent = false;
    const asked: string[] = [];
    const logs: string[] = [];
    const ucm = new Ucm(
      {
        line: { write: () => (sent = true), setBitRate: () => true },
        http: { request: () => undefined, abort: () => undefined },
        random: { uint32: seededRandom(1).uint32 },
        store,
        update: {
          slots: {
            ...{ slot: "b", version: "1.1.0", board: "bench", trial: true, other: "valid" },
            ...{ slotBytes: 65_536, securityVersion: 0 },
          },
          call: (call) => asked.push(call.do),
        },
        restart: (why) => asked.push(`restart ${why}`),
        feed: () => (fedMs = ms),
        emit: (event) => {
          if (event.event === "log") logs.push(event.text);
        },
      },
      config,
    );
    ucm.start({ ms, utcMs: undefined });
    for (; ms < 20 * MINUTE; ms += 250) {
      if (sent) ucm.onLine({ ev: "sent", atMs: ms }, { ms, utcMs: undefined });
      sent = false;
      ucm.poll({ ms, utcMs: undefined });
    }
    expect(asked).toEqual(["roll-back", "restart requested"]);
    // Ten minutes on trial, one for the call that is not answered, one for the restart.
    expect(fedMs).toBeGreaterThan(11 * MINUTE);
    expect(fedMs).toBeLessThan(11 * MINUTE + MOST_LATE_MS.update + 2000);
    expect(logs).toContain("The update makes no progress: the watchdog starves.");
  });
});
