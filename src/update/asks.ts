/**
 * What the steps of an update ask of the world, one thing at a time. The steps are generators, so that they read as
 * the specification does; `updater.ts` drives them, and a test can.
 */
import { isFault, type Fault } from "../base/fault.js";
import type { UpdateCall } from "../ports/update.js";

/** A call without its id, which the driver gives. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
export type SlotCall = WithoutId<UpdateCall>;

export type Ask =
  /** A whole file as text. Answer: the text, `"absent"` in a fault for HTTP 403 and 404, or why not. */
  | { readonly ask: "file"; readonly path: string; readonly maxBytes: number }
  /** Some bytes of a file; they go to `take` as they come. Answer: undefined, or why not. */
  | {
      readonly ask: "range";
      readonly path: string;
      readonly from: number;
      readonly count: number;
      readonly take: (bytes: Uint8Array) => void;
    }
  | { readonly ask: "slot"; readonly call: SlotCall }
  /** Until the line is quiet for long enough to erase. */
  | { readonly ask: "quiet" }
  | { readonly ask: "pause"; readonly ms: number };

export type Answer = string | Uint8Array | boolean | Fault | undefined;

/** Steps that end in `T`. */
export type Steps<T> = Generator<Ask, T, Answer>;

export function* askFile(path: string, maxBytes: number): Steps<string | Fault> {
  return (yield { ask: "file", path, maxBytes }) as string | Fault;
}

/** `undefined` where it was done. */
export function* askSlot(call: SlotCall): Steps<Fault | undefined> {
  const answer = yield { ask: "slot", call };
  return isFault(answer) ? answer : undefined;
}

export function* askBytes(call: SlotCall): Steps<Uint8Array | Fault> {
  return (yield { ask: "slot", call }) as Uint8Array | Fault;
}
