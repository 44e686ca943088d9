// A power cut in the middle of a download: what was fetched stays, and nothing boots on the word of before.
import { describe, expect, it } from "vitest";
import { DAY, imageOf, PowerCut, Rig, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;
const IMAGE = imageOf(100_000);

/** Power goes at the write of this address; `torn` bytes of that page reach the flash, with `spoilt` bits. */
function cut(
  at: number,
  torn: Uint8Array = new Uint8Array(0),
): { repo: TestRepo; rig: Rig; asked: string[] } {
  const repo = new TestRepo();
  repo.add("1.1.0", IMAGE);
  const rig = new Rig(repo);
  let gone = false;
  rig.onStep = (what) => {
    if (what !== `write ${at}` || gone) return;
    gone = true;
    if (torn.length > 0) rig.slots.carryOut({ do: "write", id: -1, at, bytes: torn });
    throw new PowerCut();
  };
  const asked: string[] = [];
  rig.trouble = ({ url, headers }) => {
    if (gone)
      asked.push([url.slice(url.lastIndexOf("/") + 1), ...headers.map(([, value]) => value)].join(" "));
    return undefined;
  };
  rig.run(3 * HOUR, () => gone && rig.restarts === 2);
  return { repo, rig, asked };
}

const installed = (rig: Rig) => (): boolean => rig.told("update-installed").length > 0;

describe("a download that a power cut has ended", () => {
  it("goes on at the page where it was, without a word of metadata before the image is whole", () => {
    const { rig, asked } = cut(5 * 4096 + 1024);
    const before = rig.bodyBytes;
    expect(rig.run(3 * HOUR, installed(rig))).toBe(true);
    expect(asked[0]).toMatch(new RegExp(`bench-1.1.0.bin bytes=${5 * 4096 + 1024}-${6 * 4096 - 1}$`));
    const look = asked.findIndex((one) => one.endsWith("root.json"));
    expect(asked.slice(0, look).every((one) => one.includes("1.1.0.bin"))).toBe(true);
    // Looked for once more before it boots.
    expect(asked.slice(look, look + 4).map((one) => one.slice(one.indexOf(".") + 1))).toEqual(
      expect.arrayContaining(["root.json", "json", "snapshot.json", "targets.json"]),
    );
    expect(rig.bodyBytes - before).toBeLessThan(IMAGE.length - 5 * 4096 - 1024 + 8000);
    expect(rig.running).toBe("1.1.0");
  });

  it.each([
    ["a page that lacks its end", IMAGE.subarray(5 * 4096 + 1024, 5 * 4096 + 1024 + 48)],
    ["a page that is wrong to its end", new Uint8Array(256).fill(0x5a)],
  ])("with %s, is whole in the end", (_what, torn) => {
    const { rig } = cut(5 * 4096 + 1024, new Uint8Array(torn));
    expect(rig.run(3 * HOUR, installed(rig))).toBe(true);
    expect(rig.told("update-refused")).toEqual([]);
    expect(rig.running).toBe("1.1.0");
  });

  it("does not boot what was withdrawn meanwhile", () => {
    const { repo, rig } = cut(5 * 4096);
    repo.repository.revoke("bench-1.1.0.bin", repo.context());
    rig.run(5 * HOUR);
    expect(rig.running).toBe("1.0.0");
    expect(rig.slots.state.trial).toBe(false);
    expect(rig.updater.status().last.result).toBe("none");
  });

  it("is looked for anew where a day has gone by, or the clock has gone back", () => {
    for (const offMs of [2 * DAY, -2 * HOUR]) {
      const { repo, rig, asked } = cut(5 * 4096);
      repo.utcMs += offMs;
      repo.repository.refresh(repo.context());
      rig.utcOffset! += offMs;
      expect(rig.run(5 * HOUR, installed(rig))).toBe(true);
      expect(asked[0]).toMatch(/root\.json$/);
    }
  });

  it("is not believed where its record is damaged", () => {
    const { rig, asked } = cut(5 * 4096);
    const record = rig.store.get("update.underway")!;
    rig.store.set("update.underway", record.replace("1.1.0", "1.1.1"));
    expect(rig.run(5 * HOUR, installed(rig))).toBe(true);
    expect(asked[0]).toMatch(/root\.json$/);
  });

  it("leaves no record behind once it is over", () => {
    const { rig } = cut(5 * 4096);
    rig.run(3 * HOUR, installed(rig));
    expect(rig.store.get("update.underway")).toBeUndefined();
  });
});
