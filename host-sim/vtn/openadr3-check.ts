/**
 * Checks what a client sends against openadr3.yaml 3.1.0, as far as a mistake would matter: required fields,
 * types, date-times, durations. Answers the first fault in words, naming the field, or undefined.
 */
import type { Collection } from "./openadr3-types.js";

type Check = (value: unknown, at: string) => string | undefined;

const DURATION =
  /^(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const is =
  (what: string, test: (value: unknown) => boolean): Check =>
  (value, at) =>
    test(value) ? undefined : `${at} must be ${what}`;

const text = (max: number, min = 1): Check =>
  is(
    `a string of ${min} to ${max} characters`,
    (v) => typeof v === "string" && v.length >= min && v.length <= max,
  );
const name = text(128);
const id = is("an object id", (v) => typeof v === "string" && /^[a-zA-Z0-9_-]{1,128}$/.test(v));
const number = is("a number", (v) => typeof v === "number" && Number.isFinite(v));
const integer = is("an integer", (v) => Number.isInteger(v));
const boolean = is("true or false", (v) => typeof v === "boolean");
const dateTime = is("an RFC 3339 date-time", (v) => typeof v === "string" && DATE_TIME.test(v));
const duration = is("an ISO 8601 duration", (v) => typeof v === "string" && DURATION.test(v));
const oneOf = (...values: readonly string[]): Check =>
  is(`one of ${values.join(", ")}`, (v) => values.includes(v as string));
const uri = is("an absolute URI", (v) => typeof v === "string" && URL.canParse(v));

const nullable =
  (check: Check): Check =>
  (value, at) =>
    value === null ? undefined : check(value, at);

const list =
  (check: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return `${at} must be a list`;
    for (const [i, item] of value.entries()) {
      const fault = check(item, `${at}[${i}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };

/** `name!` is required. Fields that are not named are let through, as the specification does. */
const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return `${at || "the body"} must be an object`;
    const raw = value as Record<string, unknown>;
    for (const [key, check] of Object.entries(fields)) {
      const required = key.endsWith("!");
      const field = required ? key.slice(0, -1) : key;
      const path = at === "" ? field : `${at}.${field}`;
      if (raw[field] === undefined) {
        if (required) return `${path} is missing`;
      } else {
        const fault = check(raw[field], path);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  };

const point = object({ "x!": number, "y!": number });
const value: Check = (v, at) =>
  ["number", "string", "boolean"].includes(typeof v) ? undefined : point(v, at);
const valuesMap = object({ "type!": name, "values!": list(value) });
/** The document has no null here, but a well-known client sends it (openadr3-client 2.4). */
const intervalPeriod = nullable(
  object({ start: nullable(dateTime), duration: nullable(duration), randomizeStart: nullable(duration) }),
);
const interval = object({ "id!": integer, intervalPeriod, "payloads!": list(valuesMap) });
const targets = nullable(list(name));
const attributes = nullable(list(valuesMap));
const descriptor = {
  "payloadType!": name,
  units: nullable(name),
  readingType: nullable(name),
};
const reportDescriptor = object({
  ...descriptor,
  targets,
  aggregate: boolean,
  startInterval: integer,
  numIntervals: integer,
  historical: boolean,
  frequency: integer,
  repeat: integer,
  reportIntervals: oneOf("INTERVALS", "SUB_INTERVALS", "OPEN_INTERVALS"),
});
const payloadDescriptor = object({
  ...descriptor,
  "objectType!": oneOf("EVENT_PAYLOAD_DESCRIPTOR", "REPORT_PAYLOAD_DESCRIPTOR"),
});

const CHECKS: Readonly<Record<Collection, Check>> = {
  programs: object({
    "programName!": name,
    intervalPeriod,
    programDescriptions: nullable(list(object({ "URL!": uri }))),
    payloadDescriptors: nullable(list(payloadDescriptor)),
    attributes,
    targets,
  }),
  events: object({
    "programID!": id,
    eventName: nullable(text(10_000, 0)),
    duration: nullable(duration),
    priority: nullable(is("a whole number from 0", (v) => Number.isInteger(v) && (v as number) >= 0)),
    targets,
    reportDescriptors: nullable(list(reportDescriptor)),
    payloadDescriptors: nullable(list(payloadDescriptor)),
    intervalPeriod,
    intervals: list(interval),
  }),
  reports: object({
    "eventID!": id,
    "clientName!": name,
    reportName: nullable(text(10_000, 0)),
    payloadDescriptors: nullable(list(payloadDescriptor)),
    "resources!": list(object({ "resourceName!": name, intervalPeriod, "intervals!": list(interval) })),
  }),
  subscriptions: object({
    "clientName!": name,
    programID: id,
    targets,
    "objectOperations!": list(
      object({
        "objects!": list(oneOf("PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE")),
        "operations!": list(oneOf("READ", "CREATE", "UPDATE", "DELETE")),
        "callbackUrl!": uri,
        bearerToken: nullable(text(8000, 0)),
      }),
    ),
  }),
  vens: object({
    "objectType!": oneOf("BL_VEN_REQUEST", "VEN_VEN_REQUEST"),
    "venName!": name,
    clientID: name,
    targets,
    attributes,
  }),
  resources: object({
    "objectType!": oneOf("BL_RESOURCE_REQUEST", "VEN_RESOURCE_REQUEST"),
    "resourceName!": name,
    "venID!": id,
    clientID: name,
    targets,
    attributes,
  }),
};

export function checkRequest(collection: Collection, body: unknown): string | undefined {
  return CHECKS[collection](body, "");
}

/** Report descriptors in an event of the API, so that they go out valid. */
export function checkReportDescriptors(body: unknown): string | undefined {
  return nullable(list(reportDescriptor))(body, "reportDescriptors");
}
