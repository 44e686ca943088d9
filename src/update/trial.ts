/** What the image that ran before has left for the one on trial, in the record store. */
export interface TrialRecord {
  readonly version: string;
  readonly from: string;
  readonly sha256: string;
  /** The appliance that it had a session with; "" = none. */
  readonly session: string;
  /** The network worked within the hour before the restart. */
  readonly network: boolean;
  /** Why the image on trial has given up; "" = it has not, a reset has ended it. */
  readonly why: string;
}

/** How the image on trial is doing. */
export interface TrialFacts {
  /** Since it was booted, ms. */
  readonly sinceMs: number;
  /** The appliance that it has a session with now; "" = none. */
  readonly session: string;
  /** Any server was reached over TLS. */
  readonly network: boolean;
  /** The update server's timestamp was fetched over TLS and is in order. */
  readonly server: boolean;
}

/** What worked before must work again within this time, ms. */
export const TRIAL_MS = 600_000;

/**
 * Whether the image on trial stays. It stays only when it has the session with the appliance that its predecessor had,
 * and has reached the update server, from which it can be replaced; until then any reset goes back by itself. It gives
 * up where something is not back in ten minutes that worked before. Where nothing worked before, nothing is proved by
 * its absence: it stays on trial.
 */
export function judgeTrial(
  record: TrialRecord,
  facts: TrialFacts,
): "confirm" | "wait" | "no-network" | "no-session" {
  const session = record.session === "" || facts.session === record.session;
  if (session && facts.server) return "confirm";
  if (facts.sinceMs < TRIAL_MS) return "wait";
  if (record.network && !facts.network) return "no-network";
  return session ? "wait" : "no-session";
}
