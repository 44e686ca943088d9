/** What the 3.1 half keeps: the clients' objects, beside the events and programs of the common store. */
import type { ReportReceived, ReportValue } from "./ei-report.js";
import type { VtnEvent } from "./event.js";
import type { Caller } from "./openadr3-auth.js";
import { dateTime3, speaks31, toEvent3 } from "./openadr3-event.js";
import { type Collection, type JsonObject, type Stored, strings } from "./openadr3-types.js";
import type { VtnState } from "./state.js";

/** An event that is over is listed for so long, for clients that ask for all. */
const KEEP_OVER_MS = 86_400_000;

export class Store3 {
  readonly objects: Record<Collection, Map<string, Stored>> = {
    programs: new Map(),
    events: new Map(),
    reports: new Map(),
    subscriptions: new Map(),
    vens: new Map(),
    resources: new Map(),
  };
  readonly #state: VtnState;
  readonly #reportDescriptors: readonly JsonObject[] | null;

  constructor(state: VtnState, reportDescriptors: readonly JsonObject[] | null) {
    this.#state = state;
    this.#reportDescriptors = reportDescriptors;
  }

  /** A VEN sees what is its own, and programs and events without targets or with one of its targets. */
  sees(caller: Caller, object: Stored): boolean {
    if (caller.role === "bl") return true;
    if (object.objectType !== "PROGRAM" && object.objectType !== "EVENT")
      return object["clientID"] === caller.clientId;
    const targets = strings(object["targets"]);
    if (targets.length === 0) return true;
    const own = [...this.objects.vens.values(), ...this.objects.resources.values()].filter(
      (o) => o["clientID"] === caller.clientId,
    );
    return own.some((o) => targets.includes(o.id) || strings(o["targets"]).some((t) => targets.includes(t)));
  }

  /** Everything of a collection, with the events and programs of the common store. */
  all(collection: Collection, utcMs: number, unknownType = false): readonly Stored[] {
    const own = [...this.objects[collection].values()];
    if (collection === "programs") {
      this.#program(this.#state.marketContext, utcMs);
      for (const event of this.#state.events.list()) this.programOf(event);
      return [...this.objects.programs.values()];
    }
    if (collection !== "events") return own;
    const shared = this.#state.events
      .list()
      .filter((e) => speaks31(e) && !e.cancelled && !this.#state.events.withdrawn(e.id))
      .filter(
        (e) =>
          e.content.durationMs === 0 || utcMs < e.content.startUtcMs + e.content.durationMs + KEEP_OVER_MS,
      )
      .map((e) => this.event3(e, unknownType));
    return [...own, ...shared];
  }

  event3(event: VtnEvent, unknownType = false): Stored {
    const object = toEvent3(event, this.programOf(event), unknownType);
    return object["reportDescriptors"] === null
      ? { ...object, reportDescriptors: this.#reportDescriptors }
      : object;
  }

  programOf(event: VtnEvent): string {
    return this.#program(event.content.marketContext, event.createdUtcMs);
  }

  /** A market context of 2.0b is a program here, made when it is first needed. */
  #program(marketContext: string, utcMs: number): string {
    const programName = marketContext.slice(0, 128) || "default";
    const known = [...this.objects.programs.values()].find((p) => p["programName"] === programName);
    if (known !== undefined) return known.id;
    const at = dateTime3(utcMs);
    const id = this.#state.newId("program");
    const metadata = { id, objectType: "PROGRAM", createdDateTime: at, modificationDateTime: at } as const;
    this.objects.programs.set(id, { ...metadata, programName, targets: null });
    return id;
  }
}

/** A report as the API of the bench lists it. */
export function reportReceived(report: Stored, venId: string, utcMs: number): ReportReceived {
  const values: ReportValue[] = [];
  for (const resource of (report["resources"] ?? []) as readonly JsonObject[]) {
    for (const interval of resource["intervals"] as readonly JsonObject[]) {
      const period = (interval["intervalPeriod"] ?? resource["intervalPeriod"] ?? {}) as JsonObject;
      const start = typeof period["start"] === "string" ? Date.parse(period["start"]) : Number.NaN;
      for (const payload of interval["payloads"] as readonly JsonObject[]) {
        for (const value of payload["values"] as readonly unknown[]) {
          values.push({
            rId: `${String(resource["resourceName"])}/${String(payload["type"])}`,
            startUtcMs: Number.isNaN(start) ? undefined : start,
            durationMs: undefined,
            value: typeof value === "number" ? value : undefined,
            status: undefined,
            quality: "",
            ...(typeof value === "number"
              ? {}
              : { text: typeof value === "string" ? value : JSON.stringify(value) }),
          });
        }
      }
    }
  }
  return {
    protocol: "openadr3",
    venId: venId,
    receivedUtcMs: utcMs,
    name: typeof report["reportName"] === "string" ? report["reportName"] : "",
    requestId: String(report["eventID"]),
    specifierId: report.id,
    createdUtcMs: utcMs,
    values,
    warnings: [],
  };
}
