import { utf8Decode, utf8Encode } from "../base/utf8.js";
import type { Now } from "../ports/time.js";
import { ByteWriter, packUtc, take, unpackUtc } from "./bytes.js";
import type { FlashLog } from "./flash-log.js";

const LEVELS = ["info", "warning", "error"] as const;
export type EventLevel = (typeof LEVELS)[number];

export interface LoggedEvent {
  readonly utcMs: number | undefined;
  readonly level: EventLevel;
  readonly text: string;
}

const MOST_TEXT_BYTES = 96;

/** What happened, for whoever has to find out why: the newest hundred or so sentences. */
export class EventLog {
  private last = "";

  constructor(private readonly log: FlashLog) {}

  /** The same sentence twice in a row is kept once: flash is not worn by what repeats itself. */
  add(level: EventLevel, text: string, now: Now): void {
    if (text === this.last) return;
    this.last = text;
    const bytes = utf8Encode(text.slice(0, MOST_TEXT_BYTES)).subarray(0, MOST_TEXT_BYTES);
    this.log.append(
      1 + LEVELS.indexOf(level),
      new ByteWriter(4 + bytes.length).put(packUtc(now.utcMs), 4).putBytes(bytes).done(),
    );
  }

  /** Oldest first. */
  *entries(): Generator<LoggedEvent> {
    for (const { type, payload } of this.log.records()) {
      yield {
        utcMs: unpackUtc(take(payload, 0, 4)),
        level: LEVELS[type - 1] ?? "info",
        text: utf8Decode(payload, 4) ?? utf8Decode(payload, 4, payload.length - 1) ?? "",
      };
    }
  }

  forget(): void {
    this.last = "";
  }
}
