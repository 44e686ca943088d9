/** A scenario as it runs: what `read.ts` makes of a file that has no mistakes. */
import type { UcmConfig } from "../../src/setup/config.js";
import type { LimitWish } from "../csms/requests.js";
import type { Profile } from "../sgd/profile-model.js";
import type { CoreMisbehaviour } from "../vtn/misbehaviour.js";

/** An event as `POST /events` takes it, with its name in the file. */
export interface EventInput {
  readonly name: string;
  readonly [field: string]: unknown;
}

export type UtilityAction =
  | { readonly create: EventInput }
  | { readonly modify: EventInput }
  | { readonly cancel: string }
  | { readonly withdraw: string }
  | { readonly misbehave: CoreMisbehaviour }
  | { readonly behave: boolean }
  | { readonly network: "ok" | "refused" | "timeout" };

export type PlatformAction =
  | { readonly limit: LimitWish }
  | { readonly clear: string }
  | { readonly start: string }
  | { readonly stop: boolean }
  | { readonly network: "ok" | "cut" | "refused" };

export interface PageAction {
  readonly open?: "now" | "history" | "settings" | "setup";
  readonly press?: string;
  readonly of?: string;
  readonly fill?: Readonly<Record<string, string>>;
  readonly shows?: string;
  readonly showsNot?: string;
}

export interface FrameExpectation {
  readonly from?: "module" | "charger";
  readonly name?: string;
  readonly textContains?: string;
  readonly min?: number;
  readonly max?: number;
  readonly since?: "last-action" | "start";
}

export interface ReportExpectation {
  readonly name?: string;
  readonly rId?: string;
  readonly valueMin?: number;
  readonly valueMax?: number;
  readonly min?: number;
}

export interface Expectation {
  readonly currentA?: number;
  readonly currentMinA?: number;
  readonly currentMaxA?: number;
  readonly limitA?: number;
  readonly powerMaxW?: number;
  readonly opState?: number;
  readonly opStateOneOf?: readonly number[];
  readonly contactor?: string;
  readonly plugged?: boolean;
  readonly override?: boolean;
  readonly intent?: string;
  readonly source?: string;
  readonly reasonContains?: string;
  readonly command?: string;
  readonly result?: string;
  readonly link?: string;
  readonly upstream?: string;
  readonly lamp?: string;
  readonly upstreamFault?: string;
  readonly logContains?: string;
  readonly event?: {
    readonly name: string;
    readonly response?: string;
    readonly code?: string;
    readonly status?: string;
  };
  readonly frame?: FrameExpectation;
  readonly report?: ReportExpectation;
  readonly platform?: {
    readonly online?: boolean;
    readonly status?: string;
    readonly transaction?: boolean;
    readonly answer?: string;
  };
  readonly withinSeconds?: number;
  readonly forSeconds?: number;
}

export type Action =
  | { readonly utility: UtilityAction }
  | { readonly platform: PlatformAction }
  | {
      readonly owner: {
        readonly verb: string;
        readonly durationSeconds?: number;
        readonly source?: string;
      };
    }
  | { readonly car: "plug" | "unplug" | "fall-asleep" | "wake" }
  | { readonly customer: "opt-out" | "opt-in" }
  | { readonly page: PageAction }
  | { readonly buttonSeconds: number }
  | { readonly fault: string }
  | {
      readonly line: {
        readonly breakMs?: number;
        readonly flipPerBit?: number;
        readonly losePerByte?: number;
        readonly duplicatePerByte?: number;
      };
    }
  | { readonly module: "power-off" | "power-on" | "restart" | "unplug" | "replug" }
  | { readonly clock: { readonly stepSeconds?: number; readonly known?: boolean } }
  | { readonly waitSeconds: number }
  | { readonly expect: Expectation };

export type Step = Action & { readonly note?: string };

export interface Scenario {
  /** The file's name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly profile: Profile;
  /** Configuration of the module; its upstream "utility" included. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly checkedConfig: UcmConfig;
  /** The module has its own pages. */
  readonly page: "set-up" | "new" | undefined;
  readonly pollSeconds: number;
  readonly utcMs: number;
  readonly plugged: boolean;
  readonly settle: boolean;
  readonly seed: number;
  readonly steps: readonly Step[];
  /** Line in the file at which each step begins. */
  readonly lines: readonly number[];
}

/** A mistake in a file; `field` by its path, e.g. `steps[2].expect.currentA`, "" for the whole. */
export interface Mistake {
  readonly line: number;
  readonly column: number;
  readonly field: string;
  readonly text: string;
}
