/**
 * How the module keeps its place in the customer's network for ten years. This folder guarantees that a lost
 * access point, a dead lease, poisoned names or a driver that has hanged itself are all left without a visit and
 * without giving up, that ten thousand modules do not come back in one second, and that the clock follows no
 * single server into another year. A restart of the module is the very last of its means, and counted.
 */
import { backoffMs, type BackoffRule } from "../base/backoff.js";
import type { NetworkEvent, NetworkLoss, NetworkPort } from "../ports/network.js";
import { NEVER, type Now, type RandomPort, type StorePort } from "../ports/time.js";

export interface StationSettings {
  /** One try may take so long before it counts as failed. */
  readonly tryMs: number;
  readonly backoff: BackoffRule;
  /** So many failures in a row, and the driver is started anew; and again after as many more. */
  readonly failuresToReinit: number;
  /**
   * Online, yet nothing has answered for so long: the time servers are asked whether the network lives. Doubled up to
   * eight times while they alone answer, because a utility that is dead for days is no reason to ask them ever again.
   */
  readonly silentMs: number;
  /** They have so long to answer. */
  readonly probeMs: number;
  /** Between two fresh starts of a connection over which nothing answers: the first wait, doubled up to the last. */
  readonly renew: BackoffRule;
  /** Dead for so long for a reason that a restart may mend: restart, and not again within the same time. */
  readonly restartMs: number;
  /** A restart waits so long for a curtailment to end. */
  readonly deferMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const DEFAULT_STATION_SETTINGS: StationSettings = {
  tryMs: 30_000,
  backoff: { periodMs: 4000, maxMs: 2 * MINUTE_MS, floorMs: 1000 },
  failuresToReinit: 8,
  silentMs: 10 * MINUTE_MS,
  probeMs: 20_000,
  renew: { periodMs: 5 * MINUTE_MS, maxMs: 40 * MINUTE_MS, floorMs: MINUTE_MS },
  restartMs: 24 * HOUR_MS,
  deferMs: 12 * HOUR_MS,
};

export type StationState = "connecting" | "waiting" | "online" | "probing";

export interface StationStatus {
  readonly state: StationState;
  readonly sinceMs: number;
  /** Of the last try that came to nothing; undefined while online. */
  readonly why: NetworkLoss | "try-timeout" | "nothing-answers" | undefined;
  readonly rssiDbm: number | undefined;
  /** Since the start: tries, connections that came about, driver restarts. */
  readonly tries: number;
  readonly connections: number;
  readonly reinits: number;
  /** Restarts of the whole module for the network's sake, ever. */
  readonly restarts: number;
}

export interface StationHost {
  readonly port: NetworkPort;
  readonly random: RandomPort;
  readonly store: StorePort;
  /** Asks the time servers now; an answer shows that packets come and go. */
  probe(): void;
  /** Something is in force that must not be interrupted for nothing. */
  busy(): boolean;
  restart(): void;
  log(level: "info" | "warning", text: string): void;
}

/** Store key: how often the module restarted for the network's sake. */
const restartsKey = "net.restarts";

/** Keeps the module connected. Driven by {@link onEvent}, {@link alive} and {@link poll}. */
export class Station {
  readonly #host: StationHost;
  readonly #settings: StationSettings;
  #state: StationState = "waiting";
  #sinceMs = 0;
  #dueMs = 0;
  #why: StationStatus["why"];
  #rssiDbm: number | undefined;
  /** Tries in a row that came to nothing; connections in a row over which nothing answered. */
  #failures = 0;
  #deaf = 0;
  #tries = 0;
  #connections = 0;
  #reinits = 0;
  /** Packets last came and went. */
  #aliveMs = 0;
  /** In a row in which time servers alone answered. */
  #quiet = 0;
  /** When a connection last came about, or all was well enough not to have been looked into. */
  #signMs = 0;
  /** A time server has answered: where none ever did (blocked, as in some homes) their silence says nothing. */
  #timeAnswers = false;
  /** A server was asked in vain since packets last came. */
  #missed = false;
  /** Somebody's access point was heard, ours was not: it is away, and a restart mends nothing. */
  #apAway = false;

  constructor(host: StationHost, settings: StationSettings = DEFAULT_STATION_SETTINGS) {
    this.#host = host;
    this.#settings = settings;
  }

  start(now: Now): void {
    this.#aliveMs = now.ms;
    this.#signMs = now.ms;
    this.#try(now);
  }

  #enter(state: StationState, now: Now, dueMs: number): void {
    this.#state = state;
    this.#sinceMs = now.ms;
    this.#dueMs = dueMs;
  }

  #try(now: Now): void {
    this.#tries++;
    this.#enter("connecting", now, now.ms + this.#settings.tryMs);
    this.#host.port.connect();
  }

  onEvent(event: Exclude<NetworkEvent, { readonly ev: "time" }>, now: Now): void {
    if (event.ev !== "down") this.#rssiDbm = event.rssiDbm;
    if (event.ev === "signal") return;
    if (event.ev === "up") {
      if (this.#state === "online" || this.#state === "probing") return;
      this.#connections++;
      this.#signMs = now.ms;
      this.#failures = 0;
      this.#why = undefined;
      this.#apAway = false;
      this.#host.log("info", `Wi-Fi: connected, ${event.rssiDbm} dBm.`);
      // Whoever connects has to show soon that packets come and go, sooner than one who had shown it.
      this.#enter(
        "online",
        now,
        now.ms + (this.#deaf > 0 ? this.#settings.probeMs : this.#settings.silentMs),
      );
      return;
    }
    if (this.#state === "waiting") return;
    this.#apAway = event.why === "no-access-point" && event.heard > 0;
    this.#failed(event.why, now);
  }

  /** Something answered over the network: an upstream's server, whatever it said, or a time server. */
  alive(by: "upstream" | "time", now: Now): void {
    this.#aliveMs = now.ms;
    this.#deaf = 0;
    this.#missed = false;
    if (by === "time") this.#timeAnswers = true;
    this.#quiet = by === "upstream" ? 0 : Math.min(3, this.#quiet + 1);
    const dueMs = now.ms + this.#settings.silentMs * 2 ** this.#quiet;
    if (this.#state === "online") this.#dueMs = dueMs;
    else if (this.#state === "probing") this.#enter("online", now, dueMs);
  }

  /** A server was asked and nothing came back. */
  missed(now: Now): void {
    if (!this.#missed) this.#signMs = now.ms;
    this.#missed = true;
  }

  #failed(why: NonNullable<StationStatus["why"]>, now: Now): void {
    if (why !== this.#why) this.#host.log("warning", `Wi-Fi: no connection (${why}).`);
    this.#why = why;
    this.#failures++;
    const { failuresToReinit, backoff, renew } = this.#settings;
    const wholeRounds = (n: number): boolean => n > 0 && n % failuresToReinit === 0;
    if (wholeRounds(this.#failures) || (why === "nothing-answers" && wholeRounds(this.#deaf))) {
      this.#reinits++;
      this.#host.log("warning", "Wi-Fi: the driver is started anew.");
      this.#host.port.reinit();
    }
    const [rule, count] = why === "nothing-answers" ? [renew, this.#deaf] : [backoff, this.#failures];
    this.#enter("waiting", now, now.ms + backoffMs(rule, count, this.#host.random));
  }

  poll(now: Now): void {
    if (now.ms >= this.#dueMs) {
      if (this.#state === "waiting") this.#try(now);
      else if (this.#state === "connecting") {
        this.#host.port.disconnect();
        this.#failed("try-timeout", now);
      } else if (this.#state === "online") {
        this.#enter("probing", now, now.ms + this.#settings.probeMs);
        this.#host.probe();
      } else if (this.#unknown) {
        this.#enter("online", now, now.ms + this.#settings.silentMs);
      } else {
        this.#deaf++;
        this.#host.port.disconnect();
        this.#failed("nothing-answers", now);
      }
    }
    if (now.ms >= this.#restartDueMs()) {
      this.#aliveMs = now.ms;
      this.#signMs = now.ms;
      this.#host.store.set(restartsKey, String(this.#restarts() + 1));
      this.#host.log("warning", "Wi-Fi: nothing answered for a day; the module restarts.");
      this.#host.restart();
    }
  }

  /** Connected, and nobody was asked who is known to answer. */
  get #unknown(): boolean {
    const connected = this.#state === "online" || this.#state === "probing";
    return connected && !this.#timeAnswers && !this.#missed;
  }

  /** When a restart is due, the last of all means; never while our access point is merely switched off. */
  #restartDueMs(): number {
    if (this.#apAway || this.#unknown) return NEVER;
    // Where time servers are blocked, an address that was had is the only sign of life while the utility is dead.
    const aliveMs = this.#timeAnswers ? this.#aliveMs : Math.max(this.#aliveMs, this.#signMs);
    return aliveMs + this.#settings.restartMs + (this.#host.busy() ? this.#settings.deferMs : 0);
  }

  #restarts(): number {
    const kept = Number(this.#host.store.get(restartsKey) ?? 0);
    return Number.isSafeInteger(kept) && kept > 0 ? kept : 0;
  }

  nextMs(): number {
    return Math.min(this.#dueMs, this.#restartDueMs());
  }

  status(): StationStatus {
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      why: this.#why,
      rssiDbm: this.#rssiDbm,
      tries: this.#tries,
      connections: this.#connections,
      reinits: this.#reinits,
      restarts: this.#restarts(),
    };
  }
}
