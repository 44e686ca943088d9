// Calls the byte-code compiler, and builds it where it is not built yet.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const compiler = resolve(here, "../../build/xs-bytecode/xs-bytecode");

/** The path of the compiler; builds it with make (gcc only) when it is missing. */
export function ensureCompiler() {
  if (!existsSync(compiler))
    execFileSync("make", ["-s", "-C", here], { stdio: ["ignore", "ignore", "inherit"] });
  return compiler;
}

/**
 * Compiles JavaScript files to `.xsb` below `folder`. Returns per module: name (path below base), file, and the bytes of
 * code, of names and of the whole file. Throws with the compiler's own words when a module does not compile.
 */
export function compileModules(files, base, folder) {
  const root = resolve(base);
  const paths = files.map((file) => resolve(file));
  const run = spawnSync(ensureCompiler(), ["-b", root, "-o", folder, ...paths], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (run.status !== 0) throw new Error(`byte-code compiler: ${run.stderr.trim() || run.error?.message}`);
  return run.stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [, name, code, names, size] = /^(.*) (\d+) (\d+) (\d+)$/.exec(line);
      return {
        name,
        file: join(folder, name.replace(/\.js$/, ".xsb")),
        code: +code,
        names: +names,
        size: +size,
      };
    });
}

/** A path as the repository writes it, for messages. */
export const shown = (path) => relative(process.cwd(), path).split(sep).join("/");
