/**
 * The VTN without its server: a message and the time in, a message out. `server.ts` puts it behind mutual TLS;
 * a scenario in virtual time calls `handle` itself.
 */
import type { EventMistakes } from "./ei-event.js";
import { type ReportRequest, reportRequests } from "./ei-report.js";
import type { FieldError, VtnEvent } from "./event.js";
import { LIST_MISTAKES, type Misbehaviour, MisbehaviourSet, spoil } from "./misbehaviour.js";
import { distribute, eventService, eventsDue } from "./service-event.js";
import { opt } from "./service-opt.js";
import { registerParty } from "./service-register.js";
import { type ReportAsk, ask, report } from "./service-report.js";
import {
  type Reply,
  type VtnChange,
  type VtnCoreOptions,
  VtnState,
  eiResponse,
  oadrResponse,
  toDocument,
} from "./state.js";
import type { VenRecord } from "./ven.js";
import { type XmlNode, child, descendant, leaf, parseXml, textAt } from "./xml.js";

/** The last path segment of a service and the payloads that it takes. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  EiRegisterParty: [
    "oadrQueryRegistration",
    "oadrCreatePartyRegistration",
    "oadrCancelPartyRegistration",
    "oadrCanceledPartyRegistration",
    "oadrResponse",
  ],
  EiEvent: ["oadrRequestEvent", "oadrCreatedEvent", "oadrResponse"],
  EiReport: [
    "oadrRegisterReport",
    "oadrRegisteredReport",
    "oadrCreateReport",
    "oadrCreatedReport",
    "oadrUpdateReport",
    "oadrUpdatedReport",
    "oadrCancelReport",
    "oadrCanceledReport",
    "oadrResponse",
  ],
  EiOpt: ["oadrCreateOpt", "oadrCancelOpt"],
  OadrPoll: ["oadrPoll"],
};

export interface VtnTime {
  readonly utcMs: number;
}

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

export class VtnCore {
  /** Fingerprints of new certificates, and of those that they stand for. */
  readonly #renewed = new Map<string, string>();
  readonly state: VtnState;
  readonly misbehaviours = new MisbehaviourSet();

  constructor(options: VtnCoreOptions = {}) {
    this.state = new VtnState(options);
  }

  /** Tells of events, registrations, answers, opts, reports and exchanges. Gives the way to stop it. */
  onChange(listener: (change: VtnChange) => void): () => void {
    return this.state.onChange(listener);
  }

  /** @param input as `POST /events` takes it (docs/cli.md) */
  createEvent(input: unknown, now: VtnTime): VtnEvent | FieldError {
    return this.state.events.create(input, now.utcMs);
  }

  modifyEvent(id: string, input: unknown, now: VtnTime): VtnEvent | FieldError {
    return this.state.events.modify(id, input, now.utcMs);
  }

  cancelEvent(id: string, now: VtnTime): VtnEvent | FieldError {
    return this.state.events.cancel(id, now.utcMs);
  }

  /** Leaves the event out of everything sent from now on: an implied cancel. */
  withdrawEvent(id: string): VtnEvent | FieldError {
    return this.state.events.withdraw(id);
  }

  /**
   * Switches a misbehaviour on for a number of answers (default: until `behave`). A mistake in the event list
   * makes every VEN get its list again, so that it is seen.
   */
  misbehave(name: Misbehaviour, times = Number.POSITIVE_INFINITY): void {
    this.misbehaviours.add(name, times);
    if ((LIST_MISTAKES as readonly string[]).includes(name)) this.resendEvents();
  }

  /** Switches one misbehaviour off, or all. */
  behave(name?: Misbehaviour): void {
    const list = LIST_MISTAKES.some((n) => this.misbehaviours.has(n));
    this.misbehaviours.clear(name);
    if (list) this.resendEvents();
  }

  /** Every VEN gets its list on the next poll, changed or not. */
  resendEvents(): void {
    for (const ven of this.state.vens.values()) {
      ven.sentChange = -1;
      ven.sentSignature = "(again)";
    }
  }

  vens(): readonly VenRecord[] {
    return [...this.state.vens.values()];
  }

  /** On the VEN's next poll it is asked to register again. */
  requestReregistration(venId: string): boolean {
    return this.queue(venId, "oadrRequestReregistration", leaf("ei:venID", venId));
  }

  /** On the VEN's next poll it is told that its registration is gone; it goes when the VEN confirms. */
  cancelRegistration(venId: string): boolean {
    const ven = this.state.vens.get(venId);
    const inner =
      leaf("pyld:requestID", this.state.newId("request")) + leaf("ei:registrationID", ven?.registrationId);
    return this.queue(venId, "oadrCancelPartyRegistration", inner + leaf("ei:venID", venId));
  }

  /** Asks for reports that the VEN has offered; several asks go out in one message. Gives the requests made. */
  requestReports(
    venId: string,
    asks: readonly ({ readonly name: string } & ReportAsk)[],
  ): readonly ReportRequest[] {
    const ven = this.state.vens.get(venId);
    if (ven === undefined) return [];
    const made: ReportRequest[] = [];
    for (const one of asks) {
      const offer = ven.offers.find((o) => o.name === one.name || o.specifierId === one.name);
      if (offer !== undefined) made.push(ask(this.state, ven, offer, one));
    }
    if (made.length > 0) this.#queueRequests(venId, made);
    return made;
  }

  /** Asks for the METADATA report: the VEN registers its reports again. */
  requestMetadata(venId: string): boolean {
    const request: ReportRequest = {
      id: this.state.newId("report"),
      specifierId: "METADATA",
      name: "METADATA",
      rIds: ["METADATA"],
      readingTypes: ["x-notApplicable"],
      granularityMs: 0,
      reportBackMs: 0,
      interval: undefined,
      state: "asked",
    };
    return this.#queueRequests(venId, [request]);
  }

  /** The VTN's own METADATA, empty: a VEN must answer it with oadrRegisteredReport. */
  offerReports(venId: string): boolean {
    return this.queue(venId, "oadrRegisterReport", leaf("pyld:requestID", this.state.newId("request")));
  }

  cancelReport(venId: string, requestId: string, reportToFollow: boolean): boolean {
    const request = this.state.vens.get(venId)?.requests.get(requestId);
    if (request !== undefined && !reportToFollow) request.state = "cancelled";
    const inner = leaf("pyld:requestID", this.state.newId("request")) + leaf("ei:reportRequestID", requestId);
    return this.queue(
      venId,
      "oadrCancelReport",
      inner + leaf("pyld:reportToFollow", reportToFollow) + leaf("ei:venID", venId),
    );
  }

  /** Puts any message into a VEN's queue. False when there is no such VEN. */
  queue(venId: string, name: string, inner: string): boolean {
    const ven = this.state.vens.get(venId);
    ven?.queue.push({ name, inner });
    return ven !== undefined;
  }

  #queueRequests(venId: string, requests: readonly ReportRequest[]): boolean {
    const inner =
      leaf("pyld:requestID", this.state.newId("request")) +
      reportRequests(requests) +
      leaf("ei:venID", venId);
    return this.queue(venId, "oadrCreateReport", inner);
  }

  /**
   * One exchange. Never throws.
   * @param service last segment of the path, e.g. `OadrPoll`
   * @param clientFingerprint of the client certificate (last 10 bytes of SHA-256, colon hex); undefined for none
   */
  handle(service: string, body: string, clientFingerprint: string | undefined, now: VtnTime): HttpReply {
    if (this.misbehaviours.take("http-500"))
      return { status: 500, body: "Internal Server Error (on purpose)" };
    const allowed = Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
    if (allowed === undefined) return { status: 404, body: `There is no service ${service} here` };
    const root = parseXml(body);
    if ("refused" in root) return { status: 400, body: root.refused };
    const signedObject =
      child(root, "oadrSignedObject") ?? (root.name === "oadrSignedObject" ? root : undefined);
    const message = signedObject === undefined ? root : signedObject.children[0];
    if (message === undefined) return { status: 400, body: "oadrSignedObject is empty" };
    this.state.mistakes = this.#mistakes();
    const signed = child(root, "Signature") !== undefined;
    const reply = this.#reply(service, allowed, message, signed, clientFingerprint, now);
    this.state.tell({
      change: "exchange",
      venId: textAt(message, "venID") ?? descendant(message, "venID")?.text ?? "",
      service,
      request: message.name,
      reply: reply.name,
      code: reply.code,
    });
    return { status: 200, body: spoil(this.misbehaviours, toDocument(reply)) };
  }

  #reply(
    service: string,
    allowed: readonly string[],
    message: XmlNode,
    signed: boolean,
    fingerprint: string | undefined,
    now: VtnTime,
  ): Reply {
    const requestId = descendant(message, "requestID")?.text ?? "";
    if (!allowed.includes(message.name)) {
      return oadrResponse("459", requestId, undefined, `${service} does not take ${message.name}`);
    }
    if (this.misbehaviours.take("response-500")) {
      return oadrResponse("500", requestId, undefined, "an error of the server (on purpose)");
    }
    if (!signed && (this.state.requireSignatures || this.misbehaviours.take("require-signatures"))) {
      return oadrResponse(
        "459",
        requestId,
        undefined,
        "this VTN demands XML signatures (security level high)",
      );
    }
    this.#moveTo(fingerprint);
    if (service === "EiRegisterParty") return registerParty(this.state, message, fingerprint, now.utcMs);
    const venId = descendant(message, "venID")?.text;
    const ven = this.#findVen(venId, fingerprint);
    if (ven === undefined) {
      if (message.name === "oadrPoll" && venId !== undefined && venId !== "") {
        return { name: "oadrRequestReregistration", inner: leaf("ei:venID", venId), code: "" };
      }
      return this.#refusal(message, "463", requestId, `venID ${venId ?? "(none)"} is not registered`);
    }
    if (ven.fingerprint !== undefined && ven.fingerprint !== fingerprint) {
      return this.#refusal(
        message,
        "463",
        requestId,
        "the client certificate is not the one that this venID registered with",
      );
    }
    ven.lastSeenUtcMs = now.utcMs;
    switch (service) {
      case "EiEvent":
        return eventService(this.state, message, ven, requestId, now.utcMs);
      case "EiReport":
        return report(this.state, message, ven, now.utcMs);
      case "EiOpt":
        return opt(this.state, message, ven, now.utcMs);
      default:
        return this.#poll(ven, now);
    }
  }

  /** A module's certificate was renewed: it counts as the same module from the first message that shows the new one. */
  renewed(before: string, after: string): void {
    this.#renewed.set(after, before);
  }

  #moveTo(fingerprint: string | undefined): void {
    const before = this.#renewed.get(fingerprint ?? "");
    if (before === undefined) return;
    for (const ven of this.state.vens.values()) if (ven.fingerprint === before) ven.fingerprint = fingerprint;
    this.#renewed.delete(fingerprint ?? "");
  }

  /** By venID; a message that may leave it out counts for the certificate's only VEN. */
  #findVen(venId: string | undefined, fingerprint: string | undefined): VenRecord | undefined {
    if (venId !== undefined) return this.state.vens.get(venId);
    const own = this.vens().filter((ven) => fingerprint !== undefined && ven.fingerprint === fingerprint);
    return own.length === 1 ? own[0] : undefined;
  }

  /** An error in the reply that belongs to the request, where the schema has room for it. */
  #refusal(message: XmlNode, code: string, requestId: string, text: string): Reply {
    const response = eiResponse(code, requestId, text);
    switch (message.name) {
      case "oadrRegisterReport":
        return { name: "oadrRegisteredReport", inner: response, code };
      case "oadrUpdateReport":
        return { name: "oadrUpdatedReport", inner: response, code };
      case "oadrCreateOpt":
        return {
          name: "oadrCreatedOpt",
          inner: response + leaf("ei:optID", textAt(message, "optID") ?? ""),
          code,
        };
      case "oadrCancelOpt":
        return {
          name: "oadrCanceledOpt",
          inner: response + leaf("ei:optID", textAt(message, "optID")),
          code,
        };
      default:
        return oadrResponse(code, requestId, undefined, text);
    }
  }

  #poll(ven: VenRecord, now: VtnTime): Reply {
    const queued = ven.queue.shift();
    if (queued !== undefined) return { ...queued, code: "200" };
    if (eventsDue(this.state, ven, now.utcMs)) {
      return distribute(this.state, ven, this.state.newId("request"), now.utcMs);
    }
    return oadrResponse("200", this.state.newId("request"), ven.venId);
  }

  #mistakes(): EventMistakes {
    const on = (name: Misbehaviour): boolean => this.misbehaviours.has(name);
    return {
      wrongOrder: on("wrong-order"),
      duplicate: on("duplicate-events"),
      absent: on("absent-event"),
      unknownSignal: on("unknown-signal"),
    };
  }
}
