import { ModuleCertificates } from "../../host-sim/net/module-certificates.js";
import { NodeWebSocket, type WebSocketCredentials } from "../../host-sim/net/node-websocket.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { monotonicMs, WakeUp } from "../../host-sim/runtime/clock.js";
import { FileStore } from "../../host-sim/runtime/file-store.js";
import { UcmHost } from "../../host-sim/runtime/ucm-host.js";
import { VirtualLine, type VirtualEnd } from "../../host-sim/line/virtual-line.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import { readConfig } from "../../src/setup/config.js";
import { stoppingCharger } from "./ocpp-bench.js";
import { join } from "node:path";

export interface OcppRigOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly credentials: WebSocketCredentials;
  readonly startsBy?: "charging" | "platform";
  /** More fields of the upstream. */
  readonly upstream?: Readonly<Record<string, unknown>>;
}

/** Module, line and charger in real time in this process, with a real WebSocket to a platform elsewhere. */
export class OcppRig {
  readonly sgd: SgdSimulator;
  readonly line: VirtualLine;
  upstream = { state: "", fault: "" };
  keptPassword: string | undefined;
  private readonly host: UcmHost;
  private readonly websocket: NodeWebSocket;
  private readonly certificates: ModuleCertificates<WebSocketCredentials>;
  private readonly wake = new WakeUp(() => this.poll());
  private readonly chargerEnd: VirtualEnd;
  private readonly moduleEnd: VirtualEnd;
  private polling = false;

  constructor(options: OcppRigOptions) {
    const random = seededRandom(5);
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random });
    this.moduleEnd = this.line.end("module", { muted: true });
    this.chargerEnd = this.line.end("charger", { muted: true });
    this.sgd = new SgdSimulator({
      profile: stoppingCharger(),
      line: this.chargerEnd,
      random,
      emit: () => undefined,
    });
    const config = readConfig({
      upstreams: [
        {
          ...{ id: "platform", protocol: "ocpp16", url: options.url, chargePointId: "CP-1" },
          startsBy: options.startsBy ?? "charging",
          ...options.upstream,
        },
      ],
      polling: { stateSeconds: 5, commoditySeconds: 2 },
    });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    const credentials = new Map([["platform", options.credentials]]);
    this.certificates = new ModuleCertificates({
      ...{ dir: join(options.dataDir, "certificates"), credentials },
      deliver: (event) => this.host.onCertificate(event),
    });
    this.websocket = new NodeWebSocket({
      credentials,
      deliver: (event) => this.host.onWebSocket(event),
      keepPassword: (_, password) => (this.keptPassword = password),
    });
    this.host = new UcmHost({
      engine: nodeEngine(),
      line: {
        write: (bytes) => {
          this.poll();
          this.moduleEnd.write(bytes);
          this.arm();
        },
        setBitRate: (rate) => this.moduleEnd.setBitRate(rate),
      },
      http: { request: () => undefined, abort: () => undefined },
      websocket: this.websocket,
      certificates: this.certificates,
      store: new FileStore(join(options.dataDir, "module.json")),
      config,
      onEvent: (event) => {
        if (event.event === "upstream") this.upstream = event;
      },
      onFailure: (error) => {
        throw error;
      },
    });
  }

  get amperes(): number {
    return this.sgd.state().currentA;
  }

  /** What has gone into the car, watt hours. */
  get energyWh(): number {
    return this.sgd.view().energyWh;
  }

  start(): void {
    this.host.start();
    this.poll();
  }

  async until(what: string, done: () => boolean, limitMs = 200_000): Promise<void> {
    const end = monotonicMs() + limitMs;
    while (!done()) {
      if (monotonicMs() > end) throw new Error(`not within ${String(limitMs)} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    this.wake.stop();
    this.websocket.closeAll();
    await this.host.close();
  }

  private poll(): void {
    if (this.polling) return;
    this.polling = true;
    const now = Math.floor(monotonicMs());
    this.line.poll(now);
    for (let event = this.chargerEnd.take(); event; event = this.chargerEnd.take())
      this.sgd.onByteLine(event, now);
    this.sgd.poll(now);
    for (let event = this.moduleEnd.take(); event; event = this.moduleEnd.take()) this.host.onLine(event);
    this.polling = false;
    this.arm();
  }

  private arm(): void {
    this.wake.at(Math.min(this.line.nextMs(), this.sgd.nextMs()));
  }
}
