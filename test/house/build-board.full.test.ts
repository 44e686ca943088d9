/**
 * `npm run build -- --board NAME` up to its last line, with a stand-in for the SDK: an `mcconfig` that writes down what it
 * was asked and leaves the makefile that the real one leaves. Where `MODDABLE` names a real SDK, that one links the byte code
 * for the three chips as well; it needs no ESP-IDF for that.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Like mcconfig: takes -p esp32:BOARD -o OUT MANIFEST, and makes OUT/tmp/esp32/NAME/release/APP with a makefile. */
const mcconfig = `#!/bin/sh
printf '%s\\n' "$@" > "$FAKE_LOG"
while [ $# -gt 1 ]; do
  case "$1" in
    -p) board=$(basename "$2"); shift 2 ;;
    -o) out=$2; shift 2 ;;
    *) shift ;;
  esac
done
[ -n "$FAKE_FAILS" ] && exit 3
app=$(basename "$(dirname "$1")")
case "$1" in "$FAKE_ROOT/manifest.json") app=main ;; esac
work="$out/tmp/esp32/$board/release/$app"
mkdir -p "$work/modules" && printf 'x' > "$work/modules/a.xsb"
printf '%s: \\n\\t@cp %s %s\\n' "$work/mc.xs.c" "$1" "$work/mc.xs.c" > "$work/makefile"
`;

describe("npm run build -- --board, with a stand-in for the SDK", () => {
  let sdk = "";
  let log = "";
  beforeAll(() => {
    sdk = mkdtempSync(join(tmpdir(), "openucm-sdk-"));
    log = join(sdk, "asked");
    const host = { darwin: "mac", win32: "win" }[process.platform as string] ?? "lin";
    const bin = join(sdk, "build/bin", host, "release");
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(sdk, "tools"));
    writeFileSync(join(bin, "mcconfig"), mcconfig);
    chmodSync(join(bin, "mcconfig"), 0o755);
  });
  afterAll(() => rmSync(sdk, { recursive: true, force: true }));

  const build = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env: NodeJS.ProcessEnv = { ...process.env, MODDABLE: sdk, FAKE_LOG: log, FAKE_ROOT: root, ...more };
    if (!("IDF_PATH" in more)) delete env["IDF_PATH"];
    const out = join(sdk, "out");
    const loader = ["--no-warnings", "--loader", "ts-node/esm", join(root, "tools/build.ts")];
    const run = spawnSync(process.execPath, [...loader, ...args, "--out", out], {
      ...{ cwd: root, encoding: "utf8", env },
    });
    return { ...run, out, asked: existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [] };
  };

  it("gives the SDK one module and a manifest that names only what exists, and prints sizes", () => {
    const run = build(["--board", "xiao-esp32c3-rs485", "--link"]);
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    expect(run.asked).toContain(`esp32:${join(root, "boards/xiao-esp32c3-rs485")}`);
    const path = run.asked.at(-1)!;
    const manifest = JSON.parse(readFileSync(path, "utf8")) as {
      include: string[];
      modules: Record<string, string | string[]>;
      creation: { main: string };
      preload: string[];
    };
    for (const include of manifest.include.filter((one) => !one.startsWith("$(")))
      expect(existsSync(include), include).toBe(true);
    expect(manifest.preload).toEqual([manifest.creation.main]);
    expect(Object.keys(manifest.modules).filter((name) => name.startsWith("src/"))).toEqual([]);
    const bundle = readFileSync(join(path, "../main.js"), "utf8");
    expect(bundle).not.toMatch(/from "\.\.?\//); // nothing is left to look for
    expect(bundle).toMatch(/from\s*"rs485"/);
    expect(run.stdout).toMatch(/\d bytes .*mc\.xs\.c/);
    expect(run.stdout).toMatch(/byte code of all modules/);
  }, 600_000);

  it("leaves upstreams out, and refuses one that there is not", () => {
    const size = (list: string): string => {
      const { asked, status } = build(["--board", "weact-can485", "--link", "--upstreams", list]);
      expect(status).toBe(0);
      return readFileSync(join(asked.at(-1)!, "../main.js"), "utf8");
    };
    const one = size("openadr2b");
    expect(one).toContain("oadrPoll");
    expect(one).not.toContain("BootNotification");
    // Nor what only the others speak, nor the receiver of a computer's line.
    expect(one).not.toMatch(/Sec-WebSocket|MQTT|\.feed\(/);
    expect(one).toMatch(/openadr3.*ocpp16|\["openadr3","ocpp16"\]/s);
    expect(size("ocpp16")).toContain("BootNotification");
    const wrong = build(["--board", "weact-can485", "--link", "--upstreams", "openadr9"]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("openadr2b, openadr3, ocpp16");
  }, 600_000);

  it("gives it the sources as they stand where --modules asks so", () => {
    const { asked, status } = build(["--board", "weact-can485", "--link", "--modules"]);
    expect(status).toBe(0);
    expect(asked.at(-1)).toBe(join(root, "manifest.json"));
  }, 600_000);

  it("for an image asks mcconfig to build it, and wants ESP-IDF for that", () => {
    expect(build(["--board", "weact-can485"]).status).toBe(2);
    const empty = build(["--board", "weact-can485"], { IDF_PATH: sdk });
    expect(empty.status).toBe(2);
    expect(empty.stderr).toContain(`ESP-IDF 6.0 is not at ${sdk}`);
    writeFileSync(join(sdk, "tools/idf.py"), "");
    const { asked, status } = build(["--board", "weact-can485"], { IDF_PATH: sdk });
    expect(status).toBe(0);
    expect(asked.slice(0, 3)).toEqual(["-m", "-t", "build"]);
  }, 600_000);

  it("ends with 1 where the SDK's build fails", () => {
    expect(build(["--board", "weact-can485", "--link"], { FAKE_FAILS: "1" }).status).toBe(1);
  }, 600_000);
});

if (process.env["MODDABLE"] !== undefined)
  describe("the firmware, linked by the SDK", () => {
    const out = mkdtempSync(join(tmpdir(), "openucm-link-"));
    afterAll(() => rmSync(out, { recursive: true, force: true }));

    it.each(["weact-can485", "xiao-esp32c3-rs485", "xiao-esp32s3-rs485"])(
      "%s",
      (board) => {
        const loader = ["--no-warnings", "--loader", "ts-node/esm", join(root, "tools/build.ts")];
        const args = [...loader, "--board", board, "--link", "--out", out];
        const run = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
        expect(run.stderr.split("\n").filter((line) => /error/i.test(line))).toEqual([]);
        expect(run.status).toBe(0);
        const linked = readFileSync(join(out, `tmp/esp32/${board}/release/firmware/mc.xs.c`), "utf8");
        expect(linked).toContain("drivers/device/main");
        expect(linked).toContain("xs_rs485"); // the C of the line is asked for by name
      },
      600_000,
    );
  });
