/** Wishes for tests of the session, made the way the module makes them: by translation. */
import type { Ask } from "../../src/grid/event.js";
import type { LoadWish } from "../../src/sgd/messages.js";
import { translate, type Abilities, type TranslateSettings } from "../../src/translate/translate.js";
import { FakeAppliance, type ApplianceOptions } from "./fake-appliance.js";

export const SITE: TranslateSettings = { installerMaxA: 32, ratedA: 32, phases: 1, voltage: 240 };
export const EVSE: Abilities = { ratedW: 7680, identity: { deviceType: 0x1102 } };

export function wishOf(
  ask: Ask | Ask["ask"],
  more: { endsAtMs?: number; permitted?: boolean; site?: TranslateSettings; abilities?: Abilities } = {},
): LoadWish {
  return translate(
    {
      ask: typeof ask === "string" ? ({ ask } as Ask) : ask,
      source: "utility",
      eventId: "e",
      revision: 0,
      reason: "",
      beganUtcMs: undefined,
      endsUtcMs: undefined,
      endsAtMs: more.endsAtMs,
      emergencyPermitted: more.permitted ?? false,
    },
    more.abilities ?? EVSE,
    more.site ?? SITE,
  ).wish;
}

export function limit(value: number, unit: "A" | "fraction" | "W" = "A"): Ask {
  return { ask: "limit", unit, value, reference: "installer" };
}

/** An appliance with which the session is online, its first information told; nothing was in force before. */
export function online(options: ApplianceOptions = {}): FakeAppliance {
  const appliance = new FakeAppliance({ previousLoad: "normal", ...options });
  appliance.until(() => appliance.status.link === "online", 20_000);
  appliance.run(5_000);
  return appliance;
}
