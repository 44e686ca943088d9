/**
 * The module on the chip: makes the world of `src/app.ts` from the drivers and turns its wheel. **Never run on hardware.**
 *
 * It joins the Wi-Fi network that the build's configuration names (`wifi` in `mc/config`: `ssid`, `passphrase`), keeps its
 * clock by it, and reaches its upstreams by HTTP, WebSocket and MQTT over drivers/tls, with keys and certificates that
 * drivers/identity keeps and the roots that `credentials` in `mc/config` begins with. A build without `wifi` has no network:
 * HTTP answers `unreachable`.
 */
import device from "device";
import Rs485 from "rs485";
import Timer from "timer";
import Tls from "ucm/tls";
import config from "mc/config";
import { confirm, now, random, reason, restart } from "ucm/device";
import UcmFlash from "ucm/flash";
import * as identityNatives from "ucm/identity";
import * as slotNatives from "ucm/slots";
import { DeviceIdentity } from "../identity/identity-port.js";
import { DeviceSlots } from "../slots/slots-port.js";
import { wifiSdk } from "../wifi/sdk.js";
import { WifiNetwork } from "../wifi/station.js";
import { identitySets, passwordKeeper, type StoredSets, withStored } from "./credentials.js";
import { DeviceStreams, httpConnections, type PolledStream } from "./streams.js";
import { Ucm, type World } from "../../src/app.js";
import type { HttpEvent } from "../../src/ports/http.js";
import type { Now } from "../../src/ports/time.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

/** How often the line is asked for events. Nothing that JavaScript owes the link is due in less than 100 ms. */
const POLL_MS = 5;
/** So long without a fault, and a new image is kept, in a build without updates; else src/update decides. */
const CONFIRM_MS = 60_000;

class Device {
  readonly #line = new Rs485(device.rs485);
  readonly #answers: HttpEvent[] = [];
  readonly #ucm: Ucm;
  readonly #network: WifiNetwork | undefined;
  /** Undefined where there is no network. */
  readonly #streams: DeviceStreams | undefined;
  readonly #identity: DeviceIdentity | undefined;
  #clockIsSet = false;
  #confirmed = false;
  readonly #slots: DeviceSlots | undefined;

  constructor() {
    const read = readConfig(config["ucm"] ?? { upstreams: [] });
    if (!("upstreams" in read)) throw new Error(read.map((f) => f.text).join(" "));
    const stored = (config["credentials"] ?? {}) as StoredSets;
    const checked = withStored(read, stored);
    this.#network = this.#station();
    if (this.#network !== undefined) {
      // The one that takes credentials must be there before they are set.
      const tls = new Tls({ utcMs: () => this.#now().utcMs });
      this.#identity = new DeviceIdentity({
        ...{ natives: identityNatives, sets: identitySets(checked, stored), now: () => this.#now() },
        serial: typeof config["serial"] === "string" ? config["serial"] : "openucm",
        log: (text) => trace(`${text}\n`),
      });
      this.#streams = this.#clients(checked, stored, this.#identity.watch(tls));
    }
    if (checked.update !== undefined) {
      const { version, board } = config as { readonly version?: string; readonly board?: string };
      this.#slots = DeviceSlots.open(slotNatives, version ?? "0.0.0", board ?? "unknown");
      this.#confirmed = true;
    }
    this.#ucm = new Ucm(this.#world(), checked);
    this.#ucm.start(this.#now());
    Timer.repeat(() => this.#turn(), POLL_MS);
  }

  /** Undefined where the build names no network. */
  #station(): WifiNetwork | undefined {
    const { ssid, passphrase } = (config["wifi"] ?? {}) as {
      readonly ssid?: string;
      readonly passphrase?: string;
    };
    if (ssid === undefined || ssid === "") return undefined;
    const sdk = wifiSdk();
    const setClock = (utcMs: number): void => {
      sdk.setClock(utcMs);
      this.#clockIsSet = true;
    };
    return new WifiNetwork({ ...sdk, setClock }, ssid, passphrase ?? "");
  }

  #clients(checked: UcmConfig, stored: StoredSets, stream: PolledStream): DeviceStreams {
    return new DeviceStreams({
      ...{ stream, random: { uint32: random }, passwords: passwordKeeper(stored) },
      httpConnections: httpConnections(checked.upstreams.map(({ protocol }) => protocol)),
      onHttp: (event) => this.#ucm.onHttp(event, this.#now()),
      onWebSocket: (event) => this.#ucm.onWebSocket(event, this.#now()),
      onMqtt: (event) => this.#ucm.onMqtt(event, this.#now()),
    });
  }

  #now(): Now {
    return { ms: now(), utcMs: this.#clockIsSet ? Date.now() : undefined };
  }

  #world(): World {
    const values = new Map<string, string>();
    return {
      line: this.#line,
      http: this.#streams?.http ?? {
        request: ({ id }) =>
          this.#answers.push({ id, ev: "failed", reason: "unreachable", text: "this build has no network" }),
        abort: () => undefined,
      },
      ...(this.#streams === undefined
        ? {}
        : { websocket: this.#streams.websocket, mqtt: this.#streams.mqtt }),
      random: { uint32: random },
      flash: new UcmFlash({ partition: "journal" }),
      // With a flash the application keeps its values there.
      store: {
        get: (key) => values.get(key),
        set: (key, value) => void values.set(key, value),
        delete: (key) => void values.delete(key),
      },
      ...(this.#network === undefined
        ? {}
        : { network: this.#network, builtUtcMs: Number(config["builtUtcMs"] ?? 0) }),
      ...(this.#identity === undefined ? {} : { certificates: this.#identity }),
      ...(this.#slots === undefined ? {} : { update: this.#slots }),
      startReason: reason() === 1 ? "watchdog" : reason() === 2 ? "requested" : "power",
      restart: () => restart(),
      emit: () => undefined,
    };
  }

  #turn(): void {
    const at = this.#now();
    let busy = false;
    for (let e = this.#line.poll(); e !== undefined; e = this.#line.poll()) {
      this.#ucm.onLine(e, at);
      busy = true;
    }
    for (let e = this.#network?.poll(); e !== undefined; e = this.#network?.poll()) {
      if (e.ev === "up" || e.ev === "down") this.#streams?.setOnline(e.ev === "up");
      this.#ucm.onNetwork(e, at);
      busy = true;
    }
    if (this.#streams?.turn(at.ms) === true) busy = true;
    for (const e of this.#identity?.take() ?? []) {
      this.#ucm.onCertificate(e, at);
      busy = true;
    }
    for (const e of this.#slots?.take() ?? []) {
      this.#ucm.onUpdate(e, at);
      busy = true;
    }
    for (let e = this.#answers.shift(); e !== undefined; e = this.#answers.shift()) {
      this.#ucm.onHttp(e, at);
      busy = true;
    }
    if (busy || at.ms >= this.#ucm.nextMs()) this.#ucm.poll(at);
    if (this.#confirmed || at.ms < CONFIRM_MS) return;
    this.#confirmed = true;
    confirm();
  }
}

export default function main(): void {
  new Device();
}
