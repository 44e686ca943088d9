/** Capture and replay as a user runs them: processes on pseudo-terminals, the file read back by `decode --pcap`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCapture, readCapture } from "../../host-sim/capture/files.js";
import { captureVirtualLine } from "../../host-sim/capture/line-capture.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { CliProcess } from "../support/process.js";

type Line = Record<string, unknown>;

describe("capture, replay, decode --pcap", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-capture-"));
  const recorded = join(folder, "recorded.pcapng");
  const captured = join(folder, "captured.pcapng");
  const ofCharger = join(folder, "charger.pcapng");
  const ofReplay = join(folder, "replay.pcapng");
  const vcd = join(folder, "captured.vcd");
  const running: CliProcess[] = [];
  const start = (...args: string[]): CliProcess => {
    const one = new CliProcess(args);
    running.push(one);
    return one;
  };

  beforeAll(async () => {
    const bench = new VirtualBench({ engine: nodeEngine() });
    const file = createCapture(recorded);
    captureVirtualLine(bench.line, file, (atMs) => 1_780_315_200_000 + atMs);
    bench.sgd.plug();
    await bench.run(3_000);
    file.close();
  });
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it("a man in the middle records a recorded module that talks to a charger", async () => {
    const tap = start("capture", "--between", "pty", "pty", "--out", captured, "--vcd", vcd, "--json");
    const path = async (side: string): Promise<string> =>
      String((await tap.line(side, (line) => line["event"] === "serial" && line["side"] === side))["path"]);
    const sgd = start("sgd", "--serial", await path("charger"), "--json", "--capture", ofCharger);
    await sgd.line("state", (line) => line["event"] === "state");
    const replay = start(
      "replay",
      recorded,
      "--serial",
      await path("module"),
      "--role",
      "ucm",
      "--json",
      "--capture",
      ofReplay,
    );
    const end: Line = await replay.line("end", (line) => line["event"] === "replayed", 200_000);
    expect(await replay.exited).toBe(0);
    // The charger's last words are still on their way through the man in the middle.
    const heardOf = (file: string): string =>
      Buffer.concat(
        readCapture(file)
          .filter((one) => one.from === "charger")
          .map((one) => Buffer.from(one.bytes)),
      ).toString("hex");
    await expect.poll(() => heardOf(captured) === heardOf(ofCharger)).toBe(true);
    await sgd.stop();
    await tap.stop();
    expect(await tap.exited).toBe(130);
    expect(end["sent"]).toBeGreaterThan(4);
    expect(end["heard"]).toBeGreaterThan(4);
    const records = readCapture(captured);
    const said = (from: string): string[] =>
      records.filter((one) => one.from === from).map((one) => Buffer.from(one.bytes).toString("hex"));
    expect(said("module").length).toBe(end["sent"]);
    expect(said("module")).toContain("080100007ecd");
    expect(said("charger")).toContain("0600");
    expect(said("charger").some((hex) => hex.startsWith("08"))).toBe(true);
    expect(readFileSync(vcd, "utf8")).toMatch(/\$var wire 1 m module \$end/);
    // The charger's own capture has the same frames.
    const own = readCapture(ofCharger).filter((one) => one.from === "charger");
    expect(own.map((one) => Buffer.from(one.bytes).toString("hex"))).toEqual(said("charger"));
    const replayed = readCapture(ofReplay).filter((one) => one.from === "module");
    expect(replayed.map((one) => Buffer.from(one.bytes).toString("hex"))).toEqual(said("module"));
  });

  it("a fleet writes its first line, a conformance run its own", async () => {
    const ofFleet = join(folder, "fleet.pcapng");
    const fleet = start(
      "fleet",
      "--count",
      "2",
      "--virtual-time",
      "--seconds",
      "20",
      "--ramp",
      "1",
      "--json",
      "--capture",
      ofFleet,
    );
    expect(await fleet.exited).toBe(0);
    expect(new Set(readCapture(ofFleet).map((one) => one.from))).toEqual(new Set(["module", "charger"]));
    const sgd = start("sgd", "--serial", "pty", "--json");
    const { path } = await sgd.line("serial", (line) => line["event"] === "serial");
    const ofPlan = join(folder, "plan.pcapng");
    let code: number | null = null;
    // By the clock a sound charger can be late where others take the processor.
    for (let tries = 0; code !== 0 && tries < 4; tries++) {
      const plan = start(
        ...["conformance", "--role", "ucm", "--serial", String(path), "--only", "link.ack", "--json"],
        ...["--capture", ofPlan],
      );
      await plan.line("summary", (line) => line["event"] === "summary");
      code = await plan.exited;
    }
    expect(code).toBe(0);
    const frames = readCapture(ofPlan);
    expect(frames.some((one) => one.from === "module" && one.bytes.length > 2)).toBe(true);
    expect(frames.some((one) => one.from === "charger" && one.bytes[0] === 6)).toBe(true);
    await sgd.stop();
  }, 600_000);

  it("decode reads the file, and says what is wrong with one that is none", async () => {
    const decode = start("decode", "--pcap", recorded, "--json", "--vcd", join(folder, "again.vcd"));
    expect(await decode.exited).toBe(0);
    expect(decode.lines.length).toBe(readCapture(recorded).length);
    expect(decode.lines[0]).toMatchObject({ from: "module", name: "TypeQuery", marks: "", ok: true });
    const bad = start("decode", "--pcap", vcd);
    expect(await bad.exited).toBe(2);
    expect(bad.stderr).toMatch(/no pcapng/);
  });

  it("refuses what makes no sense, in a sentence", async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [["capture", "--serial", "pty"], /--out FILE/],
      [["capture", "--out", captured], /--serial LINE or --between/],
      [["capture", "--between", "pty", "--out", captured], /two lines/],
      [["capture", "--serial", "pty", "--out", "/nowhere/x.pcapng"], /cannot write/],
      [["replay", recorded, "--serial", "pty", "--role", "grid"], /ucm or sgd/],
      [["replay", join(folder, "none"), "--serial", "pty", "--role", "ucm"], /cannot read/],
    ];
    for (const [args, text] of cases) {
      const one = start(...args);
      expect(await one.exited, args.join(" ")).toBe(2);
      expect(one.stderr).toMatch(text);
    }
  });
});
