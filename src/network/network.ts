import type { NetworkEvent, NetworkPort } from "../ports/network.js";
import type { Now, RandomPort, StorePort } from "../ports/time.js";
import { DEFAULT_STATION_SETTINGS, Station, type StationSettings, type StationStatus } from "./station.js";
import { DEFAULT_TIME_SETTINGS, TimeKeeper, type TimeSettings, type TimeStatus } from "./time-keeper.js";

export interface NetworkHost {
  readonly port: NetworkPort;
  readonly random: RandomPort;
  readonly store: StorePort;
  /** Something is in force that must not be interrupted for nothing. */
  busy(): boolean;
  restart(): void;
  log(level: "info" | "warning", text: string): void;
}

export interface NetworkOptions {
  readonly servers: readonly string[];
  readonly builtUtcMs: number;
  readonly station?: Partial<StationSettings>;
  readonly time?: Partial<TimeSettings>;
}

/** Below the first a connection is called poor (CTA-2045: "outside communication poor"), from the second on no more, dBm. */
const POOR_DBM = -80;
const GOOD_DBM = -76;

/** The station and the clock as one part of the module. */
export class Network {
  readonly #station: Station;
  readonly #time: TimeKeeper;

  constructor(host: NetworkHost, options: NetworkOptions) {
    this.#time = new TimeKeeper(
      { ...host, alive: (now) => this.#station.alive("time", now) },
      { ...DEFAULT_TIME_SETTINGS, ...options.time, servers: options.servers, builtUtcMs: options.builtUtcMs },
    );
    this.#station = new Station(
      { ...host, probe: () => this.#time.ask(this.#now) },
      { ...DEFAULT_STATION_SETTINGS, ...options.station },
    );
  }

  #poor = false;
  #now: Now = { ms: 0, utcMs: undefined };

  start(now: Now): void {
    this.#now = now;
    this.#station.start(now);
  }

  onEvent(event: NetworkEvent, now: Now): void {
    this.#now = now;
    if (event.ev === "time") {
      this.#time.onTime(event.id, event.bytes, now);
      return;
    }
    this.#station.onEvent(event, now);
    const { rssiDbm } = this.#station.status();
    if (rssiDbm !== undefined) this.#poor = rssiDbm < (this.#poor ? GOOD_DBM : POOR_DBM);
    if (event.ev === "signal") return;
    if (event.ev === "up") this.#time.online(now);
    else this.#time.offline();
  }

  /** A server answered over the network, whatever it said. */
  alive(now: Now): void {
    this.#station.alive("upstream", now);
  }

  /** A server was asked over the network and nothing came back. */
  missed(now: Now): void {
    this.#station.missed(now);
  }

  poll(now: Now): void {
    this.#now = now;
    this.#station.poll(now);
    this.#time.poll(now);
  }

  nextMs(): number {
    return Math.min(this.#station.nextMs(), this.#time.nextMs());
  }

  /** No time before this is possible, UTC ms. */
  get floorMs(): number {
    return this.#time.floorMs();
  }

  get online(): boolean {
    const { state } = this.#station.status();
    return state === "online" || state === "probing";
  }

  /** Connected, but only just. */
  get poor(): boolean {
    return this.online && this.#poor;
  }

  status(): { readonly station: StationStatus; readonly time: TimeStatus } {
    return { station: this.#station.status(), time: this.#time.status() };
  }
}
