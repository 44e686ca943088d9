// The keys of a release in different places, as docs/how-to/release-firmware.md asks for: what each place can and cannot do.
import { describe, expect, it } from "vitest";
import { isFault } from "../../src/base/fault.js";
import { MemoryFiles } from "../../host-sim/release/files.js";
import { newKey } from "../../host-sim/release/keys.js";
import { Repository, type Context } from "../../host-sim/release/repository.js";
import { cycleOver } from "../../host-sim/release/verify.js";

const T0 = Date.UTC(2027, 0, 1);
const DAY = 86_400_000;

function release(targetsThreshold = 1) {
  const files = new MemoryFiles();
  const make = (role: string, count: number) =>
    Array.from({ length: count }, (_, i) => newKey(`${role}-${i}`));
  const keys = {
    ...{ root: make("root", 3), targets: make("targets", 2) },
    ...{ snapshot: make("snapshot", 1), timestamp: make("timestamp", 1) },
  };
  const all: Context = { keys: Object.values(keys).flat(), utcMs: T0 };
  const repository = Repository.create(
    files,
    keys,
    { root: 2, targets: targetsThreshold, snapshot: 1, timestamp: 1 },
    all,
  );
  const root = files.read("metadata/1.root.json")!.toString();
  const online = (utcMs = T0): Context => ({ keys: [...keys.snapshot, ...keys.timestamp], utcMs });
  /** Names of the images that a module would be offered, or why none. */
  const offered = (utcMs = T0): readonly string[] | string => {
    const targets = cycleOver(files, root, utcMs);
    return isFault(targets)
      ? targets.fault
      : targets.flatMap(({ path, custom }) => (custom.version === undefined ? [] : [path]));
  };
  const add = (version: string, context: Context) =>
    repository.add(
      Buffer.from(version),
      `b-${version}.bin`,
      { board: "b", version, shareBp: 10_000 },
      context,
    );
  return { files, keys, repository, online, offered, add };
}

describe("keys of a release in different places", () => {
  it("an image is signed where the targets' key is, and goes out where snapshot and timestamp are", () => {
    const { keys, repository, online, offered, add } = release();
    const missing = add("1.1.0", { keys: keys.targets, utcMs: T0 });
    expect(missing).toEqual([{ role: "snapshot", version: 2, have: 0, need: 1 }]);
    expect(offered()).toEqual([]);
    expect(repository.complete(online())).toEqual([]);
    expect(offered()).toEqual(["b-1.1.0.bin"]);
  });

  it("a snapshot without the timestamp's key waits for it, and nothing that is public changes", () => {
    const { keys, offered, add } = release();
    const missing = add("1.1.0", { keys: [...keys.targets, ...keys.snapshot], utcMs: T0 });
    expect(missing).toEqual([{ role: "timestamp", version: 2, have: 0, need: 1 }]);
    expect(offered()).toEqual([]);
  });

  it.each(["root", "snapshot", "none"])(
    "with keys of %s alone no image is written, nor anything changed",
    (role) => {
      const { files, keys, add } = release();
      const before = files.list();
      const own = role === "none" ? [newKey("stranger")] : keys[role as "root"];
      expect(() => add("1.1.0", { keys: own, utcMs: T0 })).toThrow(/No key for targets/);
      expect(files.list()).toEqual(before);
    },
  );

  it("a further signature never goes onto targets that a snapshot names already", () => {
    const { files, keys, repository, online, offered, add } = release();
    add("1.0.0", { keys: [keys.targets[0]!, ...online().keys], utcMs: T0 });
    const before = files.read("metadata/2.targets.json")!;
    expect(repository.complete({ keys: [keys.targets[1]!], utcMs: T0 })).toEqual([]);
    expect(files.read("metadata/2.targets.json")).toEqual(before);
    // Nor where a new root has brought a key.
    const fresh = newKey("targets-new");
    repository.rotate(
      (roles, all) => {
        roles.targets.keyids = [keys.targets[0]!.keyId, fresh.keyId];
        all[fresh.keyId] = fresh.publicKey;
      },
      { keys: [...keys.root, ...online().keys, fresh], utcMs: T0 },
    );
    expect(repository.complete({ keys: [fresh, ...online().keys], utcMs: T0 })).toEqual([]);
    expect(offered()).toEqual(["b-1.0.0.bin"]);
  });

  it("an image that waits for its second signature does not stop the daily timestamp, and is not on offer before", () => {
    const { keys, repository, online, offered, add } = release(2);
    add("1.0.0", { keys: [...keys.targets, ...online().keys], utcMs: T0 });
    const half = [{ role: "targets", version: 3, have: 1, need: 2 }];
    expect(add("1.1.0", { keys: [keys.targets[0]!, ...online().keys], utcMs: T0 })).toEqual(half);
    for (let day = 1; day <= 100; day += 7) {
      expect(repository.refresh(online(T0 + day * DAY))).toEqual(half);
      expect(offered(T0 + day * DAY)).toEqual(["b-1.0.0.bin"]);
    }
    expect(
      repository.complete({ keys: [keys.targets[1]!, ...online().keys], utcMs: T0 + 101 * DAY }),
    ).toEqual([]);
    expect(offered(T0 + 101 * DAY)).toEqual(["b-1.0.0.bin", "b-1.1.0.bin"]);
  });

  it("the daily job goes on with its own keys to the very end of the targets, and says from when their key is needed", () => {
    const { keys, repository, online, offered, add } = release();
    add("1.0.0", { keys: [...keys.targets, ...online().keys], utcMs: T0 });
    for (let day = 0; day < 366; day += 4) {
      const context = online(T0 + day * DAY);
      expect(repository.refresh(context)).toEqual([]);
      expect(repository.targetsEndSoon(context)).toBe(day > 244);
      expect(offered(context.utcMs + 13 * DAY)).toEqual(day < 353 ? ["b-1.0.0.bin"] : "tuf-expired");
    }
    // Once with their key, and another year is there.
    const with365 = { keys: [keys.targets[0]!, ...online().keys], utcMs: T0 + 365 * DAY };
    expect(repository.refresh(with365)).toEqual([]);
    expect(repository.targetsEndSoon(with365)).toBe(false);
    expect(offered(T0 + 378 * DAY)).toEqual(["b-1.0.0.bin"]);
  });
});
