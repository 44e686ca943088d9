// The bill of materials, judged by CycloneDX's Python library and by our own package.json.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}build/venv-sbom`;

function run(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 240_000 });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

it("names every library that the program and a device bring, with its version, and is valid CycloneDX 1.6", () => {
  const python = `${folder}/bin/python`;
  if (!existsSync(python)) run("python3", ["-m", "venv", folder]);
  run(python, [
    ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
    "cyclonedx-python-lib[json-validation]",
  ]);
  run("npm", ["run", "--silent", "sbom"]);
  const file = `${root}dist/openucm.cdx.json`;
  const script = fileURLToPath(new URL("validate_sbom.py", import.meta.url));
  const verdict = JSON.parse(run(python, [script, file])) as { error: string | null; names: string[] };
  expect(verdict.error).toBeNull();
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8")) as {
    packages: Record<string, { version: string }>;
  };
  const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies))
    expect(verdict.names).toContain(`${name}@${lock.packages[`node_modules/${name}`]!.version}`);
  for (const name of ["moddable-sdk", "esp-idf", "mbedtls"])
    expect(
      verdict.names.some((one) => one.startsWith(`${name}@`)),
      name,
    ).toBe(true);
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain(root);
  expect(verdict.names.some((one) => one.startsWith("vitest@"))).toBe(false);
}, 300_000);
