import { listOf, numberOf, field, textOf, type Json } from "./json-stream.js";

/** What an event asks to be told; openadr3.yaml `reportDescriptor` with its defaults filled in. */
export interface ReportDescriptor {
  readonly payloadType: string;
  readonly units: string;
  /** Interval before whose start (historical) or from whose start (not) is reported; −1 = the end of the last. */
  readonly startInterval: number;
  /** Intervals in a report; −1 = all. */
  readonly numIntervals: number;
  readonly historical: boolean;
  /** Intervals from one report to the next; −1 = numIntervals. */
  readonly frequency: number;
  /** Reports; −1 = as long as the event lasts. */
  readonly repeat: number;
  /** The module may choose intervals of its own. */
  readonly open: boolean;
}

/** Descriptors of an event that are looked at. */
const MAX_DESCRIPTORS = 8;

export function readReportDescriptors(event: Json): ReportDescriptor[] {
  const found: ReportDescriptor[] = [];
  for (const one of listOf(event, "reportDescriptors").slice(0, MAX_DESCRIPTORS)) {
    const payloadType = textOf(one, "payloadType");
    if (payloadType === "") continue;
    const numIntervals = whole(one, "numIntervals", -1);
    const frequency = whole(one, "frequency", -1);
    found.push({
      payloadType,
      units: textOf(one, "units"),
      startInterval: whole(one, "startInterval", -1),
      numIntervals: numIntervals === 0 ? -1 : numIntervals,
      historical: field(one, "historical") !== false,
      frequency: frequency === 0 ? -1 : frequency,
      repeat: whole(one, "repeat", 1),
      open: ["SUB_INTERVALS", "OPEN_INTERVALS"].includes(textOf(one, "reportIntervals")),
    });
  }
  return found;
}

/** −1 or more; anything else is the default. */
function whole(value: Json, name: string, fallback: number): number {
  const found = numberOf(value, name);
  return found !== undefined && Number.isInteger(found) && found >= -1 && found <= 100_000 ? found : fallback;
}
