import { backoffMs, comebackMs } from "../base/backoff.js";
import { fault, isFault, type Fault } from "../base/fault.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "../grid/upstream.js";
import type { HttpEvent } from "../ports/http.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import { serviceBase, type OpenAdr2Config } from "./config.js";
import { Exchange, type Outcome } from "./exchange.js";
import { MAX_EVENTS, type VtnMessage } from "./messages.js";
import * as out from "./outbound.js";
import { Outbox, sending, type Sending } from "./outbox.js";
import {
  forgetRegistration,
  isUnknown,
  loadRegistration,
  readQuery,
  readRegistered,
  refused,
  saveRegistration,
  unregistered,
  words,
  type Registration,
} from "./registration.js";
import type { ReportTime, UsageHistory } from "./report-book.js";
import { Services } from "./services.js";

export type { OpenAdr2Config } from "./config.js";
export type { UsageHistory } from "./report-book.js";

/** What servers use that name none; and until one has named one. */
const DEFAULT_POLL_MS = 10_000;
const TIMEOUT_MS = 30_000;
/** The world's own time-out comes first; this is for a world that forgot. */
const FORGOTTEN_MS = 15_000;
const MAX_BODY_BYTES = 65_536;
/** After a non-empty answer the server is asked again at once, this often in a row. */
const MAX_EXTRA_POLLS = 4;
/** A message beside the session's own steps is given up after this many answers that were errors. */
const MAX_TRIES = 3;
const SIGNATURE = "openadr2-signature";

/** What the session still needs, in order; `poll` = all done. */
type Step = "stopped" | "query" | "register" | "reports" | "events" | "poll";

/**
 * A virtual end node over HTTP pull. Driven by `poll`, `onHttp` and `onSgd`; one request at a time. Order after
 * start: query, registration, report metadata, events, then polls; answers to the server go before the next poll.
 */
export class OpenAdr2Ven implements Upstream {
  readonly id: string;
  private readonly config: OpenAdr2Config;
  private readonly host: UpstreamHost;
  private readonly base: string;
  private readonly outbox: Outbox;
  private readonly services: Services;
  private is: Registration;
  private step: Step = "stopped";
  /** Why it is stopped. */
  private stopped = { code: "", text: "Not started." };
  private pollMs = DEFAULT_POLL_MS;
  private nextPollMs = 0;
  private extraPolls = 0;
  /** Registrations in a row without a quiet poll in between. */
  private renewals = 0;
  private current: { readonly one: Sending; readonly exchange: Exchange } | undefined;
  private failures = 0;
  private fault: Fault | undefined;
  private nextTryMs = 0;
  private lastContactMs: number | undefined;
  /** UTC minus monotonic from the server's Date, for a module whose clock is not set yet. */
  private serverOffsetMs: number | undefined;

  constructor(config: OpenAdr2Config, host: UpstreamHost, history?: UsageHistory) {
    this.id = config.id;
    this.config = config;
    this.host = host;
    this.base = serviceBase(config.url);
    this.outbox = new Outbox(host.random);
    this.services = new Services(config, host, this.outbox, history);
    this.is = unregistered(config.venId);
  }

  start(now: Now): void {
    if (this.step !== "stopped") return;
    if (this.config.security === "high") {
      const text =
        "Security level high (XML signatures) is not built into this module; ask the utility for level standard.";
      this.stopped = { code: SIGNATURE, text };
      return;
    }
    if (!this.base.startsWith("https://")) {
      const text = "OpenADR 2.0b needs TLS: the address must begin with https://.";
      this.stopped = { code: "openadr2-not-tls", text };
      return;
    }
    this.is = loadRegistration(this.host.store, this.id, this.base) ?? unregistered(this.config.venId);
    this.nextTryMs = now.ms;
    this.step = "query";
    this.poll(now);
  }

  poll(now: Now): void {
    const time = this.time(now);
    if (time !== undefined && this.step === "poll") {
      this.services.reports.poll(time);
      this.services.opt(this.is.venId, time);
    }
    const current = this.current;
    if (current !== undefined) {
      if (now.ms < current.exchange.deadlineMs) return;
      this.host.http.abort(current.exchange.id);
      const late = fault("network", "timeout", "The utility's server did not answer in time.");
      this.finish({ end: "fault", status: 0, fault: late }, now);
    }
    if (now.ms < this.nextTryMs) return;
    const next = this.next(now, time);
    if (next !== undefined) this.send(next, now);
  }

  nextMs(): number {
    const polling = this.step === "poll";
    const { reports } = this.services;
    const wake = polling ? reports.nextMs() : NEVER;
    if (this.current !== undefined) return Math.min(wake, this.current.exchange.deadlineMs);
    if (this.outbox.first !== undefined) return Math.min(wake, this.nextTryMs);
    if (this.step === "stopped") return NEVER;
    if (!polling || reports.due().length > 0 || reports.metadataDue) return Math.min(wake, this.nextTryMs);
    return Math.min(wake, Math.max(this.nextPollMs, this.nextTryMs));
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
    this.services.onSgd(status);
    this.poll(now);
  }

  status(): UpstreamStatus {
    const step = this.step;
    const base = { id: this.id, nextTryMs: this.nextMs(), lastContactMs: this.lastContactMs };
    if (step === "stopped")
      return { ...base, state: "stopped", fault: this.stopped.code, text: this.stopped.text };
    const why = this.fault;
    if (why !== undefined) return { ...base, state: "failing", fault: why.fault, text: why.text };
    const state = step === "query" ? "connecting" : step === "poll" ? "online" : "registering";
    return { ...base, state, fault: "", text: WORDS[step] };
  }

  /** Who we are at the server; empty texts where not registered. */
  get registration(): Registration {
    return this.is;
  }

  /** Ends the registration from our side (change of provider, decommissioning) and stops. */
  deregister(now: Now): void {
    const { venId, registrationId } = this.is;
    if (this.current !== undefined) this.host.http.abort(this.current.exchange.id);
    this.current = undefined;
    this.outbox.clear();
    if (registrationId !== "") {
      const body = out.cancelPartyRegistration(this.outbox.requestId(), registrationId, venId);
      this.outbox.put("deregister", "EiRegisterParty", body);
    }
    this.end("The registration was ended here.", now);
    this.poll(now);
  }

  /**
   * Tells the server when this module will or will not take part (EiOpt schedule). Answers the optID, or
   * undefined while it is not online or has no clock.
   */
  optSchedule(
    optIn: boolean,
    startUtcMs: number,
    durationMs: number,
    now: Now,
    marketContext = "",
    reason: out.OptReason = "x-schedule",
  ): string | undefined {
    const time = this.time(now);
    if (time === undefined || this.step !== "poll") return undefined;
    const optId = this.outbox.requestId();
    const opt = { optId, optIn, reason, event: undefined, span: { startUtcMs, durationMs }, marketContext };
    const body = out.createOpt(this.outbox.requestId(), this.is.venId, opt, time.utcMs);
    this.outbox.put("opt", "EiOpt", body);
    this.poll(now);
    return optId;
  }

  /** Takes a scheduled opt back. */
  cancelOpt(optId: string, now: Now): void {
    if (this.step !== "poll") return;
    const body = out.cancelOpt(this.outbox.requestId(), optId, this.is.venId);
    this.outbox.put("opt", "EiOpt", body);
    this.poll(now);
  }

  // --- sending -------------------------------------------------------------------------------------------

  /** What to send now, if anything: answers before steps, steps before telemetry, telemetry before polls. */
  private next(now: Now, time: ReportTime | undefined): Sending | undefined {
    const outbox = this.outbox;
    if (outbox.first !== undefined) return outbox.first;
    const { venId, registrationId } = this.is;
    switch (this.step) {
      case "stopped":
        return undefined;
      case "query":
        return sending("query", "EiRegisterParty", out.queryRegistration(outbox.requestId()));
      case "register": {
        const name = this.config.venName;
        const body = out.createPartyRegistration(outbox.requestId(), name, venId, registrationId);
        return sending("register", "EiRegisterParty", body);
      }
      case "reports":
        // Metadata bear a date; without any clock (no Date from the server either) they get that of 1970.
        return sending("reports", "EiReport", this.metadata("0", time?.utcMs ?? 0));
      case "events":
        return sending("events", "EiEvent", out.requestEvent(outbox.requestId(), venId, MAX_EVENTS));
      case "poll":
    }
    const { reports } = this.services;
    if (time !== undefined) {
      const wanted = reports.takeMetadataRequest();
      if (wanted !== undefined) return outbox.put("answer", "EiReport", this.metadata(wanted, time.utcMs));
      const due = reports.due();
      if (due.length > 0) {
        const body = out.updateReport(outbox.requestId(), venId, due, time.utcMs);
        return sending("update", "EiReport", body, due[due.length - 1]);
      }
    }
    return now.ms < this.nextPollMs ? undefined : sending("poll", "OadrPoll", out.oadrPoll(venId));
  }

  private metadata(reportRequestId: string, utcMs: number): string {
    const { venName, voltage } = this.config;
    const requestId = this.outbox.requestId();
    const offers = this.services.reports.offers();
    const { venId } = this.is;
    return out.registerReport(requestId, venId, venName, offers, reportRequestId, voltage ?? 240, utcMs);
  }

  private send(one: Sending, now: Now): void {
    const id = this.host.nextRequestId();
    this.current = { one, exchange: new Exchange(id, now.ms + TIMEOUT_MS + FORGOTTEN_MS) };
    this.host.http.request({
      id,
      method: "POST",
      url: `${this.base}/${one.service}`,
      headers: [
        ["content-type", "application/xml"],
        ["accept", "application/xml"],
      ],
      body: one.body,
      credentials: this.id,
      timeoutMs: TIMEOUT_MS,
      maxBodyBytes: MAX_BODY_BYTES,
    });
  }

  // --- receiving -----------------------------------------------------------------------------------------

  private finish(outcome: Outcome, now: Now): void {
    const { one } = this.current!;
    this.current = undefined;
    if (outcome.end === "fault") {
      this.failed(one, outcome.fault, outcome.status, now);
      return;
    }
    this.lastContactMs = now.ms;
    const message = outcome.end === "message" ? outcome.message : undefined;
    if (message?.signed === true) {
      const text =
        "The server signs its messages (security level high), which this module cannot check; ask the utility for level standard.";
      this.fail(fault("configuration", SIGNATURE, text), now);
      return;
    }
    const unknown = isUnknown(message);
    // A query is answered to anybody.
    if (unknown || (one.ask !== "query" && message !== undefined && !refused(message)))
      this.host.serverWord?.(!unknown, now);
    this.outbox.drop(one);
    this.failures = 0;
    this.fault = undefined;
    this.nextTryMs = now.ms;
    this.answered(one, message, now);
    if (message === undefined || this.step === "stopped") return;
    // A registration that is under way already is what such a server wants.
    if (message.payload === "oadrRequestReregistration" && one.ask === "register") return;
    const demand = this.services.take(message, this.is, this.time(now), now);
    if (demand === "register anew") this.renew(now);
    else if (demand === "registration ended") this.end("The utility has ended the registration.", now);
  }

  /** No message came: the way to the server is broken, or it answers with an error. */
  private failed(one: Sending, why: Fault, status: number, now: Now): void {
    const log = (text: string): void => this.host.log("warning", `OpenADR 2.0b: ${text}: ${why.text}`);
    one.tries++;
    // What was lost may have been events, which the server now takes for delivered: ask for all of them.
    if (one.ask === "poll") this.step = "events";
    // Not heard at all: nothing to learn but that we have to try again.
    if (status === 0 && one.ask !== "deregister") {
      this.fail(why, now);
      return;
    }
    switch (one.ask) {
      case "query":
        log("The server does not answer a registration query; registering without");
        this.step = "register";
        return;
      case "reports":
        log("The server did not take the report metadata");
        this.step = "events";
        return;
      case "update":
        log("The server did not take a report");
        this.services.reports.sent(one.last);
        return;
      case "deregister":
        this.outbox.drop(one);
        return;
      case "opt":
      case "answer":
        if (one.ask === "opt" && status === 404) {
          this.outbox.drop(one);
          this.services.noOptService(one, this.is.venId);
        } else if (one.tries < MAX_TRIES) this.nextTryMs = now.ms + 1000 * 2 ** one.tries;
        else {
          log(`A message to ${one.service} is given up`);
          this.outbox.drop(one);
        }
        return;
      default:
        this.fail(why, now);
    }
  }

  /** Into the failing state: the next attempt comes ever later. */
  private fail(cause: Fault, now: Now): void {
    const why = this.withFingerprint(cause);
    if (this.fault?.fault !== why.fault) this.host.log("warning", `OpenADR 2.0b: ${why.text}`);
    this.fault = why;
    this.failures++;
    this.wait(this.failures, now);
  }

  /** Where the server does not know our certificate, its fingerprint is what the utility will ask for. */
  private withFingerprint(why: Fault): Fault {
    const print = this.config.fingerprint ?? "";
    const unknown = ["http-401", "http-403", "tls-client-certificate"].includes(why.fault);
    return unknown && print !== "" ? { ...why, text: `${why.text} Its fingerprint: ${print}.` } : why;
  }

  private wait(failures: number, now: Now): void {
    const rule = { periodMs: this.periodMs(), floorMs: 1000 };
    this.nextTryMs = now.ms + backoffMs(rule, failures, this.host.random);
  }

  /** What an answer means for what was asked. */
  private answered(one: Sending, message: VtnMessage | undefined, now: Now): void {
    switch (one.ask) {
      case "query": {
        const is = readQuery(message, this.is);
        if (isFault(is)) this.fail(is, now);
        else {
          this.is = is;
          this.step = "register";
        }
        return;
      }
      case "register":
        this.registered(message, now);
        return;
      case "events":
        this.step = "poll";
        this.nextPollMs = now.ms + this.periodMs();
        if (refused(message)) this.refused(message, now);
        return;
      case "poll":
        this.polled(message, now);
        return;
      case "reports":
        this.step = "events";
        break;
      case "update":
        this.services.reports.sent(one.last);
        break;
      default:
    }
    if (refused(message)) {
      this.host.log("warning", `OpenADR 2.0b: ${one.service} refuses our message: ${words(message)}`);
    }
  }

  private registered(message: VtnMessage | undefined, now: Now): void {
    const is = readRegistered(message, this.is, this.config.fingerprint ?? "");
    if (!isFault(is)) {
      // A server that only renews goes on expecting the reports that it has asked for.
      if (is.registrationId !== this.is.registrationId) this.services.reports.forget();
      this.is = is;
      saveRegistration(this.host.store, this.id, this.base, is);
      const asked = message?.pollMs ?? 0;
      this.pollMs = asked > 0 ? asked : DEFAULT_POLL_MS;
      this.step = "reports";
      this.host.log("info", `OpenADR 2.0b: registered as ${is.venId} at ${is.vtnId}.`);
    } else if (this.is.registrationId === "") this.fail(is, now);
    else {
      // Perhaps the server has lost or replaced us: once more as a newcomer.
      this.host.log("warning", `OpenADR 2.0b: ${is.text} Trying as a newcomer.`);
      forgetRegistration(this.host.store, this.id);
      this.is = unregistered(this.config.venId);
    }
  }

  private polled(message: VtnMessage | undefined, now: Now): void {
    const quiet = message === undefined || message.payload === "oadrResponse";
    if (quiet) this.renewals = 0;
    if (!quiet && this.extraPolls < MAX_EXTRA_POLLS) {
      this.extraPolls++;
      this.nextPollMs = now.ms;
    } else {
      this.extraPolls = 0;
      this.nextPollMs = now.ms + this.periodMs();
    }
    if (message?.payload === "oadrResponse" && refused(message)) this.refused(message, now);
  }

  /** A poll or event request was refused: we are unknown there (452, 463), or something else is wrong. */
  private refused(message: VtnMessage | undefined, now: Now): void {
    if (isUnknown(message)) this.step = "register";
    const text = `The server refuses our request: ${words(message)}.`;
    this.fail(fault("server", "openadr2-refused", text), now);
  }

  /** Registers anew under the known ids; the second time in a row not at once. */
  private renew(now: Now): void {
    this.step = "register";
    if (++this.renewals > 1) this.wait(this.renewals, now);
  }

  /** The registration is over, whoever ended it, and its events with it. */
  private end(text: string, now: Now): void {
    forgetRegistration(this.host.store, this.id);
    this.is = unregistered(this.config.venId);
    this.services.end(now);
    this.fault = undefined;
    this.failures = 0;
    this.renewals = 0;
    this.nextTryMs = now.ms;
    this.step = "stopped";
    this.stopped = { code: "", text };
    this.host.log("info", `OpenADR 2.0b: ${text}`);
  }

  /** What the server asks for is never undercut. */
  private periodMs(): number {
    return Math.max(this.pollMs, (this.config.pollSeconds ?? 0) * 1000);
  }

  private time(now: Now): ReportTime | undefined {
    if (now.utcMs !== undefined) return { ms: now.ms, utcMs: now.utcMs };
    if (this.serverOffsetMs === undefined) return undefined;
    return { ms: now.ms, utcMs: now.ms + this.serverOffsetMs };
  }
}

const WORDS = {
  query: "Asking the utility's server how to register.",
  register: "Registering at the utility's server.",
  reports: "Registered; telling which reports can be had.",
  events: "Registered; asking for events.",
  poll: "Registered and polling.",
} as const;
