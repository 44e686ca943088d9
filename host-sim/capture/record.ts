/**
 * Captures: what crossed the line, kept in files that other programs open (docs/capture.md). This folder
 * guarantees: no byte that it was told is left out, each record has its direction, time and error marks, and
 * what it writes it reads back. Only `files.ts` knows Node.
 */
import { isFault } from "../../src/base/fault.js";
import { parseFrame } from "../../src/wire/frame.js";
import { isAnswer } from "../line/framer.js";

/** Who sent it: the module (UCM), the charger (SGD), or nobody knows: a tap on the pair hears both alike. */
export type Sender = "module" | "charger" | "unknown";

/** What is wrong with a record. */
export interface Marks {
  /** The check bytes are wrong. */
  readonly badChecksum: boolean;
  /** It broke off, or is no frame at all. */
  readonly incomplete: boolean;
  /** Two ends spoke at once. */
  readonly collision: boolean;
}

/** One frame, one link answer, or bytes that are neither. */
export interface CaptureRecord {
  /** When its last bit had arrived, UTC in ms; kept to the microsecond. */
  readonly utcMs: number;
  readonly from: Sender;
  readonly bytes: Uint8Array;
  readonly bitsPerSecond: number;
  readonly marks: Marks;
}

export const NO_MARKS: Marks = { badChecksum: false, incomplete: false, collision: false };

/** The marks that whole bytes earn by themselves. */
export function marksOf(bytes: Uint8Array, collision = false): Marks {
  if (isAnswer(bytes)) return { ...NO_MARKS, collision };
  const frame = parseFrame(bytes);
  if (!isFault(frame)) return { ...NO_MARKS, collision };
  const badChecksum = frame.fault === "bad-checksum";
  return { badChecksum, incomplete: !badChecksum, collision };
}

/** How long the record was on the line, ms. */
export function airTimeMs(record: CaptureRecord): number {
  return (record.bytes.length * 10_000) / record.bitsPerSecond;
}

/** In words for people: "bad checksum, collision"; "" for none. */
export function marksText(marks: Marks): string {
  const words: string[] = [];
  if (marks.badChecksum) words.push("bad checksum");
  if (marks.incomplete) words.push("incomplete");
  if (marks.collision) words.push("collision");
  return words.join(", ");
}

/** Whatever takes records: a file, a list. */
export interface CaptureSink {
  record(record: CaptureRecord): void;
}
