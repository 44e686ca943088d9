// A VEN in virtual time with a scripted server: each request waits until the test answers it.
import { mkdirSync, writeFileSync } from "node:fs";
import { formatDateTime } from "../../src/base/iso8601.js";
import { seededRandom } from "../../src/base/random.js";
import type { EventVerdict, GridEvent } from "../../src/grid/event.js";
import { OpenAdr2Ven, type OpenAdr2Config } from "../../src/openadr2/ven.js";
import type { UsageHistory } from "../../src/openadr2/report-book.js";
import type { HttpFailure, HttpRequest } from "../../src/ports/http.js";
import type { SgdStatus } from "../../src/ports/sgd-status.js";

/** Every message that a VEN under test emits is written here when this is set, to be validated by the schema. */
const dump = process.env["OPENUCM_OPENADR2_DUMP"];
let dumped = 0;

export const T0 = Date.UTC(2026, 10, 21, 12, 0, 0);

export const online: SgdStatus = {
  link: "online",
  identity: undefined,
  opState: 1,
  opStateAtMs: 0,
  override: false,
  powerW: 7200,
  energyWh: 1234,
  meteredAtMs: 0,
  measured: true,
  ratedW: 7680,
  storageTotalWh: undefined,
  storagePresentWh: undefined,
  load: undefined,
};

export class Bench {
  readonly ven: OpenAdr2Ven;
  readonly requests: HttpRequest[] = [];
  readonly aborted: number[] = [];
  readonly store = new Map<string, string>();
  readonly logs: string[] = [];
  readonly clocks: number[] = [];
  /** What the core holds, as last handed over. */
  held: readonly GridEvent[] = [];
  replaced = 0;
  ms = 1000;
  clockSet = true;
  /** Overrides the core's verdict. */
  verdict: (event: GridEvent) => Partial<EventVerdict> = () => ({});
  #ids = 100;
  #revisions = new Map<string, number>();

  constructor(config: Partial<OpenAdr2Config> = {}, store?: Map<string, string>, history?: UsageHistory) {
    if (store !== undefined) this.store = store;
    this.ven = new OpenAdr2Ven(
      { id: "utility", url: "https://vtn.test/", venName: "module-1", ...config },
      {
        http: {
          request: (request) => {
            this.requests.push(request);
            if (dump !== undefined) {
              mkdirSync(dump, { recursive: true });
              writeFileSync(`${dump}/${String(process.pid)}-${String(++dumped)}.xml`, request.body ?? "");
            }
          },
          abort: (id) => this.aborted.push(id),
        },
        random: seededRandom(7),
        store: {
          get: (key) => this.store.get(key),
          set: (key, value) => void this.store.set(key, value),
          delete: (key) => void this.store.delete(key),
        },
        nextRequestId: () => ++this.#ids,
        replaceEvents: (source, events) => this.#replace(source, events),
        clockSeen: (utcMs) => this.clocks.push(utcMs),
        log: (level, text) => this.logs.push(`${level}: ${text}`),
      },
      history,
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
    return this;
  }

  /** Moves time on, waking the VEN when it wants to be. */
  advance(ms: number): this {
    const end = this.ms + ms;
    for (;;) {
      const next = Math.max(this.ms, this.ven.nextMs());
      if (next > end) break;
      this.ms = next;
      const before = this.requests.length;
      this.ven.poll(this.now);
      if (this.requests.length === before && this.ven.nextMs() <= this.ms) {
        if (this.waiting !== undefined) break;
        throw new Error(`the VEN wants to be called at ${String(this.ven.nextMs())} again and does nothing`);
      }
    }
    this.ms = end;
    this.ven.poll(this.now);
    return this;
  }

  #answered = 0;

  /** The request that waits for an answer. */
  get waiting(): HttpRequest | undefined {
    return this.requests[this.#answered];
  }

  /** The payload's name and body of the waiting request. */
  get asked(): string {
    const body = this.waiting?.body ?? "";
    return /<oadr:oadrSignedObject><oadr:(\w+)/.exec(body)?.[1] ?? "";
  }

  get body(): string {
    return this.waiting?.body ?? "";
  }

  get service(): string {
    return this.waiting?.url.replace("https://vtn.test/OpenADR2/Simple/2.0b/", "") ?? "";
  }

  reply(body: string, status = 200): this {
    const request = this.waiting;
    if (request === undefined) throw new Error("no request waits");
    this.#answered++;
    const { id } = request;
    this.ven.onHttp(
      { id, ev: "head", status, headers: [["date", new Date(this.utc).toUTCString()]] },
      this.now,
    );
    const bytes = new TextEncoder().encode(body);
    for (let i = 0; i < bytes.length; i += 100) {
      this.ven.onHttp({ id, ev: "data", bytes: bytes.subarray(i, i + 100) }, this.now);
    }
    this.ven.onHttp({ id, ev: "end" }, this.now);
    return this;
  }

  fail(reason: HttpFailure = "refused"): this {
    const request = this.waiting;
    if (request === undefined) throw new Error("no request waits");
    this.#answered++;
    this.ven.onHttp({ id: request.id, ev: "failed", reason, text: "" }, this.now);
    return this;
  }

  sgd(status: Partial<SgdStatus>): this {
    this.ven.onSgd({ ...online, ...status }, this.now);
    return this;
  }

  /** Through query, registration, metadata and event request, up to the first poll. */
  register(pollSeconds = 10): this {
    this.start();
    this.expect("oadrQueryRegistration").reply(registered(""));
    this.expect("oadrCreatePartyRegistration").reply(registered("reg-1", pollSeconds));
    this.expect("oadrRegisterReport").reply(message("oadrRegisteredReport", response()));
    this.expect("oadrRequestEvent").reply(message("oadrResponse", response()));
    return this;
  }

  /** Waits for the next poll and answers it. */
  poll(body: string): this {
    for (let i = 0; i < 100 && this.waiting === undefined; i++) this.advance(1000);
    return this.expect("oadrPoll").reply(body);
  }

  expect(payload: string): this {
    if (this.asked !== payload) {
      throw new Error(`expected ${payload}, the VEN sends ${this.asked === "" ? "nothing" : this.body}`);
    }
    return this;
  }

  #replace(source: string, events: readonly GridEvent[]): EventVerdict[] {
    this.replaced++;
    this.held = events;
    return events.map((event) => {
      const before = this.#revisions.get(event.id);
      const verdict =
        before === undefined
          ? "new"
          : event.revision < before
            ? "stale"
            : event.revision === before
              ? "unchanged"
              : "changed";
      this.#revisions.set(event.id, Math.max(before ?? 0, event.revision));
      if (event.source !== source) throw new Error("wrong source");
      return { id: event.id, revision: event.revision, verdict, why: "", ...this.verdict(event) };
    });
  }
}

const SPACES =
  'xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07" xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110" ' +
  'xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads" xmlns:xcal="urn:ietf:params:xml:ns:icalendar-2.0" ' +
  'xmlns:strm="urn:ietf:params:xml:ns:icalendar-2.0:stream" xmlns:emix="http://docs.oasis-open.org/ns/emix/2011/06" ' +
  'xmlns:power="http://docs.oasis-open.org/ns/emix/2011/06/power" xmlns:scale="http://docs.oasis-open.org/ns/emix/2011/06/siscale"';

export function message(payload: string, inner: string): string {
  return (
    `<?xml version="1.0"?><oadr:oadrPayload ${SPACES}><oadr:oadrSignedObject>` +
    `<oadr:${payload} ei:schemaVersion="2.0b">${inner}</oadr:${payload}></oadr:oadrSignedObject></oadr:oadrPayload>`
  );
}

export function response(code = "200", requestId = "r1", text = "OK"): string {
  return (
    `<ei:eiResponse><ei:responseCode>${code}</ei:responseCode><ei:responseDescription>${text}</ei:responseDescription>` +
    `<pyld:requestID>${requestId}</pyld:requestID></ei:eiResponse>`
  );
}

export function registered(registrationId: string, pollSeconds = 10, venId = "ven-1"): string {
  return message(
    "oadrCreatedPartyRegistration",
    response() +
      (registrationId === ""
        ? ""
        : `<ei:registrationID>${registrationId}</ei:registrationID><ei:venID>${venId}</ei:venID>`) +
      "<ei:vtnID>vtn-1</ei:vtnID><oadr:oadrProfiles><oadr:oadrProfile><oadr:oadrProfileName>2.0b</oadr:oadrProfileName>" +
      "<oadr:oadrTransports><oadr:oadrTransport><oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName>" +
      "</oadr:oadrTransport></oadr:oadrTransports></oadr:oadrProfile></oadr:oadrProfiles>" +
      `<oadr:oadrRequestedOadrPollFreq><xcal:duration>PT${String(pollSeconds)}S</xcal:duration></oadr:oadrRequestedOadrPollFreq>`,
  );
}

export interface SignalSpec {
  name?: string;
  type?: string;
  /** Seconds and value of each interval. */
  intervals?: readonly (readonly [seconds: number, value: number | string])[];
  /** Raw itemBase element. */
  item?: string;
  device?: string;
}

export interface EventSpec {
  id?: string;
  mod?: number;
  priority?: number;
  context?: string;
  status?: string;
  test?: string;
  startUtcMs?: number;
  seconds?: number;
  startAfterSeconds?: number;
  signals?: readonly SignalSpec[];
  /** Raw children of eiTarget. */
  target?: string;
  answer?: "always" | "never";
  /** Raw children of the properties after tolerance. */
  extra?: string;
}

export function event(spec: EventSpec = {}): string {
  const seconds = spec.seconds ?? 3600;
  const signals = spec.signals ?? [{}];
  return (
    "<oadr:oadrEvent><ei:eiEvent><ei:eventDescriptor>" +
    `<ei:eventID>${spec.id ?? "event-1"}</ei:eventID><ei:modificationNumber>${String(spec.mod ?? 0)}</ei:modificationNumber>` +
    (spec.priority === undefined ? "" : `<ei:priority>${String(spec.priority)}</ei:priority>`) +
    `<ei:eiMarketContext><emix:marketContext>${spec.context ?? "http://context"}</emix:marketContext></ei:eiMarketContext>` +
    `<ei:createdDateTime>${formatDateTime(T0)}</ei:createdDateTime><ei:eventStatus>${spec.status ?? "far"}</ei:eventStatus>` +
    (spec.test === undefined ? "" : `<ei:testEvent>${spec.test}</ei:testEvent>`) +
    "<ei:vtnComment>a comment</ei:vtnComment></ei:eventDescriptor><ei:eiActivePeriod><xcal:properties>" +
    `<xcal:dtstart><xcal:date-time>${formatDateTime(spec.startUtcMs ?? T0 + 60_000)}</xcal:date-time></xcal:dtstart>` +
    `<xcal:duration><xcal:duration>PT${String(seconds)}S</xcal:duration></xcal:duration>` +
    (spec.startAfterSeconds === undefined
      ? ""
      : `<xcal:tolerance><xcal:tolerate><xcal:startafter>PT${String(spec.startAfterSeconds)}S</xcal:startafter></xcal:tolerate></xcal:tolerance>`) +
    (spec.extra ?? "") +
    "</xcal:properties><xcal:components/></ei:eiActivePeriod><ei:eiEventSignals>" +
    signals.map((s, n) => signal(s, seconds, n)).join("") +
    `</ei:eiEventSignals><ei:eiTarget>${spec.target ?? "<ei:venID>ven-1</ei:venID>"}</ei:eiTarget></ei:eiEvent>` +
    `<oadr:oadrResponseRequired>${spec.answer ?? "always"}</oadr:oadrResponseRequired></oadr:oadrEvent>`
  );
}

function signal(spec: SignalSpec, seconds: number, n: number): string {
  const intervals = spec.intervals ?? [[seconds, 1]];
  return (
    "<ei:eiEventSignal><strm:intervals>" +
    intervals
      .map(
        ([s, value], i) =>
          `<ei:interval><xcal:duration><xcal:duration>PT${String(s)}S</xcal:duration></xcal:duration>` +
          `<xcal:uid><xcal:text>${String(i)}</xcal:text></xcal:uid><ei:signalPayload><ei:payloadFloat>` +
          `<ei:value>${String(value)}</ei:value></ei:payloadFloat></ei:signalPayload></ei:interval>`,
      )
      .join("") +
    "</strm:intervals>" +
    (spec.device === undefined
      ? ""
      : `<ei:eiTarget><power:endDeviceAsset><power:mrid>${spec.device}</power:mrid></power:endDeviceAsset></ei:eiTarget>`) +
    `<ei:signalName>${spec.name ?? "SIMPLE"}</ei:signalName><ei:signalType>${spec.type ?? "level"}</ei:signalType>` +
    `<ei:signalID>s${String(n)}</ei:signalID>${spec.item ?? ""}` +
    "<ei:currentValue><ei:payloadFloat><ei:value>0</ei:value></ei:payloadFloat></ei:currentValue></ei:eiEventSignal>"
  );
}

export function distribute(events: string, vtnId = "vtn-1"): string {
  return message(
    "oadrDistributeEvent",
    `${response()}<pyld:requestID>dist-1</pyld:requestID><ei:vtnID>${vtnId}</ei:vtnID>${events}`,
  );
}

export const nothing = message("oadrResponse", `${response()}<ei:venID>ven-1</ei:venID>`);

export interface ReportSpec {
  id?: string;
  specifier?: string;
  granularity?: string;
  back?: string;
  start?: string;
  duration?: string;
  rids?: readonly string[];
}

export function reportRequest(spec: ReportSpec = {}): string {
  const interval =
    spec.start === undefined
      ? ""
      : `<ei:reportInterval><xcal:properties><xcal:dtstart><xcal:date-time>${spec.start}</xcal:date-time></xcal:dtstart>` +
        `<xcal:duration><xcal:duration>${spec.duration ?? "PT0S"}</xcal:duration></xcal:duration></xcal:properties></ei:reportInterval>`;
  return (
    `<oadr:oadrReportRequest><ei:reportRequestID>${spec.id ?? "rr-1"}</ei:reportRequestID><ei:reportSpecifier>` +
    `<ei:reportSpecifierID>${spec.specifier ?? "telemetry-usage"}</ei:reportSpecifierID>` +
    `<xcal:granularity><xcal:duration>${spec.granularity ?? "PT0M"}</xcal:duration></xcal:granularity>` +
    `<ei:reportBackDuration><xcal:duration>${spec.back ?? "PT0M"}</xcal:duration></ei:reportBackDuration>${interval}` +
    (spec.rids ?? ["power", "energy"])
      .map(
        (rid) =>
          `<ei:specifierPayload><ei:rID>${rid}</ei:rID><ei:readingType>x-notApplicable</ei:readingType></ei:specifierPayload>`,
      )
      .join("") +
    "</ei:reportSpecifier></oadr:oadrReportRequest>"
  );
}

export function createReport(...requests: string[]): string {
  return message(
    "oadrCreateReport",
    `<pyld:requestID>create-1</pyld:requestID>${requests.join("")}<ei:venID>ven-1</ei:venID>`,
  );
}

/** Values of a report update: rID and value, in order. */
export function values(body: string): string[] {
  return [...body.matchAll(/<ei:rID>([^<]*)<\/ei:rID>.*?<\/oadr:oadrReportPayload>/g)].map(
    (m) => `${m[1]!} ${/<ei:value>([^<]*)</.exec(m[0])?.[1] ?? "-"}`,
  );
}

/** Event answers in a createdEvent: `id mod code opt`. */
export function answers(body: string): string[] {
  return [
    ...body.matchAll(
      /<ei:eventResponse><ei:responseCode>(\d+)<.*?<ei:eventID>([^<]*)<.*?<ei:modificationNumber>(\d+)<.*?<ei:optType>(\w+)</g,
    ),
  ].map((m) => `${m[2]!} ${m[3]!} ${m[1]!} ${m[4]!}`);
}
