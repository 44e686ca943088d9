// A 3.1 VEN in virtual time with a server made of plain objects: what it holds is changed by the test at any moment.
import { seededRandom } from "../../src/base/random.js";
import type { EventVerdict, GridEvent } from "../../src/grid/event.js";
import { OpenAdr3Ven, type OpenAdr3Config } from "../../src/openadr3/ven.js";
import type { HttpFailure, HttpRequest } from "../../src/ports/http.js";
import type { MqttSubscription } from "../../src/ports/mqtt.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";

export const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);
export const BASE = "https://vtn.test/openadr3/3.1.0";
export const SECRET = "a secret & more";

export const online: SgdStatus = {
  link: "online",
  identity: undefined,
  opState: 1,
  opStateAtMs: 0,
  override: false,
  powerW: 7200,
  energyWh: 1000,
  meteredAtMs: 0,
  measured: true,
  ratedW: 7680,
  storageTotalWh: undefined,
  storagePresentWh: undefined,
  load: undefined,
};

export type Body = Readonly<Record<string, unknown>>;
/** An answer of the server; a text is sent as it is. */
export type Answer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | HttpFailure;

export interface Exchanged {
  readonly request: HttpRequest;
  readonly status: number;
  readonly answer: string;
}

export class Bench {
  readonly ven: OpenAdr3Ven;
  readonly exchanges: Exchanged[] = [];
  readonly logs: string[] = [];
  /** What the server holds. */
  events: Body[] = [];
  programs: Body[] = [object("PROGRAM", "p-1", { programName: "tou" })];
  vens: Body[] = [];
  resources: Body[] = [];
  reports: Body[] = [];
  goodToken = "token-1";
  expiresIn: number | undefined = 3600;
  /** Answers instead of the server; undefined = let it answer. */
  instead: (request: HttpRequest, path: string) => Answer | undefined = () => undefined;
  /** What the core holds, as last handed over, and how often it was. */
  held: readonly GridEvent[] = [];
  replaced = 0;
  ms = 1000;
  clockSet = true;
  private ids = 0;
  private readonly revisions = new Map<string, number>();
  private waiting: HttpRequest[] = [];

  /** What the VEN is subscribed to, and for what it looks on the local network. */
  subscribed: MqttSubscription | undefined;
  readonly ended: number[] = [];
  browsing = 0;
  subscriptions: Body[] = [];

  constructor(
    config: Partial<OpenAdr3Config> = {},
    ports: { mqtt?: boolean; mdns?: boolean; seed?: number } = {},
  ) {
    this.ven = new OpenAdr3Ven(
      {
        id: "utility",
        url: BASE,
        venName: "module-1",
        clientId: "client-1",
        clientSecret: SECRET,
        pollSeconds: 60,
        installerW: 7680,
        ratedW: 7680,
        ...config,
      },
      {
        http: {
          request: (request) => void this.waiting.push(request),
          abort: (id) => void (this.waiting = this.waiting.filter((one) => one.id !== id)),
        },
        ...(ports.mqtt === true && {
          mqtt: {
            subscribe: (request) => void (this.subscribed = request),
            end: (id) => {
              this.ended.push(id);
              if (this.subscribed?.id === id) this.subscribed = undefined;
            },
          },
        }),
        ...(ports.mdns === true && {
          mdns: { browse: () => void this.browsing++, stop: () => void this.browsing-- },
        }),
        random: seededRandom(ports.seed ?? 7),
        store: { get: () => undefined, set: () => undefined, delete: () => undefined },
        nextRequestId: () => ++this.ids,
        replaceEvents: (source, events) => this.replace(source, events),
        clockSeen: () => undefined,
        log: (level, text) => void this.logs.push(`${level}: ${text}`),
      },
    );
  }

  get now() {
    return { ms: this.ms, utcMs: this.clockSet ? T0 + this.ms : undefined };
  }

  get utc(): number {
    return T0 + this.ms;
  }

  start(): this {
    this.ven.start(this.now);
    return this.run(1000);
  }

  /** Lets time pass; every request is answered after 10 ms. */
  run(ms: number): this {
    const end = this.ms + ms;
    for (let steps = 0; ; steps++) {
      if (steps > 200_000) throw new Error("the VEN never comes to rest");
      if (this.waiting.length > 0) {
        if (this.ms + 10 > end) break;
        this.ms += 10;
        this.answer(this.waiting.shift()!);
        continue;
      }
      const next = Math.max(this.ms, Math.ceil(this.ven.nextMs()));
      if (next > end) break;
      this.ms = next;
      const before = this.ids;
      this.ven.poll(this.now);
      if (this.ids === before && this.ven.nextMs() <= this.ms && this.waiting.length === 0) this.ms++;
    }
    this.ms = Math.max(this.ms, end);
    return this;
  }

  sgd(status: Partial<SgdStatus>): this {
    this.ven.onSgd({ ...online, meteredAtMs: this.ms, ...status }, this.now);
    return this;
  }

  /** `METHOD path` of every request so far. */
  get asked(): string[] {
    return this.exchanges.map(({ request }) => `${request.method} ${pathOf(request)}`);
  }

  private answer(request: HttpRequest): void {
    const path = pathOf(request);
    const answer = this.instead(request, path) ?? this.serve(request, path);
    const { id } = request;
    if (typeof answer === "string") {
      this.ven.onHttp({ id, ev: "failed", reason: answer, text: "" }, this.now);
      return;
    }
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    this.exchanges.push({ request, status: answer.status, answer: text });
    const headers = Object.entries({ date: new Date(this.utc).toUTCString(), ...answer.headers });
    this.ven.onHttp({ id, ev: "head", status: answer.status, headers }, this.now);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > request.maxBodyBytes) {
      this.ven.onHttp({ id, ev: "failed", reason: "too-large", text: "" }, this.now);
      return;
    }
    for (let i = 0; i < bytes.length; i += 100) {
      this.ven.onHttp({ id, ev: "data", bytes: bytes.subarray(i, i + 100) }, this.now);
    }
    this.ven.onHttp({ id, ev: "end" }, this.now);
  }

  private serve(request: HttpRequest, path: string): Answer {
    const [where = "", query = ""] = path.split("?");
    if (path === "/auth/server") return { status: 200, body: { tokenURL: `${BASE}/auth/token` } };
    if (path === "/auth/token") {
      const form = new URLSearchParams(request.body);
      if (form.get("client_secret") !== SECRET || form.get("client_id") !== "client-1") {
        return { status: 401, body: { error: "invalid_client" } };
      }
      const expires = this.expiresIn === undefined ? {} : { expires_in: this.expiresIn };
      return { status: 200, body: { access_token: this.goodToken, token_type: "Bearer", ...expires } };
    }
    const authorization = request.headers.find(([name]) => name === "authorization")?.[1];
    if (authorization !== undefined && authorization !== `Bearer ${this.goodToken}`) {
      return { status: 401, body: problem(401, "stale token") };
    }
    const [, collection = "", id] = where.split("/");
    const list = {
      events: this.events,
      programs: this.programs,
      vens: this.vens,
      resources: this.resources,
      subscriptions: this.subscriptions,
    }[collection];
    if (request.method === "GET" && list !== undefined) {
      const params = new URLSearchParams(query);
      const skip = Number(params.get("skip") ?? 0);
      const wanted = list.filter((one) =>
        ["programID", "venName", "resourceName", "venID", "clientName"].every(
          (name) => params.get(name) === null || one[name] === params.get(name),
        ),
      );
      return { status: 200, body: wanted.slice(skip, skip + Number(params.get("limit") ?? 50)) };
    }
    if (request.method === "POST" && authorization !== undefined) {
      const said = JSON.parse(request.body!) as Body;
      if (collection === "reports") {
        this.reports.push(said);
        return {
          status: 201,
          body: object("REPORT", `r-${this.reports.length}`, { ...said, clientID: "client-1" }),
        };
      }
      const type = { vens: "VEN", subscriptions: "SUBSCRIPTION" }[collection] ?? "RESOURCE";
      const made = object(type, `${type}-1`, { ...said, objectType: type, clientID: "client-1" });
      list!.push(made);
      return { status: 201, body: made };
    }
    if (request.method === "DELETE") {
      const found = list?.find((one) => one["id"] === id);
      if (found === undefined) return { status: 404, body: problem(404, "not there") };
      list!.splice(list!.indexOf(found), 1);
      return { status: 200, body: found };
    }
    return { status: authorization === undefined ? 401 : 404, body: problem(404, "not here") };
  }

  private replace(source: string, events: readonly GridEvent[]): EventVerdict[] {
    this.replaced++;
    this.held = events;
    for (const id of [...this.revisions.keys()]) {
      if (!events.some((event) => event.id === id)) this.revisions.delete(id);
    }
    return events.map((event) => {
      if (event.source !== source) throw new Error("wrong source");
      const before = this.revisions.get(event.id);
      const verdict =
        before === undefined
          ? "new"
          : event.revision < before
            ? "stale"
            : event.revision === before
              ? "unchanged"
              : "changed";
      if (verdict !== "stale") this.revisions.set(event.id, event.revision);
      return { id: event.id, revision: event.revision, verdict, why: "" };
    });
  }
}

function pathOf(request: HttpRequest): string {
  return request.url.replace(BASE, "");
}

export function problem(status: number, detail: string): Body {
  return { type: "about:blank", title: "Problem", status, detail };
}

export function object(objectType: string, id: string, more: Body = {}): Body {
  const at = new Date(T0).toISOString();
  return { id, createdDateTime: at, modificationDateTime: at, objectType, ...more };
}

/** An event with intervals of `payloads`, each given as type and values. */
export function event(
  id: string,
  more: Body = {},
  payloads: Readonly<Record<string, readonly unknown[]>> = { SIMPLE: [1] },
): Body {
  return object("EVENT", id, {
    programID: "p-1",
    intervalPeriod: { start: new Date(T0 + 60_000).toISOString(), duration: "PT1H" },
    intervals: [{ id: 0, payloads: Object.entries(payloads).map(([type, values]) => ({ type, values })) }],
    ...more,
  });
}

export function at(seconds: number): string {
  return new Date(T0 + seconds * 1000).toISOString();
}
