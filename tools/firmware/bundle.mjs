// The firmware as a device carries it: one module of what is used, without the upstreams that are not asked for.
// Four things are done to the program on the way, all for a small machine, none to its meaning:
//   - private names become plain ones (`#x` → `$x`, and those short): a private method would stand in every instance, 16 bytes
//     of RAM each, where a plain one stands once, in flash;
//   - modules become one, and what nobody imports falls away: in XS an import costs its path and its names each time;
//   - local names become short, and those of the top level a function's own;
//   - tables at module level are frozen, which the sources promise by their types.
// Byte code for the 32-bit machine, for the emulated one and for the chip is made of the same bundle.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { arrayEdits, edited, typedFile } from "./arrays.mjs";
import { numberEdits } from "./numbers.mjs";
import { templateEdits } from "./templates.mjs";

const require = createRequire(import.meta.url);

/** Folders of src/ that hold an upstream, by the name of their protocol in a configuration. */
export const upstreamFolders = { openadr2b: "openadr2", openadr3: "openadr3", ocpp16: "ocpp16" };

/** What an upstream alone needs beside its folder. */
const upstreamNeeds = { openadr3: ["mqtt"], ocpp16: ["websocket"] };

/** What no chip needs: the frames of its line are made in an interrupt handler (drivers/rs485). */
const notOnChip = ["link/byte-frame-line", "link/receiver"];

/** The upstreams named in a list with commas; all if undefined. Throws for a name that is none. */
export function upstreamsOf(list) {
  const all = Object.keys(upstreamFolders);
  const names = list === undefined ? all : list.split(",").filter((name) => name !== "");
  const wrong = names.find((name) => !all.includes(name));
  if (wrong !== undefined) throw new Error(`there is no upstream "${wrong}": ${all.join(", ")}`);
  return names;
}

/**
 * Private names as plain ones, module-level literals frozen, arrays by their index (of a file of src/). What only a private
 * name can do is refused.
 */
export function prepared(text, path) {
  const ts = require("typescript");
  const typed = typedFile(path);
  const file = typed?.text === text ? typed : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const edits = [];
  let privates = 0;
  let inherits = false;
  const bare = (node) =>
    ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? bare(node.expression) : node;
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement) || !(statement.declarationList.flags & ts.NodeFlags.Const))
      continue;
    for (const { initializer } of statement.declarationList.declarations) {
      const literal = initializer && bare(initializer);
      if (!literal || !(ts.isObjectLiteralExpression(literal) || ts.isArrayLiteralExpression(literal)))
        continue;
      edits.push([literal.getStart(file), 0, "frozenLiteral("], [literal.getEnd(), 0, ")"]);
    }
  }
  const visit = (node) => {
    if (ts.isPrivateIdentifier(node)) {
      edits.push([node.getStart(file), 1, "$"]);
      privates++;
    }
    if (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ExtendsKeyword)
      inherits ||= ts.isClassLike(node.parent);
    if (ts.isBinaryExpression(node) && ts.isPrivateIdentifier(node.left))
      throw new Error(`${path}: \`#name in object\` does not survive the device build`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  if (path.endsWith(join("src", "setup", "fields.ts"))) edits.push(...withoutTexts(file));
  // Behind the others: what is put before an array stands before its own edits.
  if (file === typed) edits.push(...arrayEdits(file), ...numberEdits(file));
  edits.push(...templateEdits(file));
  // The SDK's classes, which drivers extend, have no name that begins so.
  if (inherits && privates > 0 && !path.includes(`${sep}drivers${sep}`))
    throw new Error(
      `${path}: a class that extends another must not have private names: in the device build both share them`,
    );
  return edited(text, edits);
}

/** What a field of the configuration is about stands in its schema and its help, which a device has not; 6 KB of texts. */
function withoutTexts(file) {
  const ts = require("typescript");
  const edits = [];
  const visit = (node) => {
    const isText =
      (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) &&
      ((ts.isPropertyAssignment(node.parent) && node.parent.name.getText(file) === "about") ||
        (ts.isCallExpression(node.parent) && node.parent.arguments[0] === node));
    if (isText) edits.push([node.getStart(file), node.end - node.getStart(file), '""']);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}

/** In the place of a module that is left out: its names, all undefined. */
function emptied(text) {
  const names = [...text.matchAll(/^export (?:abstract )?(?:class|function\*?|const|let) (\w+)/gm)].map(
    ([, name]) => name,
  );
  return names.map((name) => `export const ${name} = undefined;`).join("\n");
}

const root = realpathSync(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const compiled = join(root, "dist", "src") + sep;

function plugin(left, bareIsOutside, driversOutside) {
  const slashed = (path) => path.split(sep).join("/");
  const isLeft = (path) =>
    left.some((part) => slashed(path).includes(`/src/${part}/`) || slashed(path).includes(`/src/${part}.`));
  return {
    name: "firmware",
    setup(build) {
      // What the SDK and the drivers' manifests bring; packages of npm become part of the bundle.
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        bareIsOutside && kind === "import-statement" ? { path, external: true } : undefined,
      );
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) => {
        let file = resolve(resolveDir, path);
        // Of what was compiled the source is taken: it has types.
        if (file.startsWith(compiled)) file = join(root, "src", file.slice(compiled.length));
        if (!existsSync(file)) file = file.replace(/\.js$/, ".ts");
        if (driversOutside && file.startsWith(join(root, "drivers") + sep)) return { path, external: true };
        if (isLeft(file) && !isLeft(importer)) return { path: file, namespace: "left-out" };
        return existsSync(file) ? { path: file } : undefined;
      });
      build.onLoad({ filter: /./, namespace: "left-out" }, ({ path }) => ({
        contents: emptied(readFileSync(path, "utf8")),
        loader: "js",
      }));
      build.onLoad({ filter: /\/built-in\.[jt]s$/ }, () => ({
        contents: `export const leftOut = ${JSON.stringify(Object.keys(upstreamFolders).filter((name) => left.includes(upstreamFolders[name])))};`,
        loader: "js",
      }));
      build.onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
        if (path.includes("node_modules") || path.endsWith("frozen.js")) return undefined;
        return {
          contents: prepared(readFileSync(path, "utf8"), path),
          loader: path.endsWith(".ts") ? "ts" : "js",
        };
      });
    },
  };
}

/** A text as the compiler reads it, and what each of its names means. */
function understood(text) {
  const ts = require("typescript");
  const file = ts.createSourceFile("/bundle.js", text, ts.ScriptTarget.ES2022, true);
  const host = {
    ...{ fileExists: (path) => path === file.fileName, readFile: () => text, writeFile: () => undefined },
    ...{ getCurrentDirectory: () => "/", getDefaultLibFileName: () => "", getNewLine: () => "\n" },
    ...{ getCanonicalFileName: (path) => path, useCaseSensitiveFileNames: () => true },
    getSourceFile: (path) => (path === file.fileName ? file : undefined),
  };
  const options = { allowJs: true, noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ES2022 };
  return { file, checker: ts.createProgram([file.fileName], options, host).getTypeChecker() };
}

/**
 * The bundler makes `var` of what was `const` at module level; in a preloaded module each costs 4 bytes of RAM, because it
 * could change, and as many in every function that uses it. What is nowhere assigned to again becomes `const` again.
 */
export function withConstants(text) {
  const ts = require("typescript");
  const { file, checker } = understood(text);
  const assigned = new Set();
  const target = (node) => {
    if (ts.isIdentifier(node)) assigned.add(checker.getSymbolAtLocation(node));
    else if (ts.isParenthesizedExpression(node) || ts.isSpreadElement(node) || ts.isSpreadAssignment(node))
      target(node.expression);
    else if (ts.isPropertyAssignment(node)) target(node.initializer);
    else if (ts.isShorthandPropertyAssignment(node))
      assigned.add(checker.getShorthandAssignmentValueSymbol(node));
    else if (ts.isBinaryExpression(node)) target(node.left);
    else if (ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node))
      ts.forEachChild(node, target);
  };
  const visit = (node) => {
    if (ts.isBinaryExpression(node) && ts.isAssignmentOperator(node.operatorToken.kind)) target(node.left);
    else if (
      (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
      (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
    )
      target(node.operand);
    else if (
      (ts.isForOfStatement(node) || ts.isForInStatement(node)) &&
      !ts.isVariableDeclarationList(node.initializer)
    )
      target(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(file);
  /** Whether a name, or each of a pattern's, keeps what it is given. */
  const stays = (name) =>
    ts.isIdentifier(name)
      ? !assigned.has(checker.getSymbolAtLocation(name))
      : name.elements.every((element) => ts.isOmittedExpression(element) || stays(element.name));
  let out = "";
  let from = 0;
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const { declarations } = statement.declarationList;
    const at = statement.declarationList.getStart(file);
    if (!text.startsWith("var ", at)) continue;
    if (!declarations.every(({ name, initializer }) => initializer && stays(name))) continue;
    out += `${text.slice(from, at)}const`;
    from = at + "var".length;
  }
  return out + text.slice(from);
}

/**
 * The module as one function that answers what it exports. XS keeps a table of each name at a module's top level, 10 bytes of
 * code and some slots of ROM for each of 560, for others to import; a function's names are its own and take 3. Nothing is
 * assigned to an export after the module has run, which `withConstants` has seen to; what is stays a module.
 */
export function asFunction(text) {
  const ts = require("typescript");
  const file = ts.createSourceFile("bundle.js", text, ts.ScriptTarget.ES2022, true);
  const constant = new Set();
  const exported = [];
  let imports = "";
  let body = "";
  for (const statement of file.statements) {
    const own = text.slice(statement.getFullStart(), statement.end);
    if (ts.isImportDeclaration(statement)) imports += own;
    else if (ts.isExportDeclaration(statement) && !statement.moduleSpecifier && statement.exportClause) {
      for (const { name, propertyName } of statement.exportClause.elements)
        exported.push([(propertyName ?? name).text, name.text]);
    } else if (ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.length) return text;
    else if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) return text;
    else body += own;
    if (ts.isVariableStatement(statement) && statement.declarationList.flags & ts.NodeFlags.Const) {
      for (const { name } of statement.declarationList.declarations)
        if (ts.isIdentifier(name)) constant.add(name.text);
    } else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name)
      constant.add(statement.name.text);
  }
  if (exported.length === 0 || !exported.every(([local]) => constant.has(local))) return text;
  const list = exported.map(([local]) => local).join();
  const names = exported.map((_, i) => `made$${i}`);
  const made =
    exported.length === 1
      ? `const ${names[0]}=(()=>{${body}\nreturn ${list}})();`
      : `const made$=(()=>{${body}\nreturn Object.freeze(Array.of(${list}))})(),${names.map((name, i) => `${name}=made$[${i}]`).join()};`;
  return `${imports}\n${made}\nexport{${exported.map(([, name], i) => `${names[i]} as ${name}`).join()}};\n`;
}

/**
 * What is used once stands where it is used, and what is known is worked out. Of the compressor's steps those that make
 * JavaScript short and byte code long are left out: an `if` made an expression, statements joined by commas.
 */
async function shortened(text) {
  const { minify } = await import("terser");
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: {
      defaults: false,
      passes: 3,
      toplevel: true,
      ...{
        collapse_vars: true,
        reduce_vars: true,
        reduce_funcs: true,
        inline: 3,
        unused: true,
        keep_fargs: true,
      },
      ...{ dead_code: true, evaluate: true, side_effects: true, hoist_props: true, if_return: true },
      ...{ switches: true, properties: true, computed_props: true, loops: true },
    },
    mangle: { module: true },
    format: { beautify: true },
  });
  return code;
}

/**
 * Bundles `entries` (files below `base`) into `outdir`, keeping their paths. `upstreams`: protocols to keep, all if not
 * given. `bareIsOutside`: for a chip; names of modules that the SDK knows stay imports. `driversOutside`: the drivers stay
 * imports too, to measure src/ alone. Answers the files that are in it.
 */
export async function bundle({
  entries,
  base,
  outdir,
  upstreams = Object.keys(upstreamFolders),
  bareIsOutside = false,
  driversOutside = false,
}) {
  const left = Object.keys(upstreamFolders)
    .filter((name) => !upstreams.includes(name))
    .flatMap((name) => [upstreamFolders[name], ...(upstreamNeeds[name] ?? [])])
    .concat(bareIsOutside ? notOnChip : []);
  const { build } = require("esbuild");
  const { metafile, outputFiles } = await build({
    entryPoints: entries,
    outdir,
    outbase: base,
    absWorkingDir: root,
    // Fields are set as the constructor begins, not by a function of their own.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, target: "es2022" } },
    bundle: true,
    splitting: entries.length > 1,
    format: "esm",
    target: "es2022",
    plugins: [plugin(left, bareIsOutside, driversOutside)],
    inject: [join(dirname(fileURLToPath(import.meta.url)), "frozen.js")],
    // Not `minifySyntax`: XS's byte code of what it writes is longer.
    minifyIdentifiers: true,
    mangleProps: /^\$./,
    logLevel: "error",
    metafile: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, asFunction(withConstants(await shortened(text))));
  }
  return Object.keys(metafile.inputs);
}

const importPattern = /^\s*(?:import|export)\b(?:[^;'"`]*?\bfrom)?\s*["'](\.[^"'\n]+)["']/gm;

/**
 * The program of an entry module that must not be in ROM, because it holds what changes: what it imports is bundled, the
 * entry itself is copied, both below `outdir` under the paths that they have below `base`. Answers the entry's new path.
 */
export async function bundleBehind(entry, base, outdir, upstreams) {
  const text = readFileSync(entry, "utf8");
  const imports = [...text.matchAll(importPattern)].map(([, specifier]) =>
    resolve(dirname(entry), specifier),
  );
  if (imports.length > 0)
    await bundle({ entries: imports, base: resolve(base), outdir, ...(upstreams && { upstreams }) });
  const to = join(outdir, relative(resolve(base), resolve(entry)));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, text);
  return to;
}
