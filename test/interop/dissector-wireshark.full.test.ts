/** The Wireshark dissector, in tshark, says of every kind of frame what our own decoder says. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createCapture } from "../../host-sim/capture/files.js";
import { captureVirtualLine } from "../../host-sim/capture/line-capture.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { dissectorFrames, membersOf, recordsOf } from "../support/dissector-frames.js";
import { describeNeeding } from "../support/needs.js";
import { repoRoot } from "../support/process.js";

describeNeeding(["tshark"], "tools/dissectors/wireshark", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-tshark-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function tshark(file: string, ...fields: string[]): string[][] {
    const script = `lua_script:${repoRoot}tools/dissectors/wireshark/cta2045.lua`;
    const wanted = fields.flatMap((field) => ["-e", field]);
    const form = ["-T", "fields", "-E", "separator=\u0001", "-E", "aggregator=\u0002"];
    const run = spawnSync("tshark", ["-X", script, "-r", file, ...form, ...wanted], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(run.stderr.replace(/^Running as user.*\n/, "")).toBe("");
    expect(run.status).toBe(0);
    return run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\u0001"));
  }

  it("agrees with decode on names, words, members and check bytes", () => {
    const path = join(folder, "all.pcapng");
    const file = createCapture(path);
    const frames = dissectorFrames();
    for (const record of recordsOf(frames)) file.record(record);
    file.close();
    const rows = tshark(
      path,
      "cta2045.name",
      "cta2045.text",
      "cta2045.field",
      "cta2045.check_ok",
      "cta2045.mark.bad_checksum",
    );
    expect(rows.length).toBe(frames.length);
    const differ: string[] = [];
    let members = 0;
    frames.forEach((frame, i) => {
      const { hex, name, text, ok, type, fault } = decodeFrameText(frame);
      const [gotName, gotText, gotFields, checkOk, marked] = rows[i]!;
      if (gotName !== (name ?? "")) differ.push(`${hex}: name ${gotName} for ${name}`);
      const isPair = type === "08 01" || type === "08 03" || frame.length === 2;
      if (ok && isPair && name !== "TypeQuery" && name !== "Slots" && gotText !== text)
        differ.push(`${hex}: "${gotText}" for "${text}"`);
      const wanted = membersOf(frame);
      members += wanted.length;
      const got = gotFields === "" ? [] : gotFields!.split("\u0002").sort();
      if (JSON.stringify(got) !== JSON.stringify(wanted))
        differ.push(`${hex}: ${got.join()} for ${wanted.join()}`);
      if (frame.length > 2 && (checkOk === "1" || checkOk === "True") === (fault === "bad-checksum"))
        differ.push(`${hex}: check_ok ${checkOk}`);
      if ((marked === "1" || marked === "True") !== (fault === "bad-checksum"))
        differ.push(`${hex}: mark ${marked}`);
    });
    expect(differ.slice(0, 10)).toEqual([]);
    expect(members).toBeGreaterThan(800);
  });

  it("shows who spoke, what it means, and the silence before each link answer, of a captured event", async () => {
    const path = join(folder, "event.pcapng");
    const file = createCapture(path);
    const bench = new VirtualBench({ engine: nodeEngine() });
    captureVirtualLine(bench.line, file, (atMs) => bench.utcMs - bench.nowMs + atMs);
    bench.sgd.plug();
    await bench.run(20_000);
    bench.vtn.createEvent({ signal: "SIMPLE", level: 1, durationSeconds: 600 }, { utcMs: bench.utcMs });
    await bench.run(20_000);
    file.close();
    const rows = tshark(path, "_ws.col.Source", "_ws.col.Info", "cta2045.gap_ms");
    expect(rows.some(([from, info]) => from === "module" && /^Shed for 10 min/.test(info!))).toBe(true);
    expect(rows.some(([from, info]) => from === "charger" && info === "State: Running Curtailed (2)")).toBe(
      true,
    );
    const gaps = rows.flatMap(([, info, gap]) => (info === "Link ACK" ? [Number(gap)] : []));
    expect(gaps.length).toBeGreaterThan(20);
    expect(Math.min(...gaps)).toBeGreaterThan(38);
    expect(Math.max(...gaps)).toBeLessThan(200);
  });
});
