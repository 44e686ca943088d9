/** Platform, module and charger as three processes: what a user scripts against. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliProcess } from "../support/process.js";

type Line = Record<string, unknown>;

describe.each(["node", "xs"])("csms, ucm --runtime %s and sgd as processes", (runtime) => {
  const data = mkdtempSync(join(tmpdir(), "openucm-cli-"));
  let csms: CliProcess;
  let sgd: CliProcess;
  let ucm: CliProcess;
  let listening: Line;
  let alone: Line;

  const post = async (path: string, body: unknown): Promise<Line> => {
    const response = await fetch(`${String(listening["api"])}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return (await response.json()) as Line;
  };
  const charging = (from: number, to: number) => (line: Line) =>
    line["event"] === "state" && (line["currentA"] as number) >= from && (line["currentA"] as number) <= to;

  beforeAll(async () => {
    csms = new CliProcess(["csms", "--json", "--data", join(data, "csms")]);
    listening = await csms.line("listening", (line) => line["event"] === "listening");
    sgd = new CliProcess(["sgd", "--serial", "pty", "--json"]);
    const serial = await sgd.line("serial", (line) => line["event"] === "serial");
    const config = join(data, "module.json");
    writeFileSync(
      config,
      JSON.stringify({
        upstreams: [
          {
            ...{ id: "platform", protocol: "ocpp16", url: listening["url"], chargePointId: "CP-7" },
            ...{ ca: listening["ca"], passwordFile: listening["passwordFile"] },
          },
        ],
        polling: { stateSeconds: 5, commoditySeconds: 2 },
      }),
    );
    alone = await post("/limit", { limit: 16 });
    ucm = new CliProcess([
      ...["ucm", "--serial", String(serial["path"]), "--config", config, "--runtime", runtime],
      ...["--json", "--data", join(data, "ucm")],
    ]);
  });

  afterAll(async () => {
    await Promise.all([ucm?.stop(), sgd?.stop(), csms?.stop()]);
    rmSync(data, { recursive: true, force: true });
  });

  it("comes online, and follows a limit and its end", async () => {
    expect(alone).toHaveProperty("error");
    await ucm.line("online", (line) => line["event"] === "upstream" && line["state"] === "online", 200_000);
    await sgd.line("32 A", charging(31.9, 32.1), 200_000);
    const seen = sgd.lines.length;
    expect(await post("/limit", { limit: 16 })).toEqual({ status: "Accepted" });
    await sgd.line("16 A", charging(15.8, 16.1), 200_000, seen);
    expect(await post("/limit", { limit: -1 })).toHaveProperty("error");
    const limited = sgd.lines.length;
    expect(await post("/clear", {})).toEqual({ status: "Accepted" });
    await sgd.line("32 A again", charging(31.9, 32.1), 200_000, limited);
    await expect
      .poll(async () => (await fetch(`${String(listening["api"])}/transactions`)).json())
      .toMatchObject([{ point: "CP-7", idTag: "CP-7" }]);
    expect(await post("/trigger", { message: "MeterValues" })).toEqual({ status: "Accepted" });
  }, 600_000);

  it("keeps the password to its owner", () => {
    expect(statSync(String(listening["passwordFile"])).mode & 0o077).toBe(0);
  });
});
