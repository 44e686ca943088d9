import { backoffMs } from "../base/backoff.js";
import { fault, type Fault } from "../base/fault.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "../grid/upstream.js";
import type { HttpEvent } from "../ports/http.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import { programmeOf, serviceBase, type OpenAdr2Config } from "./config.js";
import { EventBook } from "./event-book.js";
import { Exchange, type Outcome } from "./exchange.js";
import { MAX_EVENTS, type VtnMessage } from "./messages.js";
import * as out from "./outbound.js";
import {
  forgetRegistration,
  loadRegistration,
  saveRegistration,
  UNREGISTERED,
  type Registration,
} from "./registration.js";
import { ReportBook, type ReportTime, type UsageHistory } from "./report-book.js";

export type { OpenAdr2Config } from "./config.js";

/** Where OL and AV servers stand, and what is used until the server names a period. */
const DEFAULT_POLL_MS = 10_000;
const TIMEOUT_MS = 30_000;
/** The world's own time-out comes first; this is for a world that forgot. */
const FORGOTTEN_MS = 15_000;
const MAX_BODY_BYTES = 65_536;
/** After a non-empty answer the server is asked again at once, this often in a row. */
const MAX_EXTRA_POLLS = 4;
/** A message that is no step of the registration is given up after this many failures. */
const MAX_TRIES = 3;
const MAX_QUEUE = 24;

type Service = "EiRegisterParty" | "EiEvent" | "EiReport" | "EiOpt" | "OadrPoll";

/** What the registration still needs, in order; `poll` = all done. */
type Step = "stopped" | "query" | "register" | "reports" | "events" | "poll";

/** Something to send. `ask` says what its answer means. */
interface Sending {
  readonly ask: Step | "answer" | "update" | "opt" | "deregister";
  readonly service: Service;
  readonly body: string;
  /** For `update`: how many reports it carries. */
  readonly count: number;
  /** For `opt`: what to say by oadrCreatedEvent where the server has no EiOpt. */
  readonly instead: out.EventAnswer | undefined;
  tries: number;
}

/**
 * A virtual end node over HTTP pull. Driven by `poll`, `onHttp` and `onSgd`; one request at a time. Order after
 * start: query, registration, report metadata, events, then polls; answers to the server go before the next poll.
 */
export class OpenAdr2Ven implements Upstream {
  readonly id: string;
  readonly #config: OpenAdr2Config;
  readonly #host: UpstreamHost;
  readonly #base: string;
  readonly #events: EventBook;
  readonly #reports: ReportBook;
  #registration: Registration = UNREGISTERED;
  #step: Step = "stopped";
  #stopText = "Not started.";
  #stopFault = "";
  #pollMs = DEFAULT_POLL_MS;
  #nextPollMs = 0;
  #extraPolls = 0;
  /** Registrations asked for in a row without a poll in between. */
  #renewals = 0;
  #queue: Sending[] = [];
  #current: { readonly sending: Sending; readonly exchange: Exchange } | undefined;
  #failures = 0;
  #fault: Fault | undefined;
  #nextTryMs = 0;
  #lastContactMs: number | undefined;
  #nowMs = 0;
  /** UTC minus monotonic, from the server's Date, for a module whose clock is not set yet. */
  #serverOffsetMs: number | undefined;
  #status: SgdStatus | undefined;
  #optByEvent: boolean;
  #lastRequest = 0;

  constructor(config: OpenAdr2Config, host: UpstreamHost, history?: UsageHistory) {
    this.id = config.id;
    this.#config = config;
    this.#host = host;
    this.#base = serviceBase(config.url);
    this.#events = new EventBook(programmeOf(config), {
      marketContexts: config.marketContexts ?? [],
      targets: config.targets ?? [],
    });
    this.#reports = new ReportBook(history);
    this.#optByEvent = config.opt === "createdEvent";
  }

  start(now: Now): void {
    if (this.#step !== "stopped") return;
    this.#nowMs = now.ms;
    if (this.#config.security === "high") {
      this.#stop(
        "openadr2-signature",
        "Security level high (XML signatures) is not built into this module; ask the utility for level standard.",
      );
      return;
    }
    if (!this.#base.startsWith("https://")) {
      this.#stop("openadr2-not-tls", "OpenADR 2.0b needs TLS: the address must begin with https://.");
      return;
    }
    const kept = loadRegistration(this.#host.store, this.id, this.#base);
    this.#registration =
      kept.registrationId === "" ? { ...UNREGISTERED, venId: this.#config.venId ?? "" } : kept;
    this.#nextTryMs = now.ms;
    this.#step = "query";
    this.poll(now);
  }

  poll(now: Now): void {
    this.#nowMs = now.ms;
    const time = this.#time(now);
    if (time !== undefined) {
      this.#reports.poll(time);
      this.#opt(time);
    }
    if (this.#current !== undefined) {
      if (now.ms < this.#current.exchange.deadlineMs) return;
      this.#host.http.abort(this.#current.exchange.id);
      this.#finish(
        { end: "fault", status: 0, fault: fault("network", "timeout", "The server did not answer.") },
        now,
      );
    }
    if (this.#step === "stopped" && this.#queue.length === 0) return;
    if (now.ms < this.#nextTryMs) return;
    const next = this.#next(now);
    if (next !== undefined) this.#send(next, now);
  }

  nextMs(): number {
    let next = this.#step === "poll" ? this.#reports.nextMs() : NEVER;
    if (this.#current !== undefined) return Math.min(next, this.#current.exchange.deadlineMs);
    if (this.#step === "stopped" && this.#queue.length === 0) return NEVER;
    if (
      this.#queue.length > 0 ||
      this.#step !== "poll" ||
      this.#reports.due().length > 0 ||
      this.#reports.metadataDue
    ) {
      return Math.min(next, this.#nextTryMs);
    }
    next = Math.min(next, Math.max(this.#nextPollMs, this.#nextTryMs));
    return next;
  }

  onHttp(event: HttpEvent, now: Now): void {
    const current = this.#current;
    if (current === undefined || event.id !== current.exchange.id) return;
    this.#nowMs = now.ms;
    const outcome = current.exchange.take(event);
    if (event.ev === "head" && current.exchange.dateUtcMs !== undefined) {
      this.#serverOffsetMs = current.exchange.dateUtcMs - now.ms;
      this.#host.clockSeen(current.exchange.dateUtcMs, now);
    }
    if (outcome !== undefined) {
      this.#finish(outcome, now);
      this.poll(now);
    }
  }

  onSgd(status: SgdStatus, now: Now): void {
    this.#nowMs = now.ms;
    this.#status = status;
    this.#reports.onStatus(status);
    this.poll(now);
  }

  status(): UpstreamStatus {
    const failing = this.#fault !== undefined;
    const step = this.#step;
    return {
      id: this.id,
      state:
        step === "stopped"
          ? "stopped"
          : failing
            ? "failing"
            : step === "query"
              ? "connecting"
              : step === "poll"
                ? "online"
                : "registering",
      fault: step === "stopped" ? this.#stopFault : (this.#fault?.fault ?? ""),
      text: step === "stopped" ? this.#stopText : (this.#fault?.text ?? WORDS[step]),
      nextTryMs: this.nextMs(),
      lastContactMs: this.#lastContactMs,
    };
  }

  /** Who we are at the server; "" where not registered. */
  get registration(): Registration {
    return this.#registration;
  }

  /** Ends the registration from our side (change of provider, decommissioning) and stops. */
  deregister(now: Now): void {
    const { venId, registrationId } = this.#registration;
    this.#dropCurrent();
    this.#queue = [];
    if (registrationId !== "") {
      this.#enqueue(
        "deregister",
        "EiRegisterParty",
        out.cancelPartyRegistration(this.#requestId(), registrationId, venId),
      );
    }
    this.#end("The registration was ended here.", now);
    this.#nextTryMs = now.ms;
    this.poll(now);
  }

  /**
   * Tells the server when this module will or will not take part (EiOpt schedule). Answers the optID, or
   * undefined while not registered or without a clock.
   */
  optSchedule(
    optIn: boolean,
    startUtcMs: number,
    durationMs: number,
    now: Now,
    marketContext = "",
    reason: out.OptReason = "x-schedule",
  ): string | undefined {
    const time = this.#time(now);
    if (time === undefined || this.#step !== "poll") return undefined;
    const optId = this.#requestId();
    const opt = { optId, optIn, reason, event: undefined, span: { startUtcMs, durationMs }, marketContext };
    this.#enqueue(
      "opt",
      "EiOpt",
      out.createOpt(this.#requestId(), this.#registration.venId, opt, time.utcMs),
    );
    this.poll(now);
    return optId;
  }

  cancelOpt(optId: string, now: Now): void {
    this.#enqueue("opt", "EiOpt", out.cancelOpt(this.#requestId(), optId, this.#registration.venId));
    this.poll(now);
  }

  // --- sending -------------------------------------------------------------------------------------------

  /** What to send now, if anything; answers before steps, steps before telemetry, telemetry before polls. */
  #next(now: Now): Sending | undefined {
    if (this.#queue.length > 0) return this.#queue[0];
    const { venId, registrationId } = this.#registration;
    const requestId = this.#requestId();
    const time = this.#time(now);
    switch (this.#step) {
      case "query":
        return sending("query", "EiRegisterParty", out.queryRegistration(requestId));
      case "register":
        return sending(
          "register",
          "EiRegisterParty",
          out.createPartyRegistration(requestId, this.#config.venName, venId, registrationId),
        );
      case "reports":
        // Metadata bear a date; a server that sends none, to a module without clock, gets them as of 1970.
        return sending("reports", "EiReport", this.#metadata("0", time?.utcMs ?? 0));
      case "events":
        return sending("events", "EiEvent", out.requestEvent(requestId, venId, MAX_EVENTS));
      case "poll":
        break;
      default:
        return undefined;
    }
    const metadataFor = time === undefined ? undefined : this.#reports.takeMetadataRequest();
    if (time !== undefined && metadataFor !== undefined) {
      return this.#enqueue("answer", "EiReport", this.#metadata(metadataFor, time.utcMs));
    }
    const due = this.#reports.due();
    if (time !== undefined && due.length > 0) {
      return sending("update", "EiReport", out.updateReport(requestId, venId, due, time.utcMs), due.length);
    }
    if (now.ms < this.#nextPollMs) return undefined;
    return sending("poll", "OadrPoll", out.oadrPoll(venId));
  }

  #metadata(reportRequestId: string, utcMs: number): string {
    const { venId } = this.#registration;
    return out.registerReport(
      this.#requestId(),
      venId,
      this.#config.venName,
      this.#reports.offers(),
      reportRequestId,
      this.#config.voltage ?? 240,
      utcMs,
    );
  }

  #enqueue(ask: Sending["ask"], service: Service, body: string, instead?: out.EventAnswer): Sending {
    const one = sending(ask, service, body, 0, instead);
    if (this.#queue.length >= MAX_QUEUE) {
      this.#host.log("warning", "OpenADR 2.0b: too many answers are waiting; the oldest is given up.");
      this.#queue.splice(this.#current?.sending === this.#queue[0] ? 1 : 0, 1);
    }
    this.#queue.push(one);
    return one;
  }

  #send(one: Sending, now: Now): void {
    const id = this.#host.nextRequestId();
    this.#current = { sending: one, exchange: new Exchange(id, now.ms + TIMEOUT_MS + FORGOTTEN_MS) };
    this.#host.http.request({
      id,
      method: "POST",
      url: `${this.#base}/${one.service}`,
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

  #dropCurrent(): void {
    if (this.#current !== undefined) this.#host.http.abort(this.#current.exchange.id);
    this.#current = undefined;
  }

  // --- receiving -----------------------------------------------------------------------------------------

  #finish(outcome: Outcome, now: Now): void {
    const one = this.#current!.sending;
    this.#current = undefined;
    if (outcome.end === "fault") {
      this.#failed(one, outcome.fault, outcome.status, now);
      return;
    }
    this.#lastContactMs = now.ms;
    if (outcome.end === "message" && outcome.message.signed) {
      const text =
        "The server signs its messages (security level high), which this module does not check; ask the utility for level standard.";
      this.#failed(one, fault("configuration", "openadr2-signature", text), 200, now);
      return;
    }
    this.#drop(one);
    this.#failures = 0;
    this.#fault = undefined;
    this.#nextTryMs = now.ms;
    const message = outcome.end === "message" ? outcome.message : undefined;
    this.#answered(one, message, now);
    if (message !== undefined && this.#step !== "stopped") this.#dispatch(one, message, now);
  }

  #drop(one: Sending): void {
    const at = this.#queue.indexOf(one);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  #failed(one: Sending, why: Fault, status: number, now: Now): void {
    one.tries++;
    if (one.ask === "opt" && status === 404) {
      this.#noOptService(one);
      return;
    }
    const spoke = status > 0;
    if (one.ask === "query" && spoke && why.fault !== "openadr2-signature") {
      this.#host.log("info", `OpenADR 2.0b: the server does not answer a registration query (${why.fault}).`);
      this.#step = "register";
      return;
    }
    if (one.ask === "deregister" || (one.tries >= MAX_TRIES && spoke && this.#queue.includes(one))) {
      this.#host.log("warning", `OpenADR 2.0b: a message to ${one.service} was given up: ${why.text}`);
      this.#drop(one);
      if (one.ask === "deregister") return;
    }
    if (one.ask === "update" && spoke) {
      this.#host.log("warning", `OpenADR 2.0b: the server did not take a report: ${why.text}`);
      this.#reports.sent(one.count);
    }
    if (one.ask === "reports" && spoke) {
      this.#host.log("warning", `OpenADR 2.0b: the server did not take the report metadata: ${why.text}`);
      this.#step = "events";
    }
    this.#fail(why, now);
  }

  /** Into the failing state: the next attempt comes ever later. */
  #fail(why: Fault, now: Now): void {
    if (this.#fault?.fault !== why.fault) this.#host.log("warning", `OpenADR 2.0b: ${why.text}`);
    this.#fault = why;
    this.#failures++;
    const rule = { periodMs: this.#periodMs(), floorMs: 1000 };
    this.#nextTryMs = now.ms + backoffMs(rule, this.#failures, this.#host.random);
  }

  /** What an answer means for what was asked. */
  #answered(one: Sending, message: VtnMessage | undefined, now: Now): void {
    switch (one.ask) {
      case "query":
        this.#queried(message, now);
        return;
      case "register":
        this.#registered(message, now);
        return;
      case "reports":
        if (message !== undefined && refused(message)) {
          this.#host.log("warning", `OpenADR 2.0b: report metadata refused: ${words(message)}`);
        }
        if (this.#step === "reports") this.#step = "events";
        return;
      case "events":
        if (this.#step === "events") this.#step = "poll";
        this.#nextPollMs = now.ms + this.#periodMs();
        if (message !== undefined && refused(message)) this.#refusedBy(message, now);
        return;
      case "poll":
        this.#polled(message, now);
        return;
      case "update":
        this.#reports.sent(one.count);
        if (message !== undefined && refused(message)) {
          this.#host.log("warning", `OpenADR 2.0b: report refused: ${words(message)}`);
        }
        return;
      default:
        if (message !== undefined && refused(message)) {
          this.#host.log("warning", `OpenADR 2.0b: ${one.service} refuses our message: ${words(message)}`);
        }
    }
  }

  #queried(message: VtnMessage | undefined, now: Now): void {
    this.#step = "register";
    if (message?.payload !== "oadrCreatedPartyRegistration" || refused(message)) return;
    const { profiles } = message;
    if (profiles.length > 0 && !profiles.includes("2.0b/simpleHttp")) {
      this.#step = "query";
      const text = `The server offers ${profiles.join(", ")}, and this module speaks OpenADR 2.0b over simpleHttp.`;
      this.#fail(fault("configuration", "openadr2-profile", text), now);
      return;
    }
    const is = this.#registration;
    if (is.registrationId === "" && message.registrationId !== "" && message.venId !== "") {
      this.#registration = {
        venId: message.venId,
        registrationId: message.registrationId,
        vtnId: message.vtnId,
      };
    }
  }

  #registered(message: VtnMessage | undefined, now: Now): void {
    if (message?.payload === "oadrRequestReregistration") {
      // We are registering; the server means that what we sent is out of date.
      this.#registrationRefused("the server asks for a new registration", "", now);
      return;
    }
    if (
      message?.payload !== "oadrCreatedPartyRegistration" ||
      refused(message) ||
      message.registrationId === ""
    ) {
      const text = message === undefined ? "an empty answer" : words(message);
      this.#registrationRefused(text, message?.responseCode ?? "", now);
      return;
    }
    const venId = message.venId || this.#registration.venId;
    if (venId === "") {
      this.#registrationRefused("the server gave no venID", "", now);
      return;
    }
    this.#registration = { venId, registrationId: message.registrationId, vtnId: message.vtnId };
    saveRegistration(this.#host.store, this.id, this.#base, this.#registration);
    this.#pollMs = message.pollMs !== undefined && message.pollMs > 0 ? message.pollMs : DEFAULT_POLL_MS;
    this.#reports.forget();
    this.#step = "reports";
    this.#host.log("info", `OpenADR 2.0b: registered as ${venId} at ${message.vtnId}.`);
  }

  #registrationRefused(text: string, code: string, now: Now): void {
    if (this.#registration.registrationId !== "") {
      // Perhaps the server has lost or replaced us: once more as a newcomer.
      forgetRegistration(this.#host.store, this.id);
      this.#registration = { ...UNREGISTERED, venId: this.#config.venId ?? "" };
      this.#nextTryMs = now.ms + 1000;
      return;
    }
    const print = this.#config.fingerprint;
    const hint =
      code === "463" && print !== undefined && print !== ""
        ? ` Give the utility this module's fingerprint: ${print}.`
        : "";
    const why = `The server refuses the registration: ${text}.${hint}`;
    this.#fail(fault("server", "openadr2-registration-refused", why), now);
  }

  #polled(message: VtnMessage | undefined, now: Now): void {
    this.#renewals = 0;
    const quiet = message === undefined || message.payload === "oadrResponse";
    if (!quiet && this.#extraPolls < MAX_EXTRA_POLLS) {
      this.#extraPolls++;
      this.#nextPollMs = now.ms;
    } else {
      this.#extraPolls = 0;
      this.#nextPollMs = now.ms + this.#periodMs();
    }
    if (message?.payload === "oadrResponse" && refused(message)) this.#refusedBy(message, now);
  }

  /** A poll or event request was refused: we are unknown there, or something else is wrong. */
  #refusedBy(message: VtnMessage, now: Now): void {
    const code = message.responseCode;
    if (code === "463" || code === "452") this.#renew(now);
    const text = `The server refuses our request: ${words(message)}.`;
    this.#fail(fault("server", "openadr2-refused", text), now);
  }

  /** Registers anew under the known ids; the second time in a row not at once. */
  #renew(now: Now): void {
    this.#step = "register";
    this.#renewals++;
    if (this.#renewals > 1) {
      const rule = { periodMs: this.#periodMs(), floorMs: 1000 };
      this.#nextTryMs = now.ms + backoffMs(rule, this.#renewals, this.#host.random);
    }
  }

  /** What the server wants of us, whichever request it came in answer to. */
  #dispatch(one: Sending, message: VtnMessage, now: Now): void {
    const { venId } = this.#registration;
    const stranger = message.venId !== "" && venId !== "" && message.venId !== venId;
    const time = this.#time(now);
    switch (message.payload) {
      case "oadrDistributeEvent":
        this.#distributed(message, now);
        return;
      case "oadrRequestReregistration":
        if (one.ask === "register") return;
        this.#respond("EiRegisterParty", message, stranger);
        if (!stranger) this.#renew(now);
        return;
      case "oadrCancelPartyRegistration":
        this.#cancelled(message, stranger, now);
        return;
      case "oadrRegisteredReport":
      case "oadrCreateReport":
        if (message.reports.length > 0) this.#createReports(message, stranger, time);
        return;
      case "oadrUpdatedReport":
        if (message.cancelReportIds.length > 0) this.#cancelReports(message, false, time);
        return;
      case "oadrCancelReport":
        this.#cancelReports(message, stranger, time);
        return;
      case "oadrRegisterReport":
        this.#enqueue(
          "answer",
          "EiReport",
          out.reportsTaken("oadrRegisteredReport", message.requestId, venId),
        );
        return;
      case "oadrUpdateReport":
        this.#enqueue("answer", "EiReport", out.reportsTaken("oadrUpdatedReport", message.requestId, venId));
        return;
      default:
    }
  }

  #respond(service: Service, message: VtnMessage, stranger: boolean): void {
    const code = stranger ? "452" : "200";
    const text = stranger ? "That venID is not mine." : "OK";
    this.#enqueue(
      "answer",
      service,
      out.oadrResponse(code, text, message.requestId, this.#registration.venId),
    );
  }

  #distributed(message: VtnMessage, now: Now): void {
    if (refused(message)) {
      this.#host.log("warning", `OpenADR 2.0b: events refused: ${words(message)}`);
      return;
    }
    const { venId, vtnId } = this.#registration;
    let answers: out.EventAnswer[];
    if (message.vtnId !== "" && vtnId !== "" && message.vtnId !== vtnId) {
      answers = this.#events.refuseAll(
        message,
        "452",
        `vtnID ${message.vtnId} is not that of the registration.`,
      );
    } else {
      const utcMs = this.#time(now)?.utcMs ?? 0;
      answers = this.#events.take(message, venId, utcMs, this.#overridden(), (events) =>
        this.#host.replaceEvents(this.id, events, now),
      );
    }
    if (answers.length > 0) {
      this.#enqueue("answer", "EiEvent", out.createdEvent(message.requestId, venId, answers));
    }
  }

  #cancelled(message: VtnMessage, stranger: boolean, now: Now): void {
    const { venId, registrationId } = this.#registration;
    const known = !stranger && (message.registrationId === "" || message.registrationId === registrationId);
    const code = known ? "200" : "452";
    const text = known ? "OK" : "That registration is not known.";
    const body = out.canceledPartyRegistration(code, text, message.requestId, message.registrationId, venId);
    if (!known) {
      this.#enqueue("answer", "EiRegisterParty", body);
      return;
    }
    this.#queue = [];
    this.#enqueue("deregister", "EiRegisterParty", body);
    this.#end("The utility has ended the registration.", now);
  }

  #createReports(message: VtnMessage, stranger: boolean, time: ReportTime | undefined): void {
    let outcome = { code: "469", text: "This module has no clock yet." };
    if (stranger) outcome = { code: "452", text: "That venID is not mine." };
    else if (time !== undefined) outcome = this.#reports.create(message.reports, time);
    this.#reportsAnswer("oadrCreatedReport", outcome, message);
  }

  #cancelReports(message: VtnMessage, stranger: boolean, time: ReportTime | undefined): void {
    let outcome = { code: "452", text: "That venID is not mine." };
    if (!stranger) {
      const at = time ?? { ms: this.#nowMs, utcMs: 0 };
      outcome = this.#reports.cancel(message.cancelReportIds, message.reportToFollow, at);
    }
    this.#reportsAnswer("oadrCanceledReport", outcome, message);
  }

  #reportsAnswer(
    payload: "oadrCreatedReport" | "oadrCanceledReport",
    outcome: { readonly code: string; readonly text: string },
    message: VtnMessage,
  ): void {
    const requestId = message.requestId || message.responseRequestId;
    const pending = this.#reports.pending();
    const { venId } = this.#registration;
    this.#enqueue(
      "answer",
      "EiReport",
      out.reportsAnswer(payload, outcome.code, outcome.text, requestId, pending, venId),
    );
  }

  /** The registration is over, whoever ended it: its events with it. */
  #end(text: string, now: Now): void {
    forgetRegistration(this.#host.store, this.id);
    this.#registration = { ...UNREGISTERED, venId: this.#config.venId ?? "" };
    this.#events.forget();
    this.#reports.forget();
    this.#host.replaceEvents(this.id, [], now);
    this.#fault = undefined;
    this.#failures = 0;
    this.#renewals = 0;
    this.#stop("", text);
    this.#host.log("info", `OpenADR 2.0b: ${text}`);
  }

  #stop(code: string, text: string): void {
    this.#step = "stopped";
    this.#stopFault = code;
    this.#stopText = text;
  }

  // --- opting --------------------------------------------------------------------------------------------

  #overridden(): boolean {
    return this.#config.opt !== "off" && this.#status?.override === true;
  }

  /** Tells the server when the customer, or the appliance by refusing, does not follow an event. */
  #opt(time: ReportTime): void {
    if (this.#step !== "poll") return;
    const { venId } = this.#registration;
    if (this.#config.opt !== "off") {
      for (const { event, optIn } of this.#events.optChanges(this.#overridden(), time.utcMs)) {
        const answer = {
          eventId: event.id,
          modification: event.modification,
          code: "200",
          text: "OK",
          optIn,
        };
        if (this.#optByEvent) this.#answerEvent(answer);
        else {
          const body = out.createOpt(
            this.#requestId(),
            venId,
            {
              optId: this.#requestId(),
              optIn,
              reason: optIn ? "participating" : "overrideStatus",
              event: { id: event.id, modification: event.modification },
              span: undefined,
              marketContext: "",
            },
            time.utcMs,
          );
          this.#enqueue("opt", "EiOpt", body, answer);
        }
      }
    }
    if (this.#status?.load?.result !== "refused") return;
    for (const event of this.#events.refusedByAppliance(time.utcMs)) {
      if (!event.answerWanted) continue;
      const text = "The appliance refuses the command.";
      this.#answerEvent({
        eventId: event.id,
        modification: event.modification,
        code: "469",
        text,
        optIn: false,
      });
    }
  }

  #answerEvent(answer: out.EventAnswer): void {
    this.#enqueue(
      "answer",
      "EiEvent",
      out.createdEvent(this.#requestId(), this.#registration.venId, [answer]),
    );
  }

  #noOptService(one: Sending): void {
    this.#drop(one);
    if (!this.#optByEvent) {
      this.#host.log("info", "OpenADR 2.0b: the server has no EiOpt; opt-outs go by oadrCreatedEvent.");
    }
    this.#optByEvent = true;
    if (one.instead !== undefined) this.#answerEvent(one.instead);
  }

  // --- small things --------------------------------------------------------------------------------------

  #periodMs(): number {
    return Math.max(this.#pollMs, (this.#config.pollSeconds ?? 0) * 1000);
  }

  #time(now: Now): ReportTime | undefined {
    if (now.utcMs !== undefined) return { ms: now.ms, utcMs: now.utcMs };
    if (this.#serverOffsetMs === undefined) return undefined;
    return { ms: now.ms, utcMs: now.ms + this.#serverOffsetMs };
  }

  /** Unique, and not to be guessed from the last one. */
  #requestId(): string {
    this.#lastRequest++;
    const hex = this.#host.random.uint32().toString(16).padStart(8, "0");
    return `${hex}-${this.#lastRequest.toString(16)}`;
  }
}

const WORDS: Readonly<Record<Exclude<Step, "stopped">, string>> = {
  query: "Asking the utility's server how to register.",
  register: "Registering at the utility's server.",
  reports: "Registered; telling which reports can be had.",
  events: "Registered; asking for events.",
  poll: "Registered and polling.",
};

function sending(
  ask: Sending["ask"],
  service: Service,
  body: string,
  count = 0,
  instead?: out.EventAnswer,
): Sending {
  return { ask, service, body, count, instead, tries: 0 };
}

/** First digit decides: the schema allows any three. */
function refused(message: VtnMessage): boolean {
  return message.responseCode !== "" && !message.responseCode.startsWith("2");
}

function words(message: VtnMessage): string {
  const { payload, responseCode, responseDescription } = message;
  if (responseCode === "") return `an unexpected ${payload}`;
  return responseDescription === ""
    ? `code ${responseCode}`
    : `${responseDescription} (code ${responseCode})`;
}
