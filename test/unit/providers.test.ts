// One service provider at a time: who runs, and how a change goes.
import { describe, expect, it } from "vitest";
import { Providers } from "../../src/grid/providers.js";
import type { Upstream, UpstreamStatus } from "../../src/grid/upstream.js";
import { NEVER, type Now } from "../../src/ports/time.js";

/** An upstream that takes 5 s to be left; `stubborn`: never. */
class Fake implements Upstream {
  state: UpstreamStatus["state"] = "stopped";
  leftMs = NEVER;
  deregister?: (now: Now) => void;
  constructor(
    readonly id: string,
    readonly told: string[],
    provider = true,
    readonly stubborn = false,
  ) {
    if (provider)
      this.deregister = (now) => {
        this.told.push(`leave ${id}`);
        this.leftMs = this.stubborn ? now.ms + 1e9 : now.ms + 5000;
      };
  }
  start(): void {
    this.told.push(`start ${this.id}`);
    this.state = "online";
    this.leftMs = NEVER;
  }
  poll(now: Now): void {
    if (now.ms < this.leftMs) return;
    this.state = "stopped";
    this.leftMs = NEVER;
  }
  nextMs(): number {
    return this.leftMs;
  }
  onHttp(): void {}
  onSgd(): void {}
  status(): UpstreamStatus {
    return { id: this.id, state: this.state, fault: "", text: "", nextTryMs: 0, lastContactMs: undefined };
  }
}

function bench(one: boolean, stubborn = false, kept: Record<string, string> = {}) {
  const told: string[] = [];
  const all = [new Fake("a", told, true, stubborn), new Fake("b", told), new Fake("platform", told, false)];
  const store = {
    get: (key: string) => kept[key],
    set: (key: string, value: string) => void (kept[key] = value),
    delete: (key: string) => void delete kept[key],
  };
  const providers = new Providers(all, one, store);
  const at = (ms: number): Now => ({ ms, utcMs: undefined });
  const run = (from: number, to: number): void => {
    for (let ms = from; ms <= to; ms += 1000) {
      for (const upstream of all) upstream.poll(at(ms));
      providers.poll(at(ms));
    }
  };
  providers.start(at(0));
  return { told, providers, kept, run, at };
}

describe("providers", () => {
  it("runs all of them where one alone is not wanted", () => {
    const { told, providers, at } = bench(false);
    expect(told).toEqual(["start a", "start b", "start platform"]);
    expect(providers.change("b", at(1))).toBe("not-exclusive");
    expect(providers.chosen).toBe("");
  });

  it("runs the first alone, beside what is no provider, and leaves it before the next begins", () => {
    const { told, providers, kept, run, at } = bench(true);
    expect(told).toEqual(["start platform", "start a"]);
    expect(providers.change("nobody", at(1))).toBe("unknown-source");
    expect(providers.change("platform", at(1))).toBe("unknown-source");
    expect(providers.change("a", at(1))).toBe("");
    expect(providers.change("b", at(1000))).toBe("");
    expect(told.slice(2)).toEqual(["leave a"]);
    expect(providers.change("a", at(1500))).toBe("busy");
    run(2000, 5000);
    expect(told.slice(2)).toEqual(["leave a"]);
    run(6000, 7000);
    expect(told.slice(2)).toEqual(["leave a", "start b"]);
    expect(providers.chosen).toBe("b");
    expect(kept).toEqual({ "grid.provider": "b" });
    // And back.
    expect(providers.change("a", at(8000))).toBe("");
    run(8000, 14_000);
    expect(told.slice(4)).toEqual(["leave b", "start a"]);
  });

  it("does not wait for ever for a provider that does not answer", () => {
    const { told, providers, run, at } = bench(true, true);
    providers.change("b", at(0));
    run(0, 119_000);
    expect(told).not.toContain("start b");
    run(120_000, 121_000);
    expect(told.at(-1)).toBe("start b");
  });

  it("remembers the choice over a restart, and ends a change that power cut short", () => {
    const first = bench(true, true);
    first.providers.change("b", first.at(0));
    const second = bench(true, false, first.kept);
    expect(second.told).toEqual(["start platform", "start a", "leave a"]);
    second.run(0, 6000);
    expect(second.told.at(-1)).toBe("start b");
    const third = bench(true, false, second.kept);
    expect(third.told).toEqual(["start platform", "start b"]);
  });
});
