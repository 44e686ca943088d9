// What drivers/device relies on: when setup is open, and when what the world keeps of the owner's is to go.
import { describe, expect, it } from "vitest";
import { Ucm } from "../../src/app.js";
import { seededRandom } from "../../src/base/random.js";
import { BridgedFlash } from "../../src/bridged-flash.js";
import type { WebResponse } from "../../src/ports/http-server.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { setupNetwork, setupPassphrase } from "../../src/setup/kept-setup.js";

const MINUTE = 60_000;

function start(flash: BridgedFlash, fresh: boolean) {
  const told: string[] = [];
  const responses: WebResponse[] = [];
  const values = new Map<string, string>();
  const ucm = new Ucm(
    {
      line: { write: () => undefined, setBitRate: () => true },
      http: { request: () => undefined, abort: () => undefined },
      random: seededRandom(1),
      flash,
      store: {
        get: (key) => values.get(key),
        set: (key, value) => void values.set(key, value),
        delete: (key) => void values.delete(key),
      },
      web: { ownerSecret: "7KQ2-M9XV-4T8B-D3NH-P", fresh, respond: (response) => responses.push(response) },
      forget: () => told.push("forget"),
      restart: (why) => told.push(why),
      emit: () => undefined,
    },
    readConfig({ upstreams: [] }) as UcmConfig,
  );
  let ms = 0;
  const run = (forMs: number): void => {
    for (const end = ms + forMs; ms < end; ms += 10) ucm.poll({ ms, utcMs: undefined });
  };
  ucm.start({ ms, utcMs: undefined });
  const at = () => ({ ms, utcMs: undefined });
  return { ucm, told, run, at };
}
const blank = (): BridgedFlash => new BridgedFlash(64, () => undefined);

describe("the access point for setup", () => {
  it("is open for ten minutes in a new module, and by the button, and not otherwise", () => {
    const fresh = start(blank(), true);
    expect(fresh.ucm.inSetup(fresh.at())).toBe(true);
    expect(fresh.ucm.inSetup({ ms: 10 * MINUTE - 1, utcMs: undefined })).toBe(true);
    expect(fresh.ucm.inSetup({ ms: 10 * MINUTE, utcMs: undefined })).toBe(false);
    const known = start(blank(), false);
    expect(known.ucm.inSetup(known.at())).toBe(false);
    known.ucm.onButton(100, known.at());
    expect(known.ucm.inSetup(known.at())).toBe(false);
    known.ucm.onButton(1000, known.at());
    expect(known.ucm.inSetup(known.at())).toBe(true);
  });

  it("has the name and the password of the label", () => {
    expect(setupNetwork("UCM-2026-000123456789")).toBe("UCM-000123456789");
    expect(setupPassphrase("7KQ2-M9XV-4T8B-D3NH-P")).toBe("7KQ2M9XV4T8BD3NHP");
  });
});

describe("a factory reset", () => {
  it("has the world forget first, once, and starts anew when all is gone", () => {
    const { ucm, told, run, at } = start(blank(), false);
    run(100);
    ucm.onButton(10_000, at());
    expect(told).toEqual(["forget"]);
    ucm.onButton(10_000, at());
    run(10_000);
    expect(told).toEqual(["forget", "factory-reset"]);
  });

  it("that a power cut interrupts has the world forget again at the next start", () => {
    const flash = blank();
    const before = start(flash, false);
    before.run(100);
    before.ucm.onButton(10_000, before.at());
    before.run(40);
    expect(before.told).toEqual(["forget"]);
    const after = start(flash, false);
    after.run(10_000);
    expect(after.told).toEqual(["forget", "factory-reset"]);
    expect(start(flash, false).told).toEqual([]);
  });
});
