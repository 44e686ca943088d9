// A server that announces itself on the local network is found, and the VEN goes online at it: multicast DNS on this
// machine's own network, TLS to the embedded VTN.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bonjour } from "bonjour-service";
import { describe, expect, it } from "vitest";
import { startVtn } from "../../host-sim/vtn/server.js";
import { DISCOVER } from "../../src/openadr3/config.js";
import { Ven3Host } from "../support/ven3-host.js";

describe("mDNS", () => {
  it("finds a VTN by its TXT record, passes over one without TLS, and registers", async () => {
    const folder = mkdtempSync(join(tmpdir(), "openucm-mdns-"));
    const vtn = await startVtn({ dataDir: folder });
    const bonjour = new Bonjour();
    const publish = (name: string, url: string): void =>
      void bonjour.publish({
        ...{ name, type: "openadr3", port: Number(new URL(url).port) },
        txt: { version: "3.1.0", base_path: new URL(url).pathname, local_url: new URL(url).origin },
      });
    publish("plain", "http://192.0.2.1:3000/openadr3/3.1.0");
    publish("home", vtn.urls.openadr3);
    const ucm = new Ven3Host(
      { id: "u", url: DISCOVER, venName: "module-mdns", pollSeconds: 60, ...vtn.clients.module },
      { ca: readFileSync(vtn.ca, "utf8") },
    );
    try {
      await ucm.until("online", () => ucm.ven.status().state === "online", 200_000);
      expect(vtn.core3.vens()).toMatchObject([{ venName: "module-mdns" }]);
    } finally {
      ucm.close();
      await new Promise<void>((done) => bonjour.unpublishAll(() => done()));
      bonjour.destroy();
      await vtn.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 600_000);
});
