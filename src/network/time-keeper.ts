import { backoffMs, type BackoffRule } from "../base/backoff.js";
import { uniformInt } from "../base/random.js";
import type { NetworkPort } from "../ports/network.js";
import type { Now, RandomPort, StorePort } from "../ports/time.js";
import { readSntp, sntpRequest, type SntpRequest } from "./sntp.js";

export interface TimeSettings {
  /** Asked in turn, and beside each other where one alone is not believed. 1 to 4 names. */
  readonly servers: readonly string[];
  /** No time before this is possible: when the image was built. */
  readonly builtUtcMs: number;
  /** Asked so often once the clock is set, ± an eighth. */
  readonly intervalMs: number;
  readonly retry: BackoffRule;
  /** Answers that come so long after the question are not waited for. */
  readonly answerMs: number;
  /** Two servers that differ by no more than this agree. */
  readonly agreeMs: number;
  /** An offset up to this needs no second opinion once the clock is set. */
  readonly trustMs: number;
  /** A smaller offset leaves the clock as it is. */
  readonly ignoreMs: number;
  /** With one server alone answering, its word is taken after so many rounds. */
  readonly loneRounds: number;
  /** Rounds in a row in which two servers agree on a time before the floor, and the floor was wrong. */
  readonly floorRounds: number;
  /** The last time known is kept so often. */
  readonly keepMs: number;
}

const HOUR_MS = 3_600_000;
const YEAR_MS = 8766 * HOUR_MS;

export const DEFAULT_TIME_SETTINGS: Omit<TimeSettings, "servers" | "builtUtcMs"> = {
  intervalMs: HOUR_MS,
  retry: { periodMs: 16_000, maxMs: HOUR_MS, floorMs: 8000 },
  answerMs: 5000,
  agreeMs: 5000,
  trustMs: 10_000,
  ignoreMs: 250,
  loneRounds: 4,
  floorRounds: 4,
  keepMs: 6 * HOUR_MS,
};

/** No image runs for longer: a time beyond it is somebody's mistake or somebody's attack. */
const MOST_YEARS = 20;

/** Store key: UTC in ms that was certainly reached, the floor under any later claim. */
const floorKey = "net.time";

export interface TimeStatus {
  readonly set: boolean;
  /** Monotonic ms of the last word that was believed; undefined = never. */
  readonly believedMs: number | undefined;
  /** What the clock was wrong by then, ms. */
  readonly offsetMs: number;
  /** Words that were not believed, since the start. */
  readonly refused: number;
  readonly fault: string;
}

export interface TimeHost {
  readonly port: NetworkPort;
  readonly random: RandomPort;
  readonly store: StorePort;
  /** A time server answered, whatever it said: the network lives. */
  alive(now: Now): void;
  log(level: "info" | "warning", text: string): void;
}

interface Asked {
  readonly id: number;
  readonly server: number;
  readonly request: SntpRequest;
}

/**
 * Which time to believe. Servers are asked by SNTP, which anybody on the way can forge; therefore a word is taken
 * only within bounds (not before the image was built or the last time known, not twenty years later), and a clock
 * that is unset or off by more than seconds moves only when two servers agree, or where one alone ever answers,
 * after several rounds. A floor that is itself wrong gives way to two servers that agree again and again.
 */
export class TimeKeeper {
  readonly #host: TimeHost;
  readonly #settings: TimeSettings;
  #asked: Asked[] = [];
  #answers: { readonly server: number; readonly minusMs: number }[] = [];
  #round = false;
  #dueMs = Number.POSITIVE_INFINITY;
  #id = 0;
  /** The servers of a round, counted on so that each has its turn. */
  #turn = 0;
  #failures = 0;
  #lone = 0;
  #beforeFloor = 0;
  #believedMs: number | undefined;
  #offsetMs = 0;
  #refused = 0;
  #fault = "";
  #keptMs = Number.NEGATIVE_INFINITY;
  /** Servers that asked to be left alone → until when, ms. */
  readonly #resting: number[];

  constructor(host: TimeHost, settings: TimeSettings) {
    this.#host = host;
    this.#settings = settings;
    this.#resting = settings.servers.map(() => 0);
  }

  /** The network is there: ask soon, but not all modules at once. */
  online(now: Now): void {
    const wait = this.#believedMs === undefined ? 0 : uniformInt(this.#host.random, 4000);
    this.#dueMs = Math.min(this.#dueMs, now.ms + wait);
  }

  offline(): void {
    this.#round = false;
    this.#asked = [];
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  /** Asks at once, whatever is due. */
  ask(now: Now): void {
    const { servers } = this.#settings;
    this.#asked = [];
    this.#answers = [];
    this.#round = true;
    this.#dueMs = now.ms + this.#settings.answerMs;
    let sent = 0;
    for (let i = 0; i < servers.length && sent < 3; i++) {
      const server = (this.#turn + i) % servers.length;
      if (now.ms < this.#resting[server]!) continue;
      sent++;
      const request = sntpRequest(this.#host.random, now.ms);
      this.#asked.push({ id: ++this.#id, server, request });
      this.#host.port.askTime(this.#id, servers[server]!, request.bytes);
    }
    this.#turn = (this.#turn + 1) % servers.length;
  }

  onTime(id: number, bytes: Uint8Array, now: Now): void {
    const asked = this.#asked.find((one) => one.id === id);
    if (asked === undefined || !this.#round) return;
    const answer = readSntp(bytes, asked.request, now.ms);
    // Only an answer to our own question counts: a forged one ends nothing.
    if (!answer.ok && (answer.code === "origin" || answer.code === "length" || answer.code === "mode")) {
      this.#refuse(`answer: ${answer.code}`);
      return;
    }
    this.#asked = this.#asked.filter((one) => one !== asked);
    this.#host.alive(now);
    if (!answer.ok) {
      this.#refuse(`${this.#settings.servers[asked.server]!}: ${answer.code}`);
      if (answer.stop) this.#resting[asked.server] = now.ms + 4 * this.#settings.intervalMs;
    } else this.#answers.push({ server: asked.server, minusMs: answer.utcMs - now.ms });
    if (this.#asked.length === 0) this.#judge(now);
  }

  poll(now: Now): void {
    if (now.ms >= this.#dueMs) {
      if (this.#round) this.#judge(now);
      else this.ask(now);
    }
    if (this.#believedMs === undefined || now.ms < this.#keptMs + this.#settings.keepMs) return;
    // A clock that could not be set gives nothing to keep; it is looked at again next time, not at once.
    if (now.utcMs === undefined) this.#keptMs = now.ms;
    else this.#keep(now.ms, now.utcMs);
  }

  nextMs(): number {
    const keep = this.#believedMs === undefined ? Infinity : this.#keptMs + this.#settings.keepMs;
    return Math.min(this.#dueMs, Math.max(keep, 0));
  }

  /** The latest of what cannot be before now: the image, and the last time known. */
  floorMs(): number {
    const kept = Number(this.#host.store.get(floorKey) ?? 0);
    const { builtUtcMs } = this.#settings;
    const most = builtUtcMs + MOST_YEARS * YEAR_MS;
    return Number.isSafeInteger(kept) && kept > builtUtcMs && kept < most ? kept : builtUtcMs;
  }

  #keep(ms: number, utcMs: number): void {
    this.#keptMs = ms;
    this.#host.store.set(floorKey, String(Math.floor(utcMs)));
  }

  #refuse(why: string): void {
    this.#refused++;
    if (this.#fault !== why) this.#host.log("warning", `Time: not believed (${why}).`);
    this.#fault = why;
  }

  /** Ends a round: believes, or waits for the next. */
  #judge(now: Now): void {
    this.#round = false;
    this.#asked = [];
    const { intervalMs, retry } = this.#settings;
    if (this.#answers.length > 0 && this.#decide(now)) {
      this.#failures = 0;
      this.#dueMs = now.ms + intervalMs - intervalMs / 8 + uniformInt(this.#host.random, intervalMs / 4);
      return;
    }
    this.#failures++;
    this.#dueMs = now.ms + backoffMs(retry, this.#failures, this.#host.random);
  }

  /** What two servers agree on, UTC minus monotonic ms. */
  #agreed(): number | undefined {
    for (const a of this.#answers) {
      for (const b of this.#answers) {
        if (a.server < b.server && Math.abs(a.minusMs - b.minusMs) <= this.#settings.agreeMs)
          return (a.minusMs + b.minusMs) / 2;
      }
    }
    return undefined;
  }

  #decide(now: Now): boolean {
    const { trustMs, loneRounds, floorRounds, builtUtcMs, servers } = this.#settings;
    const agreed = this.#agreed();
    const known = this.#believedMs !== undefined && now.utcMs !== undefined;
    if (agreed === undefined && known) {
      // Whoever is near the clock that we have needs no witness.
      const minusMs = now.utcMs - now.ms;
      const near = this.#answers.find((one) => Math.abs(one.minusMs - minusMs) <= trustMs);
      if (near !== undefined) return this.#believe(near.minusMs, now);
    }
    if (agreed === undefined && this.#answers.length > 1) {
      this.#refuse("the servers disagree");
      return false;
    }
    const minusMs = agreed ?? this.#answers[0]!.minusMs;
    const utcMs = minusMs + now.ms;
    if (utcMs < builtUtcMs) return this.#no("before this image was built");
    if (utcMs > builtUtcMs + MOST_YEARS * YEAR_MS) return this.#no("too far in the future");
    if (agreed === undefined && servers.length > 1) {
      if (utcMs < this.floorMs()) return this.#no("one server says a time before the last one known");
      if (++this.#lone < loneRounds) return this.#no("one server alone answers");
    }
    if (utcMs < this.floorMs()) {
      if (++this.#beforeFloor < floorRounds) return this.#no("before the last time known");
      this.#host.log("warning", "Time: the last time known was wrong and is forgotten.");
    }
    return this.#believe(minusMs, now);
  }

  #no(why: string): false {
    this.#refuse(why);
    return false;
  }

  #believe(minusMs: number, now: Now): true {
    const utcMs = Math.round(minusMs + now.ms);
    const first = this.#believedMs === undefined;
    this.#offsetMs = now.utcMs === undefined ? 0 : utcMs - now.utcMs;
    this.#believedMs = now.ms;
    this.#lone = 0;
    this.#beforeFloor = 0;
    this.#fault = "";
    const move = now.utcMs === undefined || Math.abs(this.#offsetMs) > this.#settings.ignoreMs;
    if (move) this.#host.port.setClock(utcMs);
    if (first || Math.abs(this.#offsetMs) > this.#settings.trustMs) {
      this.#host.log(
        "info",
        `Time: set${first ? "" : `, it was off by ${Math.round(this.#offsetMs / 1000)} s`}.`,
      );
      this.#keep(now.ms, utcMs);
    }
    return true;
  }

  status(): TimeStatus {
    return {
      set: this.#believedMs !== undefined,
      believedMs: this.#believedMs,
      offsetMs: this.#offsetMs,
      refused: this.#refused,
      fault: this.#fault,
    };
  }
}
