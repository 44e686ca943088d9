/** Utility, module and charger as three processes, joined by TLS and a pseudo-terminal: what a user scripts against. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliProcess } from "../support/process.js";

type Line = Record<string, unknown>;

async function post(url: string, body: unknown): Promise<Line> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Line;
}

describe.each(["node", "xs"])("vtn, ucm --runtime %s and sgd as processes", (runtime) => {
  const data = mkdtempSync(join(tmpdir(), "openucm-cli-"));
  let vtn: CliProcess;
  let sgd: CliProcess;
  let ucm: CliProcess;
  let listening: Line;
  let control: string;

  const charging = (from: number, to: number) => (line: Line) =>
    line["event"] === "state" && (line["currentA"] as number) >= from && (line["currentA"] as number) <= to;

  beforeAll(async () => {
    const given = join(data, "given.json");
    vtn = new CliProcess(
      ["vtn", "--json", "--data", join(data, "vtn"), "--poll-seconds", "1"].concat("--module-config", given),
    );
    listening = await vtn.line("listening", (line) => line["event"] === "listening");
    sgd = new CliProcess(["sgd", "--serial", "pty", "--json", "--control", "0"]);
    const serial = await sgd.line("serial", (line) => line["event"] === "serial");
    control = String((await sgd.line("control", (line) => line["event"] === "control"))["url"]);
    const config = join(data, "module.json");
    const enrolled = JSON.parse(readFileSync(given, "utf8")) as Line;
    expect((enrolled["upstreams"] as Line[])[0]).toMatchObject({
      ...{ url: (listening["urls"] as Line)["openadr2b"], ca: listening["ca"] },
      ...{ cert: listening["clientCert"], key: listening["clientKey"] },
    });
    writeFileSync(config, JSON.stringify({ ...enrolled, polling: { stateSeconds: 5, commoditySeconds: 2 } }));
    ucm = new CliProcess([
      "ucm",
      "--serial",
      String(serial["path"]),
      "--config",
      config,
      "--runtime",
      runtime,
      "--json",
      "--data",
      join(data, "ucm"),
    ]);
  });

  afterAll(async () => {
    await Promise.all([ucm?.stop(), sgd?.stop(), vtn?.stop()]);
    rmSync(data, { recursive: true, force: true });
  });

  it("registers and charges at 32 A", async () => {
    await ucm.line("online", (line) => line["event"] === "upstream" && line["state"] === "online");
    await sgd.line("32 A", charging(31.9, 32.1), 200_000);
  });

  it("lowers the current on an event, and says so from end to end", async () => {
    const seen = sgd.lines.length;
    const { id } = await post(`${String(listening["api"])}/events`, {
      signal: "SIMPLE",
      level: 1,
      startInSeconds: 1,
      durationSeconds: 600,
    });
    await sgd.line("16 A", charging(15.9, 16.1), 200_000, seen);
    await ucm.line(
      "shed verified",
      (line) => line["event"] === "command" && line["name"] === "Shed" && line["verified"] === true,
    );
    expect(
      await ucm.line("the intent", (line) => line["event"] === "intent" && line["intent"] === "shed"),
    ).toMatchObject({
      source: "utility",
      reason: expect.stringMatching(/utility/) as string,
    });
    const cancelled = sgd.lines.length;
    await fetch(`${String(listening["api"])}/events/${String(id)}`, { method: "DELETE" });
    await sgd.line("32 A again", charging(31.9, 32.1), 200_000, cancelled);
  });

  it("takes commands on the control interface, and refuses nonsense and other origins", async () => {
    expect(await post(`${control}/override`, { on: true })).toMatchObject({ override: true });
    await ucm.line(
      "override is known",
      (line) => line["event"] === "sgd" && (line["status"] as Line)["override"] === true,
    );
    expect(await post(`${control}/override`, { on: "yes" })).toMatchObject({
      error: expect.stringContaining("true or false") as string,
    });
    expect(await post(`${control}/fault`, { name: "nonsense" })).toMatchObject({
      error: expect.stringContaining("known are") as string,
    });
    const foreign = await fetch(`${control}/unplug`, {
      method: "POST",
      headers: { origin: "http://evil.example" },
    });
    expect(foreign.status).toBe(403);
  });

  it("keeps keys to their owner", () => {
    expect(statSync(String(listening["clientKey"])).mode & 0o077).toBe(0);
  });

  it("ends with 130 when interrupted", async () => {
    await ucm.stop();
    expect(await ucm.exited).toBe(130);
  });
});
