/** What crosses the WebSocket between the bench and its page. All times are UTC ms. */

export interface ChargerView {
  readonly opState: number;
  readonly opStateName: string;
  readonly currentA: number;
  readonly limitA: number;
  readonly contactor: "closed" | "open";
  readonly plugged: boolean;
  readonly override: boolean;
  readonly powerW: number;
  readonly energyWh: number;
  /** Car's battery, percent; undefined where no car. */
  readonly socPercent: number | undefined;
  readonly installerMaxA: number;
  readonly profile: string;
  readonly fault: string;
}

export interface Sample {
  readonly utcMs: number;
  readonly powerW: number;
  readonly currentA: number;
  readonly limitA: number;
}

export interface FrameView {
  readonly n: number;
  readonly utcMs: number;
  /** `module` = sent by the module, `charger` = sent by the charger. */
  readonly from: "module" | "charger";
  readonly hex: string;
  readonly text: string;
  readonly fault: string;
  /** What is in it, field by field, as `decode --json` has it. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Silence on the line before its first byte, ms; null before the first frame. */
  readonly gapMs: number | null;
  /** What the gap is measured against: a link answer, an application reply, or anything else. */
  readonly kind: "answer" | "reply" | "other";
}

export interface IntentView {
  readonly intent: string;
  readonly source: string;
  readonly reason: string;
  readonly endsUtcMs: number | null;
}

export interface CommandView {
  readonly name: string;
  readonly result: string;
  readonly verified: boolean;
  readonly text: string;
  readonly utcMs: number;
}

export interface UpstreamView {
  readonly id: string;
  readonly state: string;
  readonly fault: string;
  readonly text: string;
}

/** An event as the utility panel lists it. */
export interface UtilityEvent {
  readonly id: string;
  readonly signal: string;
  readonly level: number;
  readonly startUtcMs: number;
  /** null = open-ended. */
  readonly endUtcMs: number | null;
  readonly status: string;
  /** What the module answered: optIn, optOut or "". */
  readonly response: string;
}

/** The charging platform and what it knows of the charge point. */
export interface PlatformView {
  readonly online: boolean;
  /** Of connector 1, in OCPP's words; "" while unknown. */
  readonly status: string;
  readonly transactionId: number | null;
  readonly idTag: string | null;
  readonly energyWh: number | null;
  readonly powerW: number | null;
  /** The last call and its answer. */
  readonly last: string;
}

export type ToPage =
  | {
      readonly type: "hello";
      readonly version: string;
      readonly runtime: string;
      readonly vtnUrl: string;
      readonly samples: readonly Sample[];
      readonly frames: readonly FrameView[];
    }
  | { readonly type: "charger"; readonly charger: ChargerView }
  | { readonly type: "sample"; readonly sample: Sample }
  | { readonly type: "frame"; readonly frame: FrameView }
  | { readonly type: "intent"; readonly intent: IntentView }
  | { readonly type: "command"; readonly command: CommandView }
  | { readonly type: "upstream"; readonly upstream: UpstreamView }
  | { readonly type: "events"; readonly events: readonly UtilityEvent[] }
  | { readonly type: "platform"; readonly platform: PlatformView }
  | { readonly type: "counters"; readonly counters: Readonly<Record<string, number>> }
  | { readonly type: "log"; readonly utcMs: number; readonly level: string; readonly text: string }
  | { readonly type: "refused"; readonly text: string };

/** What the page asks for. */
export type FromPage =
  | { readonly do: "plug" }
  | { readonly do: "unplug" }
  | { readonly do: "override"; readonly on: boolean }
  | {
      readonly do: "event";
      readonly level: number;
      readonly startInSeconds: number;
      readonly durationSeconds: number;
    }
  | { readonly do: "change"; readonly id: string; readonly level: number; readonly durationSeconds: number }
  | { readonly do: "cancel"; readonly id: string }
  | { readonly do: "vtn"; readonly down: boolean }
  | { readonly do: "limit"; readonly limit: number; readonly unit: "A" | "W" }
  | { readonly do: "clear-limit" }
  | { readonly do: "remote-start"; readonly idTag: string }
  | { readonly do: "remote-stop" };
