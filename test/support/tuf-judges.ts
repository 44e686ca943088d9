// Who judges a repository: our client, tuf-js, and (through test/interop/tuf_judge.py) python-tuf.
import { createServer, type Server } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Updater } from "tuf-js";
import { cycleOver, MemoryStore } from "../../host-sim/release/verify.js";
import { sha256Hex } from "../../host-sim/release/repository.js";
import { isFault } from "../../src/base/fault.js";
import type { TufCase } from "./tuf-cases.js";

export interface Verdict {
  readonly accepted: boolean;
  readonly why: string;
}

/** Our client over the states in turn. */
export function ourVerdict({ root, steps, target }: TufCase): Verdict {
  const store = new MemoryStore();
  let verdict: Verdict = { accepted: false, why: "" };
  for (const files of steps) {
    const targets = cycleOver(files, root, Date.now(), store);
    if (isFault(targets)) {
      verdict = { accepted: false, why: targets.fault };
      continue;
    }
    const wanted = targets.find(({ path }) => path === target);
    const bytes = wanted && files.read(`targets/${wanted.sha256}.${wanted.path}`);
    const bad = target !== "" && files === steps.at(-1) && (!bytes || sha256Hex(bytes) !== wanted.sha256);
    verdict = bad ? { accepted: false, why: "target" } : { accepted: true, why: "" };
  }
  return verdict;
}

/** Serves `/CASE/STEP/…` from the cases. */
export async function serveCases(
  cases: readonly TufCase[],
): Promise<{ readonly url: string; close(): void }> {
  const server: Server = createServer((request, response) => {
    const [, one, step, ...path] = decodeURIComponent(request.url ?? "").split("/");
    const bytes = cases[Number(one)]?.steps[Number(step)]?.read(path.join("/"));
    response.writeHead(bytes ? 200 : 404);
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/** tuf-js over the states in turn, with one folder of trusted metadata. */
export async function tufJsVerdict(one: TufCase, index: number, url: string): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "openucm-tuf-"));
  try {
    writeFileSync(join(folder, "root.json"), one.root);
    let verdict: Verdict = { accepted: false, why: "" };
    for (let step = 0; step < one.steps.length; step++) {
      const base = `${url}/${index}/${step}`;
      const updater = new Updater({
        ...{ metadataDir: folder, metadataBaseUrl: `${base}/metadata` },
        ...{ targetDir: folder, targetBaseUrl: `${base}/targets` },
        config: { fetchRetries: 0, fetchRetry: 0 } as never,
      });
      try {
        await updater.refresh();
        if (one.target !== "" && step === one.steps.length - 1) {
          const info = await updater.getTargetInfo(one.target);
          if (!info) throw new Error("no such target");
          readFileSync(await updater.downloadTarget(info, join(folder, "image")));
        }
        verdict = { accepted: true, why: "" };
      } catch (error) {
        verdict = { accepted: false, why: (error as Error).message };
      }
    }
    return verdict;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
