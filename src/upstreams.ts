/** Which client speaks which protocol, and what of the module each is given. */
import { leftOut } from "./built-in.js";
import type { GridCore } from "./grid/core.js";
import type { Upstream, UpstreamHost } from "./grid/upstream.js";
import { exportLines } from "./journal/export.js";
import type { Recorder } from "./journal/recorder.js";
import { usageOf } from "./journal/usage.js";
import { Ocpp16 } from "./ocpp16/ocpp16.js";
import type { SecuritySource } from "./ocpp16/services.js";
import { OpenAdr2Ven, type UsageHistory } from "./openadr2/ven.js";
import { OpenAdr3Ven } from "./openadr3/ven.js";
import type { ClockHint } from "./network/clock-hint.js";
import type { Now, StorePort } from "./ports/time.js";
import type { UcmConfig, UpstreamConfig } from "./setup/config.js";
import { OrderedUpdate } from "./ordered-update.js";
import type { Updater } from "./update/updater.js";
import type { World } from "./world.js";

/** That a server has taken us is told so often: every poll says it. */
const WORD_MS = 600_000;

export interface UpstreamParts {
  readonly world: World;
  readonly config: UcmConfig;
  readonly recorder: Recorder | undefined;
  readonly updater: Updater | undefined;
  readonly store: StorePort;
  readonly grid: GridCore;
  readonly clockHint: ClockHint;
  /** Too little memory to read the journal out. */
  memoryShort(): boolean;
  now(): Now;
  nextRequestId(): number;
  /** What is in force may have changed. */
  touch(): void;
  log(level: "info" | "warning" | "error", text: string): void;
}

export class Upstreams {
  constructor(private readonly parts: UpstreamParts) {}

  /** The client of one upstream of the configuration; undefined, and said, where this build or device has none. */
  connect(config: UpstreamConfig): Upstream | undefined {
    const { world, config: module, updater } = this.parts;
    const host = this.hostOf(config.id);
    const brought = world.connect?.(config, host);
    if (brought) return brought;
    if (leftOut.includes(config.protocol)) {
      host.log("error", `Upstream "${config.id}": this build has no ${config.protocol}; it is ignored.`);
      return undefined;
    }
    if (config.protocol === "openadr2b") {
      return new OpenAdr2Ven(
        {
          ...config,
          venName: config.venName ?? config.id,
          voltage: module.charger.voltage,
        },
        host,
        this.usage(),
      );
    }
    if (config.protocol === "openadr3") {
      const { installerMaxA, ratedA, phases, voltage } = module.charger;
      return new OpenAdr3Ven(
        {
          ...config,
          venName: config.venName ?? config.id,
          certificate: config.cert !== undefined,
          programs: config.marketContexts ?? [],
          installerW: installerMaxA * voltage * phases,
          ratedW: ratedA * voltage * phases,
        },
        host,
      );
    }
    const { websocket } = world;
    if (websocket === undefined) {
      host.log("error", `Upstream "${config.id}": this device has no WebSocket; it is ignored.`);
      return undefined;
    }
    const { charger, randomDelay } = module;
    return new Ocpp16(
      {
        ...{ id: config.id, url: config.url, chargePointId: config.chargePointId ?? config.id },
        ...{ localIdTag: config.idTag, startsBy: config.startsBy, evidence: config.plugEvidence },
        emergency: config.emergency,
        ...charger,
        delayMaxMs: randomDelay.enabled ? randomDelay.maxSeconds * 1000 : 0,
        securityProfile: config.cert === undefined ? 2 : 3,
      },
      { ...host, websocket },
      {
        logs: { read: (which) => this.logText(which) },
        certificates: world.certificates,
        firmware: updater && new OrderedUpdate(updater),
        security: this.securitySource(),
      },
    );
  }

  /** What the upstream of that id may ask of the module. */
  private hostOf(id: string): UpstreamHost {
    const { world, store, grid, clockHint, nextRequestId, touch, log } = this.parts;
    let wordMs = 0;
    return {
      ...{ http: world.http, mqtt: world.mqtt, mdns: world.mdns, random: world.random },
      ...{ store, nextRequestId, log },
      replaceEvents: (source, events, now) => {
        touch();
        return grid.replaceEvents(source, events, now);
      },
      clockSeen: (utcMs, now) => {
        const warning = clockHint.seen(id, utcMs, now);
        if (warning !== "") log("warning", warning);
      },
      serverWord: (taken, now) => {
        if (taken && now.ms < wordMs) return;
        wordMs = taken ? now.ms + WORD_MS : 0;
        world.certificates?.call({ do: "word", credentials: id, taken });
      },
    };
  }

  /** The journal's lines for a platform that asks for them; undefined where there is no journal or no room. */
  private logText(which: "SecurityLog" | "DiagnosticsLog"): string | undefined {
    if (!this.parts.recorder || this.parts.memoryShort()) return undefined;
    const part = which === "SecurityLog" ? "security" : "events";
    return [...exportLines(this.parts.recorder.journal, part, "csv")].join("\n");
  }

  /** The security log for a platform that is told of it; undefined where there is no journal. */
  private securitySource(): SecuritySource | undefined {
    const journal = this.parts.recorder?.journal;
    if (journal === undefined) return undefined;
    const { security } = journal;
    return {
      head: () => security.head,
      entries: () => security.entries(),
      add: (act, text) => journal.addSecurity(act, text, this.parts.now()),
    };
  }

  /** What was used in the past, for OpenADR 2.0b's HISTORY_USAGE; undefined where there is no journal. */
  private usage(): UsageHistory | undefined {
    const energy = this.parts.recorder?.journal.energy;
    if (energy === undefined) return undefined;
    return { read: (what, from, to, stepMs, most) => usageOf(energy, what, from, to, stepMs, most) };
  }
}
