/** What a run writes down: text, JUnit XML and HTML of a peer with a planted fault. */
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { brokenPeers } from "../../host-sim/conformance/broken-peers.js";
import { countsText, type RunReport, traceRows } from "../../host-sim/conformance/report.js";
import { htmlReport } from "../../host-sim/conformance/report-html.js";
import { junitReport } from "../../host-sim/conformance/report-junit.js";
import { textReport } from "../../host-sim/conformance/report-text.js";
import { isAirless } from "../../host-sim/conformance/run.js";
import { selectTests } from "../../host-sim/conformance/tests/all.js";
import { runVirtually } from "../../host-sim/conformance/virtual.js";
import { DEFAULT_PROFILE } from "../../host-sim/sgd/profile-model.js";

function reportOf(name: string, only: readonly string[], line = "/dev/ttyUSB0"): RunReport {
  const peer = brokenPeers(DEFAULT_PROFILE).find((one) => one.name === name && one.role === "ucm")!;
  const runner = runVirtually({ role: "ucm", peer: peer.make(), tests: selectTests("ucm", { only }) });
  return {
    role: "ucm",
    line,
    startedUtcMs: 1_780_315_200_000,
    durationMs: runner.probe.nowMs,
    strict: false,
    version: "0.1.0",
    results: runner.results,
    isComplete: true,
  };
}

/** Every tag with its attributes; throws where the XML is not well formed. */
function tags(xml: string): { name: string; attributes: Record<string, string> }[] {
  const found: { name: string; attributes: Record<string, string> }[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) =>
    found.push({ name, attributes: attributes as Record<string, string> }),
  );
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(xml).close();
  return found;
}

const late = reportOf("late-ack", ["link.ack", "link.ack-latest", "link.reserved-bits"]);

describe("reports of a peer that acknowledges after 300 ms", () => {
  it("text: a line a test, and the trace with the time that is wrong", () => {
    const text = textReport(late);
    expect(text).toMatch(/^pass +link\.ack +3 of 3 acknowledged$/m);
    expect(text).toMatch(/^FAIL +link\.ack-latest +after 300 ms/m);
    expect(text).toMatch(/> +\d+\.\d{3} +\+\d+ +peer ← 06 00 .*Link ACK +\(300 ms after the frame\)/);
    expect(text).toMatch(/A link answer begins not later than 200 ms/);
    expect(text).toMatch(/1 fail, 2 pass\n$/);
  });

  it("JUnit: well formed, with counts that add up", () => {
    const all = tags(junitReport(late));
    const [head] = all;
    expect(head).toMatchObject({
      name: "testsuites",
      attributes: { tests: "3", failures: "1", skipped: "0" },
    });
    expect(all.filter(({ name }) => name === "testcase")).toHaveLength(3);
    expect(all.filter(({ name }) => name === "failure")).toMatchObject([
      { attributes: { message: expect.stringMatching(/^after 300 ms/) as string, type: "section 2.4 [C]" } },
    ]);
  });

  it("HTML: one page that loads nothing and runs nothing, with the trace of the failure alone", () => {
    const html = htmlReport(late);
    expect(html).not.toMatch(/<script|<link|src=|url\(|@import|https?:/i);
    expect(html.match(/<details/g)).toHaveLength(1);
    expect(html).toMatch(/<details id="link\.ack-latest" class="finding fail" open>/);
    expect(html).toMatch(/class="peer shown".*06 00.*300 ms after the frame/);
    expect(html).toContain("prefers-color-scheme: dark");
  });

  it("escapes what comes from outside", () => {
    const html = htmlReport({ ...late, line: '<img src=x onerror="alert(1)">' });
    expect(html).not.toContain("<img");
    expect(() => tags(junitReport({ ...late, version: "<&>" }))).not.toThrow();
  });
});

describe("reports of a peer that refuses what it need not do", () => {
  const report = reportOf("nak-to-everything", ["basic.load-up", "link.reserved-bits"]);

  it("advice and what is not applicable are skipped in JUnit, not failed", () => {
    expect(countsText(report.results)).toBe("1 advice, 1 not applicable");
    const skipped = tags(junitReport(report)).filter(({ name }) => name === "skipped");
    expect(skipped.map(({ attributes }) => attributes["message"]?.split(":")[0])).toEqual([
      "advice",
      "not-applicable",
    ]);
  });
});

it("a long trace is cut, and says so", () => {
  const [result] = reportOf("babbles", ["link.ack"]).results;
  const long = { ...result!, trace: Array.from({ length: 20 }, () => result!.trace).flat(), shown: [] };
  const { rows, left } = traceRows(long);
  expect(rows).toHaveLength(300);
  expect(left).toBe(long.trace.length - 300);
  expect(left).toBeGreaterThan(0);
});

it("knows which lines take no time", () => {
  expect(
    ["pty", "tcp://h:1", "tcp-listen://h:1", "/dev/pts/3", "/dev/ttyUSB0", "COM3"].map(isAirless),
  ).toEqual([true, true, true, true, false, false]);
});
