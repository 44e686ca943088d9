/**
 * A home network in virtual time, as a module meets it: an access point that goes away and comes back, a lease that
 * is worth nothing any more, a radio driver that hangs, names that lead elsewhere, and time servers of which some lie.
 */
import { fromHex, toHex } from "../../src/base/hex.js";
import { uniformInt, type Uint32Source } from "../../src/base/random.js";
import { NEVER } from "../../src/ports/time.js";
import type { NetworkCall, NetworkInput } from "../../src/bridged-network.js";

/** A time server; everything may be changed while it runs. */
export interface VirtualTimeServer {
  /** Its clock minus the right time, ms. */
  offsetMs: number;
  /** "silent": packets are lost; "forged": somebody answers who did not see the question; a kiss code otherwise. */
  mood: "well" | "silent" | "forged" | "unsynchronised" | "RATE" | "DENY";
}

const UNIX_SECONDS = 2_208_988_800;

/** What a server answers to 48 bytes (RFC 5905), by its mood. */
export function sntpAnswer(request: Uint8Array, utcMs: number, mood: VirtualTimeServer["mood"]): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  bytes[0] = ((mood === "unsynchronised" ? 3 : 0) << 6) | (4 << 3) | 4;
  bytes[1] = mood === "RATE" || mood === "DENY" ? 0 : 2;
  if (bytes[1] === 0) bytes.set(Buffer.from(mood, "latin1"), 12);
  if (mood !== "forged") bytes.set(request.subarray(40, 48), 24);
  const stamp = (at: number): void => {
    const seconds = Math.floor(utcMs / 1000);
    view.setUint32(at, (seconds + UNIX_SECONDS) % 0x1_0000_0000);
    view.setUint32(at + 4, Math.floor(((utcMs - seconds * 1000) * 0x1_0000_0000) / 1000));
  };
  stamp(32);
  stamp(40);
  return bytes;
}

export class VirtualNetwork {
  /** The module's access point; `others` are heard beside it. */
  accessPoint = true;
  others = 3;
  /** What the access point is called and opened with. */
  readonly wifi = { ssid: "home", passphrase: "of the virtual home" };
  /** What the module has been told; "" = nothing, and it does not try. */
  known: { readonly ssid: string; readonly passphrase: string } = this.wifi;
  /** The access point refuses whatever the passphrase. */
  refuses = false;
  dhcp = true;
  rssiDbm = -60;
  /** Leases of before are worth nothing: a new router. Set by {@link newRouter}. */
  #staleLease = false;
  /** The driver does nothing more until it is started anew. */
  hung = false;
  readonly servers = new Map<string, VirtualTimeServer>();
  /** What the module's clock was set to, by the right time then. */
  readonly clockSettings: { readonly utcMs: number; readonly errorMs: number }[] = [];
  readonly calls: { readonly atMs: number; readonly call: string }[] = [];

  #up = false;
  #queue: { readonly atMs: number; readonly event: NetworkInput }[] = [];

  constructor(
    private readonly random: Uint32Source,
    /** The right time at a monotonic one. */
    private readonly utcMs: (ms: number) => number,
    private readonly setClock: (utcMs: number, ms: number) => void,
  ) {
    for (const name of ["time-a.test", "time-b.test", "time-c.test"])
      this.servers.set(name, { offsetMs: 0, mood: "well" });
  }

  /** Packets come and go. */
  get passes(): boolean {
    return this.#up && this.accessPoint && !this.#staleLease && !this.hung;
  }

  /** Switches the access point; whoever is connected notices after a few beacons. */
  switchAccessPoint(on: boolean, ms: number): void {
    this.accessPoint = on;
    if (!on && this.#up) this.#drop("beacon", ms + 3000);
  }

  /** Another router with other addresses: the connection stays, and leads nowhere. */
  newRouter(): void {
    this.#staleLease = true;
  }

  /** The module stands elsewhere, or somebody has closed a door; it hears so at once. */
  hear(rssiDbm: number, ms: number): void {
    this.rssiDbm = rssiDbm;
    if (this.#up) this.#put(ms, { ev: "signal", rssiDbm });
  }

  /** Takes the module's power. */
  forget(): void {
    this.#up = false;
    this.#queue = [];
  }

  #drop(why: "beacon", atMs: number): void {
    this.#up = false;
    this.#put(atMs, { ev: "down", why, heard: this.others });
  }

  #put(atMs: number, event: NetworkInput): void {
    this.#queue.push({ atMs, event });
  }

  carryOut(call: NetworkCall, ms: number): void {
    this.calls.push({ atMs: ms, call: call.do });
    switch (call.do) {
      case "reinit":
        this.hung = false;
        this.#up = false;
        this.#queue = [];
        break;
      case "disconnect":
        this.#up = false;
        this.#queue = [];
        break;
      case "connect":
        this.#connect(ms);
        break;
      case "clock":
        this.clockSettings.push({ utcMs: call.utcMs, errorMs: call.utcMs - this.utcMs(ms) });
        this.setClock(call.utcMs, ms);
        break;
      case "ask-time":
        this.#askTime(call, ms);
    }
  }

  #connect(ms: number): void {
    const { ssid, passphrase } = this.known;
    if (this.hung || ssid === "") return;
    const heard = this.others + (this.accessPoint ? 1 : 0);
    const down = (why: "no-access-point" | "refused" | "no-address", afterMs: number): void =>
      this.#put(ms + afterMs, { ev: "down", why, heard });
    if (!this.accessPoint || ssid !== this.wifi.ssid) down("no-access-point", 2500);
    else if (this.refuses || passphrase !== this.wifi.passphrase) down("refused", 3000);
    else if (!this.dhcp) down("no-address", 12_000);
    else {
      this.#up = true;
      this.#staleLease = false;
      this.#put(ms + 1500 + uniformInt(this.random, 2500), { ev: "up", rssiDbm: this.rssiDbm });
    }
  }

  #askTime(call: Extract<NetworkCall, { readonly do: "ask-time" }>, ms: number): void {
    const server = this.servers.get(call.server);
    if (!this.passes || server === undefined || server.mood === "silent") return;
    const there = 5 + uniformInt(this.random, 40);
    const back = 5 + uniformInt(this.random, 40);
    const bytes = sntpAnswer(fromHex(call.hex)!, this.utcMs(ms + there) + server.offsetMs, server.mood);
    this.#put(ms + there + back, { ev: "time", id: call.id, hex: toHex(bytes) });
  }

  take(ms: number): NetworkInput[] {
    const due = this.#queue.filter((one) => one.atMs <= ms).sort((a, b) => a.atMs - b.atMs);
    this.#queue = this.#queue.filter((one) => one.atMs > ms);
    return due.map(({ event }) => event);
  }

  nextMs(): number {
    return this.#queue.reduce((next, { atMs }) => Math.min(next, atMs), NEVER);
  }
}
