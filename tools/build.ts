/**
 * `npm run build -- --board NAME`: builds the firmware for a board with the Moddable SDK, and says how large it is. Needs
 * `MODDABLE` and, for an image, ESP-IDF 6 (`IDF_PATH`). `--link` goes as far as the linked byte code, which needs no ESP-IDF.
 * `--out DIR` (default build/device) is where all of it goes. `--upstreams LIST` leaves the others out (openadr2b, openadr3, ocpp16); `--modules` gives the SDK the sources as they
 * stand, one module each, instead of a bundle (tools/firmware/bundle.mjs): for the debugger, and 7 % larger.
 * `--hardened` builds the variant with secure boot and encrypted flash (docs/how-to/harden-a-board.md).
 * Exit codes: 0 built, 1 the build failed, 2 usage or no SDK.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Firmware {
  upstreamsOf(list: string | undefined): string[];
  bundle(options: {
    readonly entries: readonly string[];
    readonly base: string;
    readonly outdir: string;
    readonly upstreams: readonly string[];
    readonly bareIsOutside: boolean;
  }): Promise<string[]>;
}
const firmware = (await import(new URL("firmware/bundle.mjs", import.meta.url).href)) as Firmware;

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
const asModules = args.includes("--modules");
const list = args.indexOf("--upstreams");
const upstreams = await (async () => {
  try {
    return firmware.upstreamsOf(list < 0 ? undefined : (args[list + 1] ?? ""));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
})();
if (asModules && list >= 0) fail("--upstreams leaves out of a bundle; it does not go with --modules");
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

const outAt = args.indexOf("--out");
const out = resolve(
  outAt < 0 ? join(root, "build/device") : (args[outAt + 1] ?? fail("--out wants a folder")),
);
const link = args.includes("--link");
const idf = process.env["IDF_PATH"];
if (!link && (idf === undefined || !existsSync(join(idf, "tools/idf.py")))) {
  fail(
    `ESP-IDF 6.0 is not ${idf === undefined ? "here" : `at ${idf}`} (the variable IDF_PATH names its folder): ` +
      "npx xs-dev setup --device esp32. For the byte code alone: --link.",
  );
}
const PATH = [join(root, "node_modules/.bin"), tools, process.env["PATH"] ?? ""].join(delimiter);
const env = { ...process.env, PATH };
const manifest = asModules ? join(root, "manifest.json") : await bundled();
const hardened = (await import(new URL("firmware/hardened.mjs", import.meta.url).href)) as {
  hardenedBoard(root: string, name: string, into: string): string;
};
const board = args.includes("--hardened")
  ? hardened.hardenedBoard(root, name, join(root, "build/boards"))
  : join(root, "boards", name);
const made = spawnSync(
  mcconfig,
  [...(link ? [] : ["-m", "-t", "build"]), "-p", `esp32:${board}`, "-o", out, manifest],
  { stdio: "inherit", env, cwd: root },
);
if (made.status !== 0) process.exit(1);

const work = join(out, "tmp/esp32", basename(board), "release", asModules ? "main" : "firmware");
if (link) {
  // The SDK's makefile wants what ESP-IDF would have made of the configuration; the byte code does not depend on it.
  const linked = spawnSync("make", ["-f", "makefile", ...untouched(work), join(work, "mc.xs.c")], {
    ...{ stdio: "inherit", cwd: work, env: { ...env, IDF_PATH: process.env["IDF_PATH"] ?? root } },
  });
  if (linked.status !== 0) process.exit(1);
}

/**
 * The application as one module, and a manifest of it: that of the project, without the modules that are in the bundle.
 * Answers the manifest's path; the SDK calls the application by the name of its folder.
 */
async function bundled(): Promise<string> {
  const folder = join(out, "firmware");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const base = join(root, "drivers/device");
  const entry = join(base, "main.ts");
  const inputs = await firmware.bundle({
    ...{ entries: [entry], base, outdir: folder, upstreams, bareIsOutside: true },
  });
  const { include, modules, preload, ...rest } = JSON.parse(
    readFileSync(join(root, "manifest.json"), "utf8"),
  ) as { include: string[]; modules: Record<string, string>; preload: string[]; [more: string]: unknown };
  void preload;
  const kept = Object.entries(modules).filter(([name]) => name !== "~" && !name.startsWith("src/"));
  const inside = inputs
    .filter((path) => path.startsWith("drivers/"))
    .map((path) => join(root, path).replace(/\.ts$/, ""));
  // A clock that is set to before this is set wrongly. SOURCE_DATE_EPOCH: the same build again.
  const builtUtcMs = Number(process.env["SOURCE_DATE_EPOCH"] ?? Math.floor(Date.now() / 1000)) * 1000;
  const text = {
    include: include.map((path) => (path.startsWith("$(") ? path : resolve(root, path))),
    ...rest,
    config: { ...(rest["config"] as object), builtUtcMs },
    modules: {
      ...Object.fromEntries(kept.map(([name, path]) => [name, resolve(root, path)])),
      "drivers/device/main": "./main",
      "~": inside,
    },
    preload: ["drivers/device/main"],
  };
  const path = join(folder, "manifest.json");
  writeFileSync(path, `${JSON.stringify(text, null, 2)}\n`);
  return path;
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
