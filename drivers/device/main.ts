/**
 * The module on the chip: makes the world of `src/app.ts` from the drivers and turns its wheel. **Never run on hardware.**
 *
 * It joins the Wi-Fi network that the build's configuration names (`wifi` in `mc/config`: `ssid`, `passphrase`) and keeps its
 * clock by it. **Not here yet: requests.** HTTP answers every one with `unreachable`, because the SDK's own TLS must not be
 * used (it accepts forged chains) and HTTP over the IDF's is not composed here; so a device runs its link, its schedule and
 * its clock, and no utility reaches it.
 */
import device from "device";
import Rs485 from "rs485";
import Timer from "timer";
import config from "mc/config";
import { confirm, now, random, reason, restart } from "ucm/device";
import UcmFlash from "ucm/flash";
import * as slotNatives from "ucm/slots";
import { DeviceSlots } from "../slots/slots-port.js";
import { wifiSdk } from "../wifi/sdk.js";
import { WifiNetwork } from "../wifi/station.js";
import { Ucm, type World } from "../../src/app.js";
import type { HttpEvent } from "../../src/ports/http.js";
import type { Now } from "../../src/ports/time.js";
import { readConfig } from "../../src/setup/config.js";

/** How often the line is asked for events. Nothing that JavaScript owes the link is due in less than 100 ms. */
const POLL_MS = 5;
/** So long without a fault, and a new image is kept, in a build without updates; else src/update decides. */
const CONFIRM_MS = 60_000;

class Device {
  readonly #line = new Rs485(device.rs485);
  readonly #answers: HttpEvent[] = [];
  readonly #ucm: Ucm;
  readonly #network: WifiNetwork | undefined;
  #clockIsSet = false;
  #confirmed = false;
  readonly #slots: DeviceSlots | undefined;

  constructor() {
    const checked = readConfig(config["ucm"] ?? { upstreams: [] });
    if (!("upstreams" in checked)) throw new Error(checked.map((f) => f.text).join(" "));
    this.#network = this.#station();
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

  #now(): Now {
    return { ms: now(), utcMs: this.#clockIsSet ? Date.now() : undefined };
  }

  #world(): World {
    const values = new Map<string, string>();
    return {
      line: this.#line,
      http: {
        request: ({ id }) =>
          this.#answers.push({ id, ev: "failed", reason: "unreachable", text: "this build has no network" }),
        abort: () => undefined,
      },
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
      this.#ucm.onNetwork(e, at);
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
