// The bench's update server: the published folder and nothing beside it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startUpdateServer } from "../../host-sim/bench/update-server.js";
import { openPki } from "../../host-sim/pki/pki.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-update-server-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("hands out files and parts of them, and nothing outside of the folder", async () => {
  const www = join(folder, "www");
  await expect(startUpdateServer(www, { cert: "", key: "" })).rejects.toThrow(/no update repository/);
  mkdirSync(join(www, "metadata"), { recursive: true });
  writeFileSync(join(www, "metadata/1.root.json"), "0123456789");
  writeFileSync(join(folder, "secret"), "secret");
  const { server: tls, ca } = await openPki(join(folder, "pki"));
  const server = await startUpdateServer(www, tls);
  const get = (path: string, range?: string) =>
    new Promise<string>((done, failed) => {
      const { port } = new URL(server.url);
      const headers = range === undefined ? {} : { range };
      request({ host: "localhost", port, path, ca: ca.cert, headers }, (response) => {
        let body = "";
        response.on("data", (piece) => (body += String(piece)));
        response.on("end", () =>
          done(`${response.statusCode} ${response.headers["content-range"] ?? ""} ${body}`),
        );
      })
        .on("error", failed)
        .end();
    });
  try {
    expect(await get("/metadata/1.root.json")).toBe("200  0123456789");
    expect(await get("/metadata/1.root.json", "bytes=2-4")).toBe("206 bytes 2-4/10 234");
    expect(await get("/metadata/1.root.json", "bytes=8-20")).toBe("206 bytes 8-9/10 89");
    for (const path of [
      "/../secret",
      "/%2e%2e/secret",
      "/%2e%2e%2fsecret",
      "//etc/passwd",
      "/metadata",
      "/%",
      "/%00",
    ])
      expect(await get(path), path).toMatch(/^404/);
  } finally {
    await server.close();
  }
});
