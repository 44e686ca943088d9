// The watchdog during a factory reset: fed while it gets on, and not for ever.
import { expect, it } from "vitest";
import { Ucm } from "../../src/app.js";
import type { FlashPort } from "../../src/ports/flash.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { seededRandom } from "../../src/base/random.js";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { MemoryStore } from "../../host-sim/release/verify.js";

function moduleOn(flash: FlashPort) {
  const seen = { fed: [] as number[], restarts: 0 };
  let ms = 1000;
  const ucm = new Ucm(
    {
      line: { write: () => undefined, setBitRate: () => true },
      http: { request: () => undefined, abort: () => undefined },
      random: { uint32: seededRandom(1).uint32 },
      store: new MemoryStore(),
      flash,
      restart: () => seen.restarts++,
      feed: () => seen.fed.push(ms),
      emit: () => undefined,
    },
    readConfig({ upstreams: [] }) as UcmConfig,
  );
  ucm.start({ ms, utcMs: undefined });
  const run = (forMs: number): void => {
    for (const endMs = ms + forMs; ms < endMs && seen.restarts === 0;) {
      ms = Math.max(ms + 1, Math.min(ucm.nextMs(), endMs));
      ucm.poll({ ms, utcMs: undefined });
    }
  };
  return { ucm, seen, run };
}

it("is fed at every step until the module starts anew", () => {
  const { ucm, seen, run } = moduleOn(FileFlash.blank());
  run(5000);
  ucm.onButton(10_000, { ms: 6000, utcMs: undefined });
  seen.fed.length = 0;
  run(60_000);
  expect(seen.restarts).toBe(1);
  expect(seen.fed.length).toBeGreaterThan(2);
  const gaps = seen.fed.map((at, i) => at - (seen.fed[i - 1] ?? at));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(20);
});

it("starves where the flash is never blank, and the next start goes on", () => {
  const good = FileFlash.blank();
  const stuck: FlashPort = {
    ...{ sectorBytes: good.sectorBytes, sectors: good.sectors },
    read: (at, into) => good.read(at, into),
    program: (at, bytes) => good.program(at, bytes),
    erase: () => undefined,
  };
  const first = moduleOn(stuck);
  first.run(5000);
  first.ucm.onButton(10_000, { ms: 6000, utcMs: undefined });
  first.seen.fed.length = 0;
  first.run(5 * 60_000);
  expect(first.seen.restarts).toBe(0);
  expect(first.seen.fed.at(-1)).toBeLessThan(120_000);
  const second = moduleOn(good);
  second.run(60_000);
  expect(second.seen.restarts).toBe(1);
});
