/**
 * From what the grid wants to what this appliance can be told. This folder guarantees: every intent gives one
 * wish with a chain of commands that ends in one that every appliance has to know (Shed or End Shed), each with
 * what would prove it; it is the only folder that knows both the grid and CTA-2045; and it is pure.
 *
 * The table is docs/translation.md; its sources are openadr.md 3.2 and S4 2209–2239.
 */
import type { Intent, Outlook } from "../grid/intent.js";
import type { Ask } from "../grid/event.js";
import type { Information, LoadStep, LoadWish } from "../sgd/messages.js";
import { BasicOp, encodePrice, OpState } from "../sgd/vocabulary.js";
import { isCharger } from "./device.js";
import { levelOf, type Level } from "./power-level.js";
import { siteOf, type Abilities, type Site, type TranslateSettings } from "./settings.js";

export type { Abilities, TranslateSettings } from "./settings.js";

export interface Translation {
  readonly wish: LoadWish;
  /** Why the intent could not be carried out as it was asked, in words; the wish is then the next best. */
  readonly refusal?: string;
}

/** The wish for an intent. Wishes with the same key are the same wish to the session. */
export function translate(intent: Intent, abilities: Abilities, settings: TranslateSettings): Translation {
  const site = siteOf(settings);
  const steps = new Steps(abilities, site);
  const emergency = intent.emergencyPermitted && site.emergencyAllowed;
  const { ask } = intent;
  switch (ask.ask) {
    case "shed":
      return wishFor(intent, [steps.shed()]);
    case "critical-peak":
      return wishFor(intent, [steps.criticalPeak(), steps.shed()]);
    case "emergency":
      return wishFor(intent, [emergency ? steps.emergency() : steps.criticalPeak(), steps.shed()]);
    case "load-up":
      // Refused, it must not leave an earlier shed in force.
      return wishFor(intent, [steps.loadUp(), steps.normal()]);
    case "limit":
      return limitWish(intent, ask, steps, emergency, abilities, site);
    default:
      // Guidance, price and the like are told beside the load, which runs as it likes.
      return wishFor(intent, [steps.normal()]);
  }
}

/**
 * What the appliance should know besides. `upstreamHealth`: 1 = the utility can be reached, 0 = it cannot,
 * 2 = poorly. Load up goes with good guidance, which is what some appliances act on (S4 2213).
 */
export function informationOf(
  outlook: Outlook | undefined,
  upstreamHealth: 0 | 1 | 2,
  intent?: Intent,
): Information {
  const { price, nextPrice, guidance, next } = outlook ?? {};
  const op = next === undefined ? undefined : pendingOp(next.ask);
  const ask = intent?.ask;
  return {
    outsideComm: upstreamHealth,
    presentPrice: priceByte(price?.relative),
    nextPrice: priceByte(nextPrice?.relative),
    priceEndsAtMs: price?.endsAtMs,
    guidance: guidance ?? (ask?.ask === "guidance" ? ask.level : ask?.ask === "load-up" ? 2 : undefined),
    pending: next === undefined || op === undefined ? undefined : { atMs: next.atMs, op },
  };
}

function wishFor(intent: Intent, steps: readonly LoadStep[], refusal?: string): Translation {
  const chain = steps.map((step) => `${step.op}.${step.arg ?? "t"}`).join(" ");
  const wish = {
    key: `${intent.ask.ask} ${chain}`,
    steps,
    endsAtMs: intent.endsAtMs,
    source: sourceOf(intent),
  };
  return refusal === undefined ? { wish } : { wish, refusal };
}

function sourceOf(intent: Intent): string {
  return intent.eventId === "" ? intent.source : `${intent.source}/${intent.eventId}`;
}

function limitWish(
  intent: Intent,
  ask: Ask & { ask: "limit" },
  steps: Steps,
  emergency: boolean,
  abilities: Abilities,
  site: Site,
): Translation {
  const level = levelOf(ask, abilities, site);
  switch (level.is) {
    case "free":
      return wishFor(intent, [steps.normal()]);
    case "senseless": {
      const why = `A limit of ${ask.value} ${ask.unit} cannot be set: the charger cannot feed the grid.`;
      return wishFor(intent, ask.value < 0 ? [steps.stop(), steps.shed()] : [steps.normal()], why);
    }
    case "level":
      return wishFor(intent, [steps.level(level), steps.shed()]);
    case "stop": {
      const onOverridden = intent.binding === true ? "next" : "stay";
      // A charger that knows levels but clamps them up to 6 A is left there if Grid Emergency is not to be had:
      // Shed would allow it more. Shed is for those that refuse levels.
      return wishFor(
        intent,
        emergency
          ? [
              { ...steps.stop(), onUnverified: "next", onOverridden },
              steps.emergency(),
              steps.stop(),
              steps.shed(),
            ]
          : [steps.stop(), steps.shed()],
      );
    }
  }
}

/** The opcode that announces an ask; the standard has no other than these (cta2045 4, opcode 19). */
function pendingOp(ask: Ask): number | undefined {
  switch (ask.ask) {
    case "normal":
      return BasicOp.EndShed;
    case "shed":
    case "limit":
      return BasicOp.Shed;
    case "critical-peak":
    case "emergency":
      return BasicOp.CriticalPeak;
    case "load-up":
      return BasicOp.LoadUp;
    default:
      return undefined;
  }
}

function priceByte(relative: number | undefined): number | undefined {
  return relative === undefined ? undefined : encodePrice(relative);
}

const { IdleNormal, RunningNormal, RunningCurtailed, RunningHeightened, IdleCurtailed } = OpState;
const { IdleHeightened, CyclingOff, VariableFollowing, VariableNotFollowing } = OpState;
const { IdleOptedOut, RunningOptedOut, RunningPriceStream, IdlePriceStream } = OpState;

/** The commands, each with what proves it. Power counts only for chargers, whose amperes we know. */
class Steps {
  constructor(
    private readonly abilities: Abilities,
    private readonly site: Site,
  ) {}

  normal(): LoadStep {
    const states = [
      IdleNormal,
      RunningNormal,
      IdleOptedOut,
      RunningOptedOut,
      RunningPriceStream,
      IdlePriceStream,
    ];
    return {
      op: BasicOp.EndShed,
      arg: 0,
      verify: { states, maxPowerW: undefined, settleMs: this.site.settleMs },
    };
  }

  shed(): LoadStep {
    return this.#curtail(BasicOp.Shed, this.site.shedMaxFraction);
  }

  criticalPeak(): LoadStep {
    return this.#curtail(BasicOp.CriticalPeak, this.site.criticalMaxFraction);
  }

  /** The contactor opens, and the customer cannot override it (S4 2211). */
  emergency(): LoadStep {
    return {
      op: BasicOp.GridEmergency,
      arg: undefined,
      verify: {
        states: [IdleCurtailed],
        idleStates: [IdleNormal, RunningCurtailed, VariableNotFollowing],
        maxPowerW: this.#idleW,
        settleMs: this.site.settleMs,
      },
    };
  }

  level({ arg, targetW, alternativeArg, otherwiseW }: Level & { is: "level" }): LoadStep {
    return {
      op: BasicOp.PowerLevel,
      arg,
      verify: {
        states: [VariableFollowing, RunningCurtailed, IdleCurtailed],
        idleStates: [IdleNormal, VariableNotFollowing],
        maxPowerW: this.#atMost(targetW),
        settleMs: this.site.settleMs,
      },
      onUnverified: "next",
      level: { targetW, alternativeArg, otherwiseW },
    };
  }

  /** Level 0 does not stop every charger, and "following" does not tell: idleness or power has to show it. */
  stop(): LoadStep {
    return {
      op: BasicOp.PowerLevel,
      arg: 0,
      verify: {
        states: [IdleCurtailed],
        idleStates: [IdleNormal, RunningCurtailed, CyclingOff, VariableFollowing, VariableNotFollowing],
        maxPowerW: this.#idleW,
        settleMs: this.site.settleMs,
      },
    };
  }

  /** A charger without a car that wants energy has nothing to raise; one that charges may be at its most. */
  loadUp(): LoadStep {
    return {
      op: BasicOp.LoadUp,
      arg: undefined,
      verify: {
        states: [RunningNormal, RunningHeightened, IdleHeightened, VariableFollowing],
        idleStates: [IdleNormal],
        maxPowerW: undefined,
        settleMs: this.site.settleMs,
      },
    };
  }

  #curtail(op: number, fraction: number): LoadStep {
    const { installerMaxA, minimumA, voltage, phases, settleMs } = this.site;
    const mostA = Math.max(minimumA, installerMaxA * fraction);
    const maxPowerW = isCharger(this.abilities) ? this.#atMost(mostA * voltage * phases) : undefined;
    const states = [RunningCurtailed, IdleCurtailed, CyclingOff, VariableFollowing];
    const idleStates = [IdleNormal, VariableNotFollowing];
    return { op, arg: undefined, verify: { states, idleStates, maxPowerW, settleMs } };
  }

  get #idleW(): number | undefined {
    return isCharger(this.abilities) ? this.site.idleW : undefined;
  }

  #atMost(powerW: number): number {
    return Math.round(powerW * (1 + this.site.powerTolerance)) + 50;
  }
}
