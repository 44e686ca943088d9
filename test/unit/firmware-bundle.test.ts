/** The steps of a device build that work on texts: each leaves a program that does the same. */
import ts from "typescript";
import { describe, expect, it } from "vitest";
// @ts-expect-error: a tool of the build, without types
import * as arrays from "../../tools/firmware/arrays.mjs";
// @ts-expect-error: a tool of the build, without types
import * as bundle from "../../tools/firmware/bundle.mjs";
// @ts-expect-error: a tool of the build, without types
import * as numbers from "../../tools/firmware/numbers.mjs";
// @ts-expect-error: a tool of the build, without types
import * as templates from "../../tools/firmware/templates.mjs";

const { edited } = arrays as { edited(text: string, edits: unknown): string };
const { numberEdits } = numbers as { numberEdits(file: ts.SourceFile, of: ts.Program): unknown };
const { templateEdits } = templates as { templateEdits(file: ts.SourceFile): unknown };
const { asFunction, withConstants } = bundle as Record<
  "asFunction" | "withConstants",
  (text: string) => string
>;

const summed = (text: string): string =>
  edited(text, templateEdits(ts.createSourceFile("a.js", text, ts.ScriptTarget.ES2022, true)));
const value = (expression: string): unknown =>
  new Function("a", "n", "o", `return ${expression}`)("text", 7, { list: [1, 2], none: undefined });

describe("texts with places", () => {
  it.each([
    "`${a}`",
    "`${n}`",
    "`${n}${n}`",
    "`${n}${n}!`",
    "`${n}:${n}`",
    "`<${n}${n + 1}${a}>`",
    "`${a}${o.none}${null}${true}`",
    "`${o.list} ${o}`",
    "`a\\n\\`\\${\\\\'\"\\u2028 ${a}\u2028`",
    "`${`${n}-${n}`}${n > 3 ? `over ${n}` : `under ${n}`}`",
    "`${n, a}${a ?? n}` + n",
    "n + `${n}` + n",
    "`${ /* a comment */ n /* another */ } px`.length",
    "[`${n}${n}`, ...[`${a} ${n}`]].join()",
    "((t, ...v) => t.raw.join('|') + v)`x${n}y${`${a}!`}`",
  ])("%s", (expression) => {
    expect(value(summed(expression))).toEqual(value(expression));
  });

  it("leaves none, but for a tag's", () => {
    expect(summed("f(`a${b}c${`${d}e`}`)")).not.toContain("`");
    expect(summed("tag`a${b}`")).toBe("tag`a${b}`");
    expect(summed("`plain`")).toBe("`plain`");
  });
});

describe("names of the top level that keep what they are given", () => {
  it.each([
    ["var a = 1;", true],
    ["var a = 1; function f(a) { a = 2; a++; return a; }", true],
    ["var a = 1; const f = () => { let a; ({ b: a } = {}); [a] = []; for (a of []); return a; };", true],
    ["var { a, b: [c] } = d();", true],
    ["var a = 1; function f() { a = 2; }", false],
    ["var a = 1; function f() { a++; }", false],
    ["var a = 1; const f = () => (a ??= 2);", false],
    ["var a = 1; function f() { ({ b: a } = {}); }", false],
    ["var a = 1; function f() { ({ a } = {}); }", false],
    ["var a = 1; function f() { ({ b: [a = 2] } = {}); }", false],
    ["var a = 1; function f() { [, ...a] = []; }", false],
    ["var a = 1; function f() { for (a of []); }", false],
    ["var a = 1; function f() { for (a in {}); }", false],
    ["var { b: a } = {}; function f() { a = 2; }", false],
    ["var a;", false],
  ] as const)("%s: %s", (text, stays) => {
    expect(withConstants(text)).toBe(stays ? text.replace(/^var/, "const") : text);
  });
});

describe("a module as one function", () => {
  const made = async (text: string): Promise<Record<string, unknown>> =>
    (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as Record<string, unknown>;

  it.each([
    "const a = 1; function f() { return a + g(); } const g = () => 2; export { f as run };",
    "class A { static x = 3; } const run = () => A.x; function f() { return 4; } export { run, f as default, A };",
    'import { sep } from "node:path"; const run = () => sep; export { run };',
  ])("%s", async (text) => {
    const wrapped = asFunction(text);
    expect(wrapped).toMatch(/\(\(\)=>\{/);
    const [one, other] = [await made(text), await made(wrapped)];
    expect(Object.keys(other)).toEqual(Object.keys(one));
    for (const [name, entry] of Object.entries(one)) expect(String(other[name])).toBe(String(entry));
    expect((other["run"] as () => unknown)()).toBe((one["run"] as () => unknown)());
  });

  it("leaves what could change or comes from elsewhere", () => {
    for (const text of [
      "let a = 1; export { a };",
      "var a = 1; export { a };",
      "export const a = 1;",
      'const a = 1; export { a }; export * from "b";',
      "const a = 1;",
    ])
      expect(asFunction(text)).toBe(text);
  });
});

describe("numbers that have a name", () => {
  const known =
    "const A = 7, B = -2, W = 1.5; const T = { a: 1, b: -3, c: 0.5, d: [1] } as const; let m = 4;";
  const numbered = (body: string): { before: unknown; after: unknown; text: string } => {
    const path = "/fixture.ts";
    const text = `${known}\nconst open = { a: 1 };\nexport default function run() {\n${body}\n}\n`;
    const host = ts.createCompilerHost({});
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    host.getSourceFile = (name) => (name === path ? file : undefined);
    const program = ts.createProgram(
      [path],
      { target: ts.ScriptTarget.ES2022, noLib: true, types: [] },
      host,
    );
    const changed = edited(text, numberEdits(file, program));
    const result = (source: string): unknown => {
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
      });
      const exports: { default?: () => unknown } = {};
      new Function("exports", outputText)(exports);
      return exports.default!();
    };
    return { before: result(text), after: result(changed), text: changed.split("run() {")[1]! };
  };

  it.each([
    ["return [A, -B, A + B, 3 - B, A.toString(), T.b.toFixed(), typeof A];", true],
    ["return { A, x: A, [A]: T.a, ...{ b: T.b } };", false],
    ["const { a, b } = T; return [a, b, T.d, T.c, W];", false],
    ["switch (7 as number) { case A: return T.a; case T.b: return 2; default: return 3; }", true],
    ["const A = 9; return [A, ((B) => B)(5)];", false],
    ["m += A; return m;", false],
    ["open.a = 5; return open.a;", false],
    ["const o = { A: 3, get B() { return 4; } }; return [o.A, o.B];", false],
    ["const f = (x: typeof A, y: typeof T.a) => x + y; return f(A, T.a);", false],
    ["return `${A}${B}` + (A === 7 ? A : B)", true],
  ] as const)("%s", (body, all) => {
    const { before, after, text } = numbered(body);
    expect(after).toEqual(before);
    if (all) expect(text).not.toMatch(/\b[AB]\b|T\.[ab]/);
  });
});
