/**
 * The module, composed: link → session with the appliance ← translation ← demand-response core ← upstreams.
 * Nothing is decided here. The app is driven by three inputs (line, HTTP, time), answers through the ports of
 * its {@link World}, and sleeps until {@link Ucm.nextMs}; it has no clock, no timer and no thread of its own.
 */
import { LinkStack } from "./link/stack.js";
import type { LinkCounters } from "./link/counters.js";
import type { FrameTrace } from "./link/messages.js";
import { parsePosixTz } from "./base/posix-tz.js";
import { GridCore, type Evaluation } from "./grid/core.js";
import { gridSettings } from "./grid/settings.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "./grid/upstream.js";
import type { Intent } from "./grid/intent.js";
import { OpenAdr2Ven } from "./openadr2/ven.js";
import type { HttpEvent, HttpPort } from "./ports/http.js";
import type { ByteLine, ByteLineEvent } from "./ports/line.js";
import type { SgdStatus } from "./ports/sgd-status.js";
import { NEVER, type Now, type RandomPort, type StorePort } from "./ports/time.js";
import { SgdSession } from "./sgd/session.js";
import { DEFAULT_SGD_SETTINGS } from "./sgd/settings.js";
import type { UcmConfig, UpstreamConfig } from "./setup/config.js";
import { LoadReference } from "./translate/reference.js";
import { informationOf, translate } from "./translate/translate.js";

/** Everything that the module tells: what `ucm --json` prints and the page shows. */
export type UcmEvent =
  | {
      readonly event: "intent";
      readonly intent: string;
      readonly source: string;
      readonly reason: string;
      readonly eventId: string;
      readonly endsUtcMs: number | null;
    }
  | {
      readonly event: "command";
      readonly name: string;
      readonly result: string;
      readonly verified: boolean;
      readonly text: string;
    }
  | {
      readonly event: "upstream";
      readonly id: string;
      readonly state: string;
      readonly fault: string;
      readonly text: string;
      readonly nextTryMs: number;
    }
  | { readonly event: "sgd"; readonly status: SgdStatus }
  | {
      readonly event: "frame";
      readonly dir: "rx" | "tx";
      readonly bytes: Uint8Array;
      readonly fault: string;
      readonly atMs: number;
    }
  | { readonly event: "log"; readonly level: "info" | "warning" | "error"; readonly text: string };

/** What the module needs of the world it is plugged into. */
export interface World {
  readonly line: ByteLine;
  readonly http: HttpPort;
  readonly random: RandomPort;
  readonly store: StorePort;
  emit(event: UcmEvent): void;
}

/** Store key: "1" while End Shed is owed to the appliance. */
const owedKey = "sgd.owed";

/** Message types that a module answers to: Basic, Intermediate, data-link. */
const supportedTypes = [0x0801, 0x0802, 0x0803];

export class Ucm {
  readonly #world: World;
  readonly #config: UcmConfig;
  readonly #link: LinkStack;
  readonly #sgd: SgdSession;
  readonly #grid: GridCore;
  readonly #upstreams: Upstream[] = [];
  #requestId = 0;
  /** What was last told, so that only changes are. */
  #toldIntent = "";
  #toldCommand = "";
  readonly #toldUpstream: string[] = [];
  #evaluation: Evaluation | undefined;
  readonly #reference = new LoadReference();
  #statusChanged = false;

  constructor(world: World, config: UcmConfig) {
    this.#world = world;
    this.#config = config;
    const random = world.random;
    this.#link = new LinkStack({
      line: world.line,
      random,
      emit: (event) => this.#sgd.onLink(event, this.#now),
      trace: (frame) => this.#trace(frame),
    });
    this.#link.command({ cmd: "support", types: supportedTypes }, 0);
    this.#sgd = new SgdSession({
      emit: (command) => this.#link.command(command, this.#now.ms),
      random,
      settings: {
        ...DEFAULT_SGD_SETTINGS,
        statePollMs: config.polling.stateSeconds * 1000,
        commodityPollMs: config.polling.commoditySeconds * 1000,
        timeZone: config.timeZone,
      },
      onStatus: () => {
        this.#statusChanged = true;
      },
      onEvent: (event) => {
        // What is owed survives a power cut: at worst an End Shed is sent once too often, never once too seldom.
        if (event.event === "owed") world.store.set(owedKey, event.owed ? "1" : "0");
      },
      previousLoad: world.store.get(owedKey) === "0" ? "normal" : "unknown",
    });
    const { charger } = config;
    this.#grid = new GridCore({
      store: world.store,
      random,
      settings: gridSettings({
        region: config.region,
        openEndCapMs: config.openEndedCapHours * 3_600_000,
        testEventsMoveLoad: config.testEventsMoveLoad,
        delayOn: config.randomDelay.enabled,
        delayMaxMs: config.randomDelay.maxSeconds * 1000,
        site: {
          installerA: charger.installerMaxA,
          ratedA: charger.ratedA,
          phases: charger.phases,
          voltageV: charger.voltage,
        },
        zone: parsePosixTz(config.timeZone),
      }),
    });
    for (const upstream of config.upstreams) {
      const client = this.#connect(upstream);
      if (client) this.#upstreams.push(client);
      this.#toldUpstream.push("");
    }
  }

  /** The time of the input being handled; the link's synchronous callbacks need it. */
  #now: Now = { ms: 0, utcMs: undefined };

  #connect(config: UpstreamConfig): Upstream | undefined {
    if (config.protocol === "openadr2b") {
      return new OpenAdr2Ven(
        {
          id: config.id,
          url: config.url,
          venName: config.venName ?? config.id,
          pollSeconds: config.pollSeconds,
          marketContexts: config.marketContexts ?? [],
          emergency: config.emergency ?? false,
          voltage: this.#config.charger.voltage,
        },
        this.#upstreamHost(),
      );
    }
    this.#log(
      "error",
      `Upstream "${config.id}": protocol ${config.protocol} is not built in yet; it is ignored.`,
    );
    return undefined;
  }

  #upstreamHost(): UpstreamHost {
    return {
      http: this.#world.http,
      random: this.#world.random,
      store: this.#world.store,
      nextRequestId: () => ++this.#requestId,
      replaceEvents: (source, events, now) => this.#grid.replaceEvents(source, events, now),
      clockSeen: () => undefined,
      log: (level, text) => this.#log(level, text),
    };
  }

  #log(level: "info" | "warning" | "error", text: string): void {
    this.#world.emit({ event: "log", level, text });
  }

  #trace(frame: FrameTrace): void {
    this.#world.emit({
      event: "frame",
      dir: frame.dir,
      bytes: frame.bytes,
      fault: frame.fault,
      atMs: frame.atMs,
    });
  }

  start(now: Now): void {
    this.#now = now;
    for (const upstream of this.#upstreams) upstream.start(now);
    this.poll(now);
  }

  onLine(event: ByteLineEvent, now: Now): void {
    this.#now = now;
    this.#link.onByteLine(event, now.ms);
  }

  onHttp(event: HttpEvent, now: Now): void {
    this.#now = now;
    for (const upstream of this.#upstreams) upstream.onHttp(event, now);
  }

  /** Does everything that is due. Call after each input and when {@link nextMs} has come. */
  poll(now: Now): void {
    this.#now = now;
    for (const upstream of this.#upstreams) upstream.poll(now);
    this.#tellUpstreams(now);
    const evaluation = this.#grid.evaluate(now);
    if (evaluation !== this.#evaluation || this.#statusChanged) this.#carryOut(evaluation, now);
    this.#sgd.poll(now);
    this.#link.poll(now.ms);
    if (this.#statusChanged) this.#onStatus(now);
  }

  nextMs(): number {
    if (this.#statusChanged) return this.#now.ms;
    let next = Math.min(this.#link.nextMs(), this.#sgd.nextMs(), this.#grid.nextMs(this.#now));
    for (const upstream of this.#upstreams) next = Math.min(next, upstream.nextMs());
    return next;
  }

  /** Turns what is in force into wishes for the appliance. Repeating it is free: an equal wish sends nothing. */
  #carryOut(evaluation: Evaluation, now: Now): void {
    const { intent, oneOffs } = evaluation;
    this.#evaluation = evaluation;
    for (const { ask } of oneOffs) {
      this.#sgd.order(
        ask.ask === "reboot" ? { order: "reboot", kind: ask.kind } : { order: "override", on: ask.on },
        now,
      );
    }
    const abilities = {
      ...this.#sgd.status(),
      dynamicW: this.#reference.meanFor(`${intent.source} ${intent.eventId}`, now.ms),
    };
    const { wish, refusal } = translate(intent, abilities, this.#config.charger);
    this.#sgd.wish(wish, now);
    this.#inform(now);
    const told = `${intent.ask.ask}|${intent.source}|${intent.reason}`;
    if (told === this.#toldIntent) return;
    this.#toldIntent = told;
    if (refusal) this.#log("warning", refusal);
    this.#world.emit({
      event: "intent",
      intent: intent.ask.ask,
      source: intent.source,
      reason: intent.reason,
      eventId: intent.eventId,
      endsUtcMs: intent.endsUtcMs ?? null,
    });
  }

  #inform(now: Now): void {
    const health = this.#upstreams.some((upstream) => upstream.status().state === "online") ? 1 : 0;
    this.#sgd.information(informationOf(this.#evaluation?.outlook, health, this.#evaluation?.intent), now);
  }

  #onStatus(now: Now): void {
    this.#statusChanged = false;
    const status = this.#sgd.status();
    this.#reference.onStatus(status);
    for (const upstream of this.#upstreams) upstream.onSgd(status, now);
    this.#world.emit({ event: "sgd", status });
    const load = status.load;
    if (!load) return;
    const told = `${load.command}|${load.result}|${load.wish}|${load.step}`;
    if (told === this.#toldCommand) return;
    this.#toldCommand = told;
    this.#world.emit({
      event: "command",
      name: load.command,
      result: load.result,
      verified: load.result === "verified",
      text: load.text,
    });
  }

  #tellUpstreams(now: Now): void {
    this.#upstreams.forEach((upstream, i) => {
      const status = upstream.status();
      const told = `${status.state}|${status.fault}`;
      if (told === this.#toldUpstream[i]) return;
      this.#toldUpstream[i] = told;
      this.#grid.sourceHealth(upstream.id, status.state === "online", now);
      this.#inform(now);
      this.#world.emit({
        event: "upstream",
        id: status.id,
        state: status.state,
        fault: status.fault,
        text: status.text,
        nextTryMs: status.nextTryMs === NEVER ? -1 : Math.round(status.nextTryMs),
      });
    });
  }

  /** Everything at once, for the page and for `state` requests. */
  state(): {
    readonly intent: Intent | undefined;
    readonly sgd: SgdStatus;
    readonly upstreams: readonly UpstreamStatus[];
    readonly counters: LinkCounters;
  } {
    return {
      intent: this.#evaluation?.intent,
      sgd: this.#sgd.status(),
      upstreams: this.#upstreams.map((upstream) => upstream.status()),
      counters: this.#link.counters,
    };
  }
}
