// Every attack that The Update Framework's specification (1.5.2) lists, tried on the module: refused, and named in the
// security log. The attacker owns the server and the network, and where it says so some keys.
import { describe, expect, it } from "vitest";
import { newKey } from "../../host-sim/release/keys.js";
import { MemoryFiles } from "../../host-sim/release/files.js";
import { sha256Hex, type RoleName } from "../../host-sim/release/repository.js";
import { forge, forgeChain, pointTimestamp } from "../support/update-forge.js";
import { DAY, imageOf, Rig, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;

/** A module that has seen 1.1.0 on offer, while it already ran it: so it trusts a timestamp, and wants nothing. */
function settled(): { repo: TestRepo; rig: Rig } {
  const repo = new TestRepo();
  repo.add("1.0.0", imageOf(8192));
  const rig = new Rig(repo);
  expect(look(rig)).toBe("none");
  return { repo, rig };
}

/** One look, and how it ended. */
function look(rig: Rig): string {
  // Not the module's own next look, which may be a day off.
  rig.run(30 * 60_000, () => rig.updater.status().phase === "idle");
  const before = rig.updater.status().last;
  rig.check();
  rig.run(
    HOUR / 2,
    () => rig.updater.status().last.utcMs !== before.utcMs && rig.updater.status().phase === "idle",
  );
  return rig.updater.status().last.result;
}

/** The newest refusal in the security log; "" = none. */
function refusal(rig: Rig): string {
  return rig.told("update-refused").at(-1)?.split(":")[0] ?? "";
}

function refused(rig: Rig, code: string): void {
  expect(look(rig)).toBe("refused");
  expect(refusal(rig)).toBe(code);
  expect(rig.running).toBe("1.0.0");
  expect(rig.slots.state.other).not.toBe("new");
  expect(rig.restarts).toBe(1);
}

describe("an attack on updates", () => {
  it("arbitrary software: an image that nobody has signed", () => {
    const { repo, rig } = settled();
    const image = imageOf(50_000, 2);
    repo.add("1.1.0", image);
    const evil = imageOf(50_000, 666);
    repo.files.write(`targets/${sha256Hex(image)}.bench-1.1.0.bin`, evil);
    refused(rig, "update-block");
  });

  it("arbitrary software: block hashes that fit it, which nobody has signed either", () => {
    const { repo, rig } = settled();
    const image = imageOf(50_000, 2);
    repo.add("1.1.0", image);
    const list = repo.files.list().find((path) => path.endsWith("bench-1.1.0.bin.blocks"))!;
    repo.files.write(list, Buffer.alloc(repo.files.read(list)!.length, 7));
    refused(rig, "update-list");
  });

  it("arbitrary software: targets signed with the attacker's own keys", () => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(50_000, 2));
    const own = [newKey("evil-1"), newKey("evil-2")];
    // He owns the online keys as well, so that everything above fits.
    forgeChain(repo, own, () => undefined);
    refused(rig, "tuf-signature");
  });

  it("rollback: an older timestamp", () => {
    const { repo, rig } = settled();
    const old = new MemoryFiles(repo.files);
    repo.repository.refresh(repo.context());
    expect(look(rig)).toBe("none");
    rig.files = old;
    refused(rig, "tuf-rollback");
  });

  it("rollback: a new timestamp that names an older snapshot", () => {
    const { repo, rig } = settled();
    repo.add("0.9.0", imageOf(8192, 3));
    expect(look(rig)).toBe("none");
    forge(repo.files, "metadata/timestamp.json", repo.keys.timestamp, (signed) => {
      signed.version += 1;
      (signed["meta"] as Record<string, unknown>)["snapshot.json"] = { version: 1 };
    });
    refused(rig, "tuf-rollback");
    expect(rig.told("update-refused").at(-1)).toContain("snapshot.json names 1");
  });

  it("rollback: a new snapshot that names older targets", () => {
    const { repo, rig } = settled();
    repo.add("0.9.0", imageOf(8192, 3));
    expect(look(rig)).toBe("none");
    forge(
      repo.files,
      "metadata/3.snapshot.json",
      repo.keys.snapshot,
      (signed) => {
        signed.version = 4;
        (signed["meta"] as Record<string, unknown>)["targets.json"] = { version: 1 };
      },
      "metadata/4.snapshot.json",
    );
    pointTimestamp(repo, 4);
    refused(rig, "tuf-rollback");
  });

  it("rollback: an image below what was confirmed here is not taken, whatever is signed", () => {
    const repo = new TestRepo();
    repo.add("1.2.0", imageOf(20_000));
    const rig = new Rig(repo);
    rig.run(3 * HOUR, () => rig.told("update-installed").length > 0);
    expect(rig.running).toBe("1.2.0");
    repo.repository.revoke("bench-1.2.0.bin", repo.context());
    repo.add("1.1.0", imageOf(20_000, 4));
    expect(look(rig)).toBe("none");
    expect(rig.running).toBe("1.2.0");
  });

  it("freeze: everything stays as it was until it has expired", () => {
    const { repo, rig } = settled();
    expect(look(rig)).toBe("none");
    rig.ms += 15 * DAY;
    refused(rig, "tuf-expired");
    // And goes on where the server is itself again.
    repo.utcMs = rig.utcMs!;
    repo.repository.refresh(repo.context());
    expect(look(rig)).toBe("none");
  });

  it("fast-forward: a timestamp far ahead, and the way back by new keys", () => {
    const { repo, rig } = settled();
    const clean = new MemoryFiles(repo.files);
    forge(repo.files, "metadata/timestamp.json", repo.keys.timestamp, (signed) => {
      signed.version = Number.MAX_SAFE_INTEGER;
    });
    expect(look(rig)).toBe("none");
    // The server's owner gets it back, with timestamps that count from where they were.
    repo.files.all.clear();
    for (const [path, bytes] of clean.all) repo.files.write(path, bytes);
    repo.repository.refresh(repo.context());
    refused(rig, "tuf-rollback");
    const fresh = newKey("timestamp-2");
    const before = repo.keys.timestamp[0]!;
    repo.keys.timestamp = [fresh];
    repo.repository.rotate((roles, keys) => {
      roles.timestamp.keyids = [fresh.keyId];
      keys[fresh.keyId] = fresh.publicKey;
    }, repo.context());
    expect(look(rig)).toBe("none");
    // The lost key is worth nothing any more.
    forge(repo.files, "metadata/timestamp.json", [before], (signed) => {
      signed.version = Number.MAX_SAFE_INTEGER;
    });
    refused(rig, "tuf-signature");
  });

  it("fast-forward of the snapshot's targets, and the way back by a new snapshot key", () => {
    const { repo, rig } = settled();
    const clean = new MemoryFiles(repo.files);
    forgeChain(repo, repo.keys.targets, (signed) => {
      signed.version = 1_000_000;
    });
    expect(look(rig)).toBe("none");
    repo.files.all.clear();
    for (const [path, bytes] of clean.all) repo.files.write(path, bytes);
    const fresh = newKey("snapshot-2");
    repo.keys.snapshot = [fresh];
    repo.repository.rotate((roles, keys) => {
      roles.snapshot.keyids = [fresh.keyId];
      keys[fresh.keyId] = fresh.publicKey;
    }, repo.context());
    expect(look(rig)).toBe("none");
  });

  it("mix and match: the snapshot of one state with the targets of another", () => {
    const { repo, rig } = settled();
    const old = repo.files.read("metadata/2.targets.json")!;
    repo.add("1.1.0", imageOf(20_000, 2));
    repo.files.write("metadata/3.targets.json", old);
    refused(rig, "tuf-mix");
  });

  it("mix and match: a snapshot that is not the one the timestamp names", () => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(20_000, 2));
    forge(repo.files, "metadata/3.snapshot.json", repo.keys.snapshot, (signed) => {
      signed["expires"] = "2036-01-01T00:00:00Z";
    });
    // Whatever its length is.
    forge(repo.files, "metadata/timestamp.json", repo.keys.timestamp, (signed) => {
      const { snapshot } = {
        snapshot: (signed["meta"] as Record<string, Record<string, unknown>>)["snapshot.json"]!,
      };
      delete snapshot["length"];
    });
    refused(rig, "tuf-mix");
  });

  it("wrong role: targets signed with the keys of timestamp and snapshot", () => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(20_000, 2));
    forgeChain(repo, [...repo.keys.timestamp, ...repo.keys.snapshot], () => undefined);
    refused(rig, "tuf-wrong-role");
  });

  it("wrong role: a snapshot where a timestamp should be", () => {
    const { repo, rig } = settled();
    repo.files.write("metadata/timestamp.json", repo.files.read("metadata/2.snapshot.json")!);
    refused(rig, "tuf-malformed");
  });

  it("key compromise below the threshold: one of two target keys", () => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(20_000, 2));
    forgeChain(repo, repo.keys.targets.slice(0, 1), () => undefined);
    refused(rig, "tuf-threshold");
  });

  it("key compromise below the threshold: one of three root keys, two must sign", () => {
    const { repo, rig } = settled();
    const evil = newKey("evil");
    forge(
      repo.files,
      "metadata/1.root.json",
      repo.keys.root.slice(0, 1),
      (signed) => {
        signed.version = 2;
        (signed["keys"] as Record<string, unknown>)[evil.keyId] = evil.publicKey;
        const roles = signed["roles"] as Record<RoleName, { keyids: string[]; threshold: number }>;
        roles.targets = { keyids: [evil.keyId], threshold: 1 };
      },
      "metadata/2.root.json",
    );
    refused(rig, "tuf-threshold");
  });

  it("one key that signs under two names counts once", () => {
    const { repo, rig } = settled();
    const [one] = repo.keys.root;
    const twice = { ...one!, keyId: "0".repeat(64) };
    forge(
      repo.files,
      "metadata/1.root.json",
      [one!, twice],
      (signed) => {
        signed.version = 2;
        (signed["keys"] as Record<string, unknown>)[twice.keyId] = one!.publicKey;
        const roles = signed["roles"] as Record<RoleName, { keyids: string[] }>;
        roles.root.keyids.push(twice.keyId);
      },
      "metadata/2.root.json",
    );
    refused(rig, "tuf-threshold");
  });

  it("one key that root names twice counts once for its role", () => {
    const { repo, rig } = settled();
    const one = repo.keys.targets[0]!;
    const twice = { ...one, keyId: "0".repeat(64) };
    forge(
      repo.files,
      "metadata/1.root.json",
      repo.keys.root,
      (signed) => {
        signed.version = 2;
        (signed["keys"] as Record<string, unknown>)[twice.keyId] = one.publicKey;
        const roles = signed["roles"] as Record<RoleName, { keyids: string[] }>;
        roles.targets.keyids = [one.keyId, twice.keyId];
      },
      "metadata/2.root.json",
    );
    forgeChain(repo, [one, twice], () => undefined);
    refused(rig, "tuf-threshold");
  });

  it("a root of the wrong version, rightly signed", () => {
    const { repo, rig } = settled();
    forge(
      repo.files,
      "metadata/1.root.json",
      repo.keys.root,
      (signed) => {
        signed.version = 7;
      },
      "metadata/2.root.json",
    );
    refused(rig, "tuf-rollback");
  });

  it.each(["metadata/timestamp.json", "metadata/2.root.json", ".bin"])("endless data: %s", (what) => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(20_000, 2));
    repo.files.write("metadata/2.root.json", Buffer.from("{}"));
    if (what !== "metadata/2.root.json") repo.files.delete("metadata/2.root.json");
    const before = rig.bodyBytes;
    rig.trouble = ({ url }) => (url.endsWith(what) ? "endless" : undefined);
    refused(rig, "tuf-too-large");
    expect(rig.bodyBytes - before).toBeLessThan(24_000);
  });

  it.each(["metadata/timestamp.json", ".bin"])("slow retrieval: %s", (what) => {
    const { repo, rig } = settled();
    repo.add("1.1.0", imageOf(20_000, 2));
    rig.trouble = ({ url }) => (url.endsWith(what) ? "drip" : undefined);
    const before = rig.ms;
    rig.check();
    rig.run(HOUR, () => rig.told("update-refused").length > 0);
    expect(rig.ms - before).toBeLessThan(60_000);
    expect(refusal(rig)).toBe("tuf-too-slow");
    expect(rig.running).toBe("1.0.0");
  });

  it("nesting without end, text that is no text, numbers that are none", () => {
    const { repo, rig } = settled();
    const bad = [
      Buffer.from("[".repeat(2000)),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      Buffer.from(
        '{"signed":{"_type":"timestamp","spec_version":"1.0.0","version":1.5,"expires":"2036-01-01T00:00:00Z"},"signatures":[]}',
      ),
      Buffer.from(
        '{"signed":{"_type":"timestamp","spec_version":"2.0.0","version":1,"expires":"2036-01-01T00:00:00Z"},"signatures":[]}',
      ),
      Buffer.from("null"),
    ];
    for (const bytes of bad) {
      repo.files.write("metadata/timestamp.json", bytes);
      refused(rig, "tuf-malformed");
    }
  });

  it("the expiry of roots on the way is nothing, that of the last counts", () => {
    const { repo, rig } = settled();
    const old = (to: string, version: number, expires: string): void =>
      forge(
        repo.files,
        "metadata/1.root.json",
        repo.keys.root,
        (signed) => {
          signed.version = version;
          signed["expires"] = expires;
        },
        to,
      );
    old("metadata/2.root.json", 2, "2026-01-01T00:00:00Z");
    refused(rig, "tuf-expired");
    old("metadata/3.root.json", 3, "2031-01-01T00:00:00Z");
    expect(look(rig)).toBe("none");
  });

  it("the same refusal again and again is one entry, until it is another or all is well", () => {
    const { repo, rig } = settled();
    const good = repo.files.read("metadata/timestamp.json")!;
    repo.files.write("metadata/timestamp.json", Buffer.from("{}"));
    for (let i = 0; i < 5; i++) look(rig);
    expect(rig.told("update-refused")).toHaveLength(1);
    repo.files.write("metadata/timestamp.json", good);
    expect(look(rig)).toBe("none");
    repo.files.write("metadata/timestamp.json", Buffer.from("{}"));
    look(rig);
    expect(rig.told("update-refused")).toHaveLength(2);
  });
});
