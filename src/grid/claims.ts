import { openJson, sealJson } from "../base/json.js";
import { NEVER, type Now, type StorePort } from "../ports/time.js";
import { TIER_NONE, TIER_OWNER, type Claim, type Tier } from "./arbiter.js";
import { sameAsk } from "./asks.js";
import type { Ask } from "./event.js";
import { packAsk, unpackAsk } from "./stored.js";

export const NO_ASK: Ask = { ask: "normal" };
export const STOP: Ask = fraction(0);

/** The claim of nobody. */
export const NO_CLAIM: Claim = {
  tier: TIER_NONE,
  rank: 0,
  level: 1,
  createdUtcMs: 0,
  ask: NO_ASK,
  source: "none",
  eventId: "",
  revision: 0,
  emergencyPermitted: false,
  beganMs: 0,
  endsMs: NEVER,
  spread: false,
};

/** A limit to a part of the installer's maximum. */
export function fraction(value: number): Ask {
  return { ask: "limit", unit: "fraction", value, reference: "installer" };
}

/** The owner wants to charge as usual: `override` against everybody, `boost` against the schedule. */
export function ownerClaim(eventId: "override" | "boost", forMs: number, endsMs: number): Claim {
  return { ...NO_CLAIM, tier: TIER_OWNER, source: "owner", eventId, beganMs: endsMs - forMs, endsMs };
}

/** The customer's override at the appliance: it stands against what is the module's own. */
export const BUTTON: Claim = { ...NO_CLAIM, tier: TIER_OWNER, source: "owner", eventId: "button" };

/**
 * What the module itself wants, no charging: by the schedule, or before a random delay is over. Where power level 0
 * does not stop the charger, Grid Emergency may: it is nobody's programme that opens the contactor but its owner's.
 */
export const LOCAL_STOP: Claim = {
  ...NO_CLAIM,
  level: 0,
  ask: STOP,
  source: "local",
  emergencyPermitted: true,
};

/** No charging before a random delay is over. */
export function waitClaim(now: Now, endsMs: number, eventId: string): Claim {
  return { ...LOCAL_STOP, eventId, beganMs: now.ms, endsMs };
}

/** True where two claims are of the same maker for the same interval: nothing new to remember. */
export function sameClaim(a: Claim, b: Claim): boolean {
  return (
    a.tier === b.tier &&
    a.source === b.source &&
    a.eventId === b.eventId &&
    a.revision === b.revision &&
    a.level === b.level &&
    sameAsk(a.ask, b.ask) &&
    a.endsMs - a.beganMs === b.endsMs - b.beganMs
  );
}

const HELD_KEY = "grid.held";

/** Remembers the claim in force, for a restart without a clock. */
export function saveClaim(store: StorePort, claim: Claim, now: Now): void {
  const { tier, rank, level, createdUtcMs, source, eventId, revision } = claim;
  const leftMs = claim.endsMs === NEVER ? -1 : Math.max(0, Math.round(claim.endsMs - now.ms));
  store.set(
    HELD_KEY,
    sealJson([
      2,
      [tier, rank, level, createdUtcMs, source, eventId, revision],
      packAsk(claim.ask),
      [claim.emergencyPermitted, claim.spread, leftMs],
    ]),
  );
}

/** The remembered claim; its begin and end are 0 and what it had left, for the caller to anchor. */
export function loadClaim(store: StorePort): Claim | undefined {
  const value = openJson(store.get(HELD_KEY)) as
    | [
        number,
        [Tier, number, number, number, string, string, number],
        (string | number | boolean | null)[],
        [boolean, boolean, number],
      ]
    | undefined;
  if (!Array.isArray(value) || value[0] !== 2) return undefined;
  const [, [tier, rank, level, createdUtcMs, source, eventId, revision], packed, rest] = value;
  const [emergencyPermitted, spread, leftMs] = rest;
  return {
    ...{ tier, rank, level, createdUtcMs, source, eventId, revision, ask: unpackAsk(packed) },
    ...{ emergencyPermitted, spread, beganMs: 0, endsMs: leftMs < 0 ? NEVER : leftMs },
  };
}
