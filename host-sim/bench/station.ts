/**
 * One charger of the bench with its module, on a virtual RS-485 line of their own that takes real time at 19,200
 * baud. The module has its own TLS connections, identity, flash and power; everything it tells goes to the pages
 * that watch this charger, and what a page asks of this charger is carried out here.
 */
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.js";
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";
import type { PlainEvent } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import type { UpdateStatus } from "../../src/update/updater.js";
import { captureVirtualLine } from "../capture/line-capture.js";
import type { CaptureSink } from "../capture/record.js";
import { nextTurnMs, passBytes, type Wired } from "../line/pass-bytes.js";
import { VirtualLine, type VirtualEnd } from "../line/virtual-line.js";
import { ModuleCertificates } from "../net/module-certificates.js";
import { NodeHttp, type HttpCredentials } from "../net/node-http.js";
import { NodeWebSocket, type WebSocketCredentials } from "../net/node-websocket.js";
import { monotonicMs, WakeUp } from "../runtime/clock.js";
import { FileFlash, flashFileName } from "../runtime/file-flash.js";
import { FileStore } from "../runtime/file-store.js";
import { UcmHost, type Engine } from "../runtime/ucm-host.js";
import { loadProfile } from "../sgd/profile.js";
import { SgdSimulator } from "../sgd/simulator.js";
import { FrameViews } from "./frame-views.js";
import type {
  ChargerSummary,
  FrameView,
  FromPage,
  JournalPartName,
  LineView,
  OwnerView,
  Sample,
  ToPage,
} from "./messages.js";
import { UpdatePanel } from "./update-panel.js";

export interface StationOptions {
  /** From 1. */
  readonly n: number;
  readonly dataDir: string;
  readonly engine: Engine;
  readonly profile: string;
  readonly region: string;
  readonly seed: number;
  readonly vtnUrl: string;
  readonly csmsUrl: string;
  readonly utility: HttpCredentials;
  readonly platform: { readonly ca: string; readonly password: string };
  /** Opens the module's own page. */
  readonly ownerSecret: string;
  /** Where its updates come from, and the version that it is new with. */
  readonly update?: {
    readonly url: string;
    readonly ca: string;
    readonly rootText: string;
    readonly version: string;
  };
  readonly capture?: CaptureSink;
  /** Told everything that a page which watches this charger is told. */
  tell(message: ToPage): void;
  onFailure(error: Error): void;
}

/** Between two looks for an update, hours: a person watches. */
const checkHours = 0.05;
const keepFrames = 2000;
const keepSamples = 1200;
const chargerMs = 100;
/** Rows of a part of the journal that a page gets. */
const keepRows = 400;

/** Of a charge point, by the number of its charger. */
export function chargePointId(n: number): string {
  return `BENCH-${n}`;
}

export class Station {
  readonly n: number;
  readonly name: string;
  readonly sgd: SgdSimulator;
  readonly #options: StationOptions;
  readonly #line: VirtualLine;
  readonly #wired: Wired;
  readonly #moduleEnd: VirtualEnd;
  readonly #host: UcmHost;
  #http: NodeHttp;
  readonly #websocket: NodeWebSocket;
  /** By the id of the upstream; a renewed certificate takes its place in it. */
  readonly #credentials = new Map<string, WebSocketCredentials>();
  readonly #certificates: ModuleCertificates<WebSocketCredentials>;
  readonly #flash: FileFlash | undefined;
  readonly #updates: UpdatePanel | undefined;
  readonly #wake = new WakeUp(() => this.#poll());
  readonly #views = new FrameViews();
  readonly #frames: FrameView[] = [];
  readonly #samples: Sample[] = [];
  /** The last message of each kind that a page that comes later must be told. */
  readonly #latest = new Map<string, ToPage>();
  readonly #upstreams = new Map<string, string>();
  #intent = { intent: "", source: "" };
  #result = "";
  #link = "absent";
  #appliance = "";
  #bitsPerSecond = 19_200;
  #polling = false;
  #lastCharger = "";
  #chargerToldMs = 0;
  #lastLine = "";
  #lastUpdate = "";

  constructor(options: StationOptions) {
    const { n, engine, dataDir } = options;
    this.#options = options;
    this.n = n;
    this.name = `Charger ${n}`;
    const random = seededRandom(options.seed + (n - 1) * 7919);
    this.#line = new VirtualLine({ bitsPerSecond: 19_200, random });
    if (options.capture !== undefined) {
      captureVirtualLine(this.#line, options.capture, (atMs) => Date.now() - (monotonicMs() - atMs));
    }
    this.#moduleEnd = this.#line.end("module", { muted: true });
    const chargerEnd = this.#line.end("charger", { muted: true });
    this.sgd = new SgdSimulator({
      profile: loadProfile(options.profile),
      line: chargerEnd,
      random,
      emit: () => undefined,
    });
    this.#wired = { line: this.#line, moduleEnd: this.#moduleEnd, chargerEnd, appliance: this.sgd };
    const prefix = n === 1 ? "bench" : `bench-${n}`;
    this.#credentials.set("utility", options.utility).set("platform", options.platform);
    if (options.update !== undefined) this.#credentials.set("update", { ca: options.update.ca });
    this.#certificates = new ModuleCertificates({
      ...{ dir: join(dataDir, `${prefix}-certificates`), credentials: this.#credentials },
      deliver: (event) => this.#host.onCertificate(event),
    });
    this.#http = this.#openHttp();
    this.#websocket = new NodeWebSocket({
      credentials: this.#credentials,
      deliver: (event) => {
        this.#certificates.heardWebSocket(event);
        this.#host.onWebSocket(event);
      },
    });
    this.#flash = engine.holdsFlash ? FileFlash.open(join(dataDir, `${prefix}-${flashFileName}`)) : undefined;
    const { update } = options;
    if (update !== undefined) this.#updates = new UpdatePanel({ ...update, dataDir, prefix });
    this.#host = new UcmHost({
      engine,
      ...(this.#updates === undefined ? {} : { slots: this.#updates.slots }),
      ...(this.#flash === undefined ? {} : { flash: this.#flash }),
      line: {
        write: (bytes) => {
          this.#poll();
          this.#moduleEnd.write(bytes);
          this.#arm();
        },
        setBitRate: (rate) => {
          this.#bitsPerSecond = rate;
          return this.#moduleEnd.setBitRate(rate);
        },
      },
      http: this.#certificates.watchHttp({
        request: (request) => this.#http.request(request),
        abort: (id) => this.#http.abort(id),
      }),
      websocket: this.#certificates.watchWebSocket(this.#websocket),
      certificates: this.#certificates,
      store: new FileStore(join(dataDir, `${prefix}-module.json`)),
      config: this.#config(),
      web: { ownerSecret: options.ownerSecret, fresh: false },
      onEvent: (event) => this.#onModule(event),
      onFailure: (error) => options.onFailure(error),
    });
  }

  #config(): UcmConfig {
    const { n, vtnUrl, csmsUrl, region, update } = this.#options;
    const venName = n === 1 ? "bench module" : `bench module ${n}`;
    const config = readConfig({
      upstreams: [
        { id: "utility", protocol: "openadr2b", url: vtnUrl, venName },
        // A limit of 0 may open the contactor: the charger clamps power level 0 up to 6 A.
        {
          ...{ id: "platform", protocol: "ocpp16", url: csmsUrl, chargePointId: chargePointId(n) },
          emergency: true,
        },
      ],
      region,
      polling: { stateSeconds: 10, commoditySeconds: 3 },
      ...(update === undefined ? {} : { update: { url: update.url, root: "1.root.json", checkHours } }),
    });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    if (update === undefined || config.update === undefined) return config;
    return { ...config, update: { ...config.update, rootText: update.rootText } };
  }

  #openHttp(): NodeHttp {
    return new NodeHttp({
      credentials: this.#credentials,
      deliver: (event) => {
        this.#certificates.heardHttp(event);
        this.#host.onHttp(event);
      },
    });
  }

  /** Puts a car on the cable, and starts charger and module. */
  run(): void {
    this.sgd.plug();
    this.#host.start();
    this.#poll();
  }

  /** A page of the module's own (src/setup); undefined while it has no power. */
  page(request: Omit<WebRequest, "id">): Promise<WebResponse | undefined> {
    return this.#host.page(request);
  }

  async close(): Promise<void> {
    this.#wake.stop();
    await this.#host.close();
    this.#flash?.close();
    this.#updates?.slots.close();
    this.#http.close();
    this.#websocket.closeAll();
  }

  /** What a page that begins to watch this charger must be told after `hello`. */
  get latest(): readonly ToPage[] {
    return [...this.#latest.values()];
  }

  get frames(): readonly FrameView[] {
    return this.#frames;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  summary(): ChargerSummary {
    const { opState, opStateName, currentA, limitA, plugged, override, fault } = this.sgd.view();
    const online = [...this.#upstreams.values()].filter((state) => state === "online").length;
    return {
      ...{ n: this.n, name: this.name, opState, opStateName, currentA, limitA, plugged, override, fault },
      ...this.#intent,
      result: this.#result,
      online,
      upstreams: 2,
    };
  }

  /** Carries out what concerns this charger alone. Answers a refusal in words, or undefined. */
  command(message: FromPage): string | undefined {
    switch (message.do) {
      case "plug":
        this.sgd.plug();
        break;
      case "unplug":
        this.sgd.unplug();
        break;
      case "override":
        this.sgd.override(message.on);
        break;
      case "fault":
        if (!this.#fault(message)) return `there is no fault "${message.name}"`;
        break;
      case "noise":
        this.#line.noise.flipPerBit = message.flipPerBit;
        break;
      case "module":
        this.#module(message.what);
        break;
      case "owner":
      case "delay":
        void this.#order(message.do, message.order);
        break;
      case "check-update":
        if (this.#updates === undefined) return "this bench has no update repository";
        this.#host.checkForUpdate();
        void this.tellModule();
        break;
      case "journal":
        void this.tellJournal(message.what);
        break;
      default:
        return "that concerns no charger";
    }
    this.#poll();
    return undefined;
  }

  /** Ends one fault: the charger ends them all, so the others begin anew. */
  #fault({ name, on, times }: Extract<FromPage, { readonly do: "fault" }>): boolean {
    const wanted = times === undefined ? name : `${name}:${times}`;
    if (on) return this.sgd.fault(wanted);
    const others = this.sgd
      .view()
      .fault.split(", ")
      .filter((one) => one !== "" && one !== name);
    this.sgd.fault("none");
    if (name !== "none") for (const one of others) this.sgd.fault(one);
    return true;
  }

  #module(what: "restart" | "unplug" | "replug"): void {
    if (what === "replug" ? this.#moduleEnd.connected : !this.#moduleEnd.connected) return;
    const now = Math.floor(monotonicMs());
    if (what === "replug") this.#moduleEnd.plug(now);
    else this.#cutPower();
    if (what === "unplug") this.#moduleEnd.unplug(now);
    else this.#host.powerOn();
    this.#tellLine();
  }

  #cutPower(): void {
    this.#host.cutPower();
    // Answers to what it asked before must not reach the one that starts after.
    this.#http.close();
    this.#http = this.#openHttp();
    this.#websocket.closeAll();
    this.#intent = { intent: "", source: "" };
    this.#upstreams.clear();
    this.#link = "absent";
    for (const key of [...this.#latest.keys()]) {
      if (key !== "charger" && key !== "line" && key !== "update") this.#latest.delete(key);
    }
    const dark = {
      ...{ intent: "", source: "none", reason: "The module has no power.", endsUtcMs: null },
    };
    this.#tell({ type: "intent", intent: dark }, "intent");
    for (const id of ["utility", "platform"])
      this.#tell(
        { type: "upstream", upstream: { id, state: "stopped", fault: "", text: "" } },
        `upstream ${id}`,
      );
  }

  async #order(k: "owner" | "delay", order: unknown): Promise<void> {
    const { ok, text } = await this.#host.order({ k, order });
    this.#tell(ok ? { type: "done", text } : { type: "refused", text }, undefined);
    await this.tellModule();
  }

  /** Tells a part of the journal to whoever watches. */
  async tellJournal(what: JournalPartName): Promise<void> {
    const { why, rows } = await this.#host.journal(what);
    this.#tell({ type: "journal", what, why, rows: rows.slice(-keepRows) }, undefined);
  }

  /** Asks the module for its state, and tells what the page shows of it. */
  async tellModule(): Promise<void> {
    const state = await this.#host.state();
    const { owner, delay, counters, update } = state as {
      update?: UpdateStatus;
      owner?: Omit<OwnerView, "delay">;
      delay?: OwnerView["delay"];
      counters?: Readonly<Record<string, unknown>>;
    };
    if (owner && delay) this.#tell({ type: "owner", owner: { ...owner, delay } }, "owner");
    if (counters) this.#tell({ type: "counters", counters }, "counters");
    this.#tellUpdate(update);
    this.#tellLine();
  }

  #tellUpdate(status: UpdateStatus | undefined): void {
    if (this.#updates === undefined) return;
    const update = this.#updates.view(status);
    const text = JSON.stringify(update);
    if (text === this.#lastUpdate) return;
    this.#lastUpdate = text;
    this.#tell({ type: "update", update }, "update");
  }

  sample(): void {
    this.#poll();
    const { powerW, currentA, limitA } = this.sgd.state();
    const sample: Sample = { utcMs: Date.now(), powerW, currentA, limitA };
    this.#samples.push(sample);
    if (this.#samples.length > keepSamples) this.#samples.shift();
    this.#tell({ type: "sample", sample }, undefined);
  }

  #tell(message: ToPage, key: string | undefined): void {
    if (key !== undefined) this.#latest.set(key, message);
    this.#options.tell(message);
  }

  #poll(): void {
    // A write from within re-enters; the outer call goes on with what it brought.
    if (this.#polling) return;
    this.#polling = true;
    const now = Math.floor(monotonicMs());
    passBytes(this.#wired, now, (event) => this.#host.onLine(event));
    this.#polling = false;
    this.#tellCharger();
    this.#arm();
  }

  #arm(): void {
    this.#wake.at(nextTurnMs(this.#wired));
  }

  #onModule(event: PlainEvent): void {
    const utcMs = Date.now();
    switch (event.event) {
      case "frame": {
        const frame = this.#views.view(event, utcMs - Math.max(0, Math.round(monotonicMs() - event.atMs)));
        this.#frames.push(frame);
        if (this.#frames.length > keepFrames) this.#frames.shift();
        this.#tell({ type: "frame", frame }, undefined);
        break;
      }
      case "intent": {
        const { intent, source, reason, endsUtcMs } = event;
        this.#intent = { intent, source };
        this.#tell({ type: "intent", intent: { intent, source, reason, endsUtcMs } }, "intent");
        break;
      }
      case "command": {
        const { name, result, verified, text } = event;
        this.#result = `${name}: ${result}`;
        this.#tell({ type: "command", command: { name, result, verified, text, utcMs } }, "command");
        break;
      }
      case "upstream": {
        const { id, state, fault, text } = event;
        this.#upstreams.set(id, state);
        this.#tell({ type: "upstream", upstream: { id, state, fault, text } }, `upstream ${id}`);
        break;
      }
      case "log":
        this.#updates?.onLog(event.text, utcMs);
        this.#tell({ type: "log", utcMs, level: event.level, text: event.text }, undefined);
        break;
      case "sgd": {
        const { link, identity } = event.status;
        this.#link = link;
        if (identity !== undefined)
          this.#appliance = [identity.model, identity.firmware].filter(Boolean).join(" ") || this.#appliance;
        this.#tellLine();
        break;
      }
    }
  }

  #tellLine(): void {
    const line: LineView = {
      bitsPerSecond: this.#bitsPerSecond,
      link: this.#link,
      appliance: this.#appliance,
      seated: this.#moduleEnd.connected,
      collisions: this.#line.collisions,
      flipPerBit: this.#line.noise.flipPerBit,
    };
    const text = JSON.stringify(line);
    if (text === this.#lastLine) return;
    this.#lastLine = text;
    this.#tell({ type: "line", line }, "line");
  }

  /** Tells of the charger on every change that matters, and of gliding figures ten times a second at most. */
  #tellCharger(): void {
    const charger = this.sgd.view();
    const { opState, contactor, plugged, override, limitA, fault } = charger;
    const text = JSON.stringify([opState, contactor, plugged, override, limitA, fault]);
    const now = monotonicMs();
    if (text === this.#lastCharger && now < this.#chargerToldMs + chargerMs) return;
    this.#lastCharger = text;
    this.#chargerToldMs = now;
    this.#tell({ type: "charger", charger }, "charger");
  }
}
