// Compiles an ES module and all that it imports to XS byte code, and packs it into one archive for xs-host and qemu-rv32.
//   node tools/xs-bytecode/archive.mjs [--bundle] [--upstreams LIST] [--base DIR] [--size CHUNKS,SLOTS,STACK] -o OUT.xsa ENTRY.js
// --bundle: what the entry imports becomes one module first, as in a device build (tools/firmware/bundle.mjs).
// The archive is our own, small format: XS_A { SIZE where --size asks for a machine of its own size, NAME entry, then per
// module PATH and XS_B }. Device builds use the SDK's
// own xsc and xsl, whose newer byte code this engine does not run, nor the other way round.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleBehind, upstreamsOf } from "../firmware/bundle.mjs";
import { compileModules } from "./compile.mjs";

const importPattern = /^\s*(?:import|export)\b(?:[^;'"`]*?\bfrom)?\s*["']([^"'\n]+)["']/gm;

/**
 * What `entry` imports, directly or not, itself last: an order in which every module follows its imports where there is
 * no circle. Each is `{ file, name }`; the name is the path below `root`, and for a module of an npm package the
 * specifier by which it is imported, which is what a Moddable manifest calls it.
 */
export function collectModules(entry, root = dirname(resolve(entry))) {
  const seen = new Map();
  const order = [];
  const visit = (file, name) => {
    if (seen.has(name)) return;
    seen.set(name, file);
    for (const [, specifier] of readFileSync(file, "utf8").matchAll(importPattern)) {
      if (specifier.startsWith("."))
        visit(resolve(dirname(file), specifier), posix.join(posix.dirname(name), specifier));
      else {
        const url = specifier.includes(":") ? specifier : import.meta.resolve(specifier);
        if (!url.startsWith("file:"))
          throw new Error(`${file}: "${specifier}" is no module that XS could run`);
        visit(fileURLToPath(url), specifier);
      }
    }
    order.push({ file, name });
  };
  visit(resolve(entry), relative(resolve(root), resolve(entry)).split(sep).join("/"));
  return order;
}

function atom(type, data) {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + data.length, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, data]);
}

const text = (value) => Buffer.from(`${value}\0`, "utf8");

function sizeAtom(sizes) {
  const data = Buffer.alloc(12);
  sizes.forEach((size, i) => data.writeUInt32BE(size, 4 * i));
  return atom("SIZE", data);
}

/**
 * Writes the archive of `entry` to `out`; module names are paths below `base`. `sizes`: bytes of chunks, slots and slots
 * of stack of the machine that it wants. Returns the names.
 */
export function writeArchive(entry, out, base = dirname(resolve(entry)), sizes = undefined) {
  const modules = collectModules(entry, base);
  const folder = mkdtempSync(join(tmpdir(), "xs-archive-"));
  try {
    const files = modules.map(({ file }) => file);
    const compiled = compileModules(files, resolve(base), folder);
    const parts = [atom("NAME", text(modules.at(-1).name))];
    if (sizes) parts.unshift(sizeAtom(sizes));
    modules.forEach(({ name }, i) => parts.push(atom("PATH", text(name)), readFileSync(compiled[i].file)));
    mkdirSync(dirname(resolve(out)), { recursive: true });
    // Aside and renamed: a machine that starts meanwhile reads the old one or the new one, whole.
    writeFileSync(`${out}.${process.pid}`, atom("XS_A", Buffer.concat(parts)));
    renameSync(`${out}.${process.pid}`, out);
    return modules.map(({ name }) => name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** {@link writeArchive} of the entry's device build, with the upstreams named. */
export async function writeFirmware(entry, out, base, sizes, upstreams) {
  const folder = mkdtempSync(join(tmpdir(), "xs-firmware-"));
  try {
    return writeArchive(await bundleBehind(entry, base, folder, upstreams), out, folder, sizes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const args = process.argv.slice(2);
  const take = (flag) => {
    const at = args.indexOf(flag);
    return at < 0 ? undefined : args.splice(at, 2)[1];
  };
  const bundled = args.indexOf("--bundle");
  if (bundled >= 0) args.splice(bundled, 1);
  const upstreams = take("--upstreams");
  const out = take("-o");
  const base = take("--base");
  const sizes = take("--size")?.split(",").map(Number);
  if (
    out === undefined ||
    args.length !== 1 ||
    (sizes && !(sizes.length === 3 && sizes.every(Number.isInteger)))
  ) {
    console.error(
      "usage: node tools/xs-bytecode/archive.mjs [--bundle] [--upstreams LIST] [--base DIR] [--size CHUNKS,SLOTS,STACK] -o OUT.xsa ENTRY.js",
    );
    process.exit(2);
  }
  try {
    const root = base ?? dirname(resolve(args[0]));
    const names =
      bundled >= 0
        ? await writeFirmware(args[0], out, root, sizes, upstreamsOf(upstreams))
        : writeArchive(args[0], out, root, sizes);
    console.log(`${out}: ${names.length} modules`);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
