/**
 * The module on the chip: makes the world of `src/app.ts` from the drivers and turns its wheel. **Never run on hardware.**
 *
 * What it is to do comes from `mc/config` (`ucm`, `wifi`, `credentials`) and from what the owner's page has set up, which wins
 * and lies in NVS (kept.ts). With the label's secret (in NVS, label.ts; else `ownerSecret` in `mc/config`) it serves its pages on port 80,
 * in its setup access point, which it opens when new or by the button, and in the home network. It keeps its clock by the
 * network, and reaches its upstreams by HTTP, WebSocket and MQTT over drivers/tls, with keys and certificates that
 * drivers/identity keeps. A build with neither `wifi` nor secret has no network: HTTP answers `unreachable`.
 */
import device from "device";
import Preference from "preference";
import Rs485 from "rs485";
import Timer from "timer";
import Tls from "ucm/tls";
import config from "mc/config";
import { asked, confirm, feed, freeBytes, now, random, reason, restart } from "ucm/device";
import UcmFlash from "ucm/flash";
import * as identityNatives from "ucm/identity";
import * as slotNatives from "ucm/slots";
import type { Button, LampPin } from "../button/button.js";
import { buttonOn, colourLampOn, lampOn } from "../button/sdk.js";
import { DeviceIdentity } from "../identity/identity-port.js";
import { DeviceSlots } from "../slots/slots-port.js";
import { webSdk } from "../web/sdk.js";
import { DeviceWeb } from "../web/server.js";
import { wifiSdk } from "../wifi/sdk.js";
import { WifiNetwork } from "../wifi/station.js";
import { forgetPasswords, identitySets, passwordKeeper, withStored } from "./credentials.js";
import { LABEL_SPACE, readLabel, withEstSecret, withSerial } from "./label.js";
import { KeptSetup, type Settings, type StoredSets, type Wifi } from "./kept.js";
import { DeviceStreams, httpConnections, type PolledStream } from "./streams.js";
import { Ucm, type World } from "../../src/app.js";
import { NEVER } from "../../src/ports/time.js";
import { setupNetwork, setupPassphrase } from "../../src/setup/kept-setup.js";
import type { Setup } from "../../src/setup/setup-form.js";
import type { StartReason } from "../../src/journal/recorder.js";
import type { HttpEvent } from "../../src/ports/http.js";
import type { Now } from "../../src/ports/time.js";
import type { UcmConfig } from "../../src/setup/config.js";

/** How often the line is asked for events. Nothing that JavaScript owes the link is due in less than 100 ms. */
const POLL_MS = 5;
/** So long without a fault, and a new image is kept, in a build without updates; else src/update decides. */
const CONFIRM_MS = 60_000;
/** After a setup was kept: the page that says so is to arrive. */
const ANEW_MS = 2000;
/** After the radio has failed to open or close the access point. */
const SETUP_TRY_MS = 5000;
/** The application is asked so often even where nothing is due: its progress feeds the watchdog, which waits 10 s. */
const FEED_MS = 2000;
/** How often it is looked what JavaScript has left. */
const MEMORY_MS = 10_000;
/** Why the chip starts, by the numbers of device.d.ts. */
const REASONS: readonly StartReason[] = [
  ...(["power", "watchdog", "crash", "brownout"] as const),
  ...(["requested", "factory-reset", "network"] as const),
];
const log = (text: string): void => trace(`${text}\n`);

function startAnew(why: StartReason): void {
  asked(REASONS.indexOf(why));
  restart();
}

/** One value of NVS. */
const setupValue = {
  get: (): string | undefined => {
    const text = Preference.get("ucm-setup", "setup");
    return typeof text === "string" ? text : undefined;
  },
  set: (text: string): void => Preference.set("ucm-setup", "setup", text),
  delete: (): void => Preference.delete("ucm-setup", "setup"),
};

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
  readonly #label = readLabel((name) => Preference.get(LABEL_SPACE, name), config);
  /** Undefined without a label's secret: it would let nobody in. */
  readonly #web: DeviceWeb | undefined;
  readonly #button: Button | undefined;
  readonly #lamp: LampPin | undefined;
  readonly #kept: KeptSetup;
  readonly #settings: Settings;
  #isUp = false;
  #setupIsOpen = false;
  /** Not before this, after the radio has failed. */
  #setupTryMs = 0;
  /** When to start anew after a setup. */
  #anewMs = NEVER;
  #feedMs = 0;
  #memoryMs = 0;

  constructor() {
    const { ssid = "", passphrase = "" } = (config["wifi"] ?? {}) as Partial<Wifi>;
    const build = config["ucm"] ?? { upstreams: [] };
    const { serial } = this.#label;
    const credentials = withEstSecret((config["credentials"] ?? {}) as StoredSets, build, this.#label);
    const defaults = { ucm: withSerial(build, serial), wifi: { ssid, passphrase }, credentials };
    this.#kept = new KeptSetup(setupValue, defaults, log);
    this.#settings = this.#kept.load();
    const { credentials: stored, config: read } = this.#settings;
    const checked = withStored(read, stored);
    const { button } = device.pin;
    if (button !== undefined) this.#button = buttonOn(button);
    const { lamp } = device;
    if (lamp !== undefined)
      this.#lamp = lamp.ws2812 === true ? colourLampOn(lamp.pin) : lampOn(lamp.pin, lamp.activeLow);
    if (this.#label.secret !== "") this.#web = new DeviceWeb({ sdk: webSdk(), nowMs: now, log });
    this.#network = this.#station();
    if (this.#network !== undefined) {
      // The one that takes credentials must be there before they are set.
      const tls = new Tls({ utcMs: () => this.#now().utcMs });
      this.#identity = new DeviceIdentity({
        ...{ natives: identityNatives, sets: identitySets(checked, stored), now: () => this.#now() },
        ...{ serial, log },
      });
      this.#streams = this.#clients(checked, stored, this.#identity.watch(tls));
    }
    if (checked.update !== undefined) {
      const { version, board } = config as { readonly version?: string; readonly board?: string };
      const rollBack = (): number => {
        // The boot loader's restart, and asked for all the same.
        asked(REASONS.indexOf("requested"));
        return slotNatives.rollBack();
      };
      this.#slots = DeviceSlots.open({ ...slotNatives, rollBack }, version ?? "0.0.0", board ?? "unknown");
      this.#confirmed = true;
    }
    this.#ucm = new Ucm(this.#world(), checked);
    this.#ucm.start(this.#now());
    Timer.repeat(() => this.#turn(), POLL_MS);
  }

  /** Undefined where there is neither a network to join nor a way to name one. */
  #station(): WifiNetwork | undefined {
    const { ssid, passphrase } = this.#settings.wifi;
    if (ssid === "" && this.#web === undefined) return undefined;
    const sdk = wifiSdk();
    const setClock = (utcMs: number): void => {
      sdk.setClock(utcMs);
      this.#clockIsSet = true;
    };
    return new WifiNetwork({ ...sdk, setClock }, ssid, passphrase);
  }

  #clients(checked: UcmConfig, stored: StoredSets, stream: PolledStream): DeviceStreams {
    return new DeviceStreams({
      ...{ stream, random: { uint32: random }, passwords: passwordKeeper(stored) },
      httpConnections: httpConnections(checked.upstreams.map(({ protocol }) => protocol)),
      onHttp: (event) => this.#ucm.onHttp(event, this.#now()),
      onWebSocket: (event) => this.#ucm.onWebSocket(event, this.#now()),
      onMqtt: (event) => this.#ucm.onMqtt(event, this.#now()),
      log,
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
      ...(this.#streams?.websocket && { websocket: this.#streams.websocket }),
      ...(this.#streams?.mqtt && { mqtt: this.#streams.mqtt }),
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
      ...(this.#web === undefined
        ? {}
        : {
            web: {
              ownerSecret: this.#label.secret,
              fresh: this.#settings.fresh,
              respond: (response) => this.#web?.respond(response),
              configure: (setup) => this.#configure(setup),
            },
          }),
      lamp: (lamp) => this.#lamp?.set(lamp, now()),
      ...(this.#identity === undefined ? {} : { certificates: this.#identity }),
      ...(this.#slots === undefined ? {} : { update: this.#slots }),
      feed,
      startReason: REASONS[reason()] ?? "power",
      forget: () => this.#forget(),
      restart: (why) => {
        // Once more, where NVS failed at the first time.
        if (why === "factory-reset") this.#forget();
        // Nobody has named a network yet: a restart would find none either, and would open setup again and again.
        if (why !== "network" || this.#settings.wifi.ssid !== "") startAnew(why);
      },
      emit: () => undefined,
    };
  }

  /** Throws where it cannot be kept: the page is answered so, and nothing changes. */
  #configure(setup: Setup): void {
    this.#kept.keep(setup, (upstream) => forgetPasswords(upstream));
    this.#anewMs = now() + ANEW_MS;
  }

  /** Setup and passwords of the owner; the label's secret, keys and certificates are the module's. */
  #forget(): void {
    try {
      this.#kept.forget();
      forgetPasswords();
    } catch (error) {
      log(String(error));
    }
  }

  /** Pages, button, lamp and the access point for setup. True: there was something. */
  #people(at: Now): boolean {
    this.#lamp?.turn(at.ms);
    let busy = false;
    const heldMs = this.#button?.turn(at.ms);
    if (heldMs !== undefined) {
      this.#ucm.onButton(heldMs, at);
      busy = true;
    }
    const web = this.#web;
    const network = this.#network;
    if (web === undefined || network === undefined) return busy;
    const open = this.#ucm.inSetup(at);
    if (open !== this.#setupIsOpen && at.ms >= this.#setupTryMs) {
      try {
        if (open) network.openSetup(setupNetwork(this.#label.serial), setupPassphrase(this.#label.secret));
        else network.closeSetup();
        this.#setupIsOpen = open;
      } catch (error) {
        this.#setupTryMs = at.ms + SETUP_TRY_MS;
        log(`setup access point: ${String(error)}`);
      }
    }
    if (open || this.#isUp) web.listen();
    if (web.turn(at.ms, (request) => this.#ucm.onWeb(request, at))) busy = true;
    if (at.ms >= this.#anewMs) {
      this.#anewMs = NEVER;
      this.#ucm.stop(at);
      startAnew("requested");
    }
    return busy;
  }

  #turn(): void {
    const at = this.#now();
    let busy = false;
    for (let e = this.#line.poll(); e !== undefined; e = this.#line.poll()) {
      this.#ucm.onLine(e, at);
      busy = true;
    }
    for (let e = this.#network?.poll(); e !== undefined; e = this.#network?.poll()) {
      if (e.ev === "up" || e.ev === "down") {
        this.#isUp = e.ev === "up";
        this.#streams?.setOnline(this.#isUp);
      }
      this.#ucm.onNetwork(e, at);
      busy = true;
    }
    if (this.#streams?.turn(at.ms) === true) busy = true;
    if (this.#people(at)) busy = true;
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
    if (at.ms >= this.#memoryMs) {
      this.#memoryMs = at.ms + MEMORY_MS;
      this.#ucm.onMemory(freeBytes(), at);
    }
    if (busy || at.ms >= Math.min(this.#feedMs, this.#ucm.nextMs())) {
      this.#feedMs = at.ms + FEED_MS;
      this.#ucm.poll(at);
    }
    if (this.#confirmed || at.ms < CONFIRM_MS) return;
    this.#confirmed = true;
    confirm();
  }
}

export default function main(): void {
  new Device();
}
