import type { EventVerdict, GridEvent } from "../grid/event.js";
import { isOptedOut, type OptOut } from "../grid/upstream.js";
import type { VtnEvent, VtnMessage } from "./messages.js";
import type { EventAnswer } from "./outbound.js";
import { gridEvents, type Programme, type Refusal } from "./signals.js";

/** Which events are for us. */
export interface Enrolment {
  /** Empty = all. */
  readonly marketContexts: readonly string[];
  /** `resourceID:…`, `groupID:…`, `groupName:…`, `partyID:…` that are ours; of a kind that is not listed, all are. */
  readonly targets: readonly string[];
}

/** What is remembered of an event that the server lists. */
export interface KnownEvent {
  readonly id: string;
  modification: number;
  startUtcMs: number;
  /** Infinity = open. */
  endUtcMs: number;
  answerWanted: boolean;
  /** It is obeyed: accepted, and not cancelled. */
  inForce: boolean;
  /** The owner may not override it. */
  binding: boolean;
  /** The customer's override has been told to the server. */
  optedOut: boolean;
  /** The appliance's refusal has been told. */
  refusalTold: boolean;
  /** What was handed over for it where it was accepted: handed over again while the server lists it unchanged. */
  grid: readonly GridEvent[] | undefined;
}

/**
 * Keeps what the server lists: maps, filters, answers each event once a modification, and tells which events
 * the customer has opted out of. The list itself is kept by the demand-response core.
 */
export class EventBook {
  private readonly programme: Programme;
  private readonly enrolment: Enrolment;
  private list: KnownEvent[] = [];

  constructor(programme: Programme, enrolment: Enrolment) {
    this.programme = programme;
    this.enrolment = enrolment;
  }

  get known(): readonly KnownEvent[] {
    return this.list;
  }

  forget(): void {
    this.list = [];
  }

  /**
   * Takes an oadrDistributeEvent whole. `replace` hands all accepted events to the core at once; what is
   * absent is thereby cancelled. Answers what to say in oadrCreatedEvent; nothing where nothing is new.
   */
  take(
    message: VtnMessage,
    venId: string,
    nowUtcMs: number,
    optOut: OptOut,
    replace: (events: readonly GridEvent[]) => readonly EventVerdict[],
  ): EventAnswer[] {
    const grid: GridEvent[] = [];
    const next: KnownEvent[] = [];
    // Beside `message.events`: why it is refused, and where in `grid` its events stand.
    const refusals: (Refusal | undefined)[] = [];
    const places: number[] = [];
    for (const event of message.events) {
      const refusal = this.mismatch(event, venId);
      const mapped = refusal ?? this.unchanged(event) ?? gridEvents(event, this.programme, nowUtcMs);
      // From here on only the neutral event counts: not both at once in memory.
      event.signals = [];
      places.push(grid.length);
      if ("code" in mapped) refusals.push(mapped);
      else {
        refusals.push(undefined);
        for (const one of mapped) grid.push(one);
      }
    }
    const verdicts = replace(grid);
    const answers: EventAnswer[] = [];
    for (let i = 0; i < message.events.length; i++) {
      const event = message.events[i]!;
      let code = "200";
      let text = "OK";
      const refusal = refusals[i];
      if (refusal !== undefined) ({ code, text } = refusal);
      for (let j = places[i]!; j < (places[i + 1] ?? grid.length); j++) {
        const verdict = verdicts[j];
        if (verdict?.verdict === "stale") {
          code = "450";
          text = `A later modification of this event is known; ${String(event.modification)} is out of sequence.`;
        } else if (verdict?.verdict === "refused") {
          code = verdict.why.startsWith("too-many") ? "469" : verdict.why === "dismissed" ? "451" : "454";
          text = `The event cannot be carried out: ${verdict.why}.`;
        }
      }
      const before = this.list.find((k) => k.id === event.id);
      if (before !== undefined && event.modification < before.modification) {
        // Out of sequence: what was known stays, and the sender hears it every time.
        next.push(before);
        if (event.answerWanted)
          answers.push(answer(event, "450", text === "OK" ? "Out of sequence." : text, false));
        continue;
      }
      const known = newKnown(event, code);
      known.binding = verdicts[places[i]!]?.binding === true;
      if (known.inForce) known.grid = grid.slice(places[i], places[i + 1] ?? grid.length);
      next.push(known);
      if (before?.modification === event.modification) {
        known.optedOut = before.optedOut;
        known.refusalTold = before.refusalTold;
        continue;
      }
      known.optedOut = known.inForce && nowUtcMs < known.endUtcMs && isOptedOut(known, optOut, nowUtcMs);
      if (event.answerWanted) answers.push(answer(event, code, text, code === "200" && !known.optedOut));
    }
    for (const excess of message.excessEvents) {
      if (!excess.answerWanted) continue;
      const text = "This module cannot hold so many events.";
      answers.push({
        eventId: excess.id,
        modification: excess.modification,
        code: "469",
        text,
        optIn: false,
      });
    }
    this.list = next;
    return answers;
  }

  /** Refuses every event of a message that is not for us or not from our server; nothing is applied. */
  refuseAll(message: VtnMessage, code: string, text: string): EventAnswer[] {
    return message.events.filter((e) => e.answerWanted).map((e) => answer(e, code, text, false));
  }

  /** Events whose opt state has to be told because the customer's override came or went; marks them as told. */
  optChanges(optOut: OptOut, nowUtcMs: number): KnownEvent[] {
    const changes: KnownEvent[] = [];
    for (const event of this.list) {
      if (!event.inForce || nowUtcMs >= event.endUtcMs) continue;
      const optedOut = isOptedOut(event, optOut, nowUtcMs);
      if (optedOut === event.optedOut) continue;
      event.optedOut = optedOut;
      changes.push(event);
    }
    return changes;
  }

  /** Events that run although the appliance refused every command for them; each once. */
  refusedByAppliance(nowUtcMs: number): KnownEvent[] {
    const told = this.list.filter(
      (k) => k.inForce && !k.refusalTold && nowUtcMs >= k.startUtcMs && nowUtcMs < k.endUtcMs,
    );
    for (const event of told) event.refusalTold = true;
    return told;
  }

  /** The neutral events of one that is listed as before: a day of prices need not be in memory twice. */
  private unchanged(event: VtnEvent): readonly GridEvent[] | undefined {
    if (event.bad !== "" || event.over !== "") return undefined;
    if (event.status === "cancelled" || event.status === "completed") return undefined;
    const before = this.list.find((k) => k.id === event.id);
    return before?.modification === event.modification ? before.grid : undefined;
  }

  private mismatch(event: VtnEvent, venId: string): Refusal | undefined {
    const contexts = this.enrolment.marketContexts;
    if (contexts.length > 0 && !contexts.includes(event.marketContext)) {
      return { code: "462", text: `This module does not take part in ${event.marketContext}.` };
    }
    if (event.targets.length === 0) return undefined;
    // Ours if any target names us, or is of a kind of which we do not know our own names.
    const own = this.enrolment.targets;
    for (const target of event.targets) {
      const kind = target.slice(0, target.indexOf(":") + 1);
      if (kind === "venID:") {
        if (target === `venID:${venId}`) return undefined;
      } else if (own.includes(target)) return undefined;
      else if (!own.some((t) => t.startsWith(kind)) && !event.targets.some((t) => t.startsWith("venID:"))) {
        return undefined;
      }
    }
    return { code: "462", text: "The event is for others." };
  }
}

function newKnown(event: VtnEvent, code: string): KnownEvent {
  const start = event.startUtcMs ?? 0;
  const duration = event.durationMs ?? 0;
  return {
    id: event.id,
    modification: event.modification,
    startUtcMs: start,
    endUtcMs: duration === 0 ? Infinity : start + event.startAfterMs + duration,
    answerWanted: event.answerWanted,
    inForce: code === "200" && event.status !== "cancelled" && event.status !== "completed",
    binding: false,
    optedOut: false,
    refusalTold: false,
    grid: undefined,
  };
}

function answer(event: VtnEvent, code: string, text: string, optIn: boolean): EventAnswer {
  return { eventId: event.id, modification: event.modification, code, text, optIn };
}
