import ts from "typescript";
import { describe, expect, it } from "vitest";
// @ts-expect-error: a tool of the build, without types
import { arrayEdits, edited } from "../../tools/firmware/arrays.mjs";

/** A program of one file whose default export is called. */
function both(body: string): { plain: unknown; changed: unknown; text: string } {
  const path = "/fixture.ts";
  const text = `export default function run(): unknown {\n${body}\n}\n`;
  const host = ts.createCompilerHost({});
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, target) =>
    name === path ? ts.createSourceFile(path, text, target, true) : read(name, target);
  const program = ts.createProgram(
    [path],
    { target: ts.ScriptTarget.ES2022, strict: true, noEmit: true },
    host,
  );
  const file = program.getSourceFile(path)!;
  expect(program.getSemanticDiagnostics(file).map(({ messageText }) => messageText)).toEqual([]);
  const changed = (edited as (text: string, edits: unknown) => string)(text, arrayEdits(file, program));
  const result = (source: string): unknown => {
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
      reportDiagnostics: true,
    });
    const exports: { default?: () => unknown } = {};
    new Function("exports", outputText)(exports);
    return exports.default!();
  };
  return { plain: result(text), changed: result(changed), text: changed };
}

const cases: readonly (readonly [name: string, body: string, unchanged?: boolean])[] = [
  ["a loop over a constant", "const l = [1, 2, 3]; let s = 0; for (const x of l) s += x; return s;"],
  [
    "a loop over a call, its value once",
    "let n = 0; const f = () => (n++, [4, 5]); const o: number[] = []; for (const x of f()) { o.push(x, n); } return o;",
  ],
  [
    "a parameter that is set within",
    "const f = (l: number[]) => { const o: number[] = []; for (const x of l) { l = []; o.push(x); } return o; }; return f([1, 2]);",
  ],
  [
    "continue, break and a label",
    "const o: number[] = []; out: for (const x of [1, 2, 3, 4]) { for (const y of [1, 2]) { if (y === x) continue out; if (x === 4) break out; o.push(x * 10 + y); } } return o;",
  ],
  ["a list that grows meanwhile", "const l = [1]; for (const x of l) if (x < 5) l.push(x + 1); return l;"],
  [
    "closures keep their own element",
    "const fs: (() => number)[] = []; for (const x of [1, 2, 3]) fs.push(() => x); return fs.map((f) => f());",
  ],
  [
    "an element that is set",
    "const o: number[] = []; for (let x of [1, 2]) { x += 1; o.push(x); } return o;",
  ],
  [
    "pairs in a loop",
    "const o: string[] = []; for (const [k, v] of Object.entries({ a: 1, b: 2 })) o.push(k + v); return o;",
  ],
  ["bytes", "let s = 0; for (const b of new Uint8Array([250, 10])) s += b; return s;"],
  ["a pattern", "const f = (): [number, string] => [1, 'x']; const [a, b] = f(); return b + a;"],
  ["a pattern with a hole", "const t: [number, number, number] = [1, 2, 3]; const [, , c] = t; return c;"],
  ["a pattern with a default stays", "const t: number[] = []; const [a = 7] = t; return a;"],
  ["a pattern with a rest stays", "const t = [1, 2, 3]; const [a, ...r] = t; return r.concat(a);"],
  ["one name of an object", "const f = () => ({ a: { b: 5 } }); const { b } = f().a; return b;"],
  ["names of a constant object", "const o = { a: 1, b: 2 }; const { a, b: c } = o; return a - c;"],
  ["a parameter's pattern", "return Object.entries({ a: 1 }).map(([k, v]) => k + v);"],
  ["a parameter's pattern with a block", "return Object.entries({ a: 1 }).map(([k]) => { return k; });"],
  ["an object from a parameter's pattern", "return Object.entries({ a: 1 }).map(([k, v]) => ({ k, v }));"],
  ["literals", "return [[], [1], [[2, [3]], 'x']];"],
  ["a copy", "const l = [1, 2]; const c = [...l]; c.push(3); return [l, c];"],
  ["spreads and elements", "const a = [1], b = [[2]]; return [0, ...a, 3, [4], ...b, ...a, 5, 6];"],
  ["spreads first", "const a = [1], b = [2]; return [...a, ...b];"],
  ["a call with a spread stays", "return Math.max(...[1, 5, 2]);"],
  ["a Map stays", "const o: number[] = []; for (const [k] of new Map([[1, 2]])) o.push(k); return o;", true],
  ["a text stays", "const o: string[] = []; for (const c of 'añ😀') o.push(c); return o;", true],
  [
    "a generator stays",
    "function* g() { yield 1; yield 2; } const o: number[] = []; for (const x of g()) o.push(x); return o;",
    true,
  ],
  ["a Set in a literal stays", "return [...new Set([1, 1, 2])];"],
  ["an assignment to a pattern stays", "let a = 1, b = 2; [a, b] = [b, a]; return [a, b];"],
  [
    "loops within loops and literals",
    "return [1, 2].map((x) => { const o: number[][] = []; for (const y of [x, x + 1]) for (const z of [y]) o.push([x, y, z]); return o; });",
  ],
];

describe("arrays by their index", () => {
  it.each(cases.map(([name, body, unchanged = false]) => ({ name, body, unchanged })))(
    "$name",
    ({ body, unchanged }) => {
      const { plain, changed, text } = both(body);
      expect(changed).toEqual(plain);
      if (unchanged) expect(text).toMatch(/ of (new Map|'|g\(\))/);
    },
  );

  it("leaves no iterator where an array is", () => {
    const { text } = both(
      "const [a] = [1]; for (const x of [a]) { const l = [x, ...[2]]; for (const y of l) void y; } return a;",
    );
    expect(text).not.toMatch(/ of |\.\.\.|const \[/);
  });
});
