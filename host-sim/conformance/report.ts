/** What a run found, as data; `report-text.ts`, `report-junit.ts` and `report-html.ts` write it down. */
import { NEVER } from "../../src/ports/time.js";
import type { Role, Verdict } from "./plan.js";
import { hexOf, type Entry } from "./probe.js";
import type { TestResult } from "./runner.js";

export interface RunReport {
  readonly role: Role;
  /** The line, as it was given. */
  readonly line: string;
  readonly startedUtcMs: number;
  readonly durationMs: number;
  readonly strict: boolean;
  /** Of this program. */
  readonly version: string;
  readonly results: readonly TestResult[];
  /** False where it was interrupted. */
  readonly isComplete: boolean;
}

export const VERDICTS: readonly Verdict[] = ["fail", "advice", "inconclusive", "not-applicable", "pass"];

export type Counts = Readonly<Record<Verdict, number>>;

export function countsOf(results: readonly TestResult[]): Counts {
  const counts = { pass: 0, fail: 0, advice: 0, inconclusive: 0, "not-applicable": 0 };
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** "41 pass, 1 advice, 2 not applicable": what there is, failures first. */
export function countsText(results: readonly TestResult[]): string {
  const counts = countsOf(results);
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) => `${counts[verdict]} ${verdictText(verdict)}`,
  );
  return parts.join(", ") || "no test";
}

export function verdictText(verdict: Verdict): string {
  return verdict.replace("-", " ");
}

/** What the peer is, when we play `role`, with its article. */
export function peerName(role: Role): string {
  return role === "ucm" ? "an appliance (SGD)" : "a module (UCM)";
}

/** True for results whose trace is worth showing. */
export function isProblem({ verdict }: TestResult): boolean {
  return verdict === "fail" || verdict === "advice" || verdict === "inconclusive";
}

/** A line of a trace, ready to be shown. */
export interface TraceRow {
  readonly who: "we" | "peer" | "note";
  readonly kind: Entry["kind"];
  /** Seconds since the test began, three decimals. */
  readonly time: string;
  /** Silence before it, ms; "" where that says nothing. */
  readonly gap: string;
  readonly hex: string;
  readonly meaning: string;
  /** Time of an answer, collision, …; "" mostly. */
  readonly remark: string;
  /** What a monitor points at. */
  readonly isShown: boolean;
}

/** More rows than this of one test are left out. */
const MOST_ROWS = 300;

/** The trace of a result, and how many rows were left out. */
export function traceRows(result: TestResult): { rows: readonly TraceRow[]; left: number } {
  const { trace, shown, startMs } = result;
  // A monitor points at things that happened before it ran.
  const zeroMs = shown.length > 0 ? (trace[0]?.startMs ?? startMs) : startMs;
  const rows = trace.slice(0, MOST_ROWS).map((entry, i): TraceRow => {
    const isFirst = i === 0 || trace[i - 1]!.n + 1 !== entry.n;
    return {
      who: entry.who,
      kind: entry.kind,
      time: ((entry.startMs - zeroMs) / 1000).toFixed(3),
      gap: entry.kind === "note" || isFirst ? "" : `${Math.round(entry.gapMs)}`,
      hex: entry.kind === "note" ? "" : hexOf(entry.bytes, 48),
      meaning: entry.text,
      remark: remarkOf(entry),
      isShown: shown.includes(entry.n),
    };
  });
  return { rows, left: trace.length - rows.length };
}

function remarkOf(entry: Entry): string {
  const remarks: string[] = [];
  if (entry.delayMs !== undefined) {
    const what = entry.kind === "answer" ? "after the frame" : "after its ACK";
    remarks.push(`${entry.delayMs.toFixed(entry.delayMs < 20 ? 1 : 0)} ms ${what}`);
  }
  if (entry.blurMs > 0) remarks.push(`heard up to ${Math.round(entry.blurMs)} ms late`);
  if (entry.crossed) remarks.push("both spoke");
  if (entry.who === "peer" && entry.kind === "answer" && entry.to === undefined)
    remarks.push("answers nothing");
  if (entry.endMs === NEVER) remarks.push("never left");
  return remarks.join("; ");
}
