import type { Ask, GridEvent } from "./event.js";

/** What is declared of the charger: needed to compare amperes, watts and fractions. */
export interface Site {
  /** What the installer set, amperes: the reference of fractions. */
  readonly installerA: number;
  /** What the charger could do, amperes. */
  readonly ratedA: number;
  readonly phases: 1 | 2 | 3;
  /** Phase to neutral (or line to line for one phase in North America), volts. */
  readonly voltageV: number;
}

/** True where an ask competes for the load; prices, guidance and one-off orders stand beside it. */
export function movesLoad(ask: Ask): boolean {
  return ask.ask !== "price" && ask.ask !== "guidance" && ask.ask !== "reboot" && ask.ask !== "override";
}

/** True for "no charging at all", however it is said. */
export function isStop(ask: Ask): boolean {
  return ask.ask === "emergency" || (ask.ask === "limit" && ask.value === 0 && ask.unit !== "change-W");
}

/**
 * What an ask leaves of the installer's maximum: the one scale on which restrictions compare. −1 contactor
 * open, 0 stopped, 1 as usual, 2 more than usual. Shed and Critical Peak count as the tested EVSE does them,
 * 50 % and 25 % (requirements S4:2209); a dynamic reference counts as the installer's maximum.
 */
export function levelOf(ask: Ask, site: Site): number {
  switch (ask.ask) {
    case "emergency":
      return -1;
    case "critical-peak":
      return 0.25;
    case "shed":
      return 0.5;
    case "load-up":
      return 2;
    case "limit": {
      if (ask.unit === "fraction") {
        const scale = ask.reference === "rated" ? site.ratedA / site.installerA : 1;
        return Math.min(1, ask.value * scale);
      }
      // What it is a change of is known when it is carried out; here the installer's maximum stands for it.
      const changeW = ask.unit === "change-W" ? ask.value : undefined;
      if (changeW !== undefined) {
        return Math.max(0, Math.min(1, 1 + changeW / (site.installerA * site.voltageV * site.phases)));
      }
      const amperes =
        ask.unit === "A" ? ask.value : ask.value / (site.voltageV * (ask.phases ?? site.phases));
      return Math.min(1, amperes / site.installerA);
    }
    default:
      return 1;
  }
}

/** True where two asks want the same thing. */
export function sameAsk(a: Ask, b: Ask): boolean {
  if (a.ask !== b.ask) return false;
  if (a.ask !== "limit" || b.ask !== "limit") return true;
  return a.unit === b.unit && a.value === b.value && a.reference === b.reference && a.phases === b.phases;
}

/** "" for a sound ask, else the stable refusal code. */
export function askFault(ask: Ask): string {
  switch (ask.ask) {
    case "limit":
      if (!Number.isFinite(ask.value)) return "bad-value";
      if (ask.unit === "change-W") return "";
      if (ask.value < 0) return "bad-value";
      return ask.unit === "fraction" && ask.value > 1 ? "bad-value" : "";
    case "price":
      if (ask.relative === undefined && ask.absolute === undefined) return "bad-value";
      return Number.isFinite(ask.relative ?? 0) && Number.isFinite(ask.absolute ?? 0) ? "" : "bad-value";
    case "normal":
    case "shed":
    case "critical-peak":
    case "emergency":
    case "load-up":
    case "guidance":
    case "reboot":
    case "override":
      return "";
    default:
      return "unknown-ask";
  }
}

/** What is asked, as the end of "… asks ": "to reduce charging". */
export function askInWords(ask: Ask): string {
  switch (ask.ask) {
    case "emergency":
      return "to stop charging because of a grid emergency";
    case "critical-peak":
      return "to reduce charging strongly";
    case "shed":
      return "to reduce charging";
    case "load-up":
      return "to charge now rather than later";
    case "limit":
      if (ask.unit === "change-W") return `to charge with ${changeInWords(ask.value)} than before`;
      return ask.value === 0 ? "to stop charging" : `to charge with at most ${limitInWords(ask)}`;
    default:
      return "to charge as usual";
  }
}

function limitInWords(ask: Ask & { ask: "limit" }): string {
  if (ask.unit === "A") return `${rounded(ask.value)} A`;
  if (ask.unit === "W") return `${rounded(ask.value / 1000)} kW`;
  const of = ask.reference === "dynamic" ? "of what it used before" : "of its maximum";
  return `${rounded(ask.value * 100)} % ${of}`;
}

function changeInWords(watts: number): string {
  return watts === 0 ? "no more" : `${rounded(Math.abs(watts) / 1000)} kW ${watts < 0 ? "less" : "more"}`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** What to tell where prices come whose relation to the usual one nobody can know. Short: the journal cuts. */
export const NO_NORMAL_PRICE =
  "Configure normalPrice: the appliance takes relative prices, these are absolute.";

/** True where an event has a price of which only the amount is known. */
export function lacksNormalPrice(events: readonly GridEvent[]): boolean {
  return events.some(({ intervals }) =>
    intervals.some(({ ask }) => ask.ask === "price" && ask.relative === undefined),
  );
}
