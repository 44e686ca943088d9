/**
 * As much of vitest as the platform-free tests of this project use, without a platform: it takes vitest's place where a
 * test file is compiled for XS (build-suite.ts), so that the very same file is judged in all engines. A test file is
 * the entry module of its machine; `step` lists its tests and runs one at a time.
 */
import { limitRuns } from "./fast-check-shim.js";

interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

const state: { tests: Test[]; path: string[]; before: (() => void)[]; result: string | undefined } = {
  tests: [],
  path: [],
  before: [],
  result: undefined,
};

export function describe(name: string, body: () => void): void {
  state.path.push(name);
  body();
  state.path.pop();
}

export function beforeEach(body: () => void): void {
  state.before.push(body);
}

export function it(name: string, run: () => unknown): void {
  state.tests.push({ name: [...state.path, name].join(" > "), run });
}

type Case = (...values: unknown[]) => unknown;

it.each =
  (cases: readonly unknown[]) =>
  (name: string, run: Case): void =>
    cases.forEach((values, i) =>
      it(`${name} #${i}`, () => (Array.isArray(values) ? run(...(values as unknown[])) : run(values))),
    );

export const test = it;

/** A value that stands for many: `expect.any` and the like. */
class Pattern {
  constructor(readonly fits: (value: unknown) => boolean) {}
}

type Plain = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null;

/** `exact`: undefined members count, as in toStrictEqual; `part`: `wanted` may name fewer members. */
function same(value: unknown, wanted: unknown, how: "equal" | "exact" | "part"): boolean {
  if (wanted instanceof Pattern) return wanted.fits(value);
  if (!isObject(value) || !isObject(wanted)) return Object.is(value, wanted);
  if (ArrayBuffer.isView(value) !== ArrayBuffer.isView(wanted)) return false;
  if (Array.isArray(value) !== Array.isArray(wanted)) return false;
  if (value instanceof Map || wanted instanceof Map || value instanceof Set || wanted instanceof Set) {
    throw new Error("the shim compares no Map and no Set");
  }
  if (Array.isArray(value) && value.length !== (wanted as unknown as unknown[]).length) return false;
  for (const key of Object.keys(wanted)) {
    if (how === "exact" && !Object.hasOwn(value, key)) return false;
    if (!same(value[key], wanted[key], how)) return false;
  }
  if (how === "part") return true;
  return Object.keys(value).every(
    (key) => Object.hasOwn(wanted, key) || (how === "equal" && value[key] === undefined),
  );
}

function said(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  return (JSON.stringify(value) ?? String(value)).slice(0, 400);
}

function thrown(call: unknown): string | undefined {
  try {
    (call as () => unknown)();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function contains(value: unknown, part: unknown): boolean {
  return typeof value === "string"
    ? value.includes(part as string)
    : [...(value as Iterable<unknown>)].includes(part);
}

type Matcher = (value: unknown, wanted: unknown, more?: unknown) => boolean;

const matchers: Readonly<Record<string, Matcher>> = {
  toBe: (value, wanted) => Object.is(value, wanted),
  toBeUndefined: (value) => value === undefined,
  toBeDefined: (value) => value !== undefined,
  toBeNull: (value) => value === null,
  toBeTruthy: (value) => Boolean(value),
  toBeGreaterThan: (value, wanted) => (value as number) > (wanted as number),
  toBeGreaterThanOrEqual: (value, wanted) => (value as number) >= (wanted as number),
  toBeLessThan: (value, wanted) => (value as number) < (wanted as number),
  toBeLessThanOrEqual: (value, wanted) => (value as number) <= (wanted as number),
  toBeCloseTo: (value, wanted, digits = 2) =>
    Math.abs((value as number) - (wanted as number)) < 10 ** -(digits as number) / 2,
  toContain: contains,
  toContainEqual: (value, wanted) => (value as unknown[]).some((one) => same(one, wanted, "equal")),
  toEqual: (value, wanted) => same(value, wanted, "equal"),
  toStrictEqual: (value, wanted) => same(value, wanted, "exact"),
  toMatchObject: (value, wanted) => same(value, wanted, "part"),
  toHaveLength: (value, wanted) => (value as unknown[]).length === wanted,
  toMatch: (value, wanted) =>
    typeof wanted === "string"
      ? (value as string).includes(wanted)
      : (wanted as RegExp).test(value as string),
  toThrow: (value, wanted) => {
    const text = thrown(value);
    if (text === undefined || wanted === undefined) return text !== undefined;
    if (typeof wanted === "function") return text.startsWith(wanted.name);
    return wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted as string);
  },
};

type Assertions = Record<string, (wanted?: unknown, more?: unknown) => void>;

function assertions(value: unknown, negative: boolean, words: string): Assertions {
  const all: Assertions = {};
  for (const name of Object.keys(matchers)) {
    all[name] = (wanted, more) => {
      if (matchers[name]!(value, wanted, more) !== negative) return;
      throw new Error(
        `${words} expected ${said(value)} ${negative ? "not " : ""}${name} ${said(wanted)}`.trim(),
      );
    };
  }
  return all;
}

export function expect(value: unknown, words = ""): Assertions & { readonly not: Assertions } {
  return Object.assign(assertions(value, false, words), { not: assertions(value, true, words) }) as never;
}
expect.any = (type: unknown) => new Pattern((value) => Object(value) instanceof (type as () => void));
expect.objectContaining = (part: unknown) =>
  new Pattern((value) => isObject(value) && same(value, part, "part"));
expect.stringContaining = (part: string) =>
  new Pattern((value) => typeof value === "string" && value.includes(part));
expect.stringMatching = (form: RegExp) =>
  new Pattern((value) => typeof value === "string" && form.test(value));
expect.arrayContaining = (parts: readonly unknown[]) =>
  new Pattern((value) => parts.every((part) => (value as unknown[]).some((one) => same(one, part, "equal"))));

function runOne(index: number): void {
  state.result = undefined;
  const failed = (error: unknown): void => {
    state.result = `${String(error)} ${(error as { stack?: string }).stack ?? ""}`.slice(0, 800);
  };
  try {
    for (const body of state.before) body();
    const done = state.tests[index]!.run();
    if (!(done instanceof Promise)) state.result = "";
    else
      done.then(() => {
        state.result = "";
      }, failed);
  } catch (error) {
    failed(error);
  }
}

interface Request {
  readonly k: "list" | "run" | "result";
  readonly index: number;
  /** Runs of a property at most. */
  readonly runs: number;
}

/** One batch of requests as JSON, as machines are asked. */
export function step(text: string): string {
  const { in: requests } = JSON.parse(text) as { in: readonly Request[] };
  const out = requests.map((request) => {
    if (request.k === "list") return state.tests.map(({ name }) => name);
    if (request.k === "run") {
      limitRuns(request.runs);
      runOne(request.index);
    }
    return state.result ?? null;
  });
  return JSON.stringify({ wakeMs: null, out });
}
