// Sizes of the firmware's byte code: per module, per folder, in all, against the figures kept in budget.json.
//   node tools/xs-bytecode/report.mjs [--json] [--update] [--budget FILE] [--entry FILE.js] [DIR]
// DIR: compiled src/, default dist/src. Counted is what the entry (default: the firmware's, dist/host-sim/runtime/
// machine-entry.js) imports, directly or not; below it stands what all of DIR would take.
// A module counts with its code. Names are counted once for all modules, as the linked firmware holds them: an .xsb
// carries its own copies, which the linker drops.
// Exit: 0 within the budget, 1 beyond it (or a folder without one), 2 nothing to measure.
// --update writes what is measured, plus 3 %, as the new budget. The aims in budget.json are set by hand.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { collectModules } from "./archive.mjs";
import { compileModules, shown } from "./compile.mjs";

const here = dirname(fileURLToPath(import.meta.url));

export const notice =
  "Compiled by XS 13.3 (npm @agoric/xsnap). Device builds use the SDK's own xsc and xsl, a newer XS: its byte code is not\n" +
  "interchangeable with this one, and about 7 % smaller.";

/** The upstream folders: a device carries one, or all of them. */
const isUpstream = (folder) => /^(openadr|ocpp|ieee|eebus|matter)/.test(folder);

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

/**
 * Sizes in bytes: `modules` that the entry reaches (`{ name, folder, code, names }`), code of their `folders`, `names` of
 * all of them once, `oneUpstream` (all but the upstream folders and the largest of these), `linked` (all that is reached)
 * and `all` (every module below the folder). Without an entry everything is reached.
 */
export function measure(folder, entry) {
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
    const upstreams = Object.keys(folders).filter(isUpstream);
    const largest = upstreams.sort((a, b) => folders[b] - folders[a])[0];
    return {
      modules,
      folders,
      names: nameBytes(modules),
      oneUpstream: linked(modules.filter((one) => !isUpstream(one.folder) || one.folder === largest)),
      linked: linked(modules),
      all: linked(everything),
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const wholes = {
  oneUpstream: "the firmware with its largest upstream alone",
  linked: "the firmware with all its upstreams",
  all: "all of src",
};

/** What is beyond the budget, as sentences; empty = all is well. */
export function beyond(measured, budget) {
  const faults = [];
  const check = (what, size, limit) => {
    if (limit === undefined) faults.push(`${what}: ${size} bytes, and no budget yet (--update gives it one)`);
    else if (size > limit)
      faults.push(`${what}: ${size} bytes, ${size - limit} more than its budget of ${limit}`);
  };
  for (const [key, words] of Object.entries(wholes)) check(words, measured[key], budget[key]);
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
  for (const [key, words] of Object.entries(wholes))
    rows.push([words, measured[key], budget[key], budget.aims?.[key]]);
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
export function firmwareSizes() {
  const dist = join(here, "../../dist");
  const measured = measure(join(dist, "src"), join(dist, "host-sim/runtime/machine-entry.js"));
  return { measured, budget: JSON.parse(readFileSync(join(here, "budget.json"), "utf8")) };
}

const room = (size) => Math.ceil((size * 1.03) / 64) * 64;

function updated(measured, budget) {
  const sorted = Object.entries(measured.folders).sort(([a], [b]) => (a < b ? -1 : 1));
  const limits = Object.fromEntries(Object.keys(wholes).map((key) => [key, room(measured[key])]));
  return {
    ...budget,
    ...limits,
    folders: Object.fromEntries(sorted.map(([name, size]) => [name, room(size)])),
  };
}

function main(args) {
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
  const own = join(folder, "../host-sim/runtime/machine-entry.js");
  const measured = measure(folder, asked ?? (existsSync(own) ? own : undefined));
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
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
