/**
 * The bench: everything on one computer, each part the real one. The embedded utility (VTN) serves mutual TLS on
 * loopback and the charging platform WSS; each module connects to them as to any other server; module and charger
 * hang on a virtual RS-485 line (station.ts); the page watches and commands (page-server.ts).
 */
import { mkdirSync, readFileSync } from "node:fs";
import type { CaptureSink } from "../capture/record.js";
import { pointView } from "../csms/api.js";
import type { Csms } from "../csms/platform.js";
import { startCsms } from "../csms/server.js";
import type { Engine } from "../runtime/ucm-host.js";
import { ACTIONS, ANSWER_FAULTS, APPLIANCE_FAULTS } from "../sgd/faults.js";
import { LINE_FAULTS } from "../line/fault-names.js";
import { ownerSecret } from "../runtime/setup-files.js";
import { type SetupServer, startSetupServer } from "../net/setup-server.js";
import { startVtn, type Vtn } from "../vtn/server.js";
import type { FaultInfo, FromPage, ScenarioInfo, ToPage, UtilityEvent } from "./messages.js";
import { listScenarios, ScenarioRuns } from "./scenario-runs.js";
import { chargePointId, Station } from "./station.js";
import { startUpdateServer, type UpdateServer } from "./update-server.js";

export interface BenchOptions {
  readonly dataDir: string;
  /** Of each charger's module, in order: as many as there are chargers. */
  readonly engines: readonly Engine[];
  /** Charger profiles; the chargers take them in turn. */
  readonly profiles: readonly string[];
  readonly region: string;
  readonly seed: number;
  readonly pollSeconds: number;
  /** Told how many chargers of all are made. */
  onCharger?(made: number): void;
  /** A folder that `openucm release publish` has made, and the version that a new module runs. */
  readonly update?: { readonly folder: string; readonly version: string };
  /** Takes every frame of the first charger's line. */
  readonly capture?: CaptureSink;
  /** Told what the pages are told: those that watch this charger, or all of them. */
  onMessage(message: ToPage, charger?: number): void;
  /** A module's engine died. */
  onFailure(error: Error): void;
}

const sampleMs = 500;
/** Between two looks at what changes with time, without a message. */
const lookMs = 1000;

/** Every fault that can be played, for the page. */
function listFaults(): readonly FaultInfo[] {
  const group = (table: Readonly<Record<string, string>>, name: FaultInfo["group"]): FaultInfo[] =>
    Object.entries(table).map(([fault, about]) => ({ name: fault, about, group: name }));
  const { none: _, ...once } = ACTIONS;
  return [
    ...group(LINE_FAULTS, "line"),
    ...group(ANSWER_FAULTS, "answer"),
    ...group(APPLIANCE_FAULTS, "charger"),
    ...group(once, "once"),
  ];
}

export class Bench {
  readonly vtn: Vtn;
  readonly csms: Csms;
  readonly stations: readonly Station[];
  readonly #options: BenchOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #runs: ScenarioRuns;
  readonly #faults: readonly FaultInfo[] = listFaults();
  readonly #scenarios: readonly ScenarioInfo[] = listScenarios();
  readonly #calls = new Map<string, string>();
  readonly #platforms = new Map<number, ToPage>();
  /** The modules' own pages, in the order of the chargers. */
  readonly #ownerPages: SetupServer[] = [];
  readonly ownerSecretFile: string;
  #updates: UpdateServer | undefined;
  #events: ToPage = { type: "events", events: [] };
  #chargers: ToPage = { type: "chargers", chargers: [] };

  static async start(options: BenchOptions): Promise<Bench> {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    const vtn = await startVtn({ dataDir: options.dataDir, pollSeconds: options.pollSeconds });
    const csms = await startCsms({ dataDir: options.dataDir });
    const stations: Station[] = [];
    const owner = ownerSecret(options.dataDir, undefined);
    const bench = new Bench(options, vtn, csms, stations, owner.path);
    const pem = (path: string): string => readFileSync(path, "utf8");
    const { update } = options;
    if (update !== undefined) bench.#updates = await startUpdateServer(update.folder, vtn.pki.server);
    const platform = { ca: pem(csms.ca), password: pem(csms.passwordFile).trim() };
    for (const [i, engine] of options.engines.entries()) {
      const n = i + 1;
      // A certificate each: the utility knows a module by it.
      const own =
        n === 1
          ? { cert: pem(vtn.clientCert), key: pem(vtn.clientKey) }
          : await vtn.pki.client(`bench-${n}`).then(({ cert, key }) => ({ cert, key }));
      const station: Station = new Station({
        ...{ n, engine, platform, dataDir: options.dataDir, region: options.region, seed: options.seed },
        ownerSecret: owner.secret,
        profile: options.profiles[i % options.profiles.length]!,
        vtnUrl: vtn.urls.openadr2b,
        csmsUrl: csms.url,
        utility: { ca: pem(vtn.ca), ...own },
        ...(bench.#updates === undefined || update === undefined
          ? {}
          : {
              update: {
                ...{ url: bench.#updates.url, rootText: bench.#updates.rootText },
                ...{ ca: pem(vtn.ca), version: update.version },
              },
            }),
        ...(n === 1 && options.capture !== undefined ? { capture: options.capture } : {}),
        tell: (message) => options.onMessage(message, n),
        onFailure: (error) => options.onFailure(error),
      });
      stations.push(station);
      bench.#ownerPages.push(await startSetupServer(0, (request) => station.page(request)));
      options.onCharger?.(n);
    }
    return bench;
  }

  private constructor(
    options: BenchOptions,
    vtn: Vtn,
    csms: Csms,
    stations: readonly Station[],
    ownerSecretFile: string,
  ) {
    this.ownerSecretFile = ownerSecretFile;
    this.#options = options;
    this.vtn = vtn;
    this.csms = csms;
    this.stations = stations;
    this.#runs = new ScenarioRuns((message) => options.onMessage(message));
    csms.core.onRecord(({ id }, { from, action }) => {
      this.#calls.set(id, `${from === "charger" ? "from" : "to"} the charger: ${action}`);
    });
  }

  /** Starts the cars charging, the chargers and the modules. */
  run(): void {
    for (const station of this.stations) station.run();
    this.#timers.push(
      setInterval(() => {
        for (const station of this.stations) station.sample();
        this.#tellChargers();
      }, sampleMs),
      setInterval(() => {
        this.#tellEvents();
        for (const station of this.stations) {
          this.#tellPlatform(station.n);
          void station.tellModule();
        }
      }, lookMs),
    );
    this.#tellEvents();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#runs.close();
    await Promise.all(this.#ownerPages.map((page) => page.close()));
    await Promise.all(this.stations.map((station) => station.close()));
    await this.#updates?.close();
    await this.csms.close();
    await this.vtn.close();
  }

  /** What a page must be told that begins to watch a charger. */
  greeting(version: string, charger: number): readonly ToPage[] {
    const station = this.#station(charger);
    const platform = this.#platforms.get(station.n);
    return [
      {
        type: "hello",
        version,
        runtime: this.#options.engines[station.n - 1]!.name,
        region: this.#options.region,
        seed: this.#options.seed,
        vtnUrl: this.vtn.urls.openadr2b,
        chargers: this.stations.length,
        charger: station.n,
        ownerUrl: this.#ownerPages[station.n - 1]!.url,
        ownerSecretFile: this.ownerSecretFile,
        faults: this.#faults,
        scenarios: this.#scenarios,
        samples: station.samples,
        frames: station.frames,
      },
      this.#chargers,
      this.#events,
      ...(platform === undefined ? [] : [platform]),
      ...station.latest,
      ...(this.#runs.run === undefined ? [] : [{ type: "scenario", run: this.#runs.run } as const]),
    ];
  }

  #station(charger: number): Station {
    return this.stations[charger - 1] ?? this.stations[0]!;
  }

  /** Carries out what a page asks for that watches `charger`. Answers a refusal in words, a file, or undefined. */
  command(message: FromPage, charger = 1): string | ToPage | undefined {
    const point = chargePointId(charger);
    switch (message.do) {
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
        void (message.down ? this.vtn.misbehave("http-500") : this.vtn.behave("http-500"));
        return undefined;
      case "limit":
        this.#order(charger, this.csms.setLimit({ limit: message.limit, unit: message.unit }, point));
        return undefined;
      case "clear-limit":
        this.#order(charger, this.csms.clearLimits(undefined, point));
        return undefined;
      case "remote-start": {
        const payload = { connectorId: 1, idTag: message.idTag };
        this.#order(charger, this.csms.ask({ action: "RemoteStartTransaction", payload }, point));
        return undefined;
      }
      case "remote-stop": {
        const transactionId = this.csms.core.point(point).running?.id;
        if (transactionId === undefined) return "no transaction runs";
        const order = { action: "RemoteStopTransaction", payload: { transactionId } };
        this.#order(charger, this.csms.ask(order, point));
        return undefined;
      }
      case "scenario": {
        const { name, text, realTime, seed } = message;
        if (text === undefined && !this.#scenarios.some((one) => one.name === name))
          return `there is no scenario "${name}"`;
        return this.#runs.start({ name, text, realTime, seed });
      }
      case "scenario-stop":
        this.#runs.stop();
        return undefined;
      case "scenario-file":
        return this.#runs.file(message.what) ?? "no scenario has ended yet";
      default:
        return this.#station(charger).command(message);
    }
  }

  /** An order of the platform; what comes of it is told when the charge point has answered. */
  #order(charger: number, answer: Promise<Readonly<Record<string, unknown>>>): void {
    const refused = (text: string): void => this.#options.onMessage({ type: "refused", text }, charger);
    answer.then(
      ({ status }) => {
        if (status !== "Accepted") refused(`the charge point answers ${String(status)}`);
        this.#tellPlatform(charger);
      },
      (error: unknown) => refused(`the charging platform: ${(error as Error).message}`),
    );
  }

  #tellPlatform(n: number): void {
    const { id, boot: _, transactions: __, ...view } = pointView(this.csms.core.point(chargePointId(n)));
    const message: ToPage = { type: "platform", platform: { ...view, last: this.#calls.get(id) ?? "" } };
    if (JSON.stringify(message) === JSON.stringify(this.#platforms.get(n))) return;
    this.#platforms.set(n, message);
    this.#options.onMessage(message, n);
  }

  #tellChargers(): void {
    const message: ToPage = { type: "chargers", chargers: this.stations.map((one) => one.summary()) };
    if (JSON.stringify(message) === JSON.stringify(this.#chargers)) return;
    this.#chargers = message;
    this.#options.onMessage(message);
  }

  #refusal(result: object): string | undefined {
    this.#tellEvents();
    return "error" in result ? String(result.error) : undefined;
  }

  #tellEvents(): void {
    const events: readonly UtilityEvent[] = this.vtn.listEvents();
    const message: ToPage = { type: "events", events };
    if (JSON.stringify(message) === JSON.stringify(this.#events)) return;
    this.#events = message;
    this.#options.onMessage(message);
  }
}
