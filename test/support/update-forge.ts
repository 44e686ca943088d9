// Forged metadata, for tests of what must be refused.
import type { MemoryFiles } from "../../host-sim/release/files.js";
import type { SigningKey } from "../../host-sim/release/keys.js";
import { canonicalJson } from "../../src/update/canonical.js";
import type { TestRepo } from "./update-rig.js";

export interface Document {
  signed: Record<string, unknown> & { version: number };
  signatures: { keyid: string; sig: string }[];
}

export function documentOf(files: MemoryFiles, path: string): Document {
  return JSON.parse(files.read(path)!.toString()) as Document;
}

/** Signs anew with these keys alone. */
export function forge(
  files: MemoryFiles,
  path: string,
  keys: readonly SigningKey[],
  change: (signed: Document["signed"]) => void,
  to = path,
): void {
  const { signed } = documentOf(files, path);
  change(signed);
  const bytes = Buffer.from(canonicalJson(signed)!);
  const signatures = keys.map((key) => ({ keyid: key.keyId, sig: key.sign(bytes) }));
  files.write(to, Buffer.from(JSON.stringify({ signed, signatures })));
}

/** A whole new state by somebody who has the online keys, and these for the targets. */
export function forgeChain(
  repo: TestRepo,
  targetKeys: readonly SigningKey[],
  change: (signed: Document["signed"]) => void,
): void {
  const { files } = repo;
  const newest = repo.repository.targets().signed.version;
  const document = documentOf(files, `metadata/${newest}.targets.json`);
  document.signed.version = newest + 1;
  change(document.signed);
  const { version } = document.signed;
  forge(
    files,
    `metadata/${newest}.targets.json`,
    targetKeys,
    (signed) => {
      signed.version = newest + 1;
      change(signed);
    },
    `metadata/${version}.targets.json`,
  );
  const snapshot = repo.repository.snapshot()!.signed.version;
  forge(
    files,
    `metadata/${snapshot}.snapshot.json`,
    repo.keys.snapshot,
    (signed) => {
      signed.version = snapshot + 1;
      (signed["meta"] as Record<string, unknown>)["targets.json"] = { version };
    },
    `metadata/${snapshot + 1}.snapshot.json`,
  );
  pointTimestamp(repo, snapshot + 1);
}

export function pointTimestamp(repo: TestRepo, snapshot: number): void {
  forge(repo.files, "metadata/timestamp.json", repo.keys.timestamp, (signed) => {
    signed.version += 1;
    (signed["meta"] as Record<string, unknown>)["snapshot.json"] = { version: snapshot };
  });
}
