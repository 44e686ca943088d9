/** How the load command tells of itself. */
import type { LoadResult, LoadStatus } from "../ports/sgd-status.js";
import { loadCommandName } from "./codes.js";
import type { LoadWish } from "./messages.js";

export interface LoadHooks {
  /** NAK reason 5 was seen. */
  overridden(nowMs: number): void;
  /** The status of the load changed. */
  load(): void;
  /** Whether End Shed is owed has changed: to be kept over a restart. */
  owed(owed: boolean): void;
  /** True while bad grid guidance is in force, by which an appliance may curtail itself. */
  guided(): boolean;
}

/** The status of a wish at one of its steps; `arg` as sent, where it was sent. */
export function loadStatus(
  wish: LoadWish,
  result: LoadResult,
  step: number,
  text: string,
  nowMs: number,
  arg: number | undefined,
): LoadStatus {
  const { op, arg: fixed } = wish.steps[step]!;
  const command = loadCommandName(op);
  return { command, arg: arg ?? fixed ?? 0, result, step, wish: wish.key, sinceMs: nowMs, text };
}

/** True where nothing but the time differs. */
export function isSameLoad(a: LoadStatus | undefined, b: LoadStatus): boolean {
  return (
    a !== undefined &&
    a.result === b.result &&
    a.command === b.command &&
    a.step === b.step &&
    a.wish === b.wish &&
    a.text === b.text &&
    a.arg === b.arg
  );
}
