// The whole way with a utility that is not ours: OpenLEADR's VTN over mutual TLS, the module's firmware in XS (the machine
// of the chip's size), CTA-2045 on a pseudo-terminal, the charger's simulator. What counts is the charger's current.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { describeWith } from "../support/needs.js";
import { CliProcess } from "../support/process.js";
import { OpenleadrVtn } from "./openleadr-process.js";
import { openleadrPython } from "./openleadr-venv.js";

type Line = Record<string, unknown>;
const charging = (from: number, to: number) => (line: Line) =>
  line["event"] === "state" && (line["currentA"] as number) >= from && (line["currentA"] as number) <= to;
const command = (name: string) => (line: Line) =>
  line["event"] === "command" && line["name"] === name && line["verified"] === true;

describeWith(
  xsHostMissing(),
  "OpenLEADR VTN → module in XS → CTA-2045 on a pseudo-terminal → charger",
  () => {
    const data = mkdtempSync(join(tmpdir(), "openucm-openleadr-"));
    let vtn: OpenleadrVtn;
    let sgd: CliProcess;
    let ucm: CliProcess;

    beforeAll(async () => {
      vtn = new OpenleadrVtn(openleadrPython());
      const { url } = await vtn.wait("listening", undefined, 0, 200_000);
      sgd = new CliProcess(["sgd", "--serial", "pty", "--json"]);
      const serial = await sgd.line("serial", (line) => line["event"] === "serial");
      const file = (name: string): string => join(vtn.folder, name);
      const upstream = {
        ...{ id: "utility", protocol: "openadr2b", url, venName: "module-1" },
        ...{ ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") },
      };
      const config = join(data, "module.json");
      writeFileSync(
        config,
        JSON.stringify({ upstreams: [upstream], polling: { stateSeconds: 5, commoditySeconds: 2 } }),
      );
      const args = [
        "ucm",
        "--serial",
        String(serial["path"]),
        "--config",
        config,
        "--runtime",
        "xs",
        "--json",
      ];
      ucm = new CliProcess([...args, "--data", join(data, "ucm")]);
    }, 600_000);

    afterAll(async () => {
      await Promise.all([ucm?.stop(), sgd?.stop(), vtn?.stop()]);
      rmSync(data, { recursive: true, force: true });
    });

    it("registers by its fingerprint, and the car charges at 32 A", async () => {
      await vtn.wait("registered", undefined, 0, 200_000);
      await ucm.line("online", (line) => line["event"] === "upstream" && line["state"] === "online", 200_000);
      await sgd.line("32 A", charging(31.9, 32.1), 200_000);
    }, 600_000);

    it("the current follows an event, its change and its cancellation, and each is verified", async () => {
      const signal = { name: "SIMPLE", type: "level", intervals: [[300, 1]] };
      let seen = sgd.lines.length;
      vtn.send({ cmd: "event", id: "one", signals: [signal] });
      expect(await vtn.wait("answered", (line) => line["id"] === "one", 0, 200_000)).toMatchObject({
        opt: "optIn",
      });
      await sgd.line("16 A", charging(15.9, 16.1), 200_000, seen);
      await ucm.line("Shed verified", command("Shed"), 200_000);
      seen = sgd.lines.length;
      vtn.send({ cmd: "modify", id: "one", value: 2 });
      await sgd.line("8 A", charging(7.9, 8.1), 200_000, seen);
      await ucm.line("Critical Peak verified", command("CriticalPeak"), 200_000);
      seen = sgd.lines.length;
      vtn.send({ cmd: "cancel", id: "one" });
      await sgd.line("32 A again", charging(31.9, 32.1), 200_000, seen);
      await ucm.line("End Shed verified", command("EndShed"), 200_000);
    }, 600_000);

    it("the telemetry that arrives at the utility is the charger's power", async () => {
      const from = vtn.lines.length;
      // 32 A at 240 V, once the current has come up again.
      const full = (line: Line): boolean =>
        line["measurement"] === "RealPower" && Math.abs(Number((line["values"] as unknown[])[0]) - 7680) < 80;
      await vtn.wait("report", full, from, 200_000);
      expect(vtn.lines.filter((line) => line.event === "error")).toEqual([]);
    }, 600_000);
  },
);
