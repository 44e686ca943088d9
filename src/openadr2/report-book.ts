import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER } from "../ports/time.js";
import { MAX_REPORT_REQUESTS, type ReportRequest } from "./messages.js";
import type { ReportOffer, ReportUpdate, ReportValue, ResourceStatus } from "./outbound.js";

/**
 * Meter history, where the module keeps one: mean power (W) or energy (Wh) of steps, oldest first. Steps are at least
 * `stepMs` long, and so long that there are no more than `most`.
 */
export interface UsageHistory {
  read(
    what: "power" | "energy",
    fromUtcMs: number,
    toUtcMs: number,
    stepMs: number,
    most: number,
  ): readonly { readonly startUtcMs: number; readonly durationMs: number; readonly value: number }[];
}

const HOUR_MS = 3_600_000;
const HALF_HOUR_MS = 1_800_000;
/** Values of one report, and of one message (some 450 bytes each); a fuller report goes out early. */
const MAX_VALUES = 48;
/** Values that wait in all while the server is away. */
const MAX_WAITING_VALUES = 96;
/** A changing status is told no more often than this. */
const ON_CHANGE_MIN_MS = 1000;

const TELEMETRY_USAGE = "telemetry-usage";
const TELEMETRY_STATUS = "telemetry-status";
const HISTORY_USAGE = "history-usage";
/** The specifier by which a server asks for the metadata themselves. */
const METADATA = "METADATA";

const USAGE_POINT = { readingType: "Direct Read", minPeriodMs: 1000, maxPeriodMs: HOUR_MS, onChange: false };
const POWER = { ...USAGE_POINT, rid: "power", reportType: "demand", item: "powerReal" } as const;
const ENERGY = { ...USAGE_POINT, rid: "energy", reportType: "reading", item: "energyReal" } as const;
const STATUS = {
  rid: "status",
  reportType: "x-resourceStatus",
  readingType: "x-notApplicable",
  item: "",
  minPeriodMs: ON_CHANGE_MIN_MS,
  maxPeriodMs: HOUR_MS,
  onChange: true,
} as const;

/** As the journal keeps them. */
const HALF_HOURS = { minPeriodMs: HALF_HOUR_MS, maxPeriodMs: 24 * HOUR_MS } as const;

const OFFERS: readonly ReportOffer[] = [
  { specifier: TELEMETRY_USAGE, name: "TELEMETRY_USAGE", spanMs: HOUR_MS, points: [POWER, ENERGY] },
  { specifier: TELEMETRY_STATUS, name: "TELEMETRY_STATUS", spanMs: HOUR_MS, points: [STATUS] },
  {
    specifier: HISTORY_USAGE,
    name: "HISTORY_USAGE",
    spanMs: 30 * 24 * HOUR_MS,
    points: [
      { ...POWER, rid: "power-history", readingType: "Mean", ...HALF_HOURS },
      { ...ENERGY, rid: "energy-history", reportType: "usage", readingType: "Summed", ...HALF_HOURS },
    ],
  },
];

interface ActiveReport {
  readonly id: string;
  readonly specifier: string;
  readonly name: string;
  readonly rids: readonly string[];
  readonly granularityMs: number;
  readonly onChange: boolean;
  /** Interval asked for, on our monotonic clock; Infinity = until cancelled. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 = one report, then done. */
  readonly backMs: number;
  sampledMs: number;
  nextSampleMs: number;
  nextSendMs: number;
  values: ReportValue[];
  /** Last status told, to see a change. */
  told: string;
}

/** What a server's message about reports earns. */
export interface ReportOutcome {
  readonly code: string;
  readonly text: string;
}

/** A time on both clocks. */
export interface ReportTime {
  readonly ms: number;
  readonly utcMs: number;
}

/**
 * The reports that the server has asked for: samples, fills and ends them. One-shot (no interval, nothing
 * periodic), periodic, back duration, zero-length interval = until cancelled, on change; the rIDs sent are
 * always those asked for, with "no value" where there is none. At most 8 at once; lost at a restart, after
 * which the server asks anew because the reports are registered anew.
 */
export class ReportBook {
  private readonly history: UsageHistory | undefined;
  private active: ActiveReport[] = [];
  private queue: ReportUpdate[] = [];
  private metadataFor: string[] = [];
  private status: SgdStatus | undefined;

  constructor(history?: UsageHistory) {
    this.history = history;
  }

  offers(): readonly ReportOffer[] {
    return this.history === undefined ? OFFERS.slice(0, 2) : OFFERS;
  }

  pending(): string[] {
    return this.active.map((r) => r.id);
  }

  forget(): void {
    this.active = [];
    this.queue = [];
    this.metadataFor = [];
  }

  /** Takes requests; all or none. */
  create(requests: readonly ReportRequest[], now: ReportTime): ReportOutcome {
    for (const request of requests) {
      const why = this.refusal(request);
      if (why !== undefined) return why;
    }
    const others = this.active.filter((a) => !requests.some((r) => r.id === a.id));
    if (others.length + requests.length > MAX_REPORT_REQUESTS) {
      return { code: "469", text: "This module cannot make so many reports at once." };
    }
    this.active = others;
    for (const request of requests) this.begin(request, now);
    this.poll(now);
    return { code: "200", text: "OK" };
  }

  /** Ends reports; `follow`: what has been gathered so far is still sent. */
  cancel(ids: readonly string[], follow: boolean, now: ReportTime): ReportOutcome {
    const unknown = ids.find((id) => !this.active.some((r) => r.id === id));
    for (const report of this.active) {
      if (!ids.includes(report.id) || !follow) continue;
      if (report.values.length === 0) this.sample(report, now);
      this.send(report);
    }
    this.active = this.active.filter((r) => !ids.includes(r.id));
    return unknown === undefined
      ? { code: "200", text: "OK" }
      : { code: "452", text: `Report request ${unknown} is not known.` };
  }

  onStatus(status: SgdStatus): void {
    this.status = status;
  }

  /** Samples and finishes what is due. */
  poll(now: ReportTime): void {
    const ended: ActiveReport[] = [];
    for (const report of this.active) if (this.advance(report, now)) ended.push(report);
    if (ended.length > 0) this.active = this.active.filter((r) => !ended.includes(r));
  }

  /** Reports ready to go, oldest first, as many as fit into one message; kept until {@link sent}. */
  due(): readonly ReportUpdate[] {
    let count = 0;
    let values = 0;
    for (const update of this.queue) {
      values += update.values.length;
      if (count > 0 && values > MAX_VALUES) break;
      count++;
    }
    return count === this.queue.length ? this.queue : this.queue.slice(0, count);
  }

  /** Forgets what has been sent, up to and with `last`; some before it may have been given up meanwhile. */
  sent(last: ReportUpdate | undefined): void {
    const at = last === undefined ? -1 : this.queue.indexOf(last);
    if (at >= 0) this.queue.splice(0, at + 1);
  }

  /** The id of a request for metadata that is due, or undefined. */
  takeMetadataRequest(): string | undefined {
    return this.metadataFor.shift();
  }

  get metadataDue(): boolean {
    return this.metadataFor.length > 0;
  }

  nextMs(): number {
    let next = NEVER;
    for (const r of this.active) {
      next = Math.min(next, r.nextSampleMs, r.nextSendMs, r.endMs);
      if (r.onChange && this.changed(r)) next = Math.min(next, r.sampledMs + ON_CHANGE_MIN_MS);
    }
    return next;
  }

  private refusal(request: ReportRequest): ReportOutcome | undefined {
    if (request.id === "") return { code: "452", text: "A report request has no id." };
    if (request.bad !== "") return { code: "454", text: `The report request is wrong: ${request.bad}.` };
    if (request.specifier === METADATA) return undefined;
    const offer = this.offers().find((o) => o.specifier === request.specifier);
    if (offer === undefined) return { code: "461", text: `There is no report ${request.specifier}.` };
    if (request.rids.length === 0) return { code: "454", text: "The report request names no rID." };
    const unknown = request.rids.find((rid) => !offer.points.some((p) => p.rid === rid));
    return unknown === undefined
      ? undefined
      : { code: "452", text: `Report ${request.specifier} has no rID ${unknown}.` };
  }

  private begin(request: ReportRequest, now: ReportTime): void {
    const { specifier } = request;
    const history = specifier === HISTORY_USAGE;
    const asked = request.startUtcMs === undefined ? now.ms : now.ms + (request.startUtcMs - now.utcMs);
    // What lies in the past cannot be sampled any more; an interval that began there still ends when it says.
    const startMs = Math.max(now.ms, asked);
    const offer = this.offers().find((o) => o.specifier === specifier);
    const oneShot = !request.interval && request.backMs === 0 && request.granularityMs === 0;
    const onChange = specifier === TELEMETRY_STATUS && request.granularityMs === 0 && !oneShot;
    if (history) {
      this.sendHistory(request, now);
      return;
    }
    const endMs = request.durationMs > 0 ? asked + request.durationMs : Infinity;
    const periodic = request.backMs > 0 || request.granularityMs > 0;
    const backMs = request.backMs > 0 ? request.backMs : request.granularityMs;
    const firstSampleMs = startMs + (specifier === METADATA ? 0 : request.granularityMs);
    this.active.push({
      id: request.id,
      specifier,
      name: offer?.name ?? METADATA,
      rids: request.rids,
      granularityMs: request.granularityMs,
      onChange,
      startMs,
      endMs,
      backMs,
      sampledMs: startMs,
      nextSampleMs: onChange ? startMs : periodic ? Math.min(firstSampleMs, endMs) : startMs,
      nextSendMs: periodic && specifier !== METADATA ? Math.min(startMs + backMs, endMs) : startMs,
      values: [],
      told: "",
    });
  }

  /** True when the report is over. */
  private advance(report: ActiveReport, now: ReportTime): boolean {
    if (report.specifier === METADATA) {
      if (now.ms < report.nextSendMs) return now.ms >= report.endMs;
      if (this.metadataFor.length < MAX_REPORT_REQUESTS) this.metadataFor.push(report.id);
      report.nextSampleMs = NEVER;
      report.nextSendMs = report.backMs > 0 ? now.ms + report.backMs : NEVER;
      return report.backMs === 0 || now.ms >= report.endMs;
    }
    if (now.ms < report.startMs) return false;
    const changed =
      report.onChange &&
      this.changed(report) &&
      now.ms >= report.sampledMs + (report.told === "" ? 0 : ON_CHANGE_MIN_MS);
    if (changed || now.ms >= report.nextSampleMs) {
      this.sample(report, now);
      if (report.onChange) report.nextSampleMs = NEVER;
      else if (report.granularityMs > 0) {
        // In step with the start; steps missed while the module slept are not made up.
        const steps = Math.floor((now.ms - report.startMs) / report.granularityMs) + 1;
        report.nextSampleMs = report.startMs + steps * report.granularityMs;
      } else report.nextSampleMs = report.backMs > 0 ? now.ms + report.backMs : NEVER;
    }
    const over = now.ms >= report.endMs || (report.backMs === 0 && !report.onChange);
    const full = report.values.length + report.rids.length > MAX_VALUES;
    const sendNow = now.ms >= report.nextSendMs || over || full || (changed && report.backMs === 0);
    if (sendNow && report.values.length > 0) this.send(report);
    if (now.ms >= report.nextSendMs) {
      const steps = report.backMs > 0 ? Math.floor((now.ms - report.startMs) / report.backMs) + 1 : 0;
      report.nextSendMs = steps > 0 ? report.startMs + steps * report.backMs : NEVER;
    }
    return over;
  }

  private changed(report: ActiveReport): boolean {
    return report.told !== told(resourceStatus(this.status));
  }

  private sample(report: ActiveReport, now: ReportTime): void {
    const status = this.status;
    const durationMs = Math.max(0, now.ms - report.sampledMs);
    const span = report.onChange ? 0 : durationMs;
    for (const rid of report.rids) {
      report.values.push({
        rid,
        startUtcMs: now.utcMs - span,
        durationMs: span,
        value: valueOf(rid, status),
        estimated: status !== undefined && !status.measured,
      });
    }
    report.sampledMs = now.ms;
    report.told = told(resourceStatus(status));
  }

  private send(report: ActiveReport): void {
    this.enqueue({
      reportRequestId: report.id,
      specifier: report.specifier,
      name: report.name,
      values: report.values,
    });
    report.values = [];
  }

  private enqueue(update: ReportUpdate): void {
    // While the server is away the oldest are given up: memory is bounded, and late telemetry is worth least.
    this.queue.push(update);
    let values = 0;
    for (const one of this.queue) values += one.values.length;
    while (values > MAX_WAITING_VALUES && this.queue.length > 1) values -= this.queue.shift()!.values.length;
  }

  private sendHistory(request: ReportRequest, now: ReportTime): void {
    const toMs = Math.min(
      now.utcMs,
      request.durationMs > 0 ? (request.startUtcMs ?? 0) + request.durationMs : now.utcMs,
    );
    const fromMs = request.startUtcMs ?? now.utcMs - (request.backMs || HOUR_MS);
    const stepMs = request.granularityMs || HALF_HOUR_MS;
    const most = Math.max(1, Math.floor(MAX_WAITING_VALUES / Math.max(1, request.rids.length)));
    let values: ReportValue[] = [];
    const send = (): void => {
      this.enqueue({ reportRequestId: request.id, specifier: HISTORY_USAGE, name: "HISTORY_USAGE", values });
      values = [];
    };
    for (const rid of request.rids) {
      const what = rid === "power-history" ? "power" : "energy";
      const points = this.history?.read(what, fromMs, toMs, stepMs, most) ?? [];
      for (const point of points) {
        if (values.length === MAX_VALUES) send();
        values.push({ rid, ...point, estimated: false });
      }
      // The rID count must match what was asked, even with nothing to tell.
      if (points.length > 0) continue;
      const durationMs = Math.max(0, toMs - fromMs);
      values.push({ rid, startUtcMs: fromMs, durationMs, value: undefined, estimated: false });
    }
    if (values.length > 0) send();
  }
}

function valueOf(rid: string, status: SgdStatus | undefined): number | ResourceStatus | undefined {
  if (rid === STATUS.rid) return resourceStatus(status);
  if (status === undefined || status.link !== "online") return undefined;
  return rid === POWER.rid ? status.powerW : status.energyWh;
}

/** Online: it answers and is not in error (operational state 5). */
function resourceStatus(status: SgdStatus | undefined): ResourceStatus {
  const capacity =
    status?.powerW !== undefined && status.ratedW !== undefined && status.ratedW > 0
      ? Math.round(Math.min(1, status.powerW / status.ratedW) * 1000) / 1000
      : undefined;
  return {
    online: status?.link === "online" && status.opState !== 5,
    manualOverride: status?.override ?? false,
    capacity,
  };
}

/** What counts as a change: steps of 5 % of the capacity, or the meter's noise would be reported. */
function told(status: ResourceStatus): string {
  const capacity = status.capacity === undefined ? "-" : String(Math.round(status.capacity * 20));
  return `${String(status.online)} ${String(status.manualOverride)} ${capacity}`;
}
