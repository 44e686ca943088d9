/**
 * Utility, charger and module as processes, the module on its own engine: in the machine of the chip's size, and on the
 * emulated microcontroller. What counts is the charger's current.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { qemuMissing } from "../../host-sim/runtime/qemu.js";
import { xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { CliProcess } from "../support/process.js";
import { describeWith } from "../support/needs.js";

type Line = Record<string, unknown>;

const charging = (from: number, to: number) => (line: Line) =>
  line["event"] === "state" && (line["currentA"] as number) >= from && (line["currentA"] as number) <= to;

function suite(runtime: string): void {
  const data = mkdtempSync(join(tmpdir(), "openucm-engine-"));
  /** Where its sockets and the like are made. */
  const tmp = join(data, "tmp");
  let vtn: CliProcess;
  let sgd: CliProcess;
  let ucm: CliProcess;
  let api: string;

  beforeAll(async () => {
    vtn = new CliProcess(["vtn", "--json", "--data", join(data, "vtn"), "--poll-seconds", "1"]);
    const listening = await vtn.line("listening", (line) => line["event"] === "listening");
    api = String(listening["api"]);
    sgd = new CliProcess(["sgd", "--serial", "pty", "--json"]);
    const serial = await sgd.line("serial", (line) => line["event"] === "serial");
    const config = join(data, "module.json");
    const upstream = {
      id: "utility",
      protocol: "openadr2b",
      url: (listening["urls"] as Line)["openadr2b"],
      venName: "garage",
      ca: listening["ca"],
      cert: listening["clientCert"],
      key: listening["clientKey"],
    };
    writeFileSync(
      config,
      JSON.stringify({ upstreams: [upstream], polling: { stateSeconds: 5, commoditySeconds: 2 } }),
    );
    mkdirSync(tmp);
    const args = ["ucm", "--serial", String(serial["path"]), "--config", config, "--runtime", runtime];
    ucm = new CliProcess([...args, "--json", "--data", join(data, "ucm")], { env: { TMPDIR: tmp } });
  });

  afterAll(async () => {
    await Promise.all([ucm?.stop(), sgd?.stop(), vtn?.stop()]);
    rmSync(data, { recursive: true, force: true });
  });

  it("registers with the utility over mutual TLS, and the car charges at 32 A", async () => {
    await ucm.line("online", (line) => line["event"] === "upstream" && line["state"] === "online", 200_000);
    await sgd.line("32 A", charging(31.9, 32.1), 200_000);
  });

  it("lowers the current to 16 A on an event, sees it verified, and gives it back", async () => {
    const seen = sgd.lines.length;
    const event = { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 600 };
    const answer = await fetch(`${api}/events`, { method: "POST", body: JSON.stringify(event) });
    const { id } = (await answer.json()) as { id: string };
    await sgd.line("16 A", charging(15.9, 16.1), 200_000, seen);
    await ucm.line(
      "shed verified",
      (line) => line["event"] === "command" && line["name"] === "Shed" && line["verified"] === true,
    );
    const cancelled = sgd.lines.length;
    await fetch(`${api}/events/${id}`, { method: "DELETE" });
    await sgd.line("32 A again", charging(31.9, 32.1), 200_000, cancelled);
    await ucm.line(
      "end shed verified",
      (line) => line["event"] === "command" && line["name"] === "EndShed" && line["verified"] === true,
    );
  });

  it("kept the link's times: hardly a frame had to be sent again", () => {
    // None in virtual time and on a quiet machine (link-deadline, instructions); in real time others take the processor.
    const frames = ucm.lines.filter((line) => line["event"] === "frame");
    const faults = frames.filter((line) => line["fault"] !== "");
    expect(frames.length).toBeGreaterThan(50);
    expect(faults.length / frames.length, JSON.stringify(faults)).toBeLessThan(0.05);
  });

  it("ends with 130 when interrupted, and leaves nothing behind", async () => {
    await ucm.stop();
    expect(await ucm.exited).toBe(130);
    expect(ucm.stderr).toBe("");
    expect(readdirSync(tmp)).toEqual([]);
  });
}

describeWith(xsHostMissing(), "ucm --runtime xs, in the machine of the chip's size", () => suite("xs"));
describeWith(qemuMissing(), "ucm --runtime qemu, on the emulated microcontroller", () => suite("qemu"));
