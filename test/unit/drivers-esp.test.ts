/**
 * The C drivers of the chip with their real XS glue, on the host: XS around them, a fake of the ESP-IDF calls below them
 * (drivers/fake-idf), address and undefined-behaviour sanitizers on. What it cannot prove stands in drivers/README.md.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
/** The SDK's classes with a native half, made of what the harness has. */
const prelude = `const Native = () => class { constructor() { return Object.setPrototypeOf(newHost(), new.target.prototype); } };\n`;
const folder = resolve(root, "build/fake-idf");

describe("the drivers of the chip, behind a fake of ESP-IDF", () => {
  beforeAll(() => {
    const made = spawnSync("make", ["-s", "-j2", "-C", resolve(root, "drivers/fake-idf")], {
      encoding: "utf8",
    });
    if (made.status !== 0) throw new Error(made.stderr);
    mkdirSync(folder, { recursive: true });
  }, 300_000);

  it.each([
    ["rs485", "rs485/rs485.js", "drivers-rs485.xs.js"],
    ["spi", "spi-peripheral/spi-peripheral.js", "drivers-spi.xs.js"],
    ["flash", "flash/ucm-flash.js", "drivers-flash.xs.js"],
    ["device", "device/device.js", "drivers-device.xs.js"],
    ["ws2812", "ws2812/ucm-ws2812.js", "drivers-ws2812.xs.js"],
  ])("%s", (name, driver, script) => {
    const source = readFileSync(resolve(root, "drivers", driver), "utf8")
      .replace(/^export default .*$/m, "")
      .replace(/^export /gm, "");
    const file = resolve(folder, `${name}.js`);
    writeFileSync(file, prelude + source + readFileSync(resolve(import.meta.dirname, script), "utf8"));
    // What the machine keeps until its end is no leak of ours.
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    const run = spawnSync(resolve(folder, "driver-test"), [file], { encoding: "utf8", env });
    expect(run.stderr).toBe("");
    expect(run.stdout).toBe(`${name} ok\n`);
    expect(run.status).toBe(0);
  });
});
