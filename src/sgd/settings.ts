import type { DeviceInformation } from "../wire/message.js";

/**
 * Every time and limit of the session, with its source. "cta2045" is docs/protocol/cta2045.md;
 * what has no source there is our choice and says so.
 */
export interface SgdSettings {
  /** Who we say we are when the appliance asks (cta2045 5.1, 5.2). */
  readonly identity: DeviceInformation;
  /** POSIX TZ string for the hourly time sync, e.g. `CET-1CEST,M3.5.0,M10.5.0/3`. */
  readonly timeZone: string;
  /** Operational state asked so often (design: every 60 s). */
  readonly statePollMs: number;
  /** Commodities read so often; 30–60 s in service, 5 s on the bench. */
  readonly commodityPollMs: number;
  /** Outside comm status re-sent so often (cta2045 4, 0E: every 1–5 min; an SGD may drop an event after 300 s). */
  readonly commStatusMs: number;
  /** Between two looks at an appliance that is getting there (ours). */
  readonly settleQueryMs: number;
  /** First and longest rest between attempts at an appliance that does not answer (RINNAI rests 20 s). */
  readonly discoveryRestMs: number;
  readonly discoveryRestMaxMs: number;
  /** How long an appliance is left alone after a reboot (ours). */
  readonly rebootMs: number;
  /** First wait after "busy", doubled each time, and the number of repeats (ours). */
  readonly busyMs: number;
  readonly busyTries: number;
  /** First and longest wait before a load command that was not obeyed or not heard is sent again (ours). */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** How long a customer's override lasts that nothing ever ends (S4 2253: 12 h). */
  readonly overrideMs: number;
  /** A load command that the customer overrides is offered again so often (ours). */
  readonly overriddenRetryMs: number;
  /** At or under this an appliance counts as not consuming, watts (ours). */
  readonly idleW: number;
  /** A link that never answers a request is believed dead after this (our bug guard, above all link time-outs). */
  readonly requestGuardMs: number;
}

/** Device type of a wireless UCM, 802.11 (cta2045 5.2). */
export const UCM_WIRELESS_802_11 = 0x4004;

export const DEFAULT_SGD_SETTINGS: SgdSettings = {
  identity: {
    version: "B",
    vendorId: 0,
    deviceType: UCM_WIRELESS_802_11,
    revision: 1,
    capabilities: 0,
    model: "OpenUCM",
    serial: "",
    firmware: { year: 26, month: 0, day: 1, major: 0, minor: 1 },
  },
  timeZone: "UTC0",
  statePollMs: 60_000,
  commodityPollMs: 30_000,
  commStatusMs: 60_000,
  settleQueryMs: 1_000,
  discoveryRestMs: 2_000,
  discoveryRestMaxMs: 20_000,
  rebootMs: 5_000,
  busyMs: 1_000,
  busyTries: 5,
  retryMs: 1_000,
  retryMaxMs: 300_000,
  overrideMs: 12 * 3_600_000,
  overriddenRetryMs: 15 * 60_000,
  idleW: 100,
  requestGuardMs: 60_000,
};

/** The same with the quick polls that a bench likes. */
export const BENCH_SGD_SETTINGS: SgdSettings = {
  ...DEFAULT_SGD_SETTINGS,
  statePollMs: 10_000,
  commodityPollMs: 5_000,
};
