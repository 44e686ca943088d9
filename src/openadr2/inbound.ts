import { fault, isFault, type Fault } from "../base/fault.js";
import { parseDateTime, parseDuration } from "../base/iso8601.js";
import { XML_LIMITS, XML_UNKNOWN, XmlReader, type XmlHandler } from "../base/xml-reader.js";
import { E, ITEMS, NAMES, PAYLOADS } from "./names.js";
import {
  MAX_EVENTS,
  MAX_EXCESS_EVENTS,
  MAX_INTERVALS,
  MAX_REPORT_REQUESTS,
  MAX_RIDS,
  MAX_SIGNALS,
  MAX_TARGETS,
  type ReportRequest,
  type VtnEvent,
  type VtnMessage,
  type VtnSignal,
} from "./messages.js";

/** Root tags with a dozen namespace declarations are usual (JAXB), so more attributes than by default. */
const LIMITS = { ...XML_LIMITS, attributes: 32 };

/**
 * Reads one server message by stream: push its bytes in any pieces, then `end()` gives the message or why it
 * is none. Elements are known by namespace and local name; wrapped in oadrPayload or bare makes no difference.
 * Wrong values inside an event or report request mark that one, and leave the rest of the message usable.
 */
export class InboundReader implements XmlHandler {
  private readonly xml = new XmlReader(NAMES, this, LIMITS);
  private readonly path: number[] = [];
  private message: VtnMessage | undefined;
  private signed = false;
  private leafText = "";
  private leafCut = false;
  /** No child of the open element has been seen: xcal:duration holds text or another xcal:duration. */
  private childless = true;
  private profile = "";
  private event: VtnEvent | undefined;
  private signal: VtnSignal | undefined;
  private report: ReportRequest | undefined;
  private inBaseline = false;
  private intervals = 0;
  /** Where values of signals that are not kept go. */
  private readonly scrap: VtnSignal = newSignal();

  push(bytes: Uint8Array): Fault | undefined {
    return this.xml.push(bytes);
  }

  end(): VtnMessage | Fault {
    const bad = this.xml.end();
    if (bad !== undefined) return bad;
    const message = this.message;
    if (message === undefined) {
      return fault(
        "server",
        "openadr2-no-payload",
        "The answer is XML but no OpenADR 2.0b message; is the address that of a 2.0b server?",
      );
    }
    message.signed = this.signed;
    return message;
  }

  open(name: number, xml: XmlReader): void {
    this.path[xml.depth - 1] = name;
    this.leafText = "";
    this.leafCut = false;
    this.childless = true;
    if (this.message === undefined) {
      if (name === E.signature) this.signed = true;
      else if (name > 0 && name < PAYLOADS.length && this.wrapped(xml.depth)) {
        this.message = newMessage(PAYLOADS[name] as VtnMessage["payload"]);
      }
      return;
    }
    const event = this.event;
    switch (name) {
      case E.event:
        this.event = newEvent();
        this.intervals = 0;
        return;
      case E.signal:
        if (event === undefined) return;
        this.signal = this.scrap;
        if (event.signals.length >= MAX_SIGNALS) event.over = `more than ${String(MAX_SIGNALS)} signals`;
        else event.signals.push((this.signal = newSignal()));
        return;
      case E.baseline:
        this.inBaseline = true;
        return;
      case E.interval: {
        const signal = this.signal;
        if (event === undefined || signal === undefined || this.inBaseline) return;
        if (++this.intervals > MAX_INTERVALS) {
          event.over = `more than ${String(MAX_INTERVALS)} intervals`;
          this.signal = this.scrap;
        }
        if (this.signal !== this.scrap) {
          addInterval(signal);
        }
        return;
      }
      case E.reportRequest:
        this.report = newReport();
        return;
      case E.calendarInterval:
        if (this.report !== undefined) this.report.interval = true;
        return;
      default:
        // Directly in the signal: powerAttributes has a voltage too.
        if (
          name > E.itemBase &&
          name < E.itemBase + ITEMS.length &&
          this.signal !== undefined &&
          this.path[xml.depth - 2] === E.signal
        ) {
          this.signal.item = ITEMS[name - E.itemBase]!;
        }
    }
  }

  text(text: string, cut: boolean): void {
    this.leafText = text.trim();
    this.leafCut = cut;
  }

  close(name: number): void {
    const depth = this.xml.depth;
    const message = this.message;
    if (message !== undefined && name !== XML_UNKNOWN) {
      if (name >= E.requestID) {
        if (this.childless) this.leaf(message, name, depth);
      } else this.container(message, name);
    }
    this.leafText = "";
    this.leafCut = false;
    this.childless = false;
  }

  /** True where nothing but the wrapper is open around. */
  private wrapped(depth: number): boolean {
    for (let i = 0; i < depth - 1; i++) {
      if (this.path[i] !== E.payload && this.path[i] !== E.signedObject) return false;
    }
    return true;
  }

  private container(message: VtnMessage, name: number): void {
    switch (name) {
      case E.event: {
        const event = this.event!;
        this.event = undefined;
        this.signal = undefined;
        const { id, modification, answerWanted } = event;
        if (message.events.length < MAX_EVENTS) message.events.push(event);
        else if (message.excessEvents.length < MAX_EXCESS_EVENTS) {
          message.excessEvents.push({ id, modification, answerWanted });
        }
        return;
      }
      case E.signal:
        this.signal = undefined;
        return;
      case E.baseline:
        this.inBaseline = false;
        return;
      case E.reportRequest:
        // One more than the bound is kept, so that the refusal can name it.
        if (message.reports.length <= MAX_REPORT_REQUESTS) message.reports.push(this.report!);
        this.report = undefined;
        return;
      default:
    }
  }

  private leaf(message: VtnMessage, name: number, depth: number): void {
    const text = this.leafText;
    const parent = this.path[depth - 2];
    const event = this.event;
    if (event !== undefined) {
      if (this.inBaseline) return;
      this.eventLeaf(event, name, parent, depth, text);
      return;
    }
    if (this.report !== undefined) {
      this.reportLeaf(this.report, name, depth, text);
      return;
    }
    switch (name) {
      case E.requestID:
        if (parent === E.eiResponse) message.responseRequestId = text;
        else message.requestId = text;
        return;
      case E.responseCode:
        message.responseCode = text;
        return;
      case E.responseDescription:
        message.responseDescription = text;
        return;
      case E.venID:
        message.venId = text;
        return;
      case E.vtnID:
        message.vtnId = text;
        return;
      case E.registrationID:
        message.registrationId = text;
        return;
      case E.duration:
        if (this.owner(depth) === E.pollFreq) message.pollMs = parseDuration(text);
        return;
      case E.profileName:
        this.profile = text;
        return;
      case E.transportName:
        if (message.profiles.length < 8) message.profiles.push(`${this.profile}/${text}`);
        return;
      case E.reportRequestID:
        if (message.cancelReportIds.length < MAX_RIDS) message.cancelReportIds.push(text);
        return;
      case E.reportToFollow:
        message.reportToFollow = text === "true" || text === "1";
        return;
      case E.optID:
        message.optId = text;
        return;
      default:
    }
  }

  private eventLeaf(
    event: VtnEvent,
    name: number,
    parent: number | undefined,
    depth: number,
    text: string,
  ): void {
    const signal = this.signal;
    switch (name) {
      case E.eventID:
        event.id = text;
        if (this.leafCut) event.bad = "eventID is too long";
        return;
      case E.modificationNumber:
        event.modification = this.count(event, "modificationNumber", text);
        return;
      case E.priority:
        event.priority = this.count(event, "priority", text);
        return;
      case E.marketContext:
        event.marketContext = text;
        return;
      case E.createdDateTime:
        event.createdUtcMs = parseDateTime(text) ?? 0;
        return;
      case E.eventStatus:
        event.status = text;
        return;
      case E.testEvent:
        // Rule 6: anything but "false" is a test event.
        event.test = text !== "" && text.toLowerCase() !== "false";
        return;
      case E.responseRequired:
        event.answerWanted = text !== "never";
        return;
      case E.dateTime:
        // An interval's own dtstart is not used: intervals follow each other by uid (rule 2).
        if (signal === undefined) {
          event.startUtcMs = parseDateTime(text);
          if (event.startUtcMs === undefined) event.bad = `dtstart ${text} is no date and time`;
        }
        return;
      case E.duration: {
        const ms = parseDuration(text);
        if (ms === undefined) event.bad = `duration ${text} is none`;
        else this.eventDuration(event, this.owner(depth), ms);
        return;
      }
      case E.startAfter: {
        const ms = parseDuration(text);
        if (ms === undefined || ms < 0) event.bad = `startafter ${text} is no duration`;
        else event.startAfterMs = ms;
        return;
      }
      case E.text:
        if (signal !== undefined && signal !== this.scrap && text !== String(signal.count - 1)) {
          event.bad = "interval uids do not count from 0 by 1";
        }
        return;
      case E.value:
        if (signal !== undefined && signal.count > 0 && this.path[depth - 3] !== E.currentValue) {
          const value = text === "" ? NaN : Number(text);
          if (!Number.isFinite(value)) event.bad = `value ${text} is no number`;
          if (signal !== this.scrap) signal.numbers[signal.count * 2 - 1] = value;
        }
        return;
      case E.signalName:
        if (signal !== undefined) signal.name = text;
        return;
      case E.signalType:
        if (signal !== undefined) signal.type = text;
        return;
      case E.itemUnits:
        if (signal !== undefined) signal.units = text;
        return;
      case E.siScaleCode:
        if (signal !== undefined) signal.scale = text;
        return;
      case E.mrid:
        if (signal !== undefined && signal.deviceClasses.length < MAX_TARGETS)
          signal.deviceClasses.push(text);
        return;
      default: {
        const kind = targetKind(name);
        if (kind === "" || parent !== E.target || signal !== undefined) return;
        if (event.targets.length < MAX_TARGETS) event.targets.push(`${kind}:${text}`);
        else event.over = `more than ${String(MAX_TARGETS)} targets`;
      }
    }
  }

  private eventDuration(event: VtnEvent, owner: number, ms: number): void {
    const signal = this.signal;
    switch (owner) {
      case E.activePeriod:
        if (ms < 0) event.bad = "the duration is negative";
        event.durationMs = ms;
        return;
      case E.notification:
        event.notificationMs = ms;
        return;
      case E.rampUp:
        event.rampUpMs = ms;
        return;
      case E.interval:
        if (ms < 0) event.bad = "an interval's duration is negative";
        if (signal !== undefined && signal !== this.scrap) signal.numbers[signal.count * 2 - 2] = ms;
        return;
      default:
    }
  }

  private reportLeaf(report: ReportRequest, name: number, depth: number, text: string): void {
    switch (name) {
      case E.reportRequestID:
        report.id = text;
        return;
      case E.reportSpecifierID:
        report.specifier = text;
        return;
      case E.rID:
        if (report.rids.length < MAX_RIDS) report.rids.push(text);
        else report.bad = "too many rIDs";
        return;
      case E.dateTime:
        report.startUtcMs = parseDateTime(text);
        if (report.startUtcMs === undefined) report.bad = `dtstart ${text} is no date and time`;
        return;
      case E.duration: {
        const ms = parseDuration(text);
        const owner = this.owner(depth);
        if (ms === undefined || ms < 0) report.bad = `duration ${text} is none`;
        else if (owner === E.granularity) report.granularityMs = ms;
        else if (owner === E.reportBack) report.backMs = ms;
        else if (owner === E.calendarInterval) report.durationMs = ms;
        return;
      }
      default:
    }
  }

  /** The element that a duration belongs to, past xcal:duration and xcal:properties. */
  private owner(depth: number): number {
    let i = depth - 2;
    while (i >= 0 && (this.path[i] === E.duration || this.path[i] === E.properties)) i--;
    return this.path[i] ?? XML_UNKNOWN;
  }

  private count(event: VtnEvent, what: string, text: string): number {
    const n = text === "" ? NaN : Number(text);
    if (Number.isInteger(n) && n >= 0 && n <= 0xffffffff) return n;
    event.bad = `${what} ${text} is no whole number`;
    return 0;
  }
}

/** Reads a whole message at once; for tests and tools. */
export function readMessage(bytes: Uint8Array): VtnMessage | Fault {
  const reader = new InboundReader();
  const bad = reader.push(bytes);
  return isFault(bad) ? bad : reader.end();
}

function targetKind(name: number): string {
  switch (name) {
    case E.venID:
      return "venID";
    case E.resourceID:
      return "resourceID";
    case E.groupID:
      return "groupID";
    case E.groupName:
      return "groupName";
    case E.partyID:
      return "partyID";
    default:
      return "";
  }
}

function newSignal(): VtnSignal {
  return {
    name: "",
    type: "",
    item: "",
    units: "",
    scale: "",
    deviceClasses: [],
    count: 0,
    numbers: new Float64Array(0),
  };
}

/** Room for eight more where it is full. */
function addInterval(signal: VtnSignal): void {
  const at = signal.count++ * 2;
  if (at === signal.numbers.length) {
    const larger = new Float64Array(at + 16);
    larger.set(signal.numbers);
    signal.numbers = larger;
  }
  signal.numbers[at] = 0;
  signal.numbers[at + 1] = NaN;
}

function newEvent(): VtnEvent {
  return {
    id: "",
    modification: 0,
    priority: 0,
    marketContext: "",
    createdUtcMs: 0,
    status: "",
    test: false,
    startUtcMs: undefined,
    durationMs: undefined,
    startAfterMs: 0,
    notificationMs: 0,
    rampUpMs: 0,
    signals: [],
    targets: [],
    answerWanted: true,
    bad: "",
    over: "",
  };
}

function newReport(): ReportRequest {
  return {
    id: "",
    specifier: "",
    granularityMs: 0,
    backMs: 0,
    interval: false,
    startUtcMs: undefined,
    durationMs: 0,
    rids: [],
    bad: "",
  };
}

function newMessage(payload: VtnMessage["payload"]): VtnMessage {
  return {
    payload,
    requestId: "",
    responseCode: "",
    responseDescription: "",
    responseRequestId: "",
    venId: "",
    vtnId: "",
    registrationId: "",
    pollMs: undefined,
    profiles: [],
    events: [],
    excessEvents: [],
    reports: [],
    cancelReportIds: [],
    reportToFollow: false,
    optId: "",
    signed: false,
  };
}
