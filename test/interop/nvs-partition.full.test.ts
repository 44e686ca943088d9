// The label's partition against Espressif's own generator (esp-idf-nvs-partition-gen of PyPI): byte for byte.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { labelTexts, NVS_BYTES, nvsCsv, nvsImage } from "../../host-sim/provision/nvs.js";

const venv = fileURLToPath(new URL("../../build/venv-nvs", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "openucm-nvs-gen-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(command: string, ...args: string[]): void {
  const done = spawnSync(command, args, { encoding: "utf8", timeout: 240_000 });
  expect(done.status, `${command} ${args.join(" ")}: ${done.error?.message ?? done.stderr}`).toBe(0);
}

it("Espressif's generator makes the same of our CSV", { timeout: 300_000 }, () => {
  const python = join(venv, "bin/python");
  const has = (): boolean =>
    existsSync(python) && spawnSync(python, ["-c", "import esp_idf_nvs_partition_gen"]).status === 0;
  if (!has()) {
    run("python3", "-m", "venv", venv);
    run(
      python,
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "esp-idf-nvs-partition-gen",
    );
  }
  const labels = [
    labelTexts("U1", "7KQ2-M9XV-4T8B-D3NH-P"),
    labelTexts("UCM-A000001", "7KQ2-M9XV-4T8B-D3NH-P", "0123456789abcdef0123456789abcdef"),
    // The longest serial number; texts that end at an entry's end.
    labelTexts(`U${"9".repeat(40)}`, "0000-0000-0000-0000-0", "e".repeat(31)),
  ];
  labels.forEach((texts, i) => {
    const [csv, made] = [join(dir, `${i}.csv`), join(dir, `${i}.bin`)];
    writeFileSync(csv, nvsCsv(texts));
    run(python, "-m", "esp_idf_nvs_partition_gen", "generate", csv, made, `0x${NVS_BYTES.toString(16)}`);
    expect(readFileSync(made).equals(nvsImage(texts)), JSON.stringify(texts)).toBe(true);
  });
});
