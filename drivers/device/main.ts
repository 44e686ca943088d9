/**
 * The module on the chip: makes the world of `src/app.ts` from the drivers and turns its wheel. **Never run on hardware.**
 *
 * **Not here yet: network.** HTTP answers every request with `unreachable`, because the SDK's own TLS must not be used (it
 * accepts forged chains) and a binding to the IDF's is not written; so a device runs its link and its schedule, and stays
 * offline. UTC is unknown until a network sets it.
 */
import device from "device";
import Rs485 from "rs485";
import Timer from "timer";
import config from "mc/config";
import { confirm, now, random, reason, restart } from "ucm/device";
import UcmFlash from "ucm/flash";
import { Ucm, type World } from "../../src/app.js";
import type { HttpEvent } from "../../src/ports/http.js";
import { readConfig } from "../../src/setup/config.js";

/** How often the line is asked for events. Nothing that JavaScript owes the link is due in less than 100 ms. */
const POLL_MS = 5;
/** So long without a fault, and a new image is kept. */
const CONFIRM_MS = 60_000;

class Device {
  readonly #line = new Rs485(device.rs485);
  readonly #answers: HttpEvent[] = [];
  readonly #ucm: Ucm;
  #confirmed = false;

  constructor() {
    const checked = readConfig(config["ucm"] ?? { upstreams: [] });
    if (!("upstreams" in checked)) throw new Error(checked.map((f) => f.text).join(" "));
    this.#ucm = new Ucm(this.#world(), checked);
    this.#ucm.start({ ms: now(), utcMs: undefined });
    Timer.repeat(() => this.#turn(), POLL_MS);
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
      startReason: reason() === 1 ? "watchdog" : reason() === 2 ? "requested" : "power",
      restart: () => restart(),
      emit: () => undefined,
    };
  }

  #turn(): void {
    const at = { ms: now(), utcMs: undefined };
    let busy = false;
    for (let e = this.#line.poll(); e !== undefined; e = this.#line.poll()) {
      this.#ucm.onLine(e, at);
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
