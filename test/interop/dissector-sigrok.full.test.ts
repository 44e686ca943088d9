/** The sigrok decoder reads the line's bits (our VCD) and says what our own decoder says. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { captureVirtualLine } from "../../host-sim/capture/line-capture.js";
import type { CaptureRecord } from "../../host-sim/capture/record.js";
import { vcdOf } from "../../host-sim/capture/vcd.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { dissectorFrames, membersOf } from "../support/dissector-frames.js";
import { describeNeeding } from "../support/needs.js";
import { repoRoot } from "../support/process.js";

describeNeeding(["sigrok-cli", "python3"], "tools/dissectors/sigrok", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-sigrok-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function sigrok(records: readonly CaptureRecord[], show: string): string[] {
    const path = join(folder, "line.vcd");
    writeFileSync(path, vcdOf(records));
    const decoder = "uart:rx=module:tx=charger:baudrate=19200,cta2045";
    const run = spawnSync("sigrok-cli", ["-I", "vcd", "-i", path, "-P", decoder, "-A", `cta2045=${show}`], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: {
        ...process.env,
        SIGROKDECODE_DIR: `${repoRoot}tools/dissectors/sigrok`,
        PYTHONDONTWRITEBYTECODE: "1",
      },
    });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    return run.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replace(/^cta2045-\d+: /, ""));
  }

  it("reads a captured event from the bits: meanings and the delay of each link answer", async () => {
    const records: CaptureRecord[] = [];
    const bench = new VirtualBench({ engine: nodeEngine() });
    bench.sgd.plug();
    bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 10, durationSeconds: 600 },
      { utcMs: bench.utcMs },
    );
    captureVirtualLine(
      bench.line,
      { record: (one) => records.push(one) },
      (atMs) => bench.utcMs - bench.nowMs + atMs,
    );
    await bench.run(20_000);
    const clean = records.filter((one) => !one.marks.collision);
    const lines = sigrok(clean, "message:answer");
    expect(lines.length).toBe(clean.length);
    const state = lines.indexOf("State: Running Curtailed (2)");
    expect(state).toBeGreaterThan(0);
    expect(lines.some((line) => /^Shed for 10 min/.test(line))).toBe(true);
    const delays = lines.flatMap(
      (line) => /^Link ACK after (\d+) ms$/.exec(line)?.slice(1).map(Number) ?? [],
    );
    expect(delays.length).toBeGreaterThan(20);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(39);
    expect(Math.max(...delays)).toBeLessThanOrEqual(200);
  });

  it("marks damage: wrong check bytes, a frame that breaks off", () => {
    const at = (hex: string, ms: number): CaptureRecord => ({
      utcMs: ms,
      from: "module",
      bytes: Uint8Array.from(Buffer.from(hex, "hex")),
      bitsPerSecond: 19_200,
      marks: { badChecksum: false, incomplete: false, collision: false },
    });
    const records = [
      at("08010002010 00C3C".replaceAll(" ", ""), 100),
      at("080100", 200),
      at("0801000201000c3d", 400),
    ];
    expect(sigrok(records, "warning")).toEqual(["bad checksum", "broke off after 3 bytes"]);
    expect(sigrok(records, "message")).toEqual(["Shed"].map((name) => expect.stringMatching(name) as string));
  });

  it("its decoder of frames agrees with ours on every kind of frame", () => {
    const frames = dissectorFrames().filter((frame) => decodeFrameText(frame).fault !== "bad-checksum");
    const program = `
import sys, json
sys.path.insert(0, ${JSON.stringify(`${repoRoot}tools/dissectors/sigrok/cta2045`)})
import tables
out = []
for line in sys.stdin:
    data = list(bytes.fromhex(line.strip()))
    if len(data) == 2:
        name, text = tables.answer(data)
        fields = []
    else:
        name, text, fields = tables.message(data[0] << 8 | data[1], data[4:-2])
        if tables.check_bytes(data[:-2]) != (data[-2], data[-1]):
            name, text = None, "check"
    out.append([name, text, sorted("%s=%s" % f for f in fields)])
print(json.dumps(out))
`;
    const input = frames.map((frame) => Buffer.from(frame).toString("hex")).join("\n");
    const run = spawnSync("python3", ["-B", "-c", program], {
      input,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(run.stderr).toBe("");
    const rows = JSON.parse(run.stdout) as [string | null, string, string[]][];
    const differ: string[] = [];
    frames.forEach((frame, i) => {
      const { hex, name, text, ok, type } = decodeFrameText(frame);
      const [gotName, gotText, gotFields] = rows[i]!;
      if (gotName !== name) differ.push(`${hex}: ${gotName} for ${name}`);
      const isPair = type === "08 01" || type === "08 03" || frame.length === 2;
      if (ok && isPair && name !== "TypeQuery" && name !== "Slots" && gotText !== text)
        differ.push(`${hex}: "${gotText}" for "${text}"`);
      if (JSON.stringify(gotFields) !== JSON.stringify(membersOf(frame)))
        differ.push(`${hex}: ${gotFields.join()}`);
    });
    expect(differ.slice(0, 10)).toEqual([]);
  });
});
