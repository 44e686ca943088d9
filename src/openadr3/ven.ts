import { backoffMs, comebackMs } from "../base/backoff.js";
import { fault, type Fault } from "../base/fault.js";
import { lacksNormalPrice, NO_NORMAL_PRICE } from "../grid/asks.js";
import type { GridEvent } from "../grid/event.js";
import { optOutOf, type Upstream, type UpstreamHost, type UpstreamStatus } from "../grid/upstream.js";
import type { HttpEvent } from "../ports/http.js";
import type { MdnsEvent } from "../ports/mdns.js";
import type { MqttEvent } from "../ports/mqtt.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import { baseOf, DISCOVER, isPrivate, type OpenAdr3Config } from "./config.js";
import { Finder } from "./discovery.js";
import { EventBook } from "./event-book.js";
import { Exchange, type Outcome } from "./exchange.js";
import type { Json } from "./json-stream.js";
import { Enrolment } from "./enrolment.js";
import { Hints } from "./hints.js";
import { Notices, type NoticeScope } from "./notices.js";
import { Programmes } from "./programmes.js";
import { ReportBook, type ReportTime } from "./report-book.js";
import { get, post, wantsList, type Ask, type Intake, type Sending } from "./requests.js";
import { Sweep } from "./sweep.js";
import { TokenKeeper, tokenRequest } from "./token.js";

export type { OpenAdr3Config } from "./config.js";

/** OpenADR 3 names no polling interval. */
const DEFAULT_POLL_MS = 60_000;
/** Programmes, and what targets the utility has given us, are looked up again so often. */
const REFRESH_MS = 900_000;
const TIMEOUT_MS = 30_000;
/** The world's own time-out comes first; this is for a world that forgot. */
const FORGOTTEN_MS = 15_000;
const MAX_BODY_BYTES = 131_072;
/** A report is given up after so many answers that were errors. */
const MAX_TRIES = 3;
/** A server of the local network that did not answer so often in a row is looked for anew. */
const LOST_AFTER = 4;

/** What the session needs next, in order; `poll` = all done until the next sweep is due. */
type Step = "stopped" | "discover" | "programs" | "enrol" | "events" | "poll" | "leave";

/**
 * A virtual end node of OpenADR 3.1 over HTTP polling. Driven by `poll`, `onHttp` and `onSgd`; one request at a time.
 * Order after start: token, programmes, own VEN and resource objects, events; then reports as they become due, and
 * events again at every period or hint.
 */
export class OpenAdr3Ven implements Upstream {
  readonly id: string;
  private readonly config: OpenAdr3Config;
  private readonly host: UpstreamHost;
  private base: string;
  private readonly pollMs: number;
  private readonly tokens = new TokenKeeper();
  private readonly book: EventBook;
  private readonly reports: ReportBook;
  private step: Step = "stopped";
  private stopped = { code: "", text: "Not started." };
  private current: { one: Sending; exchange: Exchange; intake: Intake } | undefined;
  /** The last answer was 401 or 403 although the token was new. */
  private freshToken = false;

  private readonly programmes: Programmes;
  private enrolment: Enrolment;
  private readonly notices: Notices;
  private readonly finder: Finder | undefined;
  private readonly sweep = new Sweep();
  private refreshAtMs = 0;
  private nextPollMs = 0;
  private readonly hints: Hints;

  private reportTries = 0;
  private reportNextMs = 0;
  private sgd: SgdStatus | undefined;
  private toldUnserved = 0;
  private toldPrices = false;
  private lastTime: ReportTime | undefined;
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
    this.base = config.url === DISCOVER ? "" : baseOf(config.url);
    this.pollMs = Math.max(1, config.pollSeconds ?? DEFAULT_POLL_MS / 1000) * 1000;
    this.book = new EventBook(config.id, {
      emergency: config.emergency ?? false,
      setpointUnit: config.setpointUnit ?? "",
      normalPrice: config.normalPrice,
      remoteReboot: config.remoteReboot ?? false,
      remoteOverride: config.remoteOverride ?? false,
    });
    this.hints = new Hints(this.pollMs, host.random);
    this.programmes = new Programmes(config.programs ?? []);
    const { venName } = config;
    const resourceName = config.resourceName ?? venName;
    this.enrolment = this.newEnrolment();
    const certificate = config.certificate === true;
    const { clientId, callbackUrl, callbackToken } = config;
    this.notices = new Notices(
      { id: config.id, clientId, certificate, clientName: venName, callbackUrl, callbackToken },
      host.mqtt,
      () => host.nextRequestId(),
    );
    if (config.url === DISCOVER && host.mdns !== undefined) {
      this.finder = new Finder(host.mdns, config.programs ?? [], this.identified);
    }
    this.reports = new ReportBook({
      clientName: venName,
      resourceName,
      installerW: config.installerW ?? 7680,
      ratedW: config.ratedW ?? 7680,
    });
  }

  start(now: Now): void {
    if (this.step !== "stopped") return;
    if (this.config.url === DISCOVER && this.finder === undefined) {
      const text =
        "This device cannot look for servers on the local network: configure the server's address.";
      this.stopped = { code: "openadr3-no-mdns", text };
      return;
    }
    if (this.finder === undefined && !isPrivate(this.base)) {
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
    if (this.finder === undefined) this.begin("programs");
    else {
      this.step = "discover";
      this.finder.begin("");
    }
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
    if (this.step === "stopped" || this.step === "discover") return NEVER;
    if (this.step !== "poll") return Math.min(this.reportsMs(), this.nextTryMs);
    let due = Math.min(this.nextPollMs, this.hints.nextMs(), this.notices.nextMs());
    if (this.reports.first !== undefined) due = Math.min(due, this.reportNextMs);
    return Math.min(this.reportsMs(), Math.max(due, this.nextTryMs));
  }

  networkUp(now: Now): void {
    this.nextTryMs = comebackMs(this.fault, this.nextTryMs, now.ms, this.host.random);
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
    this.sgd = status;
    const time = this.time(now);
    this.reports.onStatus(status, time);
    if (time !== undefined) this.tellOverride(time);
    this.poll(now);
  }

  /** Something has changed at the server (a notification says so): the events are asked for soon. */
  hint(now: Now): void {
    if (this.step === "poll") this.hints.take(now.ms);
    else this.hints.waiting = true;
  }

  onMqtt(event: MqttEvent, now: Now): void {
    if (this.notices.onMqtt(event)) this.hint(now);
    this.poll(now);
  }

  /** A server on the local network. Listened to only while one is looked for. */
  onMdns(event: MdnsEvent, now: Now): void {
    const { finder } = this;
    if (finder?.looking !== true) return;
    const url = finder.take(event);
    if (url === undefined) {
      if (finder.trouble !== "") this.log("info", finder.trouble);
      finder.trouble = "";
      return;
    }
    finder.end();
    this.log("info", `A server on the local network: ${url}`);
    if (this.current !== undefined) this.host.http.abort(this.current.exchange.id);
    this.current = undefined;
    if (url !== this.base) {
      this.base = url;
      this.enrolment = this.newEnrolment();
      this.tokens.forget();
      this.notices.stop();
      this.sweep.active = true;
    }
    this.nextTryMs = now.ms;
    this.begin("programs");
    this.poll(now);
  }

  status(): UpstreamStatus {
    const base = { id: this.id, nextTryMs: this.nextMs(), lastContactMs: this.lastContactMs };
    if (this.step === "stopped") {
      return { ...base, state: "stopped", fault: this.stopped.code, text: this.stopped.text };
    }
    const why = this.fault;
    if (why !== undefined) return { ...base, state: "failing", fault: why.fault, text: why.text };
    if (this.step === "discover") {
      const text = "Looking for a server on the local network (_openadr3._tcp).";
      return { ...base, state: "connecting", fault: "", text };
    }
    if (this.online) {
      const text = this.notices.up ? "Online; the server tells changes by MQTT." : "Online.";
      return { ...base, state: "online", fault: "", text };
    }
    return this.step === "programs"
      ? { ...base, state: "connecting", fault: "", text: "Asking for programmes." }
      : { ...base, state: "registering", fault: "", text: "Registering and asking for events." };
  }

  /** What the server calls us; empty texts where it has no object of ours. */
  get registration(): { readonly venId: string; readonly resourceId: string } {
    const { venId, resourceId } = this.enrolment;
    return { venId, resourceId };
  }

  /**
   * Leaves the provider (change of provider, decommissioning): nothing of it is in force any more, the objects that
   * were made there are deleted, and the session stops.
   */
  deregister(now: Now): void {
    if (this.step === "stopped" || this.step === "leave") return;
    if (this.current !== undefined) this.host.http.abort(this.current.exchange.id);
    this.current = undefined;
    this.finder?.end();
    this.notices.stop();
    this.hints.clear();
    this.book.forget();
    this.reports.clear();
    this.online = false;
    this.failures = 0;
    this.fault = undefined;
    this.host.replaceEvents(this.id, [], now);
    this.step = "leave";
    this.nextTryMs = now.ms;
    this.poll(now);
  }

  // --- what to send --------------------------------------------------------------------------------------

  private get identified(): boolean {
    return this.config.clientId !== undefined || this.config.certificate === true;
  }

  private next(now: Now): Sending | undefined {
    if (this.step === "leave" && this.leaving() === undefined) this.end();
    if (this.step === "stopped" || this.step === "discover") return undefined;
    const reporting = this.reports.first !== undefined && this.identified && now.ms >= this.reportNextMs;
    const polling = this.step === "poll" && !reporting;
    const noticing = polling && now.ms >= this.notices.nextMs();
    if (polling && !noticing) {
      if (now.ms < Math.min(this.nextPollMs, this.hints.nextMs())) return undefined;
      this.begin(now.ms >= this.refreshAtMs ? "programs" : "events");
    }
    if (this.config.clientId !== undefined && this.tokens.at(now.ms) === "") return this.authorise();
    if (noticing) return this.notices.request(this.noticeScope(now), now.ms);
    switch (this.step) {
      case "programs":
        return this.programmes.request(this.base);
      case "enrol":
        return this.enrolment.request();
      case "events":
        return this.sweep.request(this.base);
      case "poll":
        return post("report", `${this.base}/reports`, this.reports.first!.body);
      case "leave":
        return this.leaving();
    }
  }

  /** What is to be deleted next at a server that is left. */
  private leaving(): Sending | undefined {
    return this.notices.leave(this.base) ?? this.enrolment.leave();
  }

  private newEnrolment(): Enrolment {
    const { venName, ratedW, resourceName } = this.config;
    return new Enrolment(this.base, { venName, resourceName: resourceName ?? venName, ratedW });
  }

  private noticeScope(now: Now): NoticeScope {
    const programIds = this.programmes.list.map(({ id }) => id);
    const { venId } = this.enrolment;
    return { base: this.base, venId, programIds, token: this.tokens.at(now.ms) };
  }

  private authorise(): Sending {
    const { clientId, clientSecret } = this.config;
    if (this.tokens.url === "") return get("auth", `${this.base}/auth/server`);
    return post("token", this.tokens.url, tokenRequest(clientId ?? "", clientSecret ?? ""));
  }

  private begin(step: "programs" | "enrol" | "events", again = false): void {
    this.step = step;
    this.hints.clear();
    if (step === "programs") this.programmes.begin();
    else if (step === "enrol") this.enrolment.begin();
    else {
      this.book.begin();
      const { wanted, list } = this.programmes;
      this.sweep.begin(wanted.length === 0 ? undefined : list, this.enrolment.targets, again);
    }
  }

  private send(one: Sending, now: Now): void {
    const id = this.host.nextRequestId();
    const intake: Intake = { count: 0, oversize: 0, strange: false, value: undefined };
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
    else if (ask === "make-ven" || ask === "make-resource") this.enrolment.take(ask, value);
    else if (ask === "find-hook" && list) this.notices.take(ask, value);
    else if (!list) intake.value = value;
    else if (ask === "events") {
      if (!this.book.take(value, this.programmes.list, this.time(now)?.utcMs)) intake.strange = true;
    } else if (ask === "programs") this.programmes.take(value);
    else this.enrolment.take(ask, value);
  }

  private finish(outcome: Outcome, now: Now): void {
    const { one, intake, exchange } = this.current!;
    this.current = undefined;
    if (outcome.fault !== undefined) {
      this.failed(one, outcome, outcome.fault, now);
      return;
    }
    this.lastContactMs = now.ms;
    if (wantsList(one.ask) && !exchange.list) {
      this.fail(unreadable("it is no list"), now);
      return;
    }
    if (intake.strange) {
      this.fail(unreadable("an event has no id"), now);
      return;
    }
    this.nextTryMs = now.ms;
    if (one.ask !== "auth" && one.ask !== "token") {
      // A token alone proves nothing: the server may refuse it as it did the last one.
      this.freshToken = false;
      this.failures = 0;
      this.fault = undefined;
    }
    this.answered(one, intake, now);
  }

  private answered(one: Sending, intake: Intake, now: Now): void {
    switch (one.ask) {
      case "auth":
      case "token": {
        const { value } = intake;
        const bad = one.ask === "auth" ? this.tokens.takeServer(value) : this.tokens.takeToken(value, now.ms);
        if (bad !== undefined) this.fail(bad, now);
        return;
      }
      case "programs":
        if (this.programmes.page(intake)) this.haveProgrammes(now);
        return;
      case "events":
        this.eventPage(intake, now);
        return;
      case "report":
        this.reported();
        return;
      case "notifiers":
      case "topics":
      case "find-hook":
      case "drop-hook":
      case "make-hook":
        this.notices.answered(one.ask, intake.value, this.noticeScope(now));
        this.tellNotices();
        return;
      case "leave":
        this.left();
        return;
      default:
        this.enrolment.answered(one.ask);
        if (this.enrolment.done) this.begin("events");
    }
  }

  private haveProgrammes(now: Now): void {
    const { wanted, list } = this.programmes;
    this.refreshAtMs = now.ms + REFRESH_MS;
    if (wanted.length > 0 && list.length === 0) {
      const text = `The server has no programme "${wanted.join(", ")}"; check the names with the utility.`;
      // What such a programme had asked for before does not hold any more.
      this.book.begin();
      this.commit(now);
      this.fail(fault("configuration", "openadr3-no-program", text), now);
    } else this.begin(this.identified && !this.enrolment.refused ? "enrol" : "events");
  }

  private eventPage(intake: Intake, now: Now): void {
    if (intake.oversize > 0) this.tellTooLarge();
    switch (this.sweep.page(intake, this.book.misses)) {
      case "more":
        return;
      case "again":
        this.begin("events", true);
        return;
      case "whole":
        this.commit(now);
        this.step = "poll";
        this.online = true;
        this.nextPollMs = now.ms + this.pollMs;
        this.finder?.end();
        this.notices.renew(this.tokens.at(now.ms));
        this.hints.swept(now.ms);
    }
  }

  /** Hands the sweep to the core, and takes up what its events want to be told. */
  private commit(now: Now): void {
    const time = this.time(now);
    this.book.commit(
      (events) => {
        this.tellPrices(events);
        return this.host.replaceEvents(this.id, events, now);
      },
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
    const { status } = outcome;
    const { ask } = one;
    // A list of topics may be for others alone (its scope): that says nothing of the token.
    const forbidden = status === 403 && ask === "topics";
    const ours = ask !== "auth" && ask !== "token" && this.config.clientId !== undefined;
    if (ours && isRefusal(status) && !forbidden) {
      this.tokens.drop();
      if (!this.freshToken) {
        // A stale token: the server was restarted, or its clock is not ours. Once; then it is a failure.
        this.freshToken = true;
        this.nextTryMs = now.ms;
        if (this.step === "events") this.begin("events");
        return;
      }
    }
    const definite = status >= 400 && status < 500 && status !== 429 && status !== 408;
    switch (ask) {
      case "auth":
        if (!definite) break;
        // Where a server does not say where tokens are, they are where the specification puts them.
        this.tokens.url = `${this.base}/auth/token`;
        return;
      case "token":
        if (definite) this.tokens.url = "";
        break;
      case "events":
        if (outcome.tooLarge && !this.sweep.endless) {
          if (!this.sweep.halve()) this.tellTooLarge();
          return;
        }
        if (status !== 400 || !this.sweep.active) break;
        this.sweep.active = false;
        return;
      case "report":
        if (status === 0 || status === 401) break;
        this.reportFailed(definite, why, now);
        return;
      case "notifiers":
      case "topics":
      case "find-hook":
      case "drop-hook":
      case "make-hook":
        // A server that is away is away for polls as well; any other answer means: not this way.
        if (status === 0 || status === 401) break;
        this.freshToken = false;
        this.notices.refused(ask, this.noticeScope(now));
        this.tellNotices();
        return;
      case "leave":
        if (status === 0 && this.failures < MAX_TRIES) break;
        this.left();
        return;
      case "programs":
        break;
      default:
        if (status !== 501 && (!definite || status === 401)) break;
        this.log("warning", `The server takes no registration (${ask}): ${why.text}`);
        this.enrolment.refused = true;
        this.freshToken = false;
        this.begin("events");
        return;
    }
    this.fail(why, now, outcome.retryAfterMs);
  }

  private reportFailed(definite: boolean, why: Fault, now: Now): void {
    this.reportTries++;
    this.freshToken = false;
    if (definite || this.reportTries >= MAX_TRIES) {
      this.log("warning", `The server did not take a report: ${why.text}`);
      this.reported();
    } else this.reportNextMs = now.ms + this.waitMs(this.reportTries);
  }

  private reported(): void {
    this.reportTries = 0;
    this.reportNextMs = 0;
    this.reports.drop();
  }

  private left(): void {
    if (this.notices.leave(this.base) !== undefined) this.notices.left();
    else this.enrolment.left();
  }

  /** Into the failing state: the next attempt comes ever later, and a sweep begins anew: half of it proves nothing. */
  private fail(why: Fault, now: Now, atLeastMs = 0): void {
    if (this.fault?.fault !== why.fault) this.log("warning", why.text);
    this.fault = why;
    this.failures++;
    this.nextTryMs = now.ms + Math.max(this.waitMs(this.failures), atLeastMs);
    if (this.step === "programs" || this.step === "events") this.begin(this.step);
    // On a local network addresses change: after a while the server is looked for anew, under whatever name.
    if (this.finder !== undefined && this.step !== "leave" && this.failures >= LOST_AFTER) {
      this.finder.begin(this.base);
    }
  }

  private waitMs(failures: number): number {
    return backoffMs({ periodMs: this.pollMs, floorMs: 1000 }, failures, this.host.random);
  }

  private end(): void {
    this.tokens.drop();
    this.step = "stopped";
    this.stopped = { code: "", text: "The registration was ended here." };
  }

  // --- telling -------------------------------------------------------------------------------------------

  /** The customer's override, and its end, for every event that it concerns. */
  private tellOverride(time: ReportTime): void {
    // Of a charger that is not heard there is no state to tell it by.
    if (this.sgd?.link !== "online" || !this.identified) return;
    for (const event of this.book.optChanges(optOutOf(this.sgd, time.ms), time.utcMs)) {
      const asked = event.reports.some((one) => one.payloadType === "OPERATING_STATE");
      if (asked || this.config.optOutReports !== false) this.reports.tellState(event.id, time);
    }
  }

  private tellPrices(events: readonly GridEvent[]): void {
    if (this.toldPrices || !lacksNormalPrice(events)) return;
    this.toldPrices = true;
    this.log("warning", NO_NORMAL_PRICE);
  }

  private tellUnserved(): void {
    for (; this.toldUnserved < this.reports.unserved.length; this.toldUnserved++) {
      const type = this.reports.unserved[this.toldUnserved]!;
      this.log("info", `Reports of ${type} are asked for and cannot be given.`);
    }
  }

  private tellNotices(): void {
    if (this.notices.trouble !== "") this.log("info", this.notices.trouble);
    this.notices.trouble = "";
  }

  private tellTooLarge(): void {
    this.log("warning", "An event is larger than this module reads; it is left out.");
  }

  private reportsMs(): number {
    const at = this.lastTime;
    return this.online && at !== undefined ? this.reports.nextMs(at) : NEVER;
  }

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

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

function unreadable(what: string): Fault {
  return fault("server", "openadr3-json", `The answer of the utility's server cannot be read: ${what}.`);
}
