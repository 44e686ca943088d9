// Sizes of the firmware's byte code: per module, per folder, in all, against the figures kept in budget.json.
//   node tools/xs-bytecode/report.mjs [--json] [--update] [--budget FILE] [--entry FILE.js] [DIR]
// DIR: compiled src/, default dist/src. Counted is what the entry (default: the firmware's, dist/host-sim/runtime/
// machine-entry.js) imports, directly or not; below it stands what all of DIR would take.
// A module or folder counts with the code of its modules as they stand. The wholes are device builds (tools/firmware/
// bundle.mjs), code and names: of this project what drivers/device/main.ts takes of src/, that file too, and below the same
// with the JavaScript of the drivers. "all of src" is no build: what nobody imports is no part of one.
// Exit: 0 within the budget, 1 beyond it (or a folder without one), 2 nothing to measure.
// --update writes what is measured, plus 3 %, as the new budget. The aims in budget.json are set by hand.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, bundleBehind, upstreamFolders } from "../firmware/bundle.mjs";
import { collectModules } from "./archive.mjs";
import { compileModules, shown } from "./compile.mjs";

const here = dirname(fileURLToPath(import.meta.url));

export const notice =
  "Compiled by XS 13.3 (npm @agoric/xsnap). Device builds use the SDK's own xsc and xsl, a newer XS: its byte code is not\n" +
  "interchangeable with this one, and about 7 % smaller.";

const slashed = (path) => path.split(sep).join("/");

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** The names of an .xsb: its SYMB atom, a count of 2 bytes and then texts that end in zero. */
function namesOf(file) {
  const bytes = readFileSync(file);
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at)) {
    if (bytes.toString("latin1", at + 4, at + 8) !== "SYMB") continue;
    return bytes
      .toString("latin1", at + 10, at + bytes.readUInt32BE(at))
      .split("\0")
      .filter((name) => name !== "");
  }
  return [];
}

const nameBytes = (modules) => {
  const names = new Set(modules.flatMap((module) => module.names));
  return [...names].reduce((sum, name) => sum + name.length + 1, 0);
};
const codeBytes = (modules) => modules.reduce((sum, { code }) => sum + code, 0);
const linked = (modules) => codeBytes(modules) + nameBytes(modules);

/** The device's own entry; it stands for the firmware's, which is for what runs behind text. */
const device = join(here, "../../drivers/device/main.ts");
const own = join(here, "../../dist/host-sim/runtime/machine-entry.js");

/** Code and names of the device build of an entry, with the upstreams given; bytes. `drivers`: theirs counts too. */
async function deviceBuild(entry, root, upstreams, drivers = false) {
  const out = mkdtempSync(join(tmpdir(), "xs-device-"));
  try {
    const outdir = join(out, "js");
    let files = [join(outdir, "main.js")];
    if (resolve(entry) === own) {
      const chip = { bareIsOutside: true, driversOutside: !drivers, ...(upstreams && { upstreams }) };
      await bundle({ entries: [device], base: dirname(device), outdir, ...chip });
    } else {
      const bundled = await bundleBehind(entry, root, outdir, upstreams);
      files = collectModules(bundled, outdir).map(({ file }) => file);
    }
    return linked(
      compileModules(files, outdir, out).map(({ code, file }) => ({ code, names: namesOf(file) })),
    );
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/**
 * Sizes in bytes: `modules` that the entry reaches (`{ name, folder, code, names }`), code of their `folders`, `names` of
 * all of them once, `all` (every module below the folder); and device builds: `linked` with all upstreams, `upstreams` with
 * each alone, and `oneUpstream`, the largest of these; `image` and `imageOfAll` with the drivers, for this project's own entry. Without an entry these are the plain sums of all modules.
 */
export async function measure(folder, entry) {
  const out = mkdtempSync(join(tmpdir(), "xs-report-"));
  try {
    const files = filesBelow(folder);
    if (files.length === 0) throw new Error(`no modules below ${shown(folder)}`);
    const root = entry ? resolve(folder, "..") : resolve(folder);
    const compile = (list) =>
      compileModules(list, root, out).map((module, i) => {
        const path = slashed(relative(folder, list[i]));
        const name = path.startsWith("..") ? slashed(relative(root, list[i])) : path;
        const outside = path.startsWith("..") ? (list[i].includes("node_modules") ? "npm" : ".") : undefined;
        const own = path.includes("/") ? path.split("/")[0] : ".";
        return { name, folder: outside ?? own, code: module.code, names: namesOf(module.file) };
      });
    const everything = compile(files);
    const modules = entry ? compile(collectModules(entry, root).map(({ file }) => file)) : everything;
    const folders = {};
    for (const { folder: name, code } of modules) folders[name] = (folders[name] ?? 0) + code;
    const upstreams = {};
    for (const name of entry ? Object.keys(upstreamFolders) : [])
      upstreams[name] = await deviceBuild(entry, root, [name]);
    const whole = entry ? await deviceBuild(entry, root) : linked(modules);
    const largest = Object.keys(upstreams).sort((a, b) => upstreams[b] - upstreams[a])[0];
    const images =
      entry && resolve(entry) === own
        ? {
            image: await deviceBuild(entry, root, [largest], true),
            imageOfAll: await deviceBuild(entry, root, undefined, true),
          }
        : {};
    return {
      modules,
      folders,
      names: nameBytes(modules),
      upstreams,
      oneUpstream: Math.max(...Object.values(upstreams), entry ? 0 : whole),
      linked: whole,
      ...images,
      all: linked(everything),
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const wholes = {
  oneUpstream: "device build with its largest upstream alone",
  linked: "device build with all its upstreams",
  image: "device build with its largest upstream alone, and the JavaScript of the drivers",
  imageOfAll: "device build with all its upstreams, and the JavaScript of the drivers",
  all: "all of src, as it stands",
};

/** What is beyond the budget, as sentences; empty = all is well. */
export function beyond(measured, budget) {
  const faults = [];
  const check = (what, size, limit) => {
    if (limit === undefined) faults.push(`${what}: ${size} bytes, and no budget yet (--update gives it one)`);
    else if (size > limit)
      faults.push(`${what}: ${size} bytes, ${size - limit} more than its budget of ${limit}`);
  };
  for (const [key, words] of Object.entries(wholes))
    if (measured[key] !== undefined) check(words, measured[key], budget[key]);
  for (const [name, size] of Object.entries(measured.folders)) check(name, size, budget.folders[name]);
  return faults;
}

const title = (folder) => (folder === "." ? "./ (top level)" : `${folder}/`);

/** The table of folders and wholes: `[what, bytes, budget, aim]`, a cell undefined where there is none. */
export function table(measured, budget) {
  const rows = Object.keys(measured.folders)
    .sort()
    .map((folder) => [title(folder), measured.folders[folder], budget.folders[folder], undefined]);
  rows.push(["names, once for all modules", measured.names, undefined, undefined]);
  for (const [name, size] of Object.entries(measured.upstreams))
    rows.push([`device build with ${name} alone`, size, undefined, undefined]);
  for (const [key, words] of Object.entries(wholes))
    if (measured[key] !== undefined) rows.push([words, measured[key], budget[key], budget.aims?.[key]]);
  return rows;
}

function print(measured, budget) {
  const row = (size, limit, aim, name) =>
    console.log(
      `${String(size).padStart(8)} ${String(limit ?? "").padStart(9)} ${String(aim ?? "").padStart(9)}  ${name}`,
    );
  console.log(`${notice}\n\n   bytes    budget       aim`);
  for (const { name, code } of [...measured.modules].sort((a, b) => (a.name < b.name ? -1 : 1)))
    row(code, "", "", `  ${name}`);
  for (const [what, size, limit, aim] of table(measured, budget)) row(size, limit, aim, what);
}

/** Sizes of the built firmware and its budget, for the page of figures. */
export async function firmwareSizes() {
  const measured = await measure(join(here, "../../dist/src"), own);
  return { measured, budget: JSON.parse(readFileSync(join(here, "budget.json"), "utf8")) };
}

const room = (size) => Math.ceil((size * 1.03) / 64) * 64;

function updated(measured, budget) {
  const sorted = Object.entries(measured.folders).sort(([a], [b]) => (a < b ? -1 : 1));
  const limits = Object.fromEntries(
    Object.keys(wholes).flatMap((key) => (measured[key] === undefined ? [] : [[key, room(measured[key])]])),
  );
  return {
    ...budget,
    ...limits,
    folders: Object.fromEntries(sorted.map(([name, size]) => [name, room(size)])),
  };
}

async function main(args) {
  const flag = (name) => {
    const at = args.indexOf(name);
    return at >= 0 && args.splice(at, 1).length > 0;
  };
  const value = (name) => {
    const at = args.indexOf(name);
    return at >= 0 ? resolve(args.splice(at, 2)[1]) : undefined;
  };
  const asJson = flag("--json");
  const update = flag("--update");
  const budgetFile = value("--budget") ?? join(here, "budget.json");
  const asked = value("--entry");
  const folder = resolve(args[0] ?? join(here, "../../dist/src"));
  if (!existsSync(folder)) {
    console.error(`${shown(folder)} does not exist: run npm run build:ts first`);
    return 2;
  }
  const usual = join(folder, "../host-sim/runtime/machine-entry.js");
  const measured = await measure(folder, asked ?? (existsSync(usual) ? usual : undefined));
  let budget = JSON.parse(readFileSync(budgetFile, "utf8"));
  if (update) {
    budget = updated(measured, budget);
    writeFileSync(budgetFile, `${JSON.stringify(budget, null, 2)}\n`);
  }
  const faults = beyond(measured, budget);
  if (asJson) {
    const modules = measured.modules.map(({ name, code }) => ({ name, code }));
    console.log(JSON.stringify({ ...measured, modules, budget, faults }));
  } else print(measured, budget);
  for (const fault of faults) console.error(`byte code beyond its budget: ${fault}`);
  return faults.length > 0 ? 1 : 0;
}

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
