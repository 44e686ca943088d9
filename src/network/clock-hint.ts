import type { Now } from "../ports/time.js";

/** No time before this (2025-01-01) is possible, and none so long after it: a Date header beyond is a server's mistake. */
const FLOOR_UTC_MS = 1_735_689_600_000;
const CEILING_UTC_MS = FLOOR_UTC_MS + 30 * 365.25 * 86_400_000;
/** HTTP Date has whole seconds, and answers take time: less than this is no difference. */
const AGREE_MS = 5000;
/** A clock that is known and this far from a server's is worth a word: certificates and schedules hang on it. */
const WORRY_MS = 60_000;

/**
 * UTC for a module whose clock has never been set, from the Date of servers that have proved who they are (TLS, or this
 * very machine). A clock that is set is never touched: setting it is the time servers' business. While there is
 * none, the first server's word counts; the same server may correct it when it says the same twice; another one that
 * disagrees is told and not followed.
 */
export class ClockHint {
  private source = "";
  private offsetMs = NaN;
  private correctionMs = NaN;
  private readonly worried: string[] = [];

  /** Takes the time of a server. Answers a warning for the log, "" for none. */
  seen(source: string, utcMs: number, now: Now): string {
    if (!(utcMs >= FLOOR_UTC_MS && utcMs <= CEILING_UTC_MS)) {
      return this.worry(source, `The server of "${source}" says a time that cannot be; it is ignored.`);
    }
    const offsetMs = utcMs - now.ms;
    if (now.utcMs !== undefined && !this.borrowed(now)) {
      const differsMs = utcMs - now.utcMs;
      if (Math.abs(differsMs) < WORRY_MS) return this.calm(source);
      const by = `${String(Math.round(Math.abs(differsMs) / 1000))} s ${differsMs > 0 ? "ahead of" : "behind"}`;
      return this.worry(source, `The clock of "${source}" is ${by} the module's; the module's is kept.`);
    }
    if (Number.isNaN(this.offsetMs)) {
      this.source = source;
      this.offsetMs = offsetMs;
      return "";
    }
    if (Math.abs(offsetMs - this.offsetMs) < AGREE_MS) {
      this.correctionMs = NaN;
      return this.calm(source);
    }
    if (source !== this.source) {
      return this.worry(
        source,
        `The clocks of "${this.source}" and "${source}" differ; that of "${this.source}" counts.`,
      );
    }
    if (Math.abs(offsetMs - this.correctionMs) < AGREE_MS) {
      this.offsetMs = offsetMs;
      this.correctionMs = NaN;
    } else this.correctionMs = offsetMs;
    return "";
  }

  /** The time with UTC where a server has told it and the module knows none. */
  fill(now: Now): Now {
    if (now.utcMs !== undefined || Number.isNaN(this.offsetMs)) return now;
    return { ms: now.ms, utcMs: now.ms + this.offsetMs };
  }

  /** This UTC is what {@link fill} has made. */
  private borrowed(now: Now): boolean {
    return now.utcMs === now.ms + this.offsetMs;
  }

  private worry(source: string, text: string): string {
    if (this.worried.includes(source)) return "";
    this.worried.push(source);
    return text;
  }

  private calm(source: string): string {
    const at = this.worried.indexOf(source);
    if (at >= 0) this.worried.splice(at, 1);
    return "";
  }
}
