// Repositories that are right, and ones that are wrong in every way we know: fed to our client and to others.
import { MemoryFiles } from "../../host-sim/release/files.js";
import { newKey, type SigningKey } from "../../host-sim/release/keys.js";
import { sha256Hex, type RoleName } from "../../host-sim/release/repository.js";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { forge, forgeChain, pointTimestamp, type Document } from "./update-forge.js";
import { imageOf, makeKeys, TestRepo } from "./update-rig.js";

export interface TufCase {
  readonly name: string;
  readonly root: string;
  /** States of the server that a client sees in turn; the last one is judged. */
  readonly steps: readonly MemoryFiles[];
  /** A target that is fetched as well; "" = metadata alone. */
  readonly target: string;
}

type Roles = Record<RoleName, { keyids: string[]; threshold: number }>;

/** Repositories dated now, because other clients know no other time. */
export function tufCases(random: number): TufCase[] {
  const keys = makeKeys();
  const cases: TufCase[] = [];
  const make = (name: string, change: (repo: TestRepo, step: () => void) => void, target = ""): void => {
    const fresh = new TestRepo(keys, Date.now());
    fresh.add("1.1.0", imageOf(9000));
    const steps: MemoryFiles[] = [];
    const root = fresh.rootText;
    change(fresh, () => steps.push(new MemoryFiles(fresh.files)));
    steps.push(new MemoryFiles(fresh.files));
    cases.push({ name, root, steps, target });
  };
  const change = (
    repo: TestRepo,
    path: string,
    by: readonly SigningKey[],
    what: (signed: Document["signed"]) => void,
    to = path,
  ): void => forge(repo.files, path, by, what, to);

  make("as published", () => undefined, "bench-1.1.0.bin");
  make(
    "a second image and a new share",
    (repo, step) => {
      step();
      repo.add("1.2.0", imageOf(5000, 2));
      repo.repository.setShare("bench-1.1.0.bin", 5, repo.context());
    },
    "bench-1.2.0.bin",
  );
  make("refreshed", (repo, step) => {
    step();
    repo.repository.refresh(repo.context());
  });
  for (const role of ["root", "timestamp", "snapshot", "targets"] as const)
    make(
      `a new key for ${role}`,
      (repo, step) => {
        step();
        const fresh = newKey(`${role}-new`);
        const context = repo.context([...repo.context().keys, fresh]);
        repo.repository.rotate((roles, known) => {
          roles[role].keyids = [fresh.keyId, ...roles[role].keyids.slice(1)];
          known[fresh.keyId] = fresh.publicKey;
        }, context);
      },
      "bench-1.1.0.bin",
    );
  make("three roots at once, the ones between expired", (repo) => {
    const root = (to: number, expires: string): void =>
      change(
        repo,
        "metadata/1.root.json",
        keys.root,
        (signed) => {
          signed.version = to;
          signed["expires"] = expires;
        },
        `metadata/${to}.root.json`,
      );
    root(2, "2020-01-01T00:00:00Z");
    root(3, "2020-01-01T00:00:00Z");
    root(4, "2039-01-01T00:00:00Z");
  });
  make("unknown fields, signed", (repo) => {
    change(repo, "metadata/timestamp.json", keys.timestamp, (signed) => {
      signed["x-note"] = { text: 'with "quotes" and \\ and é', list: [1, true, null] };
    });
  });
  for (const role of ["root", "timestamp", "snapshot", "targets"] as const)
    make(`${role} has expired`, (repo) => {
      const past = (signed: Document["signed"]): void => {
        signed["expires"] = "2020-01-01T00:00:00Z";
      };
      if (role === "root")
        change(
          repo,
          "metadata/1.root.json",
          keys.root,
          (signed) => {
            signed.version = 2;
            past(signed);
          },
          "metadata/2.root.json",
        );
      else if (role === "timestamp") change(repo, "metadata/timestamp.json", keys.timestamp, past);
      else if (role === "targets") forgeChain(repo, keys.targets, past);
      else {
        change(
          repo,
          "metadata/2.snapshot.json",
          keys.snapshot,
          (signed) => {
            signed.version = 3;
            past(signed);
          },
          "metadata/3.snapshot.json",
        );
        pointTimestamp(repo, 3);
      }
    });
  make("an older timestamp", (repo, step) => {
    const old = repo.files.read("metadata/timestamp.json")!;
    repo.repository.refresh(repo.context());
    step();
    repo.files.write("metadata/timestamp.json", old);
  });
  make("an older snapshot", (repo, step) => {
    step();
    change(repo, "metadata/timestamp.json", keys.timestamp, (signed) => {
      signed.version += 1;
      (signed["meta"] as Record<string, unknown>)["snapshot.json"] = { version: 1 };
    });
  });
  make("older targets", (repo, step) => {
    step();
    change(
      repo,
      "metadata/2.snapshot.json",
      keys.snapshot,
      (signed) => {
        signed.version = 3;
        (signed["meta"] as Record<string, unknown>)["targets.json"] = { version: 1 };
      },
      "metadata/3.snapshot.json",
    );
    pointTimestamp(repo, 3);
  });
  make("a root of another version than its name", (repo) =>
    change(
      repo,
      "metadata/1.root.json",
      keys.root,
      (signed) => {
        signed.version = 5;
      },
      "metadata/2.root.json",
    ),
  );
  make("a root signed by one of two", (repo) =>
    change(
      repo,
      "metadata/1.root.json",
      keys.root.slice(0, 1),
      (signed) => {
        signed.version = 2;
      },
      "metadata/2.root.json",
    ),
  );
  make("a root signed by the new keys alone", (repo) => {
    const own = [newKey("a"), newKey("b")];
    change(
      repo,
      "metadata/1.root.json",
      own,
      (signed) => {
        signed.version = 2;
        for (const { keyId, publicKey } of own)
          (signed["keys"] as Record<string, unknown>)[keyId] = publicKey;
        (signed["roles"] as Roles).root.keyids = own.map(({ keyId }) => keyId);
      },
      "metadata/2.root.json",
    );
  });
  make("a root signed by the old keys alone", (repo) => {
    const own = [newKey("a"), newKey("b")];
    change(
      repo,
      "metadata/1.root.json",
      keys.root,
      (signed) => {
        signed.version = 2;
        for (const { keyId, publicKey } of own)
          (signed["keys"] as Record<string, unknown>)[keyId] = publicKey;
        (signed["roles"] as Roles).root.keyids = own.map(({ keyId }) => keyId);
      },
      "metadata/2.root.json",
    );
  });
  make("targets with a threshold of two, signed by one", (repo) =>
    forgeChain(repo, keys.targets.slice(0, 1), () => undefined),
  );
  make("targets signed by snapshot and timestamp", (repo) =>
    forgeChain(repo, [...keys.snapshot, ...keys.timestamp], () => undefined),
  );
  make("targets signed by strangers", (repo) =>
    forgeChain(repo, [newKey("x"), newKey("y")], () => undefined),
  );
  make("a timestamp signed by the snapshot's key", (repo) =>
    change(repo, "metadata/timestamp.json", keys.snapshot, () => undefined),
  );
  make("a snapshot for a timestamp", (repo) =>
    repo.files.write("metadata/timestamp.json", repo.files.read("metadata/2.snapshot.json")!),
  );
  make("another snapshot under the same number", (repo) =>
    change(repo, "metadata/2.snapshot.json", keys.snapshot, (signed) => {
      signed["expires"] = "2039-01-01T00:00:00Z";
    }),
  );
  make("the targets of the state before", (repo) =>
    repo.files.write("metadata/2.targets.json", repo.files.read("metadata/1.targets.json")!),
  );
  make("specification 2", (repo) =>
    change(repo, "metadata/timestamp.json", keys.timestamp, (signed) => {
      signed["spec_version"] = "2.0.0";
    }),
  );
  make("version 0", (repo) =>
    change(repo, "metadata/timestamp.json", keys.timestamp, (signed) => {
      signed.version = 0;
    }),
  );
  make("a timestamp that is missing", (repo) => repo.files.delete("metadata/timestamp.json"));
  make("a timestamp that is cut", (repo) =>
    repo.files.write("metadata/timestamp.json", repo.files.read("metadata/timestamp.json")!.subarray(0, 200)),
  );
  make("one signature twice", (repo) => {
    const document = JSON.parse(repo.files.read("metadata/timestamp.json")!.toString()) as Document;
    document.signatures.push(document.signatures[0]!);
    repo.files.write("metadata/timestamp.json", Buffer.from(JSON.stringify(document)));
  });
  make(
    "another image under the signed name",
    (repo) => repo.files.write(`targets/${sha256Hex(imageOf(9000))}.bench-1.1.0.bin`, imageOf(9000, 5)),
    "bench-1.1.0.bin",
  );
  make("fast-forward undone by a new key", (repo, step) => {
    const clean = new MemoryFiles(repo.files);
    change(repo, "metadata/timestamp.json", keys.timestamp, (signed) => {
      signed.version = 1_000_000;
    });
    step();
    repo.files.all.clear();
    for (const [path, bytes] of clean.all) repo.files.write(path, bytes);
    const fresh = newKey("timestamp-new");
    const context = repo.context([...keys.root, ...keys.snapshot, ...keys.targets, fresh]);
    repo.repository.rotate((roles, known) => {
      roles.timestamp.keyids = [fresh.keyId];
      known[fresh.keyId] = fresh.publicKey;
    }, context);
  });

  const draw = seededRandom(7);
  for (let i = 0; i < random; i++)
    make(`a byte changed, ${i}`, (repo) => {
      const paths = repo.files
        .list()
        .filter((path) => path.startsWith("metadata/") && !path.endsWith("1.root.json"));
      const path = paths[uniformInt(draw, paths.length - 1)]!;
      const bytes = Buffer.from(repo.files.read(path)!);
      const at = uniformInt(draw, bytes.length - 1);
      bytes[at] = 0x20 + uniformInt(draw, 94);
      repo.files.write(path, bytes);
    });
  return cases;
}
