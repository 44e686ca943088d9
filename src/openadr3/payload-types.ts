/*
 * Every event payload type of the OpenADR 3.1.0 enumeration, and what this module does with it. The names are those
 * of event-interval-payloads.schema.yaml; the mapping is ours (docs/openadr3.md shows the same table).
 */

/**
 * `load` moves the load; `price` and `guidance` stand beside it; `order` is carried out once, with the customer's
 * consent; `informs` is accepted and asks for nothing of a charger; `refused` cannot be carried out.
 */
export type Use = "load" | "price" | "guidance" | "order" | "informs" | "refused";

export interface PayloadType {
  readonly name: string;
  readonly use: Use;
  /** Of several load types in one interval the highest is obeyed. */
  readonly rank: number;
  /** Whether several values in one interval divide it; else exactly one is right. */
  readonly divides: boolean;
  /** Why it is refused or only informs; "" for the others. */
  readonly why: string;
}

export const PAYLOAD_TYPES: readonly PayloadType[] = [
  load("ALERT_GRID_EMERGENCY", 9, false),
  load("ALERT_BLACK_START", 9, false),
  load("DISPATCH_SETPOINT", 8),
  load("CONTROL_SETPOINT", 7),
  load("CONTROL_LEVEL_OFFSET_PERCENT", 6),
  load("CONTROL_LEVEL_OFFSET", 5),
  load("SIMPLE", 4),
  load("ALERT_FLEX_ALERT", 3, false),
  load("IMPORT_CAPACITY_LIMIT", 2),
  load("IMPORT_CAPACITY_SUBSCRIPTION", 1),
  beside("PRICE", "price"),
  beside("GHG", "guidance"),
  beside("CTA2045_REBOOT", "order"),
  beside("CTA2045_SET_OVERRIDE_STATUS", "order"),
  informs("PRICE_ALTERNATE", "it is the price of another form of energy"),
  informs("EXPORT_PRICE", "a charger exports nothing"),
  informs("OLS", "a load shape over a day needs a forecast of the day"),
  informs("IMPORT_CAPACITY_RESERVATION", "what is added to the subscription is for the site's manager"),
  informs("IMPORT_CAPACITY_RESERVATION_FEE", "the module reserves no capacity"),
  informs("IMPORT_CAPACITY_AVAILABLE", "the module reserves no capacity"),
  informs("IMPORT_CAPACITY_AVAILABLE_PRICE", "the module reserves no capacity"),
  informs("EXPORT_CAPACITY_SUBSCRIPTION", "a charger exports nothing"),
  informs("EXPORT_CAPACITY_RESERVATION", "a charger exports nothing"),
  informs("EXPORT_CAPACITY_RESERVATION_FEE", "a charger exports nothing"),
  informs("EXPORT_CAPACITY_AVAILABLE", "a charger exports nothing"),
  informs("EXPORT_CAPACITY_AVAILABLE_PRICE", "a charger exports nothing"),
  informs("EXPORT_CAPACITY_LIMIT", "a charger exports nothing"),
  informs("ALERT_POSSIBLE_OUTAGE", "it is a warning for people"),
  informs("ALERT_FIRE", "it is a warning for people"),
  informs("ALERT_FREEZING", "it is a warning for people"),
  informs("ALERT_WIND", "it is a warning for people"),
  informs("ALERT_TSUNAMI", "it is a warning for people"),
  informs("ALERT_AIR_QUALITY", "it is a warning for people"),
  informs("ALERT_OTHER", "it is a warning for people"),
  refused("CHARGE_STATE_SETPOINT", "the state of charge cannot be known over J1772"),
  refused("DISPATCH_SETPOINT_RELATIVE", "the enumeration leaves the sign of the change open"),
  refused("DISPATCH_INSTRUCTION", "its words are agreed out of band, and none are"),
  refused("CURVE", "curves control inverters"),
];

/** Undefined for a type that is not in the enumeration: private strings are allowed, and not known here. */
export function payloadType(name: string): PayloadType | undefined {
  return PAYLOAD_TYPES.find((type) => type.name === name);
}

function load(name: string, rank: number, divides = true): PayloadType {
  return { name, use: "load", rank, divides, why: "" };
}

function beside(name: string, use: "price" | "guidance" | "order"): PayloadType {
  return { name, use, rank: 0, divides: use !== "order", why: "" };
}

function informs(name: string, why: string): PayloadType {
  return { name, use: "informs", rank: 0, divides: true, why };
}

function refused(name: string, why: string): PayloadType {
  return { name, use: "refused", rank: 0, divides: true, why };
}
