import type { WebSocketEvent } from "../../src/ports/websocket.js";
import type { WebSocketCall } from "../../src/runtime.js";
import { NEVER } from "../../src/ports/time.js";
import { CsmsCore, type CsmsPoint, CsmsRefusal, type CsmsRules } from "./core.js";
import type { Order } from "./requests.js";
import { schemaFault } from "./schemas.js";

type Json = Readonly<Record<string, unknown>>;

export interface VirtualCsmsOptions extends CsmsRules {
  /** Time from a message to its arrival, ms. */
  readonly delayMs?: number;
}

/** How a connection fares; replaced by tests of outages. */
export type Door = "open" | "refused" | "http-401" | "no-subprotocol" | "silent";

interface Due {
  readonly atMs: number;
  /** Of a connection that is gone nothing arrives. */
  readonly connection: number;
  /** A text of the charger that is on its way. */
  readonly toPlatform?: boolean;
  readonly act: () => WebSocketEvent | undefined;
}

/**
 * The platform in virtual time: the other end of the module's WebSocket, without sockets. Messages in both
 * directions must fit the official schemas, else the bench has a fault (`faults`).
 */
export class VirtualCsms {
  readonly core: CsmsCore;
  door: Door = "open";
  /** Messages that did not fit the schemas. */
  readonly faults: string[] = [];
  /** Every text that crossed, for tests. */
  readonly wire: { readonly atMs: number; readonly from: "charger" | "platform"; readonly text: string }[] =
    [];
  /** Messages of the charger are lost before, or answers after, the platform has handled them. */
  lose: "nothing" | "requests" | "answers" = "nothing";
  /** The password that the module was told to use. */
  password: string | undefined;
  closes: { readonly code: number; readonly reason: string }[] = [];
  keepWire = true;
  private due: Due[] = [];
  private connection = 0;
  private identity = "";
  private callNumber = 0;
  private readonly pending = new Map<
    string,
    { readonly order: Order; readonly done: (answer: Json) => void }
  >();
  private nowMs = 0;

  constructor(
    private readonly utc: () => number,
    private readonly options: VirtualCsmsOptions = {},
  ) {
    this.core = new CsmsCore(options);
  }

  /** The one charge point of the bench. */
  get point(): CsmsPoint {
    return this.core.point(this.identity);
  }

  get isConnected(): boolean {
    return this.connection !== 0 && this.point.online;
  }

  nextMs(): number {
    return this.due.reduce((next, one) => Math.min(next, one.atMs), NEVER);
  }

  /** A call of the module's port. */
  carryOut(call: WebSocketCall, nowMs: number): void {
    this.nowMs = nowMs;
    switch (call.do) {
      case "open": {
        const { id, url } = call.request;
        this.connection = id;
        this.identity = decodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
        const { door } = this;
        if (door === "silent") break;
        this.later(() => {
          if (door === "refused" || door === "http-401") {
            this.connection = 0;
            return { id, ev: "failed", reason: door, text: "" };
          }
          this.point.online = true;
          return { id, ev: "open", subprotocol: door === "no-subprotocol" ? "" : "ocpp1.6" };
        });
        break;
      }
      case "send":
        if (call.id === this.connection) this.fromCharger(call.text);
        break;
      case "close":
        this.closes.push({ code: call.code, reason: call.reason });
        if (call.id === this.connection) {
          this.arrive();
          this.gone();
        }
        break;
      case "password":
        this.password = call.password;
        break;
      case "keep-alive":
        break;
    }
  }

  /** What has become due for the module. */
  take(nowMs: number): WebSocketEvent[] {
    this.nowMs = nowMs;
    const events: WebSocketEvent[] = [];
    for (;;) {
      const at = this.due.findIndex((one) => one.atMs <= nowMs);
      if (at < 0) return events;
      const [one] = this.due.splice(at, 1);
      if (one!.connection !== this.connection) continue;
      const event = one!.act();
      if (event !== undefined) events.push(event);
    }
  }

  /** The platform ends the connection, or the network does (1006). */
  cut(code = 1006, reason = ""): void {
    const id = this.connection;
    if (id === 0) return;
    this.gone();
    // Told to the module though the connection is gone.
    this.due.push({ atMs: this.nowMs, connection: 0, act: () => ({ id, ev: "closed", code, reason }) });
  }

  /** The module lost its power: nothing of its connection goes on. */
  forget(): void {
    this.gone();
    this.due = [];
  }

  /** Asks the charge point; the answer comes with time. A CALLERROR is answered as `{"error"}`. */
  ask({ action, payload }: Order, done: (answer: Json) => void = () => undefined): void {
    const wrong = schemaFault(action, "req", payload);
    if (wrong !== "") this.faults.push(wrong);
    const id = `p${String(++this.callNumber)}`;
    this.pending.set(id, { order: { action, payload }, done });
    this.sendText(JSON.stringify([2, id, action, payload]));
  }

  /** Sends any text, right or wrong. */
  sendText(text: string): void {
    this.note("platform", text);
    const id = this.connection;
    this.later(() => (id === 0 ? undefined : { id, ev: "text", text }));
  }

  private fromCharger(text: string): void {
    this.note("charger", text);
    if (this.lose === "requests") return;
    this.later(() => this.handle(text), true);
  }

  /** A close in good order comes behind everything that was said before it: TCP keeps the order. */
  private arrive(): void {
    const said = this.due.filter((one) => one.toPlatform === true && one.connection === this.connection);
    this.due = this.due.filter((one) => !said.includes(one));
    for (const one of said) one.act();
  }

  private handle(text: string): undefined {
    const [type, id, third, fourth] = JSON.parse(text) as [number, string, never, Json];
    if (type === 2) this.called(id, third, fourth);
    else {
      const waiting = this.pending.get(id);
      if (waiting === undefined) return undefined;
      this.pending.delete(id);
      const { action } = waiting.order;
      if (type === 3) {
        const wrong = schemaFault(action, "conf", third);
        if (wrong !== "") this.faults.push(wrong);
      }
      waiting.done(type === 3 ? (third as Json) : { error: third, text: fourth });
    }
    return undefined;
  }

  private called(id: string, action: string, payload: Json): void {
    const wrong = schemaFault(action, "req", payload);
    if (wrong !== "") this.faults.push(wrong);
    let answer: string;
    try {
      const made = this.core.receive(this.identity, action, payload, this.utc());
      const bad = schemaFault(action, "conf", made);
      if (bad !== "") this.faults.push(bad);
      answer = JSON.stringify([3, id, made]);
    } catch (error) {
      if (!(error instanceof CsmsRefusal)) throw error;
      answer = JSON.stringify([4, id, "InternalError", error.message, {}]);
    }
    if (this.lose !== "answers") this.sendText(answer);
  }

  private later(act: () => WebSocketEvent | undefined, toPlatform = false): void {
    const atMs = this.nowMs + (this.options.delayMs ?? 20);
    this.due.push({ atMs, connection: this.connection, toPlatform, act });
  }

  private gone(): void {
    if (this.identity !== "") this.point.online = false;
    this.connection = 0;
    this.pending.clear();
  }

  private note(from: "charger" | "platform", text: string): void {
    if (this.keepWire) this.wire.push({ atMs: this.nowMs, from, text });
  }
}
