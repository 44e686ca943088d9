/**
 * The network port (src/ports/network.ts) over the SDK's Wi-Fi: one try at a time, what it came to as an event to be
 * fetched by {@link WifiNetwork.poll}, and how many access points were heard where it came to nothing. When to try is not
 * decided here (src/network). The SDK is handed in, so that this runs in tests too. **Never run on hardware.**
 */
import type { NetworkEvent, NetworkLoss, NetworkPort } from "../../src/ports/network.js";

/** What is used of the SDK (drivers/wifi/sdk.ts), named as there. */
export interface WifiSdk {
  /** Messages of the radio; `value` −1 with "disconnect": the keys were refused. */
  onMessage(handle: (message: string, value?: number) => void): void;
  /** `passphrase`: 8 to 63 characters, or the key as 64 hex digits, which ESP-IDF tells apart by their number. */
  connect(ssid: string, passphrase: string): void;
  disconnect(): void;
  /** Tears the driver down; the next `connect` or `accessPoint` starts it anew. */
  off(): void;
  /** Station alone, or station and access point. */
  accessPoint(ssid: string, passphrase: string): void;
  noAccessPoint(): void;
  /** Names of what is heard, one a call, then null. */
  scan(each: (ssid: string | null) => void): void;
  rssiDbm(): number;
  /** Answers once, undefined where there is no such name. */
  resolve(host: string, done: (address: string | undefined) => void): void;
  /** Opens a UDP socket; `received` may come at any time. */
  udp(received: (bytes: Uint8Array, address: string) => void): UdpSocket;
  setClock(utcMs: number): void;
  /** Monotonic ms, for how often the signal is told. */
  nowMs(): number;
}

export interface UdpSocket {
  send(address: string, port: number, bytes: Uint8Array): void;
  close(): void;
}

const NTP_PORT = 123;
/** While connected, the signal is looked at so often, and told where it differs by so much. */
const SIGNAL_MS = 60_000;
const SIGNAL_DB = 3;
/** No queue of ours is longer; the oldest goes. */
const MOST_EVENTS = 16;

export class WifiNetwork implements NetworkPort {
  readonly #sdk: WifiSdk;
  #ssid: string;
  #passphrase: string;
  #events: NetworkEvent[] = [];
  #trying = false;
  #up = false;
  #scanning = false;
  #signal = { atMs: 0, dbm: 0 };
  #udp: UdpSocket | undefined;
  /** The setup access point while it is open. */
  #setup: { readonly ssid: string; readonly passphrase: string } | undefined;
  /** Questions under way: number → address of the server asked. */
  #asked: { readonly id: number; address: string }[] = [];
  /** Counts fresh starts: a name that resolves afterwards is of no use any more. */
  #round = 0;

  constructor(sdk: WifiSdk, ssid: string, passphrase: string) {
    this.#sdk = sdk;
    this.#ssid = ssid;
    this.#passphrase = passphrase;
    sdk.onMessage((message, value) => this.#onMessage(message, value));
  }

  /** Another network from the next try on; "" = none. */
  configure(ssid: string, passphrase: string): void {
    this.#ssid = ssid;
    this.#passphrase = passphrase;
  }

  /** The oldest event that was not fetched; undefined = none. */
  poll(): NetworkEvent | undefined {
    if (this.#up && Math.abs(this.#sdk.nowMs() - this.#signal.atMs) >= SIGNAL_MS) this.#listen();
    return this.#events.shift();
  }

  /** Opens the setup access point beside the station. */
  openSetup(ssid: string, passphrase: string): void {
    this.#setup = { ssid, passphrase };
    this.#sdk.accessPoint(ssid, passphrase);
  }

  closeSetup(): void {
    this.#setup = undefined;
    this.#sdk.noAccessPoint();
  }

  connect(): void {
    if (this.#ssid === "") return;
    this.#trying = true;
    this.#up = false;
    try {
      this.#sdk.connect(this.#ssid, this.#passphrase);
    } catch {
      this.#ended("driver");
    }
  }

  disconnect(): void {
    if (this.#ssid === "") return;
    this.#forget();
    this.#sdk.disconnect();
  }

  reinit(): void {
    // Without a network there is nothing to mend, and whoever is setting one up would be thrown out.
    if (this.#ssid === "") return;
    this.#forget();
    this.#sdk.off();
    // Whoever is setting the module up keeps his access point.
    if (this.#setup) this.#sdk.accessPoint(this.#setup.ssid, this.#setup.passphrase);
  }

  askTime(id: number, server: string, bytes: Uint8Array): void {
    const round = this.#round;
    this.#sdk.resolve(server, (address) => {
      if (address === undefined || round !== this.#round || !this.#up) return;
      this.#asked = [...this.#asked.slice(-3), { id, address }];
      try {
        this.#udp ??= this.#sdk.udp((answer, from) => this.#onTime(answer, from));
        this.#udp.send(address, NTP_PORT, bytes);
      } catch {
        // What is lost is never told: whoever asked has a time limit of his own.
      }
    });
  }

  setClock(utcMs: number): void {
    this.#sdk.setClock(utcMs);
  }

  #forget(): void {
    this.#round++;
    this.#trying = false;
    this.#up = false;
    this.#asked = [];
    this.#udp?.close();
    this.#udp = undefined;
  }

  #put(event: NetworkEvent): void {
    if (this.#events.length >= MOST_EVENTS) this.#events.shift();
    this.#events.push(event);
  }

  #listen(): void {
    const { dbm: before } = this.#signal;
    const rssiDbm = this.#sdk.rssiDbm();
    const differs = Math.abs(rssiDbm - before) >= SIGNAL_DB;
    this.#signal = { atMs: this.#sdk.nowMs(), dbm: differs ? rssiDbm : before };
    if (differs) this.#put({ ev: "signal", rssiDbm });
  }

  #onMessage(message: string, value?: number): void {
    if (message === "gotIP") {
      if (!this.#trying && !this.#up) return;
      this.#trying = false;
      this.#up = true;
      this.#signal = { atMs: this.#sdk.nowMs(), dbm: this.#sdk.rssiDbm() };
      this.#put({ ev: "up", rssiDbm: this.#signal.dbm });
    } else if (message === "lostIP" || message === "disconnect") {
      if (!this.#trying && !this.#up) return;
      if (value === -1) this.#ended("refused");
      else if (this.#up) this.#ended("beacon");
      else this.#ended(message === "lostIP" ? "no-address" : "no-access-point");
    }
  }

  /** A try or a connection has ended: who is heard tells whether our access point is away or the radio is deaf. */
  #ended(why: NetworkLoss): void {
    this.#forget();
    if (this.#scanning) {
      // The scan belongs to an earlier end, but this one must be told all the same.
      this.#put({ ev: "down", why, heard: 0 });
      return;
    }
    const names: string[] = [];
    const round = this.#round;
    this.#scanning = true;
    try {
      this.#sdk.scan((ssid) => {
        if (ssid !== null) {
          if (names.length < 32) names.push(ssid);
          return;
        }
        this.#scanning = false;
        if (round !== this.#round) return;
        // It is there and yet there was no connection: not its absence was the reason.
        const seen = names.includes(this.#ssid);
        this.#put({
          ev: "down",
          why: why === "no-access-point" && seen ? "refused" : why,
          heard: names.length,
        });
      });
    } catch {
      this.#scanning = false;
      this.#put({ ev: "down", why: "driver", heard: 0 });
    }
  }

  #onTime(bytes: Uint8Array, from: string): void {
    const asked = this.#asked.find(({ address }) => address === from);
    // Every question has a nonce; which of two to the same address is meant is found by trying (src/network/sntp.ts).
    if (asked === undefined) return;
    for (const { id, address } of this.#asked)
      if (address === from) this.#put({ ev: "time", id, bytes: bytes.slice(0, 68) });
  }
}
