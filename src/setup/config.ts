import type { Fault } from "../base/fault.js";
import { parsePosixTz } from "../base/posix-tz.js";
import { configurationSpec } from "./fields.js";
import { check } from "./spec.js";

export interface UpstreamConfig {
  readonly id: string;
  readonly protocol: "openadr2b" | "openadr3" | "ocpp16";
  readonly url: string;
  readonly venName?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly est?: string;
  readonly estSecretFile?: string;
  /** What that file holds: put here by the host after reading. */
  readonly estSecret?: string;
  readonly pollSeconds?: number;
  readonly marketContexts?: readonly string[];
  readonly emergency?: boolean;
  readonly programme?: "as4755";
  readonly capacityReference?: "rated" | "installer" | "dynamic";
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  /** What that file holds: put here by the host after reading, in no document, and never told. */
  readonly clientSecret?: string;
  readonly resourceName?: string;
  readonly setpointUnit?: "W" | "A" | "fraction";
  readonly venId?: string;
  readonly targets?: readonly string[];
  readonly deviceClasses?: readonly string[];
  readonly opt?: "createOpt" | "createdEvent" | "off";
  readonly security?: "standard" | "high";
  readonly optOutReports?: boolean;
  readonly callbackUrl?: string;
  /** Put here by the host, in no document: what a webhook has to show, and the fingerprint of `cert`. */
  readonly callbackToken?: string;
  readonly fingerprint?: string;
  readonly normalPrice?: number;
  readonly remoteReboot?: boolean;
  readonly remoteOverride?: boolean;
  readonly chargePointId?: string;
  readonly passwordFile?: string;
  readonly idTag?: string;
  readonly startsBy?: "charging" | "platform";
  readonly plugEvidence?: "auto" | "storage" | "none";
}

export interface ChargerConfig {
  readonly installerMaxA: number;
  readonly ratedA: number;
  readonly phases: 1 | 2 | 3;
  readonly voltage: number;
}

/** Where updates come from. */
export interface UpdateSource {
  readonly url: string;
  /** File with the root of trust that the device was made with. */
  readonly root: string;
  /** What that file holds: put here by the host after reading. */
  readonly rootText?: string;
  readonly ca?: string;
  readonly checkHours?: number;
}

/** A checked configuration with every default filled in. */
export interface UcmConfig {
  readonly upstreams: readonly UpstreamConfig[];
  readonly region: "us" | "au" | "uk";
  readonly timeZone: string;
  /** Asked by a device that keeps its own clock; a computer's clock is its own business. */
  readonly timeServers: readonly string[];
  readonly charger: ChargerConfig;
  readonly polling: { readonly stateSeconds: number; readonly commoditySeconds: number };
  readonly randomDelay: { readonly enabled: boolean; readonly maxSeconds: number };
  readonly openEndedCapHours: number;
  readonly testEventsMoveLoad: boolean;
  readonly ceilingPercent: number | undefined;
  readonly floorPercent: number | undefined;
  /** Local hours without charging; undefined = as the region has it. */
  readonly offPeak: readonly OffPeakWindow[] | undefined;
  readonly afterPowerCut: "off" | "delay" | "at-once" | undefined;
  readonly remoteFactoryReset: boolean;
  /** One OpenADR server at a time (src/grid/providers.ts). */
  readonly oneProvider: boolean;
  readonly shareChargingData: boolean;
  /** Undefined: no updates over the air. */
  readonly update?: UpdateSource | undefined;
}

/** A span of local time on some weekdays: `{"days":["mon"],"from":"08:00","to":"11:00"}`. */
export interface OffPeakWindow {
  readonly days: readonly string[];
  readonly from: string;
  readonly to: string;
}

/** Minutes of a time of day "HH:MM", 0…1440; −1 where it is none. */
export function minutesOf(text: string): number {
  const digit = (at: number): number => {
    const value = text.charCodeAt(at) - 48;
    return value >= 0 && value <= 9 ? value : Number.NaN;
  };
  const hours = digit(0) * 10 + digit(1);
  const minutes = digit(3) * 10 + digit(4);
  const all = hours * 60 + minutes;
  return text.length === 5 && text.charAt(2) === ":" && minutes < 60 && all <= 1440 ? all : -1;
}

/** Nominal voltage of a region, line to neutral except in North America, where Level 2 is line to line. */
const regionVoltage = { us: 240, au: 230, uk: 230 } as const;

/** The document as it stands in a file, before defaults. */
type Raw = Partial<Omit<UcmConfig, "charger" | "polling" | "randomDelay">> & {
  readonly upstreams: readonly UpstreamConfig[];
  readonly charger?: Partial<ChargerConfig>;
  readonly polling?: Partial<UcmConfig["polling"]>;
  readonly randomDelay?: Partial<UcmConfig["randomDelay"]>;
};

/** What is wrong beyond the fields one by one. */
function crossCheck(raw: Raw, faults: Fault[]): void {
  const seen: string[] = [];
  raw.upstreams.forEach((upstream, i) => {
    const bad = (field: string, text: string): void => {
      faults.push({ blame: "configuration", fault: "bad-field", text: `upstreams[${i}].${field} ${text}` });
    };
    if (seen.includes(upstream.id)) bad("id", `"${upstream.id}" is used twice; give each upstream its own`);
    seen.push(upstream.id);
    if (["local", "owner", "none", "update"].includes(upstream.id))
      bad("id", `"${upstream.id}" is reserved; choose another`);
    const socket = upstream.protocol === "ocpp16";
    if (socket !== (upstream.url.startsWith("ws:") || upstream.url.startsWith("wss:"))) {
      bad("url", `must start with ${socket ? "wss://" : "https://"} for protocol ${upstream.protocol}`);
    }
    if (upstream.url.startsWith("mdns:")) {
      if (upstream.protocol !== "openadr3" || upstream.url !== "mdns:_openadr3._tcp")
        bad("url", "with mdns: can only be mdns:_openadr3._tcp, for protocol openadr3");
      // What mDNS says can be said by anybody on that network: a public certificate proves nothing there.
      if (upstream.clientId !== undefined && upstream.ca === undefined)
        bad(
          "ca",
          "is missing: a client secret is not sent to a server that was found, without its own authority",
        );
    }
    if (/^\w+:\/\/[^/?#]*@/.test(upstream.url)) bad("url", "must hold no name and no password");
    const callback = upstream.callbackUrl;
    if (callback?.startsWith("http:") && !/^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(callback))
      bad("callbackUrl", "must begin with https://, except for this computer itself");
    if ((upstream.cert === undefined) !== (upstream.key === undefined)) {
      bad(upstream.cert === undefined ? "cert" : "key", "is missing: a certificate and its key go together");
    }
    if ((upstream.clientId === undefined) !== (upstream.clientSecretFile === undefined)) {
      bad(
        upstream.clientId === undefined ? "clientId" : "clientSecretFile",
        "is missing: a client id and its secret go together",
      );
    }
    if (upstream.protocol === "openadr2b" && upstream.venName === undefined)
      bad("venName", "is missing: OpenADR 2.0b registers under a name");
  });
  if (raw.timeZone !== undefined && parsePosixTz(raw.timeZone) === undefined) {
    faults.push({
      blame: "configuration",
      fault: "bad-field",
      text: `timeZone must be a POSIX TZ rule such as GMT0BST,M3.5.0/1,M10.5.0; it is "${raw.timeZone}"`,
    });
  }
  raw.offPeak?.forEach(({ from, to }, i) => {
    if (minutesOf(from) >= 0 && minutesOf(from) < minutesOf(to)) return;
    faults.push({
      blame: "configuration",
      fault: "bad-field",
      text: `offPeak[${i}] must go from an earlier to a later HH:MM of the same day; it goes from "${from}" to "${to}"`,
    });
  });
  const { ceilingPercent, floorPercent } = raw;
  if (ceilingPercent !== undefined && floorPercent !== undefined && floorPercent > ceilingPercent) {
    faults.push({
      blame: "configuration",
      fault: "bad-field",
      text: `floorPercent (${floorPercent}) must not exceed ceilingPercent (${ceilingPercent})`,
    });
  }
  const charger = raw.charger;
  if (
    charger?.installerMaxA !== undefined &&
    charger.ratedA !== undefined &&
    charger.installerMaxA > charger.ratedA
  ) {
    faults.push({
      blame: "configuration",
      fault: "bad-field",
      text: `charger.installerMaxA (${charger.installerMaxA}) must not exceed charger.ratedA (${charger.ratedA})`,
    });
  }
}

/**
 * Checks a parsed JSON document and fills in defaults. Answers the configuration, or every fault found, each
 * naming its field (`upstreams[0].url must be …`).
 */
export function readConfig(document: unknown): UcmConfig | readonly Fault[] {
  const faults: Fault[] = [];
  check(configurationSpec, document, "", faults);
  if (faults.length > 0) return faults;
  const raw = document as Raw;
  crossCheck(raw, faults);
  if (faults.length > 0) return faults;
  const region = raw.region ?? "us";
  const ratedA = raw.charger?.ratedA ?? Math.max(32, raw.charger?.installerMaxA ?? 0);
  return {
    upstreams: raw.upstreams,
    region,
    timeZone: raw.timeZone ?? "UTC0",
    timeServers: raw.timeServers ?? ["0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org"],
    charger: {
      ratedA,
      installerMaxA: raw.charger?.installerMaxA ?? ratedA,
      phases: raw.charger?.phases ?? 1,
      voltage: raw.charger?.voltage ?? regionVoltage[region],
    },
    polling: {
      stateSeconds: raw.polling?.stateSeconds ?? 60,
      commoditySeconds: raw.polling?.commoditySeconds ?? 30,
    },
    randomDelay: {
      enabled: raw.randomDelay?.enabled ?? region === "uk",
      maxSeconds: raw.randomDelay?.maxSeconds ?? 600,
    },
    openEndedCapHours: raw.openEndedCapHours ?? 4,
    testEventsMoveLoad: raw.testEventsMoveLoad ?? false,
    ceilingPercent: raw.ceilingPercent,
    floorPercent: raw.floorPercent,
    offPeak: raw.offPeak,
    afterPowerCut: raw.afterPowerCut,
    remoteFactoryReset: raw.remoteFactoryReset ?? false,
    oneProvider: raw.oneProvider ?? false,
    shareChargingData: raw.shareChargingData ?? false,
    ...(raw.update === undefined ? {} : { update: raw.update }),
  };
}
