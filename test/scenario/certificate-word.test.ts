// Whether OpenADR 2.0b's server knows us stands in its XML, under HTTP 200: the whole module passes that word on to whoever keeps
// its certificates (src/network/trials.ts; what he makes of it: test/unit/drivers-identity.test.ts).
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ModuleCertificates } from "../../host-sim/net/module-certificates.js";
import type { HttpCredentials } from "../../host-sim/net/node-http.js";
import { openPki } from "../../host-sim/pki/pki.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import type { CertificateCall } from "../../src/ports/certificates.js";

const MINUTE = 60_000;

/** A module with somebody who keeps its certificates. */
function bench(): { readonly bench: VirtualBench; readonly calls: CertificateCall[] } {
  const calls: CertificateCall[] = [];
  const inner = nodeEngine();
  const engine: Engine = {
    ...{ name: "node", holdsFlash: true, close: () => undefined },
    step: async (batch) => {
      const given = batch.in.map((input) => (input.k === "boot" ? { ...input, certificates: true } : input));
      const reply = await inner.step({ ...batch, in: given });
      for (const output of reply.out) if (output.k === "certificate") calls.push(output.call);
      return reply;
    },
  };
  return { bench: new VirtualBench({ engine, vtn: { pollSeconds: 10 } }), calls };
}

describe("the word of an OpenADR 2.0b server", () => {
  it("is passed on: taken, but not with each poll; unknown at once, and at each time", async () => {
    const { bench: one, calls } = bench();
    await one.until("online", () => one.last("upstream")?.state === "online", MINUTE);
    await one.run(25 * MINUTE);
    const taken = { do: "word", credentials: "utility", taken: true };
    const unknown = { ...taken, taken: false };
    expect(calls).toEqual([taken, taken, taken]);
    const before = one.network;
    // Another certificate than the one that it registered with: code 463, HTTP 200.
    const answers: string[] = [];
    one.network = (request, utcMs) => {
      const service = request.url.slice(request.url.lastIndexOf("/") + 1);
      const answer = one.vtn.handle(service, request.body ?? "", "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA", { utcMs });
      answers.push(`${answer.status} ${/responseCode>(\d+)/.exec(answer.body)?.[1]}`);
      return answer;
    };
    await one.until("refused", () => calls.length > 3, 5 * MINUTE);
    expect(answers).toContain("200 463");
    expect(calls.slice(3)).toEqual([unknown]);
    one.network = before;
    await one.until("taken again", () => calls.at(-1)?.do === "word" && calls.length > 4, 30 * MINUTE);
    await one.until("online again", () => one.last("upstream")?.state === "online", 30 * MINUTE);
    expect(calls.at(-1)).toEqual(taken);
  });

  it("is not the answer to a query, which everybody gets", async () => {
    const { bench: one, calls } = bench();
    const before = one.network;
    let queries = 0;
    one.network = (request, utcMs) => {
      if (!request.body?.includes("oadrQueryRegistration")) return { status: 500, body: "" };
      queries++;
      return before(request, utcMs);
    };
    await one.run(5 * MINUTE);
    expect(queries).toBeGreaterThan(0);
    expect(calls).toEqual([]);
  });

  it("is what a new certificate on a computer waits for; another protocol's does not", async () => {
    const dir = mkdtempSync(join(tmpdir(), "openucm-word-"));
    try {
      const { cert, key } = await (await openPki(join(dir, "pki"))).client("module");
      const pair = `${cert.trimEnd()}\n${key}`;
      for (const name of ["two", "three"]) writeFileSync(join(dir, `${name}.next.pem`), pair);
      const credentials = new Map<string, HttpCredentials>([
        ["two", {}],
        ["three", {}],
      ]);
      const certificates = new ModuleCertificates({
        ...{ dir, credentials, deliver: () => undefined },
        byWord: (name) => name === "two",
      });
      const http = certificates.watchHttp({ request: () => undefined, abort: () => undefined });
      const isOnTrial = (name: string): boolean => existsSync(join(dir, `${name}.next.pem`));
      const ask = (id: number, name: string): void => {
        http.request({
          ...{ id, method: "POST", url: "https://x/", headers: [], body: "" },
          ...{ credentials: name, timeoutMs: 1, maxBodyBytes: 1 },
        });
        certificates.heardHttp({ id, ev: "head", status: 200, headers: [] });
      };
      ask(1, "two");
      ask(2, "three");
      expect([isOnTrial("two"), isOnTrial("three")]).toEqual([true, false]);
      certificates.call({ do: "word", credentials: "two", taken: true });
      expect(isOnTrial("two")).toBe(false);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
