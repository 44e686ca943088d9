import { crcOfText } from "../base/json.js";
import { formatDateTime, MINUTE_MS } from "../base/iso8601.js";
import type { Now } from "../ports/time.js";
import { ByteWriter, packUtc, take, unpackUtc } from "./bytes.js";
import { TODAY_SESSION } from "./energy.js";
import type { FlashLog } from "./flash-log.js";

const SESSION = 1;
const CHANGE = 2;

/** No charging for so long ends a session, unless the charger was told not to charge. */
const QUIET_MS = 30 * MINUTE_MS;

/** What demand response may do to a session, by the codes that are kept. Append only. */
const ASKS = ["normal", "shed", "critical-peak", "emergency", "limit", "load-up"] as const;
export type SessionAsk = (typeof ASKS)[number];

export interface SessionChange {
  readonly utcMs: number | undefined;
  readonly ask: SessionAsk;
  /** What was left of the installer's maximum, %. */
  readonly percent: number;
  /** Who asked, where `names` were given to the reader and one of them fits; else "". */
  readonly source: string;
}

export interface Session {
  readonly startUtcMs: number | undefined;
  readonly stopUtcMs: number | undefined;
  readonly energyWh: number;
  /** It ended while the module was without power: the end is the last that is known. */
  readonly endGuessed: boolean;
  readonly changes: readonly SessionChange[];
}

interface Open {
  /** 0 while the clock has not been known. */
  startS: number;
  /** Monotonic time of the begin, where it was in this run. */
  readonly startMs: number | undefined;
  readonly startWh: number;
  lastS: number;
  lastWh: number;
  /** Monotonic time of the last charging seen. */
  lastMs: number;
  /** No charging has been seen since a restart. */
  guessed: boolean;
}

/**
 * Charging sessions: begin, end, energy, and every change that demand response made meanwhile. CTA-2045 does
 * not tell when a car is plugged in, so a session is a spell of charging: it ends after half an hour without,
 * and goes on through any time in which the charger was told to stop.
 */
export class SessionBook {
  private open: Open | undefined;
  private reopened: boolean;

  constructor(
    private readonly log: FlashLog,
    /** The log of the running day: holds the begin of the session that runs. */
    private readonly today: FlashLog,
  ) {
    for (const { type, payload } of today.records()) {
      if (type !== TODAY_SESSION) continue;
      const running = take(payload, 0, 1) === 1;
      const lastS = take(payload, 1, 4);
      const lastWh = take(payload, 5, 4);
      if (!running) this.open = undefined;
      else
        this.open = {
          startS: take(payload, 9, 4),
          startMs: undefined,
          startWh: take(payload, 13, 4),
          lastS,
          lastWh,
          lastMs: 0,
          guessed: true,
        };
    }
    this.reopened = this.open !== undefined;
  }

  /** True while a session runs: changes by demand response belong to it. */
  get running(): boolean {
    return this.open !== undefined;
  }

  /** Called with every reading. `toldToStop`: demand response or the schedule wants no charging now. */
  onReading(charging: boolean, energyWh: number, toldToStop: boolean, now: Now): void {
    const { open } = this;
    const seconds = packUtc(now.utcMs);
    if (open !== undefined && this.reopened) {
      // After a power cut nothing is known of the time between; give it the same patience.
      open.lastMs = now.ms;
      this.reopened = false;
    }
    if (open?.startS === 0 && open.startMs !== undefined && seconds > 0) {
      // The clock has come: now it is known when it began.
      open.startS = seconds - Math.round((now.ms - open.startMs) / 1000);
      open.lastS ||= seconds - Math.round((now.ms - open.lastMs) / 1000);
    }
    if (open !== undefined && energyWh < open.lastWh - 1) {
      open.guessed = true;
      this.end();
      this.onReading(charging, energyWh, toldToStop, now);
      return;
    }
    if (charging) {
      if (open === undefined) {
        const wh = Math.round(energyWh);
        this.open = {
          startS: seconds,
          startMs: now.ms,
          startWh: wh,
          lastS: seconds,
          lastWh: wh,
          lastMs: now.ms,
          guessed: false,
        };
        this.note();
      } else {
        open.lastS = seconds || open.lastS;
        open.lastWh = Math.round(energyWh);
        open.lastMs = now.ms;
        open.guessed = false;
      }
    } else if (open !== undefined) {
      if (toldToStop) open.lastMs = now.ms;
      else if (now.ms - open.lastMs >= QUIET_MS) this.end();
    }
  }

  /** Demand response changes what the charger may do. Kept only while a session runs. */
  onChange(ask: string, percent: number, source: string, now: Now): void {
    if (this.open === undefined) return;
    const code = Math.max(0, (ASKS as readonly string[]).indexOf(ask));
    this.log.append(
      CHANGE,
      new ByteWriter(8)
        .put(packUtc(now.utcMs), 4)
        .put(code, 1)
        .put(Math.round(Math.min(200, Math.max(0, percent))), 1)
        .put(crcOfText(source) & 0xffff, 2)
        .done(),
    );
  }

  /** Writes down how far the running session has come: with every half hour, so that a power cut costs no more. */
  note(): void {
    const { open } = this;
    if (open === undefined) return;
    this.today.append(
      TODAY_SESSION,
      new ByteWriter(17)
        .put(1, 1)
        .put(open.lastS, 4)
        .put(open.lastWh, 4)
        .put(open.startS, 4)
        .put(open.startWh, 4)
        .done(),
    );
  }

  /** Sessions that have ended, oldest first. `names` are the sources that changes may have come from. */
  *sessions(names: readonly string[] = []): Generator<Session> {
    let changes: SessionChange[] = [];
    for (const { type, payload } of this.log.records()) {
      if (type === CHANGE) {
        const code = take(payload, 6, 2);
        changes.push({
          utcMs: unpackUtc(take(payload, 0, 4)),
          ask: ASKS[take(payload, 4, 1)] ?? "normal",
          percent: take(payload, 5, 1),
          source: names.find((name) => (crcOfText(name) & 0xffff) === code) ?? "",
        });
      } else if (type === SESSION) {
        yield {
          startUtcMs: unpackUtc(take(payload, 0, 4)),
          stopUtcMs: unpackUtc(take(payload, 4, 4)),
          energyWh: take(payload, 8, 4),
          endGuessed: take(payload, 12, 1) === 1,
          changes,
        };
        changes = [];
      }
    }
  }

  /** Lines of CSV, with a head; changes as `time ask percent source` joined by semicolons. */
  *csv(names: readonly string[] = []): Generator<string> {
    yield "start_utc,stop_utc,energy_wh,end_guessed,changes";
    for (const s of this.sessions(names)) {
      const changes = s.changes.map((c) => `${utcText(c.utcMs)} ${c.ask} ${String(c.percent)}% ${c.source}`);
      yield `${utcText(s.startUtcMs)},${utcText(s.stopUtcMs)},${String(s.energyWh)},${String(s.endGuessed)},"${changes.join("; ").replaceAll('"', "'")}"`;
    }
  }

  forget(): void {
    this.open = undefined;
  }

  private end(): void {
    const { open } = this;
    if (open === undefined) return;
    const energyWh = Math.max(0, open.lastWh - open.startWh);
    this.log.append(
      SESSION,
      new ByteWriter(13)
        .put(open.startS, 4)
        .put(open.lastS, 4)
        .put(energyWh, 4)
        .put(Number(open.guessed), 1)
        .done(),
    );
    this.open = undefined;
    this.today.append(TODAY_SESSION, new ByteWriter(1).put(0, 1).done());
  }
}

function utcText(utcMs: number | undefined): string {
  return utcMs === undefined ? "" : formatDateTime(utcMs);
}
