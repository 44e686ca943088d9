/**
 * Change of trust roots without a visit: a bundle comes as a signed target, what is wrong with it is refused and said, and
 * the old roots go only when a server has answered under the new ones.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModuleCertificates } from "../../host-sim/net/module-certificates.js";
import { type HttpCredentials, NodeHttp } from "../../host-sim/net/node-http.js";
import { makeCertificate, type PemPair } from "../../host-sim/pki/certificates.js";
import { newKey } from "../../host-sim/release/keys.js";
import type { CertificateCall, CertificateEvent } from "../../src/ports/certificates.js";
import type { HttpEvent } from "../../src/ports/http.js";
import { forgeChain } from "../support/update-forge.js";
import { imageOf, Rig, TestRepo } from "../support/update-rig.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const span = { notBeforeUtcMs: Date.now() - DAY, notAfterUtcMs: Date.now() + 300 * DAY };
const root = (name: string): Promise<PemPair> => makeCertificate({ commonName: name, role: "ca", ...span });

let one: PemPair;
let two: PemPair;
let leaf: PemPair;
beforeAll(async () => {
  [one, two] = [await root("root one"), await root("root two")];
  leaf = await makeCertificate({ commonName: "leaf", role: "server", hosts: ["x"], ...span }, one);
});

/** A module, and what it hands to whoever keeps its roots. */
function moduleOf(repo: TestRepo, why: (call: CertificateCall) => string = () => "fine") {
  const rig = new Rig(repo);
  const calls: Extract<CertificateCall, { readonly do: "roots" }>[] = [];
  rig.certificates = {
    call: (call) => {
      if (call.do !== "roots") return;
      calls.push(call);
      const { credentials, version } = call;
      rig.updater.onRoots({ ev: "roots", credentials, version, ok: why(call) === "fine", why: why(call) });
    },
  };
  rig.boot();
  const look = (): void => {
    rig.check();
    const looked = (): boolean => !["", "checking"].includes(rig.updater.status().last.result);
    rig.run(2 * HOUR);
    expect(looked()).toBe(true);
  };
  return { rig, calls, look };
}

describe("a bundle of trust roots among the signed targets", () => {
  it("is fetched once, checked, handed over and written down, before firmware", () => {
    const repo = new TestRepo();
    repo.repository.addRoots(one.cert + two.cert, "vtn", 1, repo.context());
    repo.add("1.1.0", imageOf(8192));
    const { rig, calls, look } = moduleOf(repo);
    look();
    expect(calls).toEqual([
      {
        do: "roots",
        credentials: "vtn",
        version: 1,
        bundle: one.cert.trimEnd() + "\n" + two.cert.trimEnd() + "\n",
      },
    ]);
    expect(rig.told("security-setup")).toEqual(["trust roots 1 for vtn: on trial"]);
    rig.run(4 * HOUR, () => rig.running === "1.1.0");
    rig.run(3 * DAY);
    expect(calls).toHaveLength(1);
    repo.repository.addRoots(two.cert, "vtn", 2, repo.context());
    rig.run(3 * DAY);
    expect(calls.map(({ version }) => version)).toEqual([1, 2]);
    expect(rig.told("update-refused")).toEqual([]);
  });

  it("is not for credentials that this module has not, nor for a world that keeps no roots", () => {
    const repo = new TestRepo();
    repo.repository.addRoots(one.cert, "somebody", 1, repo.context());
    const { calls, look, rig } = moduleOf(repo);
    look();
    expect(calls).toEqual([]);
    repo.repository.addRoots(one.cert, "vtn", 1, repo.context());
    const bare = new Rig(repo);
    bare.run(3 * HOUR);
    expect(bare.told("update-refused")).toEqual([]);
    expect(rig.told("update-refused")).toEqual([]);
  });

  it("is refused when nobody has signed it, when it was changed on the server, and when it is older", () => {
    const repo = new TestRepo();
    repo.repository.addRoots(one.cert, "vtn", 5, repo.context());
    const { calls, look, rig } = moduleOf(repo);
    look();
    // Keys that are not the release's.
    const forged = new TestRepo(repo.keys);
    forgeChain(repo, [newKey("x"), newKey("y")], (signed) => {
      const targets = signed["targets"] as Record<string, { custom: unknown }>;
      Object.values(targets)[0]!.custom = { trustRoots: { credentials: "vtn", version: 6 } };
    });
    look();
    expect(rig.told("update-refused").at(-1)).toMatch(/^tuf-/);
    expect(calls).toHaveLength(1);
    // Rightly signed, and an older version: passed over.
    forged.repository.addRoots(two.cert, "vtn", 4, forged.context());
    const old = moduleOf(forged);
    old.rig.store.set("update.roots.vtn", "5");
    old.look();
    expect(old.calls).toEqual([]);
    // Another file under the signed name.
    const changed = new TestRepo();
    changed.repository.addRoots(one.cert, "vtn", 1, changed.context());
    const path = changed.files.list().find((name) => name.endsWith("vtn-roots-1.pem"))!;
    const bytes = changed.files.read(path)!;
    const other = Buffer.from(bytes);
    other[60] = other[60] === 65 ? 66 : 65;
    for (const bad of [other, bytes.subarray(0, 99), Buffer.concat([bytes, bytes])]) {
      changed.files.write(path, bad);
      const victim = moduleOf(changed);
      victim.look();
      expect(victim.calls).toEqual([]);
      expect(victim.rig.told("update-refused")[0]).toMatch(/^tuf-(roots|too-large)/);
    }
  });

  it("that cannot be kept is said once and not fetched again; what the flash did not take is", () => {
    const repo = new TestRepo();
    repo.repository.addRoots(one.cert, "vtn", 1, repo.context());
    const garbage = moduleOf(repo, () => "unreadable");
    garbage.look();
    garbage.look();
    expect(garbage.calls).toHaveLength(1);
    expect(garbage.rig.told("update-refused")).toEqual(["trust roots 1 for vtn: unreadable"]);
    const full = moduleOf(repo, () => "storage");
    full.look();
    full.look();
    expect(full.calls).toHaveLength(2);
    const known = moduleOf(repo, () => "old");
    known.look();
    known.look();
    expect([known.calls.length, known.rig.security.length]).toEqual([1, 0]);
  });

  it("is made of roots alone, of few, and of a version above the last", () => {
    const { repository, context } = ((repo) => ({ repository: repo.repository, context: repo.context() }))(
      new TestRepo(),
    );
    const add =
      (pem: string, version = 1, name = "vtn") =>
      (): unknown =>
        repository.addRoots(pem, name, version, context);
    expect(add("garbage")).toThrow(/there are 0/);
    expect(add(leaf.cert)).toThrow(/is no root/);
    expect(add(one.cert + leaf.cert)).toThrow(/is no root/);
    expect(add(one.cert.repeat(9))).toThrow(/there are 9/);
    expect(add(one.cert, 1, "../x")).toThrow(/names no credentials/);
    expect(add(one.cert.replace(/[A-Za-z0-9]{40}\n/, "AAAA\n"))).toThrow(/cannot be read|is no root/);
    repository.addRoots(one.cert, "vtn", 3, context);
    expect(add(two.cert, 3)).toThrow(/higher/);
    repository.addRoots(two.cert, "vtn", 4, context);
    expect(Object.keys(repository.targets().signed.targets)).toEqual(["vtn-roots-4.pem"]);
    repository.revoke("vtn-roots-4.pem", context);
    expect(repository.targets().signed.targets).toEqual({});
  });
});

describe("new roots beside the old ones, over real TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-roots-"));
  const ends: (() => void)[] = [];
  afterAll(() => {
    for (const end of ends) end();
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = async (issuer: PemPair): Promise<string> => {
    const pair = await makeCertificate(
      { commonName: "s", role: "server", hosts: ["127.0.0.1"], ...span },
      issuer,
    );
    const server = https.createServer(pair, (_, response) => response.end("ok"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };

  it("keeps the old root while the server has the old certificate, and drops it when it has moved", async () => {
    const [before, after] = [await serve(one), await serve(two)];
    const credentials = new Map<string, HttpCredentials>([["vtn", { ca: one.cert }]]);
    const said: CertificateEvent[] = [];
    const answers = new Map<number, (word: string) => void>();
    const certificates = new ModuleCertificates({
      ...{ dir: folder, credentials },
      deliver: (event) => said.push(event),
    });
    const node = new NodeHttp({
      credentials,
      deliver: (event: HttpEvent) => {
        certificates.heardHttp(event);
        if (event.ev === "head") answers.get(event.id)?.(String(event.status));
        if (event.ev === "failed") answers.get(event.id)?.(event.reason);
      },
    });
    ends.push(() => node.close());
    const http = certificates.watchHttp(node);
    let id = 0;
    const ask = (url: string): Promise<string> =>
      new Promise((done) => {
        answers.set(++id, done);
        http.request({
          ...{ id, method: "GET", url, headers: [], body: undefined, credentials: "vtn" },
          ...{ timeoutMs: 60_000, maxBodyBytes: 1000 },
        });
      });
    const put = async (version: number, bundle: string): Promise<string> => {
      certificates.call({ do: "roots", credentials: "vtn", version, bundle });
      await new Promise((done) => setImmediate(done));
      const event = said.at(-1);
      return event?.ev === "roots" ? event.why : "?";
    };
    expect(await ask(before)).toBe("200");
    expect(await ask(after)).toBe("tls-untrusted");
    expect(await put(1, "garbage")).toBe("unreadable");
    expect(await put(1, leaf.cert)).toBe("unreadable");
    // A bundle that would cut the module off: refused once, the old roots go on, nothing is lost.
    expect(await put(2, two.cert)).toBe("fine");
    expect(await put(2, two.cert)).toBe("old");
    expect(await ask(before)).toBe("tls-untrusted");
    expect(await ask(before)).toBe("200");
    expect(readdirSync(folder)).toEqual(["vtn.roots-next.json"]);
    // The server has moved: the old root is refused, the new one is tried at once, and stays.
    expect(await ask(after)).toBe("tls-untrusted");
    expect(await ask(after)).toBe("200");
    expect(readdirSync(folder)).toEqual(["vtn.roots.json"]);
    expect(await ask(before)).toBe("tls-untrusted");
    expect(await put(1, one.cert)).toBe("old");
    // An overlap: both at once.
    expect(await put(3, one.cert + two.cert)).toBe("fine");
    expect(await ask(before)).toBe("200");
    expect(await ask(after)).toBe("200");
    const restarted = new Map<string, HttpCredentials>([["vtn", { ca: "" }]]);
    new ModuleCertificates({ dir: folder, credentials: restarted, deliver: () => undefined });
    expect(restarted.get("vtn")?.ca).toBe(one.cert + two.cert);
  });
});
