import { DAY_MS, HOUR_MS, MINUTE_MS, weekday } from "../base/iso8601.js";
import type { PosixZone } from "../base/posix-tz.js";
import type { Now } from "../ports/time.js";
import { NEVER } from "../ports/time.js";
import { askInWords } from "./asks.js";
import { TIER_EVENT, TIER_OWNER, TIER_SCHEDULE, type Claim } from "./arbiter.js";
import { localOffsetMs } from "./week.js";

/** Why the winner is in force, as a sentence for the customer; `second` is whom it outranks, if anybody. */
export function reasonInWords(
  winner: Claim | undefined,
  second: Claim | undefined,
  now: Now,
  zone: PosixZone | undefined,
): string {
  if (winner === undefined) return "Nobody asks for anything; the charger charges as usual.";
  const end = untilInWords(winner.endsMs, now, zone);
  const beaten =
    second === undefined || second.tier === 0 ? "" : `; this outranks ${claimantInWords(second)}`;
  if (winner.tier === TIER_SCHEDULE) return `The off-peak schedule pauses charging${end}${beaten}.`;
  if (winner.tier === TIER_OWNER) {
    if (winner.eventId === "button") return `You asked at the charger to charge as usual${beaten}.`;
    return winner.eventId === "boost"
      ? `You asked to charge now, whatever the schedule says${end}${beaten}.`
      : `You asked to charge as usual, whatever the utility or the schedule says${end}.`;
  }
  return `The utility '${winner.source}' asks ${askInWords(winner.ask)}${end}${beaten}.`;
}

function claimantInWords(claim: Claim): string {
  if (claim.tier === TIER_SCHEDULE) return "the off-peak schedule";
  if (claim.tier === TIER_OWNER) {
    return claim.eventId === "boost" ? "your wish to charge now" : "your wish to charge as usual";
  }
  return `the request of '${claim.source}' ${askInWords(claim.ask)}`;
}

/** " until 18:30", " until Sunday 18:30", " for 12 more minutes" without a clock; "" for an open end. */
export function untilInWords(endsMs: number, now: Now, zone: PosixZone | undefined): string {
  if (endsMs === NEVER) return " until further notice";
  const leftMs = endsMs - now.ms;
  if (now.utcMs === undefined) {
    const minutes = Math.max(1, Math.round(leftMs / MINUTE_MS));
    return ` for ${String(minutes)} more minute${minutes === 1 ? "" : "s"}`;
  }
  const utcEndMs = Math.round((now.utcMs + leftMs) / MINUTE_MS) * MINUTE_MS;
  const localMs = utcEndMs + localOffsetMs(zone, utcEndMs);
  const day = Math.floor(localMs / DAY_MS);
  const today = Math.floor((now.utcMs + localOffsetMs(zone, now.utcMs)) / DAY_MS);
  const inDayMs = localMs - day * DAY_MS;
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = `${two(Math.floor(inDayMs / HOUR_MS))}:${two(Math.floor(inDayMs / MINUTE_MS) % 60)}`;
  const suffix = zone === undefined ? " UTC" : "";
  if (day === today) return ` until ${time}${suffix}`;
  if (day - today >= 7) return ` for ${String(day - today)} more days`;
  return ` until ${WEEKDAYS[weekday(day)] ?? ""} ${time}${suffix}`;
}

const WEEKDAYS: readonly string[] = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];

/** True for a claim that comes from a utility. */
export function isRemote(claim: Claim): boolean {
  return claim.tier >= TIER_EVENT;
}
