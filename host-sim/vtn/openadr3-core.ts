/**
 * The OpenADR 3.1 half of the VTN without its server: a request and the time in, an answer out. Events that the
 * API of the bench makes (`event-store.ts`) stand beside those that a business-logic client posts here.
 */
import { type VtnEvent, isFieldError } from "./event.js";
import { type MisbehaviourSet, spoilJson } from "./misbehaviour.js";
import { Auth3, AuthRefusal, type Caller, type Client3 } from "./openadr3-auth.js";
import { checkRequest } from "./openadr3-check.js";
import { dateTime3, speaks31, transpired } from "./openadr3-event.js";
import { type Notification3, notification, topicsOf } from "./openadr3-notify.js";
import {
  COLLECTIONS,
  type Collection,
  type JsonObject,
  type Operation,
  Problem,
  type Stored,
  strings,
} from "./openadr3-types.js";
import { Store3, reportReceived } from "./openadr3-store.js";
import type { VtnState } from "./state.js";

export interface Vtn3Options {
  readonly clients?: readonly Client3[];
  /** Life of a token. */
  readonly tokenSeconds?: number;
  /** Whether programs and events may be read without a token, as from a public tariff server. */
  readonly anonymousRead?: boolean;
  /** How a client logs in to the MQTT broker: nobody asks, or its client id and a bearer token. */
  readonly mqttLogin?: "anonymous" | "token";
  /** What an event asks for that names no reports. */
  readonly reportDescriptors?: readonly JsonObject[];
}

export interface Request3 {
  readonly method: string;
  /** Below the base URL, with the query: `/events?active=true`. */
  readonly path: string;
  readonly body: string;
  readonly authorization?: string | undefined;
  /** Common name of a client certificate of the bench's CA. */
  readonly certificateName?: string | undefined;
}

export interface Answer3 {
  readonly status: number;
  readonly body: string;
}

const MAX_PAGE = 50;

/** A refusal on its way out; never leaves this file. */
class Refused extends Error {
  constructor(readonly problem: Problem | AuthRefusal) {
    super(problem.detail);
  }
}

function refuse(status: number, detail: string): never {
  throw new Refused(new Problem(status, detail));
}

export class Vtn3Core {
  /** Where this VTN is, for /auth/server; set by the server. */
  baseUrl = "https://127.0.0.1/openadr3/3.1.0";
  /** URI of the MQTT broker, where there is one. */
  mqttUri: string | undefined;
  readonly #state: VtnState;
  readonly #misbehaviours: MisbehaviourSet;
  readonly #anonymousRead: boolean;
  readonly #mqttLogin: "anonymous" | "token";
  readonly #auth: Auth3;
  readonly #store: Store3;
  readonly #seen = new Map<string, number>();
  readonly #listeners = new Set<(notification: Notification3) => void>();

  constructor(state: VtnState, misbehaviours: MisbehaviourSet, options: Vtn3Options = {}) {
    this.#state = state;
    this.#misbehaviours = misbehaviours;
    this.#mqttLogin = options.mqttLogin ?? "anonymous";
    this.#anonymousRead = options.anonymousRead ?? true;
    this.#store = new Store3(state, options.reportDescriptors ?? null);
    this.#auth = new Auth3(options.clients ?? [], options.tokenSeconds ?? 3600, state.newId);
    state.events.onChange((event) => this.#onStoreChange(event));
  }

  /** Tells what webhooks and MQTT have to carry. */
  onNotification(listener: (notification: Notification3) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  vens(): readonly Stored[] {
    return [...this.#store.objects.vens.values()];
  }

  /** Last request of a client, UTC ms. */
  lastSeenUtcMs(clientId: string): number | undefined {
    return this.#seen.get(clientId);
  }

  revokeTokens(): void {
    this.#auth.revokeAll();
  }

  /** Whether the broker lets a client in. */
  admitsMqtt(
    username: string | undefined,
    password: string | undefined,
    now: { readonly utcMs: number },
  ): boolean {
    if (this.#mqttLogin === "anonymous") return true;
    const caller = this.#auth.caller(`Bearer ${password ?? ""}`, undefined, now.utcMs);
    return !(caller instanceof Problem) && caller.clientId === username;
  }

  /** One exchange. Never throws. */
  handle(request: Request3, now: { readonly utcMs: number }): Answer3 {
    let answer: Answer3;
    try {
      if (this.#misbehaviours.take("http-500")) refuse(500, "on purpose");
      answer = this.#route(request, now.utcMs);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer = { status: error.problem.status, body: JSON.stringify(error.problem.toJson()) };
    }
    this.#state.tell({
      change: "exchange",
      venId: "",
      service: "openadr3",
      request: `${request.method} ${request.path}`,
      reply: "",
      code: String(answer.status),
    });
    return { ...answer, body: spoilJson(this.#misbehaviours, answer.body) };
  }

  #route(request: Request3, utcMs: number): Answer3 {
    const [path = "", query = ""] = request.path.split("?");
    const parts = path.split("/").slice(1);
    if (path === "/auth/server" && request.method === "GET")
      return ok({ tokenURL: `${this.baseUrl}/auth/token` });
    if (path === "/auth/token" && request.method === "POST") {
      const token = this.#auth.token(request.body, request.authorization, utcMs);
      if (token instanceof Problem || token instanceof AuthRefusal) throw new Refused(token);
      return ok(token);
    }
    if (this.#misbehaviours.take("revoke-tokens")) this.revokeTokens();
    const caller = this.#auth.caller(request.authorization, request.certificateName, utcMs);
    if (caller instanceof Problem) throw new Refused(caller);
    this.#seen.set(caller.clientId, utcMs);
    if (parts[0] === "notifiers") return this.#notifiers(request.method, parts, caller);
    const [collection, id, extra] = parts;
    if (collection === undefined || !Object.hasOwn(COLLECTIONS, collection) || extra !== undefined) {
      refuse(404, `there is no ${path} here`);
    }
    return this.#collection(collection as Collection, id, request, new URLSearchParams(query), caller, utcMs);
  }

  #notifiers(method: string, parts: readonly string[], caller: Caller): Answer3 {
    if (method !== "GET") refuse(405, "notifiers can only be read");
    if (caller.role === "anonymous" && !this.#anonymousRead) refuse(401, "fetch a token from /auth/token");
    if (parts.length === 1) {
      const authentication =
        this.#mqttLogin === "token"
          ? { method: "OAUTH2_BEARER_TOKEN", username: "{clientID}" }
          : { method: "ANONYMOUS" };
      const mqtt = { URIS: [this.mqttUri ?? ""], serialization: "JSON", authentication };
      return ok({ WEBHOOK: true, ...(this.mqttUri === undefined ? {} : { MQTT: mqtt }) });
    }
    const topics =
      parts[1] === "mqtt" && parts[2] === "topics" ? topicsOf(parts.slice(3).join("/")) : undefined;
    if (topics === undefined || this.mqttUri === undefined) refuse(404, "there is no such notifier here");
    return ok(topics);
  }

  #collection(
    collection: Collection,
    id: string | undefined,
    request: Request3,
    query: URLSearchParams,
    caller: Caller,
    utcMs: number,
  ): Answer3 {
    this.#permit(collection, request.method, caller);
    if (request.method === "GET" && id === undefined)
      return ok(this.#search(collection, query, caller, utcMs));
    if (request.method === "POST" && id === undefined) {
      const object = this.#write(collection, undefined, request.body, caller, utcMs);
      return { status: 201, body: JSON.stringify(object) };
    }
    if (id === undefined) refuse(405, `${request.method} is not for /${collection}`);
    const found = this.#store.all(collection, utcMs).find((o) => o.id === id && this.#store.sees(caller, o));
    if (found === undefined) refuse(404, `there is no ${collection.slice(0, -1)} ${id}`);
    switch (request.method) {
      case "GET":
        return ok(found);
      case "PUT":
        return ok(this.#write(collection, found, request.body, caller, utcMs));
      case "DELETE":
        return ok(this.#delete(collection, found, utcMs));
      default:
        return refuse(405, `${request.method} is not for /${collection}/${id}`);
    }
  }

  /** openadr3.yaml, the scopes: who may do what at all. What he may see is `#sees`. */
  #permit(collection: Collection, method: string, caller: Caller): void {
    const reads = method === "GET";
    const tariff = collection === "programs" || collection === "events";
    if (caller.role === "anonymous") {
      if (!(reads && tariff && this.#anonymousRead))
        refuse(401, "this needs a token: fetch one from /auth/token");
    } else if (!reads && tariff && caller.role !== "bl") {
      refuse(403, `only business logic may write ${collection}`);
    } else if (!reads && collection === "reports" && caller.role !== "ven") {
      refuse(403, "only VENs may write reports");
    }
  }

  #search(collection: Collection, query: URLSearchParams, caller: Caller, utcMs: number): readonly Stored[] {
    const whole = (name: string, fallback: number, max: number): number => {
      const given = query.get(name);
      const value = given === null ? fallback : Number(given);
      if (!Number.isInteger(value) || value < 0 || value > max)
        refuse(400, `${name} must be a whole number from 0 to ${max}`);
      return value;
    };
    const skip = whole("skip", 0, 0x7fffffff);
    const limit = whole("limit", MAX_PAGE, MAX_PAGE);
    const active = query.get("active");
    if (active !== null && active !== "true" && active !== "false")
      refuse(400, "active must be true or false");
    const targets = query.getAll("targets").flatMap((t) => t.split(","));
    const same = (object: Stored, field: string): boolean => {
      const wanted = query.get(field);
      return wanted === null || object[field] === wanted;
    };
    let found = this.#store
      .all(collection, utcMs, this.#misbehaviours.has("unknown-signal"))
      .filter(
        (o) =>
          this.#store.sees(caller, o) &&
          ["programID", "eventID", "clientName", "venID", "venName", "resourceName"].every((f) =>
            same(o, f),
          ) &&
          (targets.length === 0 || strings(o["targets"]).some((t) => targets.includes(t))),
      );
    if (active === "true" && collection === "events") {
      found = found.filter((o) => {
        const shared = this.#state.events.get(o.id);
        return shared === undefined || !transpired(shared, utcMs);
      });
    }
    if (collection === "events" && found.length > 0) {
      this.#misbehaviours.take("unknown-signal");
      if (this.#misbehaviours.take("absent-event")) found = found.slice(0, -1);
      if (this.#misbehaviours.take("duplicate-events")) found = [...found, ...found];
    }
    return found.slice(skip, skip + limit);
  }

  #write(
    collection: Collection,
    old: Stored | undefined,
    text: string,
    caller: Caller,
    utcMs: number,
  ): Stored {
    if (old !== undefined && this.#state.events.get(old.id) !== undefined) {
      refuse(409, "this event was made by the bench's own API: change it there");
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      refuse(400, "the body is not JSON");
    }
    const fault = checkRequest(collection, body);
    if (fault !== undefined) refuse(400, fault);
    const said = body as JsonObject;
    this.#related(collection, old, said, caller, utcMs);
    const at = dateTime3(utcMs);
    const { id: _id, ...fields } = said;
    const object: Stored = {
      ...fields,
      ...this.#owner(collection, old, said, caller),
      id: old?.id ?? this.#state.newId(collection.slice(0, -1)),
      createdDateTime: old?.createdDateTime ?? at,
      modificationDateTime: at,
      objectType: COLLECTIONS[collection],
    };
    this.#store.objects[collection].set(object.id, object);
    if (collection === "reports") this.#state.keepReport(reportReceived(object, this.#venOf(caller), utcMs));
    if (collection === "vens" && old === undefined) {
      this.#state.tell({ change: "registered", venId: object.id, venName: String(said["venName"]) });
    }
    this.#notify(collection, old === undefined ? "CREATE" : "UPDATE", object);
    return object;
  }

  /** What only the VTN says: whose it is; and targets, which a VEN may not give itself. */
  #owner(collection: Collection, old: Stored | undefined, said: JsonObject, caller: Caller): Partial<Stored> {
    if (collection === "programs" || collection === "events") return {};
    const clientID =
      caller.role === "bl" && typeof said["clientID"] === "string" ? said["clientID"] : caller.clientId;
    if (collection !== "vens" && collection !== "resources") return { clientID };
    if (caller.role === "bl") return { clientID, targets: said["targets"] ?? null };
    return { clientID, targets: old?.["targets"] ?? null };
  }

  /** What must exist, and what must be unique. */
  #related(
    collection: Collection,
    old: Stored | undefined,
    said: JsonObject,
    caller: Caller,
    utcMs: number,
  ): void {
    const exists = (of: Collection, id: unknown): boolean =>
      this.#store.all(of, utcMs).some((o) => o.id === id);
    const taken = (of: Collection, field: string): boolean =>
      [...this.#store.objects[of].values()].some(
        (o) =>
          o[field] === said[field] &&
          o.id !== old?.id &&
          (of !== "resources" || o["venID"] === said["venID"]),
      );
    if (collection === "programs" && taken("programs", "programName")) refuse(409, "programName is taken");
    if (collection === "vens" && taken("vens", "venName")) refuse(409, "venName is taken");
    if (collection === "events" && !exists("programs", said["programID"]))
      refuse(409, "programID names no program");
    if (collection === "reports") {
      const known =
        exists("events", said["eventID"]) || this.#state.events.get(String(said["eventID"])) !== undefined;
      if (!known) refuse(409, "eventID names no event");
    }
    if (collection === "resources") {
      const ven = this.#store.objects.vens.get(String(said["venID"]));
      if (ven === undefined || !this.#store.sees(caller, ven))
        refuse(404, "venID names no VEN of this client");
      if (taken("resources", "resourceName")) refuse(409, "resourceName is taken");
    }
    if (collection === "vens" || collection === "resources") {
      const asBl = String(said["objectType"]).startsWith("BL_");
      if (asBl && caller.role !== "bl")
        refuse(403, `a VEN sends ${String(said["objectType"]).replace("BL_", "VEN_")}`);
      if (asBl && typeof said["clientID"] !== "string") refuse(400, "clientID is missing");
    }
  }

  #delete(collection: Collection, object: Stored, utcMs: number): Stored {
    if (this.#state.events.get(object.id) !== undefined) {
      const cancelled = this.#state.events.cancel(object.id, utcMs);
      if (isFieldError(cancelled)) refuse(404, cancelled.error);
      return object;
    }
    this.#store.objects[collection].delete(object.id);
    if (collection === "vens") {
      for (const resource of [...this.#store.objects.resources.values()]) {
        if (resource["venID"] === object.id) this.#delete("resources", resource, utcMs);
      }
      this.#state.tell({ change: "unregistered", venId: object.id, venName: String(object["venName"]) });
    }
    this.#notify(collection, "DELETE", object);
    return object;
  }

  /** The VEN object of a client, else the client itself. */
  #venOf(caller: Caller): string {
    return this.vens().find((v) => v["clientID"] === caller.clientId)?.id ?? caller.clientId;
  }

  #onStoreChange(event: VtnEvent): void {
    if (!speaks31(event)) return;
    const gone = event.cancelled || this.#state.events.withdrawn(event.id);
    this.#notify(
      "events",
      gone ? "DELETE" : event.modification === 0 ? "CREATE" : "UPDATE",
      this.#store.event3(event),
    );
  }

  #notify(collection: Collection, operation: Operation, object: Stored): void {
    const made = notification(collection, operation, object, {
      subscriptions: [...this.#store.objects.subscriptions.values()],
      vens: this.vens(),
      sees: (caller, of) => this.#store.sees(caller, of),
    });
    for (const listener of this.#listeners) listener(made);
  }
}

function ok(value: unknown): Answer3 {
  return { status: 200, body: JSON.stringify(value) };
}
