/**
 * The bench: everything on one computer, each part the real one. The embedded utility (VTN) serves mutual TLS on
 * loopback; the module connects to it as to any other server; module and charger hang on a virtual RS-485 line
 * that takes real time at 19,200 baud; the page watches and commands (host-sim/bench/page-server.ts).
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.js";
import type { PlainEvent } from "../../src/runtime.js";
import { readConfig } from "../../src/setup/config.js";
import { captureVirtualLine } from "../capture/line-capture.js";
import type { CaptureSink } from "../capture/record.js";
import { pointView } from "../csms/api.js";
import type { Csms } from "../csms/platform.js";
import { startCsms } from "../csms/server.js";
import { VirtualLine } from "../line/virtual-line.js";
import { NodeHttp } from "../net/node-http.js";
import { NodeWebSocket } from "../net/node-websocket.js";
import { monotonicMs, WakeUp } from "../runtime/clock.js";
import { FileFlash, flashFileName } from "../runtime/file-flash.js";
import { FileStore } from "../runtime/file-store.js";
import { UcmHost, type Engine } from "../runtime/ucm-host.js";
import { loadProfile } from "../sgd/profile.js";
import { SgdSimulator } from "../sgd/simulator.js";
import { startVtn, type Vtn } from "../vtn/server.js";
import { FrameViews } from "./frame-views.js";
import type { ChargerView, FrameView, FromPage, Sample, ToPage, UtilityEvent } from "./messages.js";

export interface BenchOptions {
  readonly dataDir: string;
  readonly engine: Engine;
  readonly profile: string;
  readonly pollSeconds: number;
  /** Takes every frame of the line. */
  readonly capture?: CaptureSink;
  /** Told everything that the page is told. */
  onMessage(message: ToPage): void;
  /** The module's engine died. */
  onFailure(error: Error): void;
}

const keepFrames = 500;
const keepSamples = 1200;
const sampleMs = 500;
const chargerMs = 100;
/** Between two looks at the event list: its states change with time, without a message. */
const eventsMs = 1000;

export class Bench {
  readonly vtn: Vtn;
  readonly csms: Csms;
  readonly #options: BenchOptions;
  readonly #line: VirtualLine;
  readonly #chargerEnd;
  readonly #moduleEnd;
  readonly #sgd: SgdSimulator;
  readonly #host: UcmHost;
  readonly #http: NodeHttp;
  readonly #websocket: NodeWebSocket;
  #lastPlatform = "";
  #lastCall = "";
  readonly #wake = new WakeUp(() => this.#poll());
  readonly #timers: NodeJS.Timeout[] = [];
  #polling = false;
  readonly #views = new FrameViews();
  #lastCharger = "";
  #chargerToldMs = 0;
  #lastEvents = "";
  readonly #frames: FrameView[] = [];
  readonly #samples: Sample[] = [];
  /** The last message of each kind that a page that comes later must be told. */
  readonly #latest = new Map<string, ToPage>();

  static async start(options: BenchOptions): Promise<Bench> {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    const vtn = await startVtn({ dataDir: options.dataDir, pollSeconds: options.pollSeconds });
    const csms = await startCsms({ dataDir: options.dataDir });
    return new Bench(options, vtn, csms);
  }

  private constructor(options: BenchOptions, vtn: Vtn, csms: Csms) {
    this.#options = options;
    this.vtn = vtn;
    this.csms = csms;
    const random = seededRandom(Date.now() & 0x7fffffff);
    this.#line = new VirtualLine({ bitsPerSecond: 19_200, random });
    if (options.capture !== undefined) {
      captureVirtualLine(this.#line, options.capture, (atMs) => Date.now() - (monotonicMs() - atMs));
    }
    this.#moduleEnd = this.#line.end("module", { muted: true });
    this.#chargerEnd = this.#line.end("charger", { muted: true });
    this.#sgd = new SgdSimulator({
      profile: loadProfile(options.profile),
      line: this.#chargerEnd,
      random,
      emit: () => undefined,
    });
    const config = readConfig({
      upstreams: [
        { id: "utility", protocol: "openadr2b", url: vtn.urls.openadr2b, venName: "bench module" },
        // A limit of 0 may open the contactor: the charger clamps power level 0 up to 6 A.
        { id: "platform", protocol: "ocpp16", url: csms.url, chargePointId: "BENCH-1", emergency: true },
      ],
      polling: { stateSeconds: 10, commoditySeconds: 3 },
    });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    const pem = (path: string): string => readFileSync(path, "utf8");
    this.#http = new NodeHttp({
      credentials: new Map([
        ["utility", { ca: pem(vtn.ca), cert: pem(vtn.clientCert), key: pem(vtn.clientKey) }],
      ]),
      deliver: (event) => this.#host.onHttp(event),
    });
    this.#websocket = new NodeWebSocket({
      credentials: new Map([["platform", { ca: pem(csms.ca), password: pem(csms.passwordFile).trim() }]]),
      deliver: (event) => this.#host.onWebSocket(event),
    });
    csms.core.onRecord((_, { from, action }) => {
      this.#lastCall = `${from === "charger" ? "from" : "to"} the charger: ${action}`;
    });
    this.#host = new UcmHost({
      engine: options.engine,
      ...(options.engine.holdsFlash
        ? { flash: FileFlash.open(join(options.dataDir, `bench-${flashFileName}`)) }
        : {}),
      line: {
        write: (bytes) => {
          this.#poll();
          this.#moduleEnd.write(bytes);
          this.#arm();
        },
        setBitRate: (rate) => this.#moduleEnd.setBitRate(rate),
      },
      http: this.#http,
      websocket: this.#websocket,
      store: new FileStore(join(options.dataDir, "bench-module.json")),
      config,
      onEvent: (event) => this.#onModule(event),
      onFailure: (error) => options.onFailure(error),
    });
  }

  /** Starts the car charging, the charger and the module. */
  run(): void {
    this.#sgd.plug();
    this.#host.start();
    this.#poll();
    this.#timers.push(
      setInterval(() => this.#sample(), sampleMs),
      setInterval(() => this.#tellEvents(), eventsMs),
      setInterval(() => this.#tellPlatform(), eventsMs),
      setInterval(() => void this.#tellCounters(), 5000),
    );
    this.#tellEvents();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#wake.stop();
    await this.#host.close();
    this.#http.close();
    this.#websocket.closeAll();
    await this.csms.close();
    await this.vtn.close();
  }

  /** What a page that has just connected must be told. */
  greeting(version: string): readonly ToPage[] {
    return [
      {
        type: "hello",
        version,
        runtime: this.#options.engine.name,
        vtnUrl: this.vtn.urls.openadr2b,
        samples: this.#samples,
        frames: this.#frames,
      },
      ...this.#latest.values(),
    ];
  }

  /** Carries out what the page asks for. Answers a refusal in words, or undefined. */
  command(message: FromPage): string | undefined {
    switch (message.do) {
      case "plug":
        this.#sgd.plug();
        break;
      case "unplug":
        this.#sgd.unplug();
        break;
      case "override":
        this.#sgd.override(message.on);
        break;
      case "event":
        return this.#refusal(
          this.vtn.createEvent({
            signal: "SIMPLE",
            level: message.level,
            startInSeconds: message.startInSeconds,
            durationSeconds: message.durationSeconds,
          }),
        );
      case "change":
        return this.#refusal(
          this.vtn.modifyEvent(message.id, {
            level: message.level,
            durationSeconds: message.durationSeconds,
          }),
        );
      case "cancel":
        return this.#refusal(this.vtn.cancelEvent(message.id));
      case "vtn":
        if (message.down) this.vtn.misbehave("http-500");
        else this.vtn.behave("http-500");
        break;
      case "limit":
        this.#order(this.csms.setLimit({ limit: message.limit, unit: message.unit }));
        break;
      case "clear-limit":
        this.#order(this.csms.clearLimits());
        break;
      case "remote-start": {
        const payload = { connectorId: 1, idTag: message.idTag };
        this.#order(this.csms.ask({ action: "RemoteStartTransaction", payload }));
        break;
      }
      case "remote-stop": {
        const transactionId = this.csms.core.point("BENCH-1").running?.id;
        if (transactionId === undefined) return "no transaction runs";
        this.#order(this.csms.ask({ action: "RemoteStopTransaction", payload: { transactionId } }));
        break;
      }
      default:
        return "the bench does not know that command";
    }
    this.#poll();
    return undefined;
  }

  /** An order of the platform; what comes of it is told when the charge point has answered. */
  #order(answer: Promise<Readonly<Record<string, unknown>>>): void {
    const refused = (text: string): void => this.#tell({ type: "refused", text }, undefined);
    answer.then(
      ({ status }) => {
        if (status !== "Accepted") refused(`the charge point answers ${String(status)}`);
        this.#tellPlatform();
      },
      (error: unknown) => refused(`the charging platform: ${(error as Error).message}`),
    );
  }

  #tellPlatform(): void {
    const { id: _, boot: __, transactions: ___, ...view } = pointView(this.csms.core.point("BENCH-1"));
    const platform = { ...view, last: this.#lastCall };
    const text = JSON.stringify(platform);
    if (text === this.#lastPlatform) return;
    this.#lastPlatform = text;
    this.#tell({ type: "platform", platform }, "platform");
  }

  #refusal(result: object): string | undefined {
    this.#tellEvents();
    return "error" in result ? String(result.error) : undefined;
  }

  #tell(message: ToPage, key: string | undefined): void {
    if (key !== undefined) this.#latest.set(key, message);
    this.#options.onMessage(message);
  }

  #poll(): void {
    // A write from within re-enters; the outer call goes on with what it brought.
    if (this.#polling) return;
    this.#polling = true;
    const now = Math.floor(monotonicMs());
    this.#line.poll(now);
    for (let event = this.#chargerEnd.take(); event; event = this.#chargerEnd.take())
      this.#sgd.onByteLine(event, now);
    this.#sgd.poll(now);
    for (let event = this.#moduleEnd.take(); event; event = this.#moduleEnd.take()) this.#host.onLine(event);
    this.#polling = false;
    this.#tellCharger();
    this.#arm();
  }

  #arm(): void {
    this.#wake.at(Math.min(this.#line.nextMs(), this.#sgd.nextMs()));
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
      case "intent":
        this.#tell(
          {
            type: "intent",
            intent: {
              intent: event.intent,
              source: event.source,
              reason: event.reason,
              endsUtcMs: event.endsUtcMs,
            },
          },
          "intent",
        );
        break;
      case "command":
        this.#tell(
          {
            type: "command",
            command: {
              name: event.name,
              result: event.result,
              verified: event.verified,
              text: event.text,
              utcMs,
            },
          },
          "command",
        );
        break;
      case "upstream":
        this.#tell(
          {
            type: "upstream",
            upstream: { id: event.id, state: event.state, fault: event.fault, text: event.text },
          },
          `upstream ${event.id}`,
        );
        break;
      case "log":
        this.#tell({ type: "log", utcMs, level: event.level, text: event.text }, undefined);
        break;
      case "sgd":
        break;
    }
  }

  #view(): ChargerView {
    return this.#sgd.view();
  }

  /** Tells of the charger on every change that matters, and of gliding figures ten times a second at most. */
  #tellCharger(): void {
    const charger = this.#view();
    const { opState, contactor, plugged, override, limitA, fault } = charger;
    const text = JSON.stringify([opState, contactor, plugged, override, limitA, fault]);
    const now = monotonicMs();
    if (text === this.#lastCharger && now < this.#chargerToldMs + chargerMs) return;
    this.#lastCharger = text;
    this.#chargerToldMs = now;
    this.#tell({ type: "charger", charger }, "charger");
  }

  #sample(): void {
    this.#poll();
    const { powerW, currentA, limitA } = this.#view();
    const sample: Sample = { utcMs: Date.now(), powerW, currentA, limitA };
    this.#samples.push(sample);
    if (this.#samples.length > keepSamples) this.#samples.shift();
    this.#tell({ type: "sample", sample }, undefined);
  }

  #tellEvents(): void {
    const events: readonly UtilityEvent[] = this.vtn.listEvents();
    const text = JSON.stringify(events);
    if (text === this.#lastEvents) return;
    this.#lastEvents = text;
    this.#tell({ type: "events", events }, "events");
  }

  async #tellCounters(): Promise<void> {
    const state = (await this.#host.state()) as { counters?: Readonly<Record<string, number>> };
    if (state.counters) this.#tell({ type: "counters", counters: state.counters }, "counters");
  }
}
