import { backoffMs } from "../base/backoff.js";
import { fault, type Fault } from "../base/fault.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "../grid/upstream.js";
import type { HttpEvent } from "../ports/http.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import { baseOf, isPrivate, type OpenAdr3Config } from "./config.js";
import { EventBook } from "./event-book.js";
import { readDescriptors, type Programme } from "./events.js";
import { Exchange, type Outcome } from "./exchange.js";
import { isObject, listOf, textOf, type Json } from "./json-stream.js";
import { ReportBook, type ReportTime } from "./report-book.js";
import { percent, TokenKeeper, tokenRequest } from "./token.js";

export type { OpenAdr3Config } from "./config.js";

/** OpenADR 3 names no polling interval. */
const DEFAULT_POLL_MS = 60_000;
/** Programmes, and what targets the utility has given us, are looked up again so often. */
const REFRESH_MS = 900_000;
const TIMEOUT_MS = 30_000;
/** The world's own time-out comes first; this is for a world that forgot. */
const FORGOTTEN_MS = 15_000;
const MAX_BODY_BYTES = 131_072;
/** Objects asked for at a time; halved where an answer is too large. */
const PAGE = 8;
const PROGRAM_PAGE = 50;
/** Pages of a sweep: more is a server that never ends. */
const MAX_PAGES = 64;
const MAX_PROGRAMMES = 16;
const MAX_TARGETS = 8;
/** A report is given up after so many answers that were errors. */
const MAX_TRIES = 3;
/** After a notification the server is asked within this, so that not everybody comes at once. */
const HINT_SPREAD_MS = 2000;

type Ask =
  | "auth"
  | "token"
  | "programs"
  | "find-ven"
  | "make-ven"
  | "find-resource"
  | "make-resource"
  | "events"
  | "report"
  | "leave";

/** What the session needs next, in order; `poll` = all done until the next sweep is due. */
type Step = "stopped" | "programs" | "ven" | "resource" | "events" | "poll" | "leave";

interface Sending {
  readonly ask: Ask;
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body: string | undefined;
}

/** What came with an answer, gathered while it arrived. */
interface Intake {
  count: number;
  list: boolean;
  /** An element that this module does not read, and one that is not what it should be. */
  oversize: number;
  strange: boolean;
  /** The answer itself where it is no list. */
  value: Json | undefined;
}

/**
 * A virtual end node of OpenADR 3.1 over HTTP polling. Driven by `poll`, `onHttp` and `onSgd`; one request at a time.
 * Order after start: token, programmes, own VEN and resource objects, events; then reports as they become due, and
 * events again at every period or hint.
 */
export class OpenAdr3Ven implements Upstream {
  readonly id: string;
  private readonly config: OpenAdr3Config;
  private readonly host: UpstreamHost;
  private readonly base: string;
  private readonly pollMs: number;
  private readonly tokens = new TokenKeeper();
  private readonly book: EventBook;
  private readonly reports: ReportBook;
  private step: Step = "stopped";
  private stopped = { code: "", text: "Not started." };
  private current: { one: Sending; exchange: Exchange; intake: Intake } | undefined;
  /** The last answer was 401 or 403 although the token was new. */
  private freshToken = false;

  private programmes: Programme[] = [];
  private programmeDraft: Programme[] = [];
  private skip = 0;
  private refreshAtMs = 0;
  private venId = "";
  private resourceId = "";
  private targets: readonly string[] = [];
  /** The server knows no VENs, or not us: go on without. */
  private venRefused = false;

  private queries: readonly string[] = [];
  private query = 0;
  private page = 0;
  private limit = PAGE;
  private confirmed = false;
  private active = true;
  private nextPollMs = 0;
  private hinted = false;

  private reportTries = 0;
  private reportNextMs = 0;
  private status_: SgdStatus | undefined;
  private online = false;
  private failures = 0;
  private fault: Fault | undefined;
  private nextTryMs = 0;
  private lastContactMs: number | undefined;
  /** UTC minus monotonic from the server's Date, for a module whose clock is not set yet. */
  private serverOffsetMs: number | undefined;

  constructor(config: OpenAdr3Config, host: UpstreamHost) {
    this.id = config.id;
    this.config = config;
    this.host = host;
    this.base = baseOf(config.url);
    this.pollMs = Math.max(1, config.pollSeconds ?? DEFAULT_POLL_MS / 1000) * 1000;
    this.book = new EventBook(config.id, {
      emergency: config.emergency ?? false,
      setpointUnit: config.setpointUnit ?? "",
      normalPrice: config.normalPrice,
      remoteReboot: config.remoteReboot ?? false,
      remoteOverride: config.remoteOverride ?? false,
    });
    this.reports = new ReportBook({
      clientName: config.venName,
      resourceName: config.resourceName ?? config.venName,
      installerW: config.installerW ?? 7680,
      ratedW: config.ratedW ?? 7680,
    });
  }

  start(now: Now): void {
    if (this.step !== "stopped") return;
    if (!isPrivate(this.base)) {
      const text = "OpenADR 3 needs TLS: the address must begin with https://.";
      this.stopped = { code: "openadr3-not-tls", text };
      return;
    }
    if (this.config.clientId !== undefined && (this.config.clientSecret ?? "") === "") {
      const text = "A client id is configured without its client secret.";
      this.stopped = { code: "openadr3-no-secret", text };
      return;
    }
    this.nextTryMs = now.ms;
    this.begin("programs");
    this.poll(now);
  }

  poll(now: Now): void {
    const time = this.time(now);
    if (time !== undefined && this.online) {
      this.reports.poll(time);
      this.tellUnserved();
    }
    const current = this.current;
    if (current !== undefined) {
      if (now.ms < current.exchange.deadlineMs) return;
      this.host.http.abort(current.exchange.id);
      const late = fault("network", "timeout", "The utility's server did not answer in time.");
      this.finish({ status: 0, fault: late, tooLarge: false, retryAfterMs: 0 }, now);
    }
    if (now.ms < this.nextTryMs || this.current !== undefined) return;
    const next = this.next(now);
    if (next !== undefined) this.send(next, now);
  }

  nextMs(): number {
    if (this.current !== undefined) return Math.min(this.reportsMs(), this.current.exchange.deadlineMs);
    if (this.step === "stopped") return NEVER;
    if (this.step !== "poll") return Math.min(this.reportsMs(), this.nextTryMs);
    let due = this.nextPollMs;
    if (this.reports.first !== undefined) due = Math.min(due, this.reportNextMs);
    return Math.min(this.reportsMs(), Math.max(due, this.nextTryMs));
  }

  onHttp(event: HttpEvent, now: Now): void {
    const exchange = this.current?.exchange;
    if (exchange === undefined || event.id !== exchange.id) return;
    const outcome = exchange.take(event);
    if (event.ev === "head" && exchange.dateUtcMs !== undefined) {
      this.serverOffsetMs = exchange.dateUtcMs - now.ms;
      this.host.clockSeen(exchange.dateUtcMs, now);
    }
    if (outcome === undefined) return;
    this.finish(outcome, now);
    this.poll(now);
  }

  onSgd(status: SgdStatus, now: Now): void {
    this.status_ = status;
    const time = this.time(now);
    this.reports.onStatus(status, time);
    if (time !== undefined) this.tellOverride(time);
    this.poll(now);
  }

  /** Something has changed at the server (a notification by MQTT says so): the events are asked for soon. */
  hint(now: Now): void {
    this.hinted = true;
    if (this.step !== "poll") return;
    const spread = this.host.random.uint32() % HINT_SPREAD_MS;
    this.nextPollMs = Math.min(this.nextPollMs, now.ms + spread);
    this.hinted = false;
  }

  status(): UpstreamStatus {
    const base = { id: this.id, nextTryMs: this.nextMs(), lastContactMs: this.lastContactMs };
    if (this.step === "stopped") {
      return { ...base, state: "stopped", fault: this.stopped.code, text: this.stopped.text };
    }
    const why = this.fault;
    if (why !== undefined) return { ...base, state: "failing", fault: why.fault, text: why.text };
    if (this.online) return { ...base, state: "online", fault: "", text: "Online." };
    return this.step === "programs"
      ? { ...base, state: "connecting", fault: "", text: "Asking for programmes." }
      : { ...base, state: "registering", fault: "", text: "Registering and asking for events." };
  }

  /** What the server calls us; empty texts where it has no object of ours. */
  get registration(): { readonly venId: string; readonly resourceId: string } {
    return { venId: this.venId, resourceId: this.resourceId };
  }

  /**
   * Leaves the provider (change of provider, decommissioning): nothing of it is in force any more, the objects that
   * were made there are deleted, and the session stops.
   */
  deregister(now: Now): void {
    if (this.step === "stopped" || this.step === "leave") return;
    if (this.current !== undefined) this.host.http.abort(this.current.exchange.id);
    this.current = undefined;
    this.book.forget();
    this.reports.clear();
    this.online = false;
    this.failures = 0;
    this.fault = undefined;
    this.host.replaceEvents(this.id, [], now);
    this.step = "leave";
    this.nextTryMs = now.ms;
    if (this.venId === "" && this.resourceId === "") this.left();
    this.poll(now);
  }

  // --- what to send --------------------------------------------------------------------------------------

  private get identified(): boolean {
    return this.config.clientId !== undefined || this.config.certificate === true;
  }

  private next(now: Now): Sending | undefined {
    if (this.step === "stopped") return undefined;
    if (this.step === "poll") {
      const report = this.reports.first;
      const reporting = report !== undefined && this.identified && now.ms >= this.reportNextMs;
      if (!reporting) {
        if (now.ms < this.nextPollMs) return undefined;
        this.begin(now.ms >= this.refreshAtMs ? "programs" : "events");
      }
    }
    if (this.config.clientId !== undefined && this.tokens.at(now.ms) === "") return this.authorise();
    switch (this.step) {
      case "programs":
        return get(
          "programs",
          `${this.base}/programs?skip=${String(this.skip)}&limit=${String(PROGRAM_PAGE)}`,
        );
      case "ven":
        return get(
          "find-ven",
          `${this.base}/vens?venName=${percent(this.config.venName)}&skip=0&limit=${String(PAGE)}`,
        );
      case "resource": {
        const name = percent(this.resourceName);
        const of = `venID=${percent(this.venId)}&resourceName=${name}`;
        return get("find-resource", `${this.base}/resources?${of}&skip=0&limit=${String(PAGE)}`);
      }
      case "events":
        return get("events", `${this.base}/events?${this.eventQuery()}`);
      case "poll":
        return post("report", `${this.base}/reports`, this.reports.first!.body);
      case "leave": {
        const path =
          this.resourceId !== "" ? `resources/${percent(this.resourceId)}` : `vens/${percent(this.venId)}`;
        return { ask: "leave", method: "DELETE", url: `${this.base}/${path}`, body: undefined };
      }
    }
  }

  private authorise(): Sending {
    const { clientId, clientSecret } = this.config;
    if (this.tokens.url === "") return get("auth", `${this.base}/auth/server`);
    return post("token", this.tokens.url, tokenRequest(clientId ?? "", clientSecret ?? ""));
  }

  private get resourceName(): string {
    return this.config.resourceName ?? this.config.venName;
  }

  private eventQuery(): string {
    const parts = [`skip=${String(this.skip)}`, `limit=${String(this.limit)}`];
    if (this.active) parts.push("active=true");
    const own = this.queries[this.query] ?? "";
    return own === "" ? parts.join("&") : `${own}&${parts.join("&")}`;
  }

  private begin(step: "programs" | "ven" | "resource" | "events"): void {
    this.step = step;
    this.skip = 0;
    this.page = 0;
    if (step === "programs") this.programmeDraft = [];
    if (step !== "events") return;
    this.book.begin();
    this.confirmed = false;
    this.query = 0;
    const wanted = this.config.programs ?? [];
    const programs =
      wanted.length === 0 ? [""] : this.programmes.map((one) => `programID=${percent(one.id)}`);
    // Without our targets a server may leave out what is for them.
    const targeted = this.targets.map((target) => `targets=${percent(target)}`).join("&");
    const queries: string[] = [];
    for (const program of programs) {
      queries.push(program);
      if (targeted !== "") queries.push(program === "" ? targeted : `${program}&${targeted}`);
    }
    this.queries = queries;
  }

  private send(one: Sending, now: Now): void {
    const id = this.host.nextRequestId();
    const intake: Intake = { count: 0, list: false, oversize: 0, strange: false, value: undefined };
    const exchange = new Exchange(id, now.ms + TIMEOUT_MS + FORGOTTEN_MS, (value, list) =>
      this.element(one.ask, value, list, intake, now),
    );
    this.current = { one, exchange, intake };
    const headers: (readonly [string, string])[] = [["accept", "application/json"]];
    const token = one.ask === "auth" || one.ask === "token" ? "" : this.tokens.at(now.ms);
    if (token !== "") headers.push(["authorization", `Bearer ${token}`]);
    if (one.body !== undefined) {
      const type = one.ask === "token" ? "application/x-www-form-urlencoded" : "application/json";
      headers.push(["content-type", type]);
    }
    this.host.http.request({
      id,
      method: one.method,
      url: one.url,
      headers,
      body: one.body,
      credentials: this.id,
      timeoutMs: TIMEOUT_MS,
      maxBodyBytes: MAX_BODY_BYTES,
    });
  }

  // --- what comes back -----------------------------------------------------------------------------------

  /** An element of a successful answer, as it arrives. */
  private element(ask: Ask, value: Json | undefined, list: boolean, intake: Intake, now: Now): void {
    intake.count++;
    if (value === undefined) intake.oversize++;
    else if (!list) intake.value = value;
    else if (ask === "events") {
      if (!this.book.take(value, this.programmes, this.time(now)?.utcMs)) intake.strange = true;
    } else if (ask === "programs") this.programme(value);
    else if (ask === "find-ven" && textOf(value, "venName") === this.config.venName) {
      this.venId = textOf(value, "id");
      this.targets = targetsOf(value);
    } else if (ask === "find-resource" && textOf(value, "resourceName") === this.resourceName) {
      this.resourceId = textOf(value, "id");
      this.targets = [...this.targets, ...targetsOf(value)].slice(0, MAX_TARGETS);
    }
  }

  private programme(value: Json): void {
    const id = textOf(value, "id");
    const name = textOf(value, "programName");
    const wanted = this.config.programs ?? [];
    if (id === "" || (wanted.length > 0 && !wanted.includes(name))) return;
    if (this.programmeDraft.length >= MAX_PROGRAMMES || this.programmeDraft.some((one) => one.id === id))
      return;
    const descriptors = readDescriptors(listOf(value, "payloadDescriptors"));
    this.programmeDraft.push({ id, name, descriptors });
  }

  private finish(outcome: Outcome, now: Now): void {
    const { one, intake, exchange } = this.current!;
    this.current = undefined;
    if (outcome.fault !== undefined) {
      this.failed(one, outcome, outcome.fault, now);
      return;
    }
    this.lastContactMs = now.ms;
    intake.list = exchange.list;
    const list = one.ask === "programs" || one.ask === "events" || one.ask.startsWith("find-");
    if (list !== intake.list && !(one.ask === "report" || one.ask === "leave")) {
      this.fail(unreadable(`it is ${list ? "no" : "a"} list`), now);
      return;
    }
    if (intake.strange) {
      this.fail(unreadable("an event has no id"), now);
      return;
    }
    if (one.ask !== "auth" && one.ask !== "token") this.freshToken = false;
    this.failures = 0;
    this.fault = undefined;
    this.nextTryMs = now.ms;
    this.answered(one, intake, now);
  }

  private answered(one: Sending, intake: Intake, now: Now): void {
    switch (one.ask) {
      case "auth":
      case "token": {
        const bad =
          one.ask === "auth"
            ? this.tokens.takeServer(intake.value)
            : this.tokens.takeToken(intake.value, now.ms);
        if (bad !== undefined) this.fail(bad, now);
        return;
      }
      case "programs":
        this.programPage(intake, now);
        return;
      case "find-ven":
        if (this.venId !== "") this.begin("resource");
        else this.send(post("make-ven", `${this.base}/vens`, this.venBody()), now);
        return;
      case "make-ven":
        this.venId = textOf(intake.value, "id");
        this.targets = targetsOf(intake.value);
        this.begin(this.venId === "" ? "events" : "resource");
        return;
      case "find-resource":
        if (this.resourceId !== "") this.begin("events");
        else this.send(post("make-resource", `${this.base}/resources`, this.resourceBody()), now);
        return;
      case "make-resource":
        this.resourceId = textOf(intake.value, "id");
        this.begin("events");
        return;
      case "events":
        this.eventPage(intake, now);
        return;
      case "report":
        this.reported();
        return;
      case "leave":
        this.leftOne();
    }
  }

  private programPage(intake: Intake, now: Now): void {
    const wanted = this.config.programs ?? [];
    const all =
      wanted.length > 0 && wanted.every((name) => this.programmeDraft.some((one) => one.name === name));
    this.skip += intake.count;
    this.page++;
    if (intake.count === PROGRAM_PAGE && !all && this.page < MAX_PAGES) return;
    this.programmes = this.programmeDraft;
    this.programmeDraft = [];
    this.refreshAtMs = now.ms + REFRESH_MS;
    if (wanted.length > 0 && this.programmes.length === 0) {
      const names = wanted.join(", ");
      const text = `The server has no programme "${names}"; check the names with the utility.`;
      // What such a programme had asked for before does not hold any more.
      this.book.begin();
      this.commit(now);
      this.fail(fault("configuration", "openadr3-no-program", text), now);
      return;
    }
    this.resourceId = this.venRefused ? this.resourceId : "";
    if (!this.identified || this.venRefused) this.begin("events");
    else {
      this.venId = "";
      this.begin("ven");
    }
  }

  private eventPage(intake: Intake, now: Now): void {
    if (intake.oversize > 0) {
      this.log("warning", "An event is larger than this module reads; it is left out.");
    }
    this.skip += intake.count;
    this.page++;
    if (intake.count === this.limit && this.page < MAX_PAGES) return;
    this.skip = 0;
    if (++this.query < this.queries.length && this.page < MAX_PAGES) return;
    // Pages shift when an event is deleted between them: what is missing must be missing twice.
    if (this.page > this.queries.length && this.book.misses && !this.confirmed) {
      this.begin("events");
      this.confirmed = true;
      return;
    }
    this.commit(now);
    this.limit = Math.min(PAGE, this.limit * 2);
    this.step = "poll";
    this.online = true;
    this.nextPollMs = now.ms + this.pollMs;
    if (this.hinted) this.hint(now);
  }

  /** Hands the sweep to the core, and takes up what its events want to be told. */
  private commit(now: Now): void {
    const time = this.time(now);
    this.book.commit(
      (events) => this.host.replaceEvents(this.id, events, now),
      time?.utcMs,
      (text) => this.log("warning", text),
    );
    if (time === undefined || !this.identified) return;
    const asked = this.book.known.flatMap(({ id, startUtcMs, timing, reports }) =>
      startUtcMs === undefined || timing === undefined ? [] : [{ id, startUtcMs, timing, reports }],
    );
    this.reports.replace(asked, time);
    this.tellOverride(time);
  }

  // --- failing -------------------------------------------------------------------------------------------

  private failed(one: Sending, outcome: Outcome, why: Fault, now: Now): void {
    const { status, retryAfterMs } = outcome;
    const refused = status === 401 || status === 403;
    if (refused && this.config.clientId !== undefined && one.ask !== "auth" && one.ask !== "token") {
      this.tokens.drop();
      if (!this.freshToken) {
        // A stale token: the server was restarted, or the time on it is not ours. Once.
        this.freshToken = true;
        this.nextTryMs = now.ms;
        if (one.ask === "events") this.begin("events");
        return;
      }
    }
    if (outcome.tooLarge && one.ask === "events") {
      this.halve();
      return;
    }
    const definite = status >= 400 && status < 500 && status !== 429 && status !== 408;
    switch (one.ask) {
      case "auth":
        if (!definite) break;
        // Where a server does not say where tokens are, they are where the specification puts them.
        this.tokens.url = `${this.base}/auth/token`;
        return;
      case "events":
        if (status !== 400 || !this.active) break;
        this.active = false;
        return;
      case "find-ven":
      case "make-ven":
      case "find-resource":
      case "make-resource":
        if (status !== 501 && !(definite && status !== 401)) break;
        this.log("warning", `The server takes no registration (${one.ask}): ${why.text}`);
        this.venRefused = true;
        this.freshToken = false;
        this.begin("events");
        return;
      case "report":
        if (status === 0 || status === 401) break;
        this.reportFailed(definite, why, now);
        return;
      case "leave":
        if (status !== 0 || this.failures >= MAX_TRIES) {
          this.leftOne();
          return;
        }
        break;
      default:
    }
    // Once more from the start of the sweep: half of a list proves nothing.
    if (this.step === "events") this.begin("events");
    if (one.ask === "token" && definite) this.tokens.url = "";
    this.fail(why, now, retryAfterMs);
  }

  /** The answer was too large: fewer at a time, and past the one that is too large alone. */
  private halve(): void {
    if (this.limit > 1) {
      this.limit = Math.floor(this.limit / 2);
      return;
    }
    this.log("warning", "An event is larger than this module reads; it is left out.");
    this.skip++;
    if (++this.page >= MAX_PAGES) this.begin("events");
  }

  private reportFailed(definite: boolean, why: Fault, now: Now): void {
    this.reportTries++;
    this.freshToken = false;
    if (definite || this.reportTries >= MAX_TRIES) {
      this.log("warning", `The server did not take a report: ${why.text}`);
      this.reported();
    } else {
      this.reportNextMs =
        now.ms + backoffMs({ periodMs: this.pollMs, floorMs: 1000 }, this.reportTries, this.host.random);
    }
  }

  private reported(): void {
    this.reportTries = 0;
    this.reportNextMs = 0;
    this.reports.drop();
  }

  /** Into the failing state: the next attempt comes ever later. */
  private fail(why: Fault, now: Now, atLeastMs = 0): void {
    if (this.fault?.fault !== why.fault) this.log("warning", why.text);
    this.fault = why;
    this.failures++;
    const waitMs = backoffMs({ periodMs: this.pollMs, floorMs: 1000 }, this.failures, this.host.random);
    this.nextTryMs = now.ms + Math.max(waitMs, atLeastMs);
    if (this.step === "programs" || this.step === "events") this.begin(this.step);
  }

  // --- leaving, telling ----------------------------------------------------------------------------------

  private leftOne(): void {
    if (this.resourceId !== "") this.resourceId = "";
    else this.venId = "";
    if (this.resourceId === "" && this.venId === "") this.left();
  }

  private left(): void {
    this.tokens.drop();
    this.step = "stopped";
    this.stopped = { code: "", text: "The registration was ended here." };
  }

  /** The customer's override, and its end, for every event that it concerns. */
  private tellOverride(time: ReportTime): void {
    if (this.status_ === undefined || !this.identified) return;
    for (const event of this.book.optChanges(this.status_.override, time.utcMs)) {
      const asked = event.reports.some((one) => one.payloadType === "OPERATING_STATE");
      if (asked || this.config.optOutReports !== false) this.reports.tellState(event.id, time);
    }
  }

  private told = 0;

  private tellUnserved(): void {
    for (; this.told < this.reports.unserved.length; this.told++) {
      this.log("info", `Reports of ${this.reports.unserved[this.told]!} are asked for and cannot be given.`);
    }
  }

  private venBody(): string {
    return JSON.stringify({
      objectType: "VEN_VEN_REQUEST",
      venName: this.config.venName,
      attributes: [{ type: "DESCRIPTION", values: ["CTA-2045 communications module"] }],
    });
  }

  private resourceBody(): string {
    const { ratedW } = this.config;
    const power = ratedW === undefined ? [] : [{ type: "MAX_POWER_CONSUMPTION", values: [ratedW / 1000] }];
    return JSON.stringify({
      objectType: "VEN_RESOURCE_REQUEST",
      resourceName: this.resourceName,
      venID: this.venId,
      attributes: [...power, { type: "DESCRIPTION", values: ["EV charger"] }],
    });
  }

  private reportsMs(): number {
    const at = this.lastTime;
    return this.online && at !== undefined ? this.reports.nextMs(at) : NEVER;
  }

  private lastTime: ReportTime | undefined;

  /** UTC from the module's clock, else from the server's Date. */
  private time(now: Now): ReportTime | undefined {
    const utcMs = now.utcMs ?? (this.serverOffsetMs === undefined ? undefined : now.ms + this.serverOffsetMs);
    this.lastTime = utcMs === undefined ? undefined : { ms: now.ms, utcMs };
    return this.lastTime;
  }

  private log(level: "info" | "warning", text: string): void {
    this.host.log(level, `OpenADR 3: ${text}`);
  }
}

function get(ask: Ask, url: string): Sending {
  return { ask, method: "GET", url, body: undefined };
}

function post(ask: Ask, url: string, body: string): Sending {
  return { ask, method: "POST", url, body };
}

function targetsOf(value: Json | undefined): readonly string[] {
  if (!isObject(value)) return [];
  return listOf(value, "targets")
    .filter((one): one is string => typeof one === "string" && one !== "" && one.length <= 128)
    .slice(0, MAX_TARGETS);
}

function unreadable(what: string): Fault {
  return fault("server", "openadr3-json", `The answer of the utility's server cannot be read: ${what}.`);
}
