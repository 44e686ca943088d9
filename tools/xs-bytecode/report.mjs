// Sizes of the firmware's byte code: per module, per folder, in all, against the limits kept in budget.json.
//   node tools/xs-bytecode/report.mjs [--json] [--update] [--budget FILE] [DIR]      DIR: compiled src/, default dist/src
// Exit: 0 within the budget, 1 beyond it (or a folder without one), 2 nothing to measure.
// --update writes what is measured, plus 5 %, as the folders' new budget; the limits for all of it are set by hand.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compileModules, shown } from "./compile.mjs";

const here = dirname(fileURLToPath(import.meta.url));

export const notice =
  "Compiled by XS 13.3 (npm @agoric/xsnap). Device builds use the SDK's own xsc and xsl, a newer XS: its byte code is not\n" +
  "interchangeable with this one, and a little smaller (about 7 % per module, and names are stored once for all of them).";

/** The upstream folders: a device carries one, or all of them. */
const isUpstream = (folder) => /^(openadr|ocpp|ieee|eebus|matter)/.test(folder);

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Compiles every module below `folder`: `{ modules: [{ name, folder, size, … }], folders, total, oneUpstream }`, bytes. */
export function measure(folder) {
  const out = mkdtempSync(join(tmpdir(), "xs-report-"));
  try {
    const files = filesBelow(folder);
    if (files.length === 0) throw new Error(`no modules below ${shown(folder)}`);
    const modules = compileModules(files, folder, out).map((module) => ({
      ...module,
      folder: module.name.includes("/") ? module.name.split("/")[0] : ".",
    }));
    const folders = {};
    for (const module of modules) folders[module.folder] = (folders[module.folder] ?? 0) + module.size;
    const total = modules.reduce((sum, { size }) => sum + size, 0);
    const upstreams = Object.keys(folders).filter(isUpstream);
    const all = upstreams.reduce((sum, name) => sum + folders[name], 0);
    const largest = Math.max(0, ...upstreams.map((name) => folders[name]));
    return { modules, folders, total, oneUpstream: total - all + largest };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What is beyond the budget, as sentences; empty = all is well. */
export function beyond(measured, budget) {
  const faults = [];
  const check = (what, size, limit) => {
    if (size > limit) faults.push(`${what}: ${size} bytes, ${size - limit} more than its budget of ${limit}`);
  };
  check("all of src", measured.total, budget.total);
  check("src with its largest upstream alone", measured.oneUpstream, budget.oneUpstream);
  for (const [name, size] of Object.entries(measured.folders)) {
    const limit = budget.folders[name];
    if (limit === undefined) faults.push(`${name}: ${size} bytes, and no budget yet (--update gives it one)`);
    else check(name, size, limit);
  }
  return faults;
}

function print(measured, budget) {
  const row = (size, limit, name) => console.log(`${String(size).padStart(8)} ${limit.padStart(9)}  ${name}`);
  console.log(notice);
  console.log(`\n   bytes    budget  (.xsb: code, names and 36 bytes of heads)`);
  for (const folder of Object.keys(measured.folders).sort()) {
    for (const { name, size } of measured.modules.filter((module) => module.folder === folder))
      row(size, "", `  ${name}`);
    row(
      measured.folders[folder],
      String(budget.folders[folder] ?? "none"),
      folder === "." ? "./ (top level)" : `${folder}/`,
    );
  }
  row(measured.oneUpstream, String(budget.oneUpstream), "with the largest upstream alone");
  row(measured.total, String(budget.total), "all");
}

function main(args) {
  const take = (flag) => {
    const at = args.indexOf(flag);
    return at >= 0 && args.splice(at, 1).length > 0;
  };
  const asJson = take("--json");
  const update = take("--update");
  const at = args.indexOf("--budget");
  const budgetFile = at >= 0 ? resolve(args.splice(at, 2)[1]) : join(here, "budget.json");
  const folder = resolve(args[0] ?? join(here, "../../dist/src"));
  if (!existsSync(folder)) {
    console.error(`${shown(folder)} does not exist: run npm run build:ts first`);
    return 2;
  }
  const budget = JSON.parse(readFileSync(budgetFile, "utf8"));
  const measured = measure(folder);
  if (update) {
    budget.folders = Object.fromEntries(
      Object.entries(measured.folders)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, size]) => [name, Math.ceil((size * 1.05) / 256) * 256]),
    );
    writeFileSync(budgetFile, `${JSON.stringify(budget, null, 2)}\n`);
  }
  const faults = beyond(measured, budget);
  if (asJson) {
    const modules = measured.modules.map(({ name, code, names, size }) => ({ name, code, names, size }));
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
