/**
 * `npm run build -- --board NAME`: builds the firmware for a board with the Moddable SDK, and says how large it is. Needs
 * `MODDABLE` and, for an image, ESP-IDF 6 (`IDF_PATH`). `--link` goes as far as the linked byte code, which needs no ESP-IDF.
 * Exit codes: 0 built, 1 the build failed, 2 no such board or no SDK.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

/** Folders of boards/ that the SDK builds for. */
const boards = readdirSync(join(root, "boards")).filter((name) =>
  existsSync(join(root, "boards", name, "manifest.json")),
);

const args = process.argv.slice(2);
const at = args.indexOf("--board");
const name = at < 0 ? undefined : args[at + 1];
if (name === undefined || !boards.includes(name)) {
  fail(
    `${name === undefined ? "--board wants a name" : `There is no board "${name}"`}: ${boards.join(", ")}.`,
  );
}
const moddable = process.env["MODDABLE"];
if (moddable === undefined || !existsSync(join(moddable, "tools"))) {
  fail(
    "The Moddable SDK is not here (the variable MODDABLE names its folder). Install it with ESP-IDF:\n" +
      "  npx xs-dev setup\n  npx xs-dev setup --device esp32\n" +
      "and open a new shell. The firmware wants SDK 8.2 and ESP-IDF 6.0.",
  );
}
const host = { darwin: "mac", win32: "win" }[process.platform as string] ?? "lin";
const tools = join(moddable, "build/bin", host, "release");
const mcconfig = join(tools, process.platform === "win32" ? "mcconfig.exe" : "mcconfig");
if (!existsSync(mcconfig))
  fail(`The SDK's tools are not built: ${mcconfig} is missing. Run \`npx xs-dev setup\`.`);

const out = join(root, "build/device");
const link = args.includes("--link");
if (!link && process.env["IDF_PATH"] === undefined) {
  fail("ESP-IDF 6.0 is not here (the variable IDF_PATH names its folder): npx xs-dev setup --device esp32");
}
const PATH = [join(root, "node_modules/.bin"), tools, process.env["PATH"] ?? ""].join(delimiter);
const env = { ...process.env, PATH };
const made = spawnSync(
  mcconfig,
  [
    ...(link ? [] : ["-m", "-t", "build"]),
    "-p",
    `esp32:${join(root, "boards", name)}`,
    "-o",
    out,
    join(root, "manifest.json"),
  ],
  { stdio: "inherit", env, cwd: root },
);
if (made.status !== 0) process.exit(1);

const work = join(out, "tmp/esp32", name, "release/main");
if (link) {
  // The SDK's makefile wants what ESP-IDF would have made of the configuration; the byte code does not depend on it.
  const linked = spawnSync("make", ["-f", "makefile", ...untouched(work), join(work, "mc.xs.c")], {
    ...{ stdio: "inherit", cwd: work, env: { ...env, IDF_PATH: process.env["IDF_PATH"] ?? root } },
  });
  if (linked.status !== 0) process.exit(1);
}

/** `-o FILE`: take it as it is. */
function untouched(folder: string): string[] {
  const project = readdirSync(folder).find((entry) => entry.startsWith("xsProj-"));
  const chip = project ?? `xsProj-${chipOf()}`;
  return ["-o", join(folder, chip, "build/config/sdkconfig.h")];
}

function chipOf(): string {
  return /s3/.test(name!) ? "esp32s3" : /c3/.test(name!) ? "esp32c3" : "esp32";
}

/** What has been made, with its size. */
for (const file of ["mc.xs.c", "mc.xs.c.o", `xsProj-${chipOf()}/build/xs_esp32.bin`]) {
  const path = join(work, file);
  if (existsSync(path))
    process.stdout.write(`${statSync(path).size.toLocaleString("en").padStart(12)} bytes  ${path}\n`);
}
const modules = join(work, "modules");
if (existsSync(modules)) {
  let bytes = 0;
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(".xsb"))
      bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  process.stdout.write(
    `${bytes.toLocaleString("en").padStart(12)} bytes  byte code of all modules, before linking\n`,
  );
}
