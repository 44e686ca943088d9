/** Compiles a test file of this project for XS: vitest, fast-check and files give way to the shims beside this file. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { build, transform } from "esbuild";
import { buildArchive, projectRoot } from "../../../host-sim/runtime/xs-host.js";

const shims = "test/xs/suite";

/** Imports of a module's text, as TypeScript files below the project's folder. */
async function closure(entry: string): Promise<string[]> {
  const found = await build({
    entryPoints: [join(projectRoot, entry), join(projectRoot, shims, "vitest-shim.ts")],
    absWorkingDir: projectRoot,
    bundle: true,
    write: false,
    metafile: true,
    outdir: "unused",
    format: "esm",
    external: ["vitest", "fast-check", "node:*"],
    logLevel: "error",
  });
  return Object.keys(found.metafile.inputs).filter((path) => path.endsWith(".ts"));
}

function specifier(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}

/** What is read from files becomes frozen values of a module: it lies in ROM and takes no room in the heap. */
function filesModule(text: string, path: string): string {
  const names = [...new Set([...text.matchAll(/["'`]([\w./-]+\.json)["'`]/g)].map(([, name]) => name!))];
  const values = names.map(
    (name) =>
      `  ${JSON.stringify(name)}: ${readFileSync(join(projectRoot, dirname(path), name), "utf8").trim()},`,
  );
  return `const frozen = (value) => {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
};
const values = frozen({\n${values.join("\n")}\n});
export const readJson = (name) => values[name];\n`;
}

/** A machine's size; tests keep every frame that they saw, so it is more than a chip has. */
export type SuiteSize = NonNullable<Parameters<typeof buildArchive>[2]>;

export interface Suite {
  readonly file: string;
  /** File, text of its JavaScript, what comes instead: e.g. for a count that takes an emulator too long. */
  readonly replace?: readonly (readonly [string, string, string])[];
}

/** Builds the archive of one test file; its entry module is the file itself, all else is preloaded. */
export async function buildSuite({ file: entry, replace = [] }: Suite, size: SuiteSize): Promise<string> {
  const out = join(
    projectRoot,
    "build/suites",
    `${dirname(entry)}-${basename(entry, ".test.ts")}-${size.slots}`,
  );
  rmSync(out, { recursive: true, force: true });
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), text);
  };
  for (const path of await closure(entry)) {
    const source = readFileSync(join(projectRoot, path), "utf8");
    const { code } = await transform(source, { loader: "ts", format: "esm", target: "es2022" });
    let text = code
      .replace(/(from\s+)"vitest"/g, `$1"${specifier(path, `${shims}/vitest-shim.js`)}"`)
      .replace(/(from\s+)"fast-check"/g, `$1"${specifier(path, `${shims}/fast-check-shim.js`)}"`)
      .replace(/process\.env\["\w+"\]/g, "undefined");
    for (const [file, from, to] of replace) {
      if (file !== path) continue;
      if (!text.includes(from)) throw new Error(`${file} has no ${from} to replace`);
      text = text.replaceAll(from, to);
    }
    if (path === entry) {
      text = text
        .replace(/import \{ readFileSync \} from "node:fs";/, 'import { readJson } from "./files.js";')
        .replace(
          /JSON\.parse\(readFileSync\(new URL\(([^()]+), import\.meta\.url\), "utf8"\)\)/g,
          "readJson($1)",
        );
      put(join(dirname(path), "files.js"), filesModule(code, path));
      text += `\nexport { step } from "${specifier(path, `${shims}/vitest-shim.js`)}";\n`;
    }
    put(path.replace(/\.ts$/, ".js"), text);
  }
  return buildArchive(join(out, entry.replace(/\.ts$/, ".js")), out, size);
}
