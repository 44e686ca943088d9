/** A renewal through the whole module, as its world sees it: the same on Node and in XS. What waits is said on the page. */
import { expect, it } from "vitest";
import { certsOnly } from "../../host-sim/pki/certs-only.js";
import { makeCertificate } from "../../host-sim/pki/certificates.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { xsWorkerEngine } from "../../host-sim/runtime/xs-worker.js";
import { toHex } from "../../src/base/hex.js";
import type { CertificateEvent } from "../../src/ports/certificates.js";
import type { Input, Output } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

const DAY = 86_400_000;
const UTC = 1_780_315_200_000;
const credentials = "utility";

/** What the module asks of its world and says, in order. */
async function renew(engine: Engine, answer: string): Promise<string[]> {
  const seen: string[] = [];
  const config = readConfig({
    upstreams: [
      {
        ...{ id: credentials, protocol: "openadr2b", url: "https://vtn.example/", venName: "m" },
        est: "https://ca.example/.well-known/est",
      },
    ],
  }) as UcmConfig;
  let nowMs = 1000;
  let estId = 0;
  const step = async (...inputs: Input[]): Promise<readonly Output[]> => {
    const { out } = await engine.step({ nowMs: (nowMs += 10), utcMs: UTC + nowMs, in: inputs });
    for (const one of out) {
      if (one.k === "certificate")
        seen.push(`${one.call.do} ${one.call.do === "install" ? String(one.call.chain.length) : ""}`);
      if (one.k === "http" && one.request.url.includes("/est/")) {
        estId = one.request.id;
        seen.push(`${one.request.method} ${one.request.url} ${one.request.body ?? ""}`);
      }
      if (one.k === "event" && one.event.event === "log") seen.push(one.event.text);
    }
    return out;
  };
  const tell = (event: CertificateEvent): Promise<unknown> => step({ k: "certificate", event });
  const dates = { fromUtcMs: UTC - 345 * DAY, untilUtcMs: UTC + 20 * DAY };
  await step({
    ...{ k: "boot", config, store: {}, seed: [1, 2, 3, 4], certificates: true },
    web: { ownerSecret: "s", fresh: false, settable: false },
  });
  await step();
  await tell({ ev: "validity", credentials, ...dates });
  // A street that starts together does not ask together.
  nowMs += 3_700_000;
  await step();
  await tell({ ev: "validity", credentials, ...dates });
  const csr = "-----BEGIN CERTIFICATE REQUEST-----\nQUJD\n-----END CERTIFICATE REQUEST-----\n";
  await tell({ ev: "requested", credentials, csr });
  await step({ k: "head", id: estId, status: 403, headers: [] }, { k: "end", id: estId });
  const state = (await step({ k: "state" })).find((one) => one.k === "state");
  seen.push(JSON.stringify(state?.k === "state" ? state.state["renewals"] : undefined));
  nowMs += 3_600_000;
  await step();
  await tell({ ev: "validity", credentials, ...dates });
  await tell({ ev: "requested", credentials, csr });
  const hex = toHex(Uint8Array.from(answer, (c) => c.charCodeAt(0)));
  await step(
    { k: "head", id: estId, status: 200, headers: [] },
    { k: "data", id: estId, hex },
    { k: "end", id: estId },
  );
  await tell({ ev: "installed", credentials, ok: true, why: "fine" });
  await tell({ ev: "roots", credentials, version: 1, ok: true, why: "fine" });
  return seen;
}

it("asks, waits, is refused, says so, asks again and installs", async () => {
  const span = { notBeforeUtcMs: UTC, notAfterUtcMs: UTC + DAY };
  const { cert } = await makeCertificate({ commonName: "x", role: "client", ...span });
  const body = certsOnly([cert]);
  const node = nodeEngine();
  const xs = await xsWorkerEngine();
  try {
    const seen = await renew(node, body);
    const post = "POST https://ca.example/.well-known/est/simplereenroll QUJD";
    expect(seen.filter((line) => /^(look|request|install|POST|security|\[|Certificate)/.test(line))).toEqual([
      ...["look ", "look ", "request ", post],
      expect.stringMatching(/^Certificate for utility not renewed, it ends .*: http-403/),
      expect.stringMatching(/^\[\{"id":"utility","untilUtcMs":\d+,"fault":"http-403","urgent":true\}\]$/),
      ...["look ", "request ", post],
      `install ${String(cert.trimEnd().length + 1)}`,
      "security-setup: utility: certificate renewed",
      "look ",
    ]);
    expect(await renew(xs, body)).toEqual(seen);
  } finally {
    xs.close();
    node.close();
  }
});
