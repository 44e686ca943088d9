/**
 * The bench's charging platform (CSMS) of OCPP 1.6J: a test double, not a platform. This folder guarantees: every
 * message in both directions is judged by the official schemas (`ocpp-rpc` in strict mode, or its validator in
 * virtual time); a charge point's transactions are kept as a platform would bill them, repeated messages counted once.
 *
 * This file is what a platform remembers and answers, without sockets.
 */

type Json = Readonly<Record<string, unknown>>;

export interface CsmsTransaction {
  readonly id: number;
  readonly idTag: string;
  readonly startUtc: string;
  readonly meterStart: number;
  stopUtc: string | undefined;
  meterStop: number | undefined;
  reason: string | undefined;
  /** Energy registers as they came, Wh, with their time. */
  readonly energy: { readonly utc: string; readonly wh: number }[];
}

/** Something that came from a charge point, or went to it. */
export interface CsmsRecord {
  readonly utcMs: number;
  readonly from: "charger" | "platform";
  readonly action: string;
  readonly payload: Json;
  /** The answer; undefined while there is none. */
  answer?: Json | { readonly error: string };
}

export interface CsmsRules {
  /** Answers to BootNotification in turn; the last stays. Default: Accepted. */
  readonly boot?: readonly ("Accepted" | "Pending" | "Rejected")[];
  readonly heartbeatSeconds?: number;
  /** idTags that are refused. */
  readonly refusedTags?: readonly string[];
  /** Actions answered with an error, so often. */
  failures?: Record<string, number>;
}

const KEEP_RECORDS = 1000;

/** One charge point as the platform knows it. */
export class CsmsPoint {
  online = false;
  boot: Json | undefined;
  boots = 0;
  lastHeartbeatMs: number | undefined;
  /** By connector. */
  readonly statuses = new Map<number, Json>();
  readonly transactions: CsmsTransaction[] = [];
  readonly securityEvents: Json[] = [];
  readonly records: CsmsRecord[] = [];
  /** The newest values by measurand. */
  readonly latest = new Map<
    string,
    { readonly value: number; readonly unit: string; readonly utc: string }
  >();

  constructor(
    readonly id: string,
    readonly rules: CsmsRules,
  ) {}

  get status(): string {
    return String(this.statuses.get(1)?.["status"] ?? "");
  }

  get running(): CsmsTransaction | undefined {
    return this.transactions.find((one) => one.stopUtc === undefined);
  }

  /** Messages of the charge point of one kind, oldest first. */
  got(action: string): readonly Json[] {
    return this.records
      .filter((one) => one.from === "charger" && one.action === action)
      .map((one) => one.payload);
  }

  note(record: CsmsRecord): CsmsRecord {
    this.records.push(record);
    if (this.records.length > KEEP_RECORDS) this.records.shift();
    return record;
  }
}

/** A call that the platform answers with CALLERROR. */
export class CsmsRefusal extends Error {}

export class CsmsCore {
  readonly points = new Map<string, CsmsPoint>();
  private nextTransaction = 1;
  private readonly listeners: ((point: CsmsPoint, record: CsmsRecord) => void)[] = [];

  constructor(readonly rules: CsmsRules = {}) {}

  point(id: string): CsmsPoint {
    let point = this.points.get(id);
    if (point === undefined) {
      point = new CsmsPoint(id, this.rules);
      this.points.set(id, point);
    }
    return point;
  }

  onRecord(listener: (point: CsmsPoint, record: CsmsRecord) => void): void {
    this.listeners.push(listener);
  }

  tell(point: CsmsPoint, record: CsmsRecord): void {
    for (const listener of this.listeners) listener(point, record);
  }

  /** A call of a charge point; the answer, or a {@link CsmsRefusal}. */
  receive(id: string, action: string, payload: Json, utcMs: number): Json {
    const point = this.point(id);
    const record = point.note({ utcMs, from: "charger", action, payload });
    const failures = this.rules.failures?.[action] ?? 0;
    if (failures > 0) {
      this.rules.failures![action] = failures - 1;
      record.answer = { error: "InternalError" };
      this.tell(point, record);
      throw new CsmsRefusal("on purpose");
    }
    const answer = this.answer(point, action, payload, utcMs);
    record.answer = answer;
    this.tell(point, record);
    return answer;
  }

  private answer(point: CsmsPoint, action: string, payload: Json, utcMs: number): Json {
    const currentTime = new Date(utcMs).toISOString();
    switch (action) {
      case "BootNotification": {
        const script = this.rules.boot ?? ["Accepted"];
        const status = script[Math.min(point.boots, script.length - 1)]!;
        point.boots++;
        point.boot = payload;
        return { status, currentTime, interval: this.rules.heartbeatSeconds ?? 60 };
      }
      case "Heartbeat":
        point.lastHeartbeatMs = utcMs;
        return { currentTime };
      case "StatusNotification":
        point.statuses.set(Number(payload["connectorId"]), payload);
        return {};
      case "Authorize":
        return { idTagInfo: this.tagInfo(payload) };
      case "StartTransaction":
        return { transactionId: this.start(point, payload).id, idTagInfo: this.tagInfo(payload) };
      case "StopTransaction":
        stop(point, payload);
        return {};
      case "MeterValues":
        meter(point, payload);
        return {};
      case "SecurityEventNotification":
        point.securityEvents.push(payload);
        return {};
      case "DataTransfer":
        return { status: "UnknownVendorId" };
      case "SignCertificate":
        return { status: "Accepted" };
      default:
        return {};
    }
  }

  private tagInfo(payload: Json): Json {
    const refused = this.rules.refusedTags?.includes(String(payload["idTag"])) ?? false;
    return { status: refused ? "Invalid" : "Accepted" };
  }

  /** The same start told again is the same transaction. */
  private start(point: CsmsPoint, payload: Json): CsmsTransaction {
    const startUtc = String(payload["timestamp"]);
    const meterStart = Number(payload["meterStart"]);
    const idTag = String(payload["idTag"]);
    const known = point.transactions.find(
      (one) => one.startUtc === startUtc && one.meterStart === meterStart,
    );
    if (known !== undefined) return known;
    const made: CsmsTransaction = {
      ...{ id: this.nextTransaction++, idTag, startUtc, meterStart },
      ...{ stopUtc: undefined, meterStop: undefined, reason: undefined, energy: [] },
    };
    point.transactions.push(made);
    return made;
  }
}

function stop(point: CsmsPoint, payload: Json): void {
  const transaction = point.transactions.find((one) => one.id === payload["transactionId"]);
  if (transaction === undefined || transaction.stopUtc !== undefined) return;
  transaction.stopUtc = String(payload["timestamp"]);
  transaction.meterStop = Number(payload["meterStop"]);
  transaction.reason = String(payload["reason"] ?? "Local");
}

function meter(point: CsmsPoint, payload: Json): void {
  const transaction = point.transactions.find((one) => one.id === payload["transactionId"]);
  for (const value of payload["meterValue"] as readonly Json[]) {
    const utc = String(value["timestamp"]);
    for (const sample of value["sampledValue"] as readonly Json[]) {
      const measurand = String(sample["measurand"] ?? "Energy.Active.Import.Register");
      const number = Number(sample["value"]);
      point.latest.set(measurand, { value: number, unit: String(sample["unit"] ?? ""), utc });
      const known = transaction?.energy.some((one) => one.utc === utc && one.wh === number) ?? true;
      if (measurand === "Energy.Active.Import.Register" && !known)
        transaction?.energy.push({ utc, wh: number });
    }
  }
}
