import { CsmsCore, CsmsRefusal } from "../../host-sim/csms/core.js";
import { schemaFault } from "../../host-sim/csms/schemas.js";
import { seededRandom } from "../../src/base/random.js";
import { eventFault } from "../../src/grid/check.js";
import type { GridEvent } from "../../src/grid/event.js";
import { gridSettings } from "../../src/grid/settings.js";
import { Ocpp16, type Ocpp16Config } from "../../src/ocpp16/ocpp16.js";
import type { Services } from "../../src/ocpp16/services.js";
import type { HttpRequest } from "../../src/ports/http.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import type { Now } from "../../src/ports/time.js";
import type { WebSocketPort, WebSocketRequest } from "../../src/ports/websocket.js";

type Json = Readonly<Record<string, unknown>>;

export const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);

export const idle: SgdStatus = {
  link: "online",
  identity: {
    ...{ deviceType: 0x1102, vendorId: 1, revision: 1, capabilities: 0, version: "B" },
    ...{ model: "Garage 32", serial: "S-1", firmware: "1.0" },
  },
  opState: 0,
  opStateAtMs: 0,
  override: false,
  powerW: 0,
  energyWh: 5000,
  meteredAtMs: 0,
  measured: true,
  ratedW: 7680,
  storageTotalWh: undefined,
  storagePresentWh: undefined,
  load: undefined,
};

/** Thrown by the store in place of a power cut. */
export class PowerCut extends Error {}

/**
 * A charge point alone in virtual time, with a platform at the other end of its wire that answers at once. Every
 * message that it sends is judged by the official schemas.
 */
export class Harness {
  point!: Ocpp16;
  readonly store: Map<string, string>;
  readonly core: CsmsCore;
  readonly faults: string[] = [];
  readonly logs: string[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  /** Texts that the charge point sent. */
  readonly sent: string[] = [];
  /** Uploads of logs. */
  readonly puts: HttpRequest[] = [];
  /** What the grid core would hold. */
  events: readonly GridEvent[] = [];
  request: WebSocketRequest | undefined;
  password: string | undefined;
  ms = 1000;
  clockSet = true;
  /** The platform answers at once. */
  answers = true;
  /** Network: a connection that is asked for comes about. */
  reachable = true;
  /** Stops the world before so many more writes to the store. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** Stops the world at a message of the charge point after so many more: before the platform has it, or just after. */
  sendsLeft = Number.POSITIVE_INFINITY;
  cutsBefore = false;
  status: SgdStatus = idle;
  private id = 0;
  private nextId = 100;
  private seed: number;
  private queue: string[] = [];

  constructor(
    readonly config: Partial<Ocpp16Config> = {},
    readonly services: Services = {},
    private readonly world: {
      readonly store?: Map<string, string>;
      readonly core?: CsmsCore;
      readonly seed?: number;
      /** Another WebSocket than the harness's own; what it hears goes to `hear`, answers come by `answersDue`. */
      readonly websocket?: () => WebSocketPort;
    } = {},
  ) {
    this.store = world.store ?? new Map<string, string>();
    this.seed = world.seed ?? 3;
    this.core = world.core ?? new CsmsCore({ heartbeatSeconds: 3600 });
    this.boot();
  }

  get now(): Now {
    return { ms: this.ms, utcMs: this.clockSet ? T0 + this.ms : undefined };
  }

  get csms() {
    return this.core.point("CP-1");
  }

  /** Power comes: a new charge point on the old store. */
  boot(): this {
    this.id = 0;
    this.queue = [];
    const write = (): void => {
      if (this.writesLeft-- <= 0) throw new PowerCut();
    };
    this.point = new Ocpp16(
      {
        ...{ id: "platform", url: "wss://csms.test/ocpp", chargePointId: "CP-1" },
        ...{ installerMaxA: 32, phases: 1, voltage: 240 },
        ...this.config,
      },
      {
        http: { request: (request) => void this.puts.push(request), abort: () => undefined },
        random: seededRandom(this.seed++),
        store: {
          get: (key) => this.store.get(key),
          set: (key, value) => {
            write();
            this.store.set(key, value);
          },
          delete: (key) => {
            write();
            this.store.delete(key);
          },
        },
        nextRequestId: () => ++this.nextId,
        replaceEvents: (_, events) => this.replace(events),
        clockSeen: () => undefined,
        log: (level, text) => this.logs.push(`${level}: ${text}`),
        websocket: this.world.websocket === undefined ? this.ownSocket() : lazily(this.world.websocket),
      },
      this.services,
    );
    return this;
  }

  private ownSocket(): WebSocketPort {
    return {
      open: (request) => {
        this.request = request;
        this.id = request.id;
      },
      send: (id, text) => {
        if (id === this.id) this.take(text);
      },
      close: (id, code, reason) => {
        this.closes.push({ code, reason });
        if (id === this.id) this.id = 0;
      },
      keepAlive: () => undefined,
      setPassword: (_, password) => (this.password = password),
    };
  }

  /** A text of the charge point, where it came by another WebSocket. */
  hear(text: string): void {
    this.take(text);
  }

  /** What the platform has to say, where it goes by another WebSocket. */
  answersDue(): string[] {
    return this.queue.splice(0);
  }

  start(): this {
    this.point.start(this.now);
    this.tell({});
    return this.settle();
  }

  /** The charger shows something else. */
  tell(change: Partial<SgdStatus>): this {
    this.status = { ...this.status, ...change, meteredAtMs: this.ms };
    this.point.onSgd(this.status, this.now);
    return this.settle();
  }

  /** Lets the wire and the charge point come to rest. */
  settle(): this {
    for (let i = 0; i < 1000; i++) {
      if (this.request !== undefined && this.id === this.request.id && this.reachable) {
        const { id } = this.request;
        this.request = undefined;
        this.point.onWebSocket({ id, ev: "open", subprotocol: "ocpp1.6" }, this.now);
        continue;
      }
      const text = this.queue.shift();
      if (text === undefined) return this;
      this.deliver(text);
    }
    throw new Error("the charge point does not come to rest");
  }

  /** A text of the platform arrives. */
  deliver(text: string): this {
    if (this.id !== 0) this.point.onWebSocket({ id: this.id, ev: "text", text }, this.now);
    return this;
  }

  /** Moves time on, waking the charge point when it wants to be. */
  advance(ms: number): this {
    const end = this.ms + ms;
    for (let steps = 0; ; steps++) {
      const next = Math.max(this.ms, Math.ceil(this.point.nextMs()));
      if (next > end) break;
      if (steps > 200_000) throw new Error(`it wants to be called at ${String(next)} again and again`);
      this.ms = next === this.ms && steps > 0 ? Math.min(end, this.ms + 1) : next;
      this.point.poll(this.now);
      this.settle();
      if (this.ms >= end) break;
    }
    this.ms = end;
    this.point.poll(this.now);
    return this.settle();
  }

  /** The connection is lost. */
  cut(code = 1006): this {
    const { id } = this;
    this.id = 0;
    this.queue = [];
    if (id !== 0) this.point.onWebSocket({ id, ev: "closed", code, reason: "" }, this.now);
    return this;
  }

  get isConnected(): boolean {
    return this.id !== 0 && this.request === undefined;
  }

  private asked = 0;

  /** Asks the charge point, and gives its answer; `{error}` for a CALLERROR. */
  ask(action: string, payload: Json = {}): Json {
    const wrong = schemaFault(action, "req", payload);
    if (wrong !== "") this.faults.push(wrong);
    const id = `p${String(++this.asked)}`;
    const from = this.sent.length;
    this.deliver(JSON.stringify([2, id, action, payload]));
    const answer = this.sent.slice(from).find((text) => (JSON.parse(text) as unknown[])[1] === id);
    if (answer === undefined) throw new Error(`no answer to ${action}`);
    const [type, , third] = JSON.parse(answer) as [number, string, Json];
    if (type === 4) return { error: third };
    const bad = schemaFault(action, "conf", third);
    if (bad !== "") this.faults.push(bad);
    this.settle();
    return third;
  }

  /** Amperes that the events ask for now; undefined where nothing is limited. */
  get limit(): number | undefined {
    const ask = this.events[0]?.intervals.find((one) => one.offsetMs === 0)?.ask;
    return ask?.ask === "limit" ? ask.value : undefined;
  }

  private take(text: string): void {
    this.sent.push(text);
    const isLast = this.sendsLeft-- <= 0;
    if (isLast && this.cutsBefore) throw new PowerCut();
    const [type, id, action, payload] = JSON.parse(text) as [number, string, string, Json];
    if (type !== 2) return;
    const wrong = schemaFault(action, "req", payload);
    if (wrong !== "") this.faults.push(wrong);
    if (!this.answers) return;
    try {
      const made = this.core.receive("CP-1", action, payload, T0 + this.ms);
      if (isLast) throw new PowerCut();
      this.queue.push(JSON.stringify([3, id, made]));
    } catch (error) {
      if (!(error instanceof CsmsRefusal)) throw error;
      if (isLast) throw new PowerCut();
      this.queue.push(JSON.stringify([4, id, "InternalError", "", {}]));
    }
  }

  private replace(events: readonly GridEvent[]) {
    this.events = events;
    return events.map((event) => {
      const why = eventFault(event, gridSettings());
      if (why !== "") this.faults.push(`event: ${why}`);
      return { id: event.id, revision: event.revision, verdict: "new" as const, why: "" };
    });
  }
}

/** A port that is made after the harness. */
function lazily(port: () => WebSocketPort): WebSocketPort {
  return {
    open: (request) => port().open(request),
    send: (id, text) => port().send(id, text),
    close: (id, code, reason) => port().close(id, code, reason),
    keepAlive: (id, pingMs) => port().keepAlive(id, pingMs),
    setPassword: (credentials, password) => port().setPassword(credentials, password),
  };
}
