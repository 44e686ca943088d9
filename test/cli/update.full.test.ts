/**
 * `openucm release` and `openucm ucm` as processes: an image goes from a file over HTTPS into the other slot, while the module
 * is killed again and again.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openPki } from "../../host-sim/pki/pki.js";
import { CliProcess } from "../support/process.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-update-"));
let server: Server | undefined;
let served = 0;

/** As any static web server: files and their parts. */
async function serve(root: string): Promise<{ readonly url: string; readonly ca: string }> {
  const pki = await openPki(join(folder, "pki"));
  server = createServer({ cert: pki.server.cert, key: pki.server.key }, (request, response) => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(root, request.url ?? ""));
    } catch {
      response.writeHead(404).end();
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const part = range ? bytes.subarray(Number(range[1]), Number(range[2]) + 1) : bytes;
    served += part.length;
    const more = range ? { "content-range": `bytes ${range[1]}-${range[2]}/${bytes.length}` } : {};
    response.writeHead(range ? 206 : 200, { "content-length": part.length, ...more }).end(part);
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/fw`, ca: pki.ca.certPath };
}

async function openucm(...args: string[]): Promise<Record<string, unknown>[]> {
  const process = new CliProcess([...args, "--json"]);
  expect(await process.exited, process.stderr).toBe(0);
  return process.lines;
}

afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("an update of `openucm ucm`", () => {
  it("survives being killed at any point, and ends in the new image", { timeout: 400_000 }, async () => {
    const [repo, keys, www] = ["fw", "keys", "www/fw"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const image = Buffer.alloc(1_500_000);
    for (let i = 0; i < image.length; i++) image[i] = (i * 31 + (i >> 8)) & 0xff;
    writeFileSync(join(folder, "image.bin"), image);
    await openucm("release", "init", "--repo", repo, "--keys", keys);
    expect(statSync(join(keys, "root-1.pem")).mode & 0o777).toBe(0o600);
    await openucm(
      "release",
      "add",
      join(folder, "image.bin"),
      "--board",
      "bench",
      "--set-version",
      "99.0.0",
      "--repo",
      repo,
      "--keys",
      keys,
    );
    await openucm("release", "publish", "--repo", repo, "--to", www);
    const { url, ca } = await serve(join(folder, "www"));
    const config = join(folder, "module.json");
    writeFileSync(
      config,
      JSON.stringify({
        upstreams: [],
        update: { url, ca, root: join(repo, "metadata/1.root.json"), checkHours: 0.001 },
      }),
    );
    const data = join(folder, "ucm");
    const start = (): CliProcess =>
      new CliProcess(["ucm", "--serial", "pty", "--config", config, "--data", data, "--json"]);
    const says = (word: string) => (line: Record<string, unknown>) =>
      line["event"] === "log" && String(line["text"]).includes(word);
    for (let kills = 1; kills <= 4; kills++) {
      const ucm = start();
      const before = served;
      await ucm.line("serial", (line) => line["event"] === "serial");
      for (let i = 0; i < 400 && served - before < 40_000 * kills && ucm.child.exitCode === null; i++)
        await new Promise((done) => setTimeout(done, 25));
      ucm.child.kill("SIGKILL");
      await ucm.exited;
    }
    const last = start();
    // A kill on trial goes back, and the image is tried again a day later: that would be seen here.
    await last.line("installed", says("update-installed: 99.0.0"), 200_000);
    await last.stop();
    const record = JSON.parse(readFileSync(join(data, "slots/boot.json"), "utf8")) as Record<string, unknown>;
    expect(record).toMatchObject({
      boots: "b",
      slots: { a: { state: "valid" }, b: { state: "valid", version: "99.0.0" } },
    });
    expect(readFileSync(join(data, "slots/slot-b.bin")).subarray(0, image.length).equals(image)).toBe(true);
    // Four kills cost four times a sector and the metadata.
    expect(served).toBeLessThan(image.length + 4 * 4096 + 100_000);
  });
});
