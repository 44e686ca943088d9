/** The published folder as a module sees it: its own client, run over the files. */
import { createHash, createPublicKey, verify } from "node:crypto";
import { fault, isFault, type Fault } from "../../src/base/fault.js";
import type { StorePort } from "../../src/ports/time.js";
import { runCycle } from "../../src/update/cycle.js";
import type { TargetFile } from "../../src/update/metadata.js";
import type { Answer, Ask, Steps } from "../../src/update/asks.js";
import { Trust } from "../../src/update/trust.js";
import type { Files } from "./files.js";

/** A check of a signature as the module's platform makes it. */
export function verifySignature(key: string, signature: string, text: string): boolean {
  try {
    const spki = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
    return verify("sha256", Buffer.from(text), spki, Buffer.from(signature, "hex"));
  } catch {
    return false;
  }
}

export class MemoryStore implements StorePort {
  readonly values = new Map<string, string>();

  get(key: string): string | undefined {
    return this.values.get(key);
  }

  set(key: string, value: string): void {
    this.values.set(key, value);
  }

  delete(key: string): void {
    this.values.delete(key);
  }
}

/** Takes steps of the module's client at once, with files for a server. */
export function runSteps<T>(steps: Steps<T>, files: Files): T {
  let turn = steps.next();
  while (!turn.done) turn = steps.next(answerTo(turn.value, files));
  return turn.value;
}

function answerTo(ask: Ask, files: Files): Answer {
  if (ask.ask === "file") {
    const bytes = files.read(ask.path);
    if (bytes === undefined) return fault("server", "absent", `There is no ${ask.path}.`);
    return bytes.length > ask.maxBytes
      ? fault("server", "tuf-too-large", `${ask.path} does not end where it should.`)
      : bytes.toString();
  }
  if (ask.ask === "slot" && ask.call.do === "verify") {
    const { key, signature, text } = ask.call;
    return verifySignature(key, signature, text) ? undefined : fault("server", "update-signature", "wrong");
  }
  return undefined;
}

/** What a module believes of a folder: the targets, or why nothing. */
export function cycleOver(
  files: Files,
  bundledRoot: string,
  utcMs: number,
  store: StorePort = new MemoryStore(),
): readonly TargetFile[] | Fault {
  return runSteps(runCycle({ trust: new Trust(store, "verify"), bundledRoot, utcMs }), files);
}

/** Checks metadata and every file of the targets; a fault where anything is wrong. */
export function verifyRepository(
  files: Files,
  bundledRoot: string,
  utcMs: number,
  progress: (done: number, total: number) => void = () => undefined,
): readonly TargetFile[] | Fault {
  const targets = cycleOver(files, bundledRoot, utcMs);
  if (isFault(targets)) return targets;
  for (const [i, { path, sha256, length }] of targets.entries()) {
    const bytes = files.read(`targets/${sha256}.${path}`);
    if (bytes === undefined) return fault("server", "absent", `targets/${sha256}.${path} is missing.`);
    if (bytes.length !== length || createHash("sha256").update(bytes).digest("hex") !== sha256)
      return fault("server", "update-image", `targets/${sha256}.${path} is not what was signed.`);
    progress(i + 1, targets.length);
  }
  return targets;
}
