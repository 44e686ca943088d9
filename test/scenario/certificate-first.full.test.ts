/** `openucm vtn` and `openucm ucm` as processes: a module without a certificate gets one by EST, and goes online with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { CliProcess } from "../support/process.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-first-"));
const running: CliProcess[] = [];
afterAll(async () => {
  for (const one of running) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});
const start = (...args: string[]): CliProcess => {
  const one = new CliProcess(args);
  running.push(one);
  return one;
};

it("enrols itself and goes online, and is the same after a restart", async () => {
  const vtn = start("vtn", "--json", "--data", join(folder, "vtn"), "--certificate-days", "30");
  const { urls, ca, clientSecretFile } = (await vtn.line(
    "listening",
    (line) => line["event"] === "listening",
  )) as {
    urls: Record<"openadr2b" | "est", string>;
    ca: string;
    clientSecretFile: string;
  };
  const config = join(folder, "ucm.json");
  const upstream = {
    ...{ id: "utility", protocol: "openadr2b", url: urls.openadr2b, venName: "garage 7", ca },
    ...{ est: urls.est, estSecretFile: clientSecretFile, pollSeconds: 2 },
  };
  writeFileSync(config, JSON.stringify({ upstreams: [upstream] }));
  const data = join(folder, "ucm");
  const args = ["ucm", "--json", "--serial", "pty", "--config", config, "--data", data];
  const isOnline = (line: Record<string, unknown>): boolean =>
    line["event"] === "upstream" && line["state"] === "online";
  const first = start(...args);
  await first.line("online", isOnline, 200_000);
  await first.stop();
  const secret = readFileSync(clientSecretFile, "utf8").trim();
  expect(JSON.stringify(first.lines)).not.toContain(secret);
  const path = join(data, "certificates/utility.pem");
  expect(readdirSync(join(data, "certificates"))).toEqual(["utility.pem"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const { fingerprint256 } = new X509Certificate(readFileSync(path));
  const again = start(...args);
  await again.line("online", isOnline, 200_000);
  expect(new X509Certificate(readFileSync(path)).fingerprint256).toBe(fingerprint256);
}, 600_000);
