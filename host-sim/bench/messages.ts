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
  /** SAE J1772: `C2, 53.3 %`; "" for an appliance without a pilot. */
  readonly pilot: string;
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

/** One line of the list of chargers. */
export interface ChargerSummary {
  readonly n: number;
  readonly name: string;
  readonly opState: number;
  readonly opStateName: string;
  readonly currentA: number;
  readonly limitA: number;
  readonly plugged: boolean;
  readonly override: boolean;
  readonly fault: string;
  /** What its module wants, and on whose word. */
  readonly intent: string;
  readonly source: string;
  readonly result: string;
  /** Upstreams that are online, of all. */
  readonly online: number;
  readonly upstreams: number;
}

/** What the module knows of its line and of what hangs on it. */
export interface LineView {
  readonly bitsPerSecond: number;
  /** `absent`, `discovering` or `online`. */
  readonly link: string;
  /** Of the appliance, as it named itself; "" while unknown. */
  readonly appliance: string;
  /** The module stands in its socket. */
  readonly seated: boolean;
  /** Bytes that two spoke at once. */
  readonly collisions: number;
  /** Probability that a bit on the wire is turned. */
  readonly flipPerBit: number;
}

/** A window of the off-peak schedule: bit 0 = Sunday … bit 6 = Saturday, minutes of local time. */
export interface WindowView {
  readonly days: number;
  readonly fromMin: number;
  readonly toMin: number;
}

/** What the owner has said, and what waits for him. */
export interface OwnerView {
  readonly overrideLeftMs: number;
  readonly boostLeftMs: number;
  readonly heldOff: boolean;
  /** `offered`, `accepted`, `changed` or `removed`. */
  readonly schedule: string;
  readonly windows: readonly WindowView[];
  readonly delay: {
    readonly enabled: boolean;
    readonly maxMs: number;
    readonly running: boolean;
    readonly cause: string;
    readonly totalMs: number;
    readonly remainingMs: number;
  };
}

/** The module's firmware: what runs, what is under way, and the two slots. */
export interface UpdateView {
  /** Where updates come from; "" = this bench has none. */
  readonly url: string;
  /** As the module says (src/update): `idle`, `checking`, `downloading` …; "" while it has no power. */
  readonly phase: string;
  readonly version: string;
  readonly trial: boolean;
  /** Version under way; "" = none. */
  readonly target: string;
  readonly percent: number;
  readonly fetchedBytes: number;
  readonly slots: readonly {
    readonly slot: "a" | "b";
    readonly state: string;
    readonly version: string;
    readonly runs: boolean;
  }[];
  readonly last: {
    readonly result: string;
    readonly why: string;
    readonly text: string;
    readonly utcMs: number | null;
  };
  /** What was last refused or left, by its name in the security log. */
  readonly refusal: { readonly why: string; readonly text: string; readonly utcMs: number } | null;
  /** UTC ms of the next look; null = not planned. */
  readonly nextUtcMs: number | null;
}

/** A fault that can be played, by name. */
export interface FaultInfo {
  readonly name: string;
  readonly about: string;
  readonly group: "line" | "answer" | "charger" | "once";
}

export interface ScenarioInfo {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly steps: number;
  /** The file itself: it documents what is done and expected, and is where a scenario of one's own begins. */
  readonly text: string;
}

export interface ScenarioStepView {
  /** Line of the file; 0 for the bench's own settling. */
  readonly line: number;
  readonly text: string;
  readonly outcome: "waiting" | "running" | "passed" | "failed" | "skipped";
  /** When it was done, ms of the scenario's time. */
  readonly atMs: number;
  readonly why: string;
}

/** The scenario that runs, or that ran last. */
export interface ScenarioRunView {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly seed: number;
  readonly realTime: boolean;
  readonly state: "running" | "passed" | "failed" | "stopped";
  readonly steps: readonly ScenarioStepView[];
  /** How far its time has come, ms. */
  readonly nowMs: number;
  /** Current and limit whenever they changed. */
  readonly samples: readonly { readonly t: number; readonly currentA: number; readonly limitA: number }[];
  /** How long it took on this computer, ms. */
  readonly realMs: number;
}

export type JournalPartName = "events" | "security" | "sessions" | "energy";

export type ToPage =
  | {
      readonly type: "hello";
      readonly version: string;
      readonly runtime: string;
      readonly region: string;
      readonly seed: number;
      readonly vtnUrl: string;
      /** How many there are, and which of them (from 1) this page watches. */
      readonly chargers: number;
      readonly charger: number;
      /** Owner's page of this module; "" where there is none. */
      readonly ownerUrl: string;
      /** Where the secret lies that opens it. */
      readonly ownerSecretFile: string;
      readonly faults: readonly FaultInfo[];
      readonly scenarios: readonly ScenarioInfo[];
      readonly samples: readonly Sample[];
      readonly frames: readonly FrameView[];
    }
  | { readonly type: "chargers"; readonly chargers: readonly ChargerSummary[] }
  | { readonly type: "charger"; readonly charger: ChargerView }
  | { readonly type: "sample"; readonly sample: Sample }
  | { readonly type: "frame"; readonly frame: FrameView }
  | { readonly type: "intent"; readonly intent: IntentView }
  | { readonly type: "command"; readonly command: CommandView }
  | { readonly type: "upstream"; readonly upstream: UpstreamView }
  | { readonly type: "line"; readonly line: LineView }
  | { readonly type: "owner"; readonly owner: OwnerView }
  | { readonly type: "events"; readonly events: readonly UtilityEvent[] }
  | { readonly type: "platform"; readonly platform: PlatformView }
  | { readonly type: "update"; readonly update: UpdateView }
  | { readonly type: "counters"; readonly counters: Readonly<Record<string, unknown>> }
  | {
      readonly type: "journal";
      readonly what: JournalPartName;
      /** Why there is none; "" where it was read. */
      readonly why: string;
      /** The newest last. */
      readonly rows: readonly Readonly<Record<string, unknown>>[];
    }
  | { readonly type: "scenario"; readonly run: ScenarioRunView }
  /** Something that was asked for as a file. */
  | { readonly type: "file"; readonly name: string; readonly mime: string; readonly text: string }
  | { readonly type: "log"; readonly utcMs: number; readonly level: string; readonly text: string }
  | { readonly type: "refused"; readonly text: string }
  /** What an order has come to, in words. */
  | { readonly type: "done"; readonly text: string };

/** What the page asks for. What concerns a charger concerns the one that the page watches. */
export type FromPage =
  | { readonly do: "watch"; readonly charger: number }
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
  | { readonly do: "remote-stop" }
  /** A fault by name; without `times` it lasts. `on` false ends this one, or all with the name `none`. */
  | { readonly do: "fault"; readonly name: string; readonly on: boolean; readonly times?: number }
  | { readonly do: "noise"; readonly flipPerBit: number }
  | { readonly do: "module"; readonly what: "restart" | "unplug" | "replug" }
  /** An order of the owner, or about the random delay (docs/regions.md). */
  | { readonly do: "owner" | "delay"; readonly order: Readonly<Record<string, unknown>> }
  | { readonly do: "journal"; readonly what: JournalPartName }
  /** Looks for an update now. */
  | { readonly do: "check-update" }
  /** Runs a scenario of the list by its name, or `text`, a file of the user's. */
  | {
      readonly do: "scenario";
      readonly name: string;
      readonly text?: string;
      readonly realTime: boolean;
      readonly seed?: number;
    }
  | { readonly do: "scenario-stop" }
  | { readonly do: "scenario-file"; readonly what: "report" | "trace" };
