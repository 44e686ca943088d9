import { lacksNormalPrice, NO_NORMAL_PRICE } from "../grid/asks.js";
import type { GridEvent } from "../grid/event.js";
import { optOutOf, type OptOut, type UpstreamHost } from "../grid/upstream.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import type { Now } from "../ports/time.js";
import { programmeOf, type OpenAdr2Config } from "./config.js";
import { EventBook } from "./event-book.js";
import type { VtnMessage } from "./messages.js";
import type { Outbox, Sending, Service } from "./outbox.js";
import * as out from "./outbound.js";
import { refused, words, type Registration } from "./registration.js";
import { ReportBook, type ReportOutcome, type ReportTime, type UsageHistory } from "./report-book.js";

/** What a server's message means for the session. */
export type Demand = "none" | "register anew" | "registration ended";

const NOT_MINE: ReportOutcome = { code: "452", text: "That venID is not mine." };

/**
 * What the server wants of a VEN and the VEN tells on its own account: events and their answers, reports, opts,
 * and the end of a registration. Everything to send goes into the outbox.
 */
export class Services {
  readonly reports: ReportBook;
  private readonly config: OpenAdr2Config;
  private readonly host: UpstreamHost;
  private readonly outbox: Outbox;
  private readonly events: EventBook;
  private status: SgdStatus | undefined;
  private optByEvent: boolean;
  private priceTold = false;

  constructor(config: OpenAdr2Config, host: UpstreamHost, outbox: Outbox, history: UsageHistory | undefined) {
    this.config = config;
    this.host = host;
    this.outbox = outbox;
    this.reports = new ReportBook(history);
    this.events = new EventBook(programmeOf(config), {
      marketContexts: config.marketContexts ?? [],
      targets: config.targets ?? [],
    });
    this.optByEvent = config.opt === "createdEvent";
  }

  onSgd(status: SgdStatus): void {
    this.status = status;
    this.reports.onStatus(status);
  }

  /** The registration is over, and with it what hung on it. */
  end(now: Now): void {
    this.events.forget();
    this.reports.forget();
    this.host.replaceEvents(this.config.id, [], now);
  }

  /** Carries out what a message wants. `time` undefined: no clock. */
  take(message: VtnMessage, is: Registration, time: ReportTime | undefined, now: Now): Demand {
    const { venId } = is;
    const stranger = message.venId !== "" && venId !== "" && message.venId !== venId;
    switch (message.payload) {
      case "oadrDistributeEvent":
        this.distributed(message, is, time, now);
        return "none";
      case "oadrRequestReregistration": {
        const { code, text } = stranger ? NOT_MINE : OK;
        this.answer("EiRegisterParty", out.oadrResponse(code, text, message.requestId, venId));
        return stranger ? "none" : "register anew";
      }
      case "oadrCancelPartyRegistration":
        return this.cancelled(message, is, stranger);
      case "oadrRegisteredReport":
      case "oadrCreateReport":
        if (message.reports.length > 0 || message.payload === "oadrCreateReport") {
          this.createReports(message, venId, stranger, time);
        }
        return "none";
      case "oadrUpdatedReport":
      case "oadrCancelReport":
        if (message.cancelReportIds.length > 0) this.cancelReports(message, venId, stranger, time);
        return "none";
      case "oadrRegisterReport":
        this.answer("EiReport", out.reportsTaken("oadrRegisteredReport", message.requestId, venId));
        return "none";
      case "oadrUpdateReport":
        this.answer("EiReport", out.reportsTaken("oadrUpdatedReport", message.requestId, venId));
        return "none";
      default:
        return "none";
    }
  }

  /** Tells the server when the customer, or the appliance by refusing, does not follow an event. */
  opt(venId: string, time: ReportTime): void {
    if (this.config.opt !== "off") {
      for (const event of this.events.optChanges(this.optOut(time.ms), time.utcMs)) {
        const optIn = !event.optedOut;
        const answer = {
          eventId: event.id,
          modification: event.modification,
          code: "200",
          text: "OK",
          optIn,
        };
        if (this.optByEvent) this.answerEvent(answer, venId);
        else {
          const opt: out.Opt = {
            optId: this.outbox.requestId(),
            optIn,
            reason: optIn ? "participating" : "overrideStatus",
            event: { id: event.id, modification: event.modification },
            span: undefined,
            marketContext: "",
          };
          const body = out.createOpt(this.outbox.requestId(), venId, opt, time.utcMs);
          this.outbox.put("opt", "EiOpt", body, answer);
        }
      }
    }
    if (this.status?.load?.result !== "refused") return;
    for (const event of this.events.refusedByAppliance(time.utcMs)) {
      if (!event.answerWanted) continue;
      const text = "The appliance refuses the command.";
      const { id: eventId, modification } = event;
      this.answerEvent({ eventId, modification, code: "469", text, optIn: false }, venId);
    }
  }

  /** The server has no EiOpt (some have not): opts go by a second oadrCreatedEvent from now on. */
  noOptService(one: Sending, venId: string): void {
    if (!this.optByEvent) {
      this.host.log("info", "OpenADR 2.0b: the server has no EiOpt; opt-outs go by oadrCreatedEvent.");
    }
    this.optByEvent = true;
    if (one.instead !== undefined) this.answerEvent(one.instead, venId);
  }

  private optOut(nowMs: number): OptOut {
    return optOutOf(this.config.opt === "off" ? undefined : this.status, nowMs);
  }

  private answer(service: Service, body: string): void {
    this.outbox.put("answer", service, body);
  }

  private answerEvent(answer: out.EventAnswer, venId: string): void {
    this.answer("EiEvent", out.createdEvent(this.outbox.requestId(), venId, [answer]));
  }

  private distributed(message: VtnMessage, is: Registration, time: ReportTime | undefined, now: Now): void {
    if (refused(message)) {
      this.host.log("warning", `OpenADR 2.0b: the server sends no events: ${words(message)}`);
      return;
    }
    const { venId, vtnId } = is;
    let answers: out.EventAnswer[];
    if (message.vtnId !== "" && vtnId !== "" && message.vtnId !== vtnId) {
      const text = `vtnID ${message.vtnId} is not that of the registration.`;
      answers = this.events.refuseAll(message, "452", text);
    } else {
      answers = this.events.take(message, venId, time?.utcMs ?? 0, this.optOut(now.ms), (events) => {
        this.tellPrices(events);
        return this.host.replaceEvents(this.config.id, events, now);
      });
    }
    if (answers.length > 0) {
      this.answer("EiEvent", out.createdEvent(message.requestId, venId, answers));
    }
  }

  private tellPrices(events: readonly GridEvent[]): void {
    if (this.priceTold || !lacksNormalPrice(events)) return;
    this.priceTold = true;
    this.host.log("warning", `OpenADR 2.0b: ${NO_NORMAL_PRICE}`);
  }

  private cancelled(message: VtnMessage, is: Registration, stranger: boolean): Demand {
    const known =
      !stranger && (message.registrationId === "" || message.registrationId === is.registrationId);
    const code = known ? "200" : "452";
    const text = known ? "OK" : "That registration is not known.";
    const { requestId, registrationId } = message;
    const body = out.canceledPartyRegistration(code, text, requestId, registrationId, is.venId);
    if (known) this.outbox.clear();
    this.outbox.put(known ? "deregister" : "answer", "EiRegisterParty", body);
    return known ? "registration ended" : "none";
  }

  private createReports(
    message: VtnMessage,
    venId: string,
    stranger: boolean,
    time: ReportTime | undefined,
  ): void {
    let outcome: ReportOutcome = { code: "469", text: "This module has no clock yet." };
    if (stranger) outcome = NOT_MINE;
    else if (time !== undefined) outcome = this.reports.create(message.reports, time);
    this.reportsAnswer("oadrCreatedReport", outcome, message, venId);
  }

  private cancelReports(
    message: VtnMessage,
    venId: string,
    stranger: boolean,
    time: ReportTime | undefined,
  ): void {
    let outcome = NOT_MINE;
    if (!stranger) {
      const follow = message.reportToFollow && time !== undefined;
      outcome = this.reports.cancel(message.cancelReportIds, follow, time ?? { ms: 0, utcMs: 0 });
    }
    this.reportsAnswer("oadrCanceledReport", outcome, message, venId);
  }

  private reportsAnswer(
    payload: "oadrCreatedReport" | "oadrCanceledReport",
    { code, text }: ReportOutcome,
    message: VtnMessage,
    venId: string,
  ): void {
    const requestId = message.requestId || message.responseRequestId;
    const pending = this.reports.pending();
    this.answer("EiReport", out.reportsAnswer(payload, code, text, requestId, pending, venId));
  }
}

const OK: ReportOutcome = { code: "200", text: "OK" };
