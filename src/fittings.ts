/** What the parts of the module are made with: from the configuration and the world to each part's own settings. */
import type { World } from "./world.js";
import { parsePosixTz } from "./base/posix-tz.js";
import { GridCore } from "./grid/core.js";
import { regionOf, type WeekWindow } from "./grid/regions.js";
import { gridSettings } from "./grid/settings.js";
import { Network, type NetworkHost } from "./network/network.js";
import { Renewals, type RenewalHost } from "./network/renewal.js";
import type { StorePort } from "./ports/time.js";
import { DEFAULT_SGD_SETTINGS, type SgdSettings } from "./sgd/settings.js";
import { minutesOf, type OffPeakWindow, type UcmConfig } from "./setup/config.js";
import type { Site } from "./steering.js";
import { UPDATE_CREDENTIALS } from "./update/runner.js";
import { Updater, type UpdaterHost } from "./update/updater.js";

export function siteOf({ charger }: UcmConfig): Site {
  return {
    installerA: charger.installerMaxA,
    ratedA: charger.ratedA,
    phases: charger.phases,
    voltageV: charger.voltage,
  };
}

export function sgdSettingsOf({ polling, timeZone }: UcmConfig): SgdSettings {
  return {
    ...DEFAULT_SGD_SETTINGS,
    statePollMs: polling.stateSeconds * 1000,
    commodityPollMs: polling.commoditySeconds * 1000,
    timeZone,
  };
}

export function gridOf(config: UcmConfig, site: Site, { random }: World, store: StorePort): GridCore {
  return new GridCore({
    store,
    random,
    settings: gridSettings({
      region: config.region,
      openEndCapMs: config.openEndedCapHours * 3_600_000,
      testEventsMoveLoad: config.testEventsMoveLoad,
      delayOn: config.randomDelay.enabled,
      delayMaxMs: config.randomDelay.maxSeconds * 1000,
      site,
      zone: parsePosixTz(config.timeZone),
      ceiling: part(config.ceilingPercent),
      floor: part(config.floorPercent),
      resume: config.afterPowerCut,
      remoteFactoryReset: config.remoteFactoryReset,
      ...(config.offPeak === undefined ? {} : { offPeak: config.offPeak.map(windowOf) }),
    }),
  });
}

/** Undefined where the world keeps the module's place in the network and its clock. */
export function networkOf(
  { network: port, builtUtcMs, random }: World,
  { timeServers: servers }: UcmConfig,
  host: Omit<NetworkHost, "port" | "random">,
): Network | undefined {
  if (port === undefined) return undefined;
  return new Network({ ...host, port, random }, { servers, builtUtcMs: builtUtcMs ?? 0 });
}

/** Undefined where there are no updates. */
export function updaterOf(
  { update: port, http, random, certificates }: World,
  { update, upstreams }: UcmConfig,
  host: Omit<UpdaterHost, "port" | "http" | "random" | "certificates" | "credentials">,
): Updater | undefined {
  if (update === undefined || port === undefined) return undefined;
  const { url, rootText = "", checkHours = 24 } = update;
  const credentials = [...upstreams.map(({ id }) => id), UPDATE_CREDENTIALS];
  return new Updater(
    { url, rootText, checkHours },
    { ...host, port, http, random, certificates, credentials },
  );
}

/** Undefined where no certificate is renewed by EST. */
export function renewalsOf(
  { certificates, http, random }: World,
  { upstreams }: UcmConfig,
  host: Omit<RenewalHost, "certificates" | "http" | "random">,
): Renewals | undefined {
  const configs = upstreams.flatMap(({ id, est, estSecret, venName }) =>
    est === undefined ? [] : [{ id, est, estSecret, estUser: venName ?? id }],
  );
  if (certificates === undefined || configs.length === 0) return undefined;
  return new Renewals(configs, { ...host, certificates, http, random });
}

/** True where the region wants the security log kept over a factory reset. */
export function keepsSecurityLog({ region }: UcmConfig): boolean {
  return regionOf(region).keepSecurityLog;
}

/** A percentage as a part of one. */
function part(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100;
}

/** A window of the configuration, as the core has it. */
function windowOf({ days, from, to }: OffPeakWindow): WeekWindow {
  const names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
  const bits = days.reduce((sum, day) => sum | (1 << names.indexOf(day)), 0);
  return { days: bits, fromMin: minutesOf(from), toMin: minutesOf(to) };
}
