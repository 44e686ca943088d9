/**
 * The module, composed: link → session with the appliance ← translation ← demand-response core ← upstreams.
 * Nothing is decided here. The app is driven by three inputs (line, HTTP, time), answers through the ports of
 * its {@link World}, and sleeps until {@link Ucm.nextMs}; it has no clock, no timer and no thread of its own.
 */
import { Desk, type OwnerState } from "./desk.js";
import { Upstreams } from "./upstreams.js";
import type { JournalPage, World } from "./world.js";
import { LinkStack } from "./link/stack.js";
import type { LinkCounters } from "./link/counters.js";
import type { FrameTrace } from "./link/messages.js";
import { parsePosixTz } from "./base/posix-tz.js";
import { GridCore, type Evaluation, type ListedEvent } from "./grid/core.js";
import { RestartHold } from "./grid/restart-hold.js";
import { gridSettings } from "./grid/settings.js";
import type { DelayStatus } from "./grid/delay.js";
import { levelOf } from "./grid/asks.js";
import type { OwnerAnswer } from "./grid/owner.js";
import { regionOf, type WeekWindow } from "./grid/regions.js";
import { Providers } from "./grid/providers.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "./grid/upstream.js";
import type { Intent } from "./grid/intent.js";
import type { JournalPart, Role } from "./journal/access.js";
import type { ExportFormat } from "./journal/export.js";
import { FactoryReset, isResetting } from "./journal/factory-reset.js";
import { Recorder, type JournalState } from "./journal/recorder.js";
import { CrashLoop, MemoryWatch, Watch } from "./health/watch.js";
import { lampOf, type Lamp } from "./health/lamp.js";
import { Network } from "./network/network.js";
import { ClockHint } from "./network/clock-hint.js";
import { crcOfText } from "./base/json.js";
import type { CertificateEvent } from "./ports/certificates.js";
import type { HttpEvent } from "./ports/http.js";
import type { ByteLineEvent, FrameLineEvent } from "./ports/line.js";
import type { NetworkEvent } from "./ports/network.js";
import type { MdnsEvent } from "./ports/mdns.js";
import type { MqttEvent } from "./ports/mqtt.js";
import type { SgdStatus } from "./ports/sgd-status.js";
import type { UpdateEvent } from "./ports/update.js";
import { NEVER, type Now, type StorePort } from "./ports/time.js";
import type { WebSocketEvent } from "./ports/websocket.js";
import { SgdSession } from "./sgd/session.js";
import { DEFAULT_SGD_SETTINGS } from "./sgd/settings.js";
import { minutesOf, type OffPeakWindow, type UcmConfig } from "./setup/config.js";
import { ReadyBy } from "./setup/ready-by.js";
import { OwnerWeb } from "./setup/web.js";
import type { WebRequest, WebResponse } from "./ports/http-server.js";
import { PlugInWatch } from "./translate/plug-in.js";
import { LoadReference } from "./translate/reference.js";
import { informationOf, translate } from "./translate/translate.js";
import { Updater, type UpdateStatus } from "./update/updater.js";

/** The line must have been silent so long, and stay so, before the program flash is erased (drivers/rs485), ms. */
const QUIET_MS = 300;
/** So long a press of the button opens setup; and so long forgets everything. */
const SETUP_PRESS_MS = 1000;
const RESET_PRESS_MS = 10_000;
/** Between two steps of a factory reset, ms. */
const RESET_STEP_MS = 20;
/** No flash has so many sectors to erase: a factory reset that takes more steps is stuck. */
const MOST_RESET_STEPS = 5000;
/** Store key: a checksum of the configuration of the last start. */
const configKey = "app.config";

/** Store key: "1" while End Shed is owed to the appliance. */
const owedKey = "sgd.owed";

/** Message types that a module answers to: Basic, Intermediate, data-link. */
const supportedTypes = [0x0801, 0x0802, 0x0803];

export type { JournalPage, UcmEvent, World } from "./world.js";

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
  #overridden = false;
  /** Something but the link has been touched since all was looked at. */
  #touched = true;
  /** When something but the link is due: before that, and untouched, what the line brings costs the link alone. */
  #restMs = 0;
  /** UTC minus monotonic time when all was looked at; NaN where UTC was unknown. */
  #clockMs = NaN;
  readonly #site: Parameters<typeof levelOf>[1];
  readonly #store: StorePort;
  readonly #recorder: Recorder | undefined;
  #factoryReset: FactoryReset | undefined;
  #resetDone = false;
  /** Steps that a factory reset has taken. */
  #resetSteps = 0;
  readonly #providers: Providers;
  readonly #updater: Updater | undefined;
  readonly #clockHint = new ClockHint();
  readonly #restartHold = new RestartHold();
  readonly #plugIn = new PlugInWatch();
  readonly #network: Network | undefined;
  readonly #watch = new Watch();
  readonly #memory = new MemoryWatch();
  #crashLoop: CrashLoop | undefined;
  /** After crashes in a row the upstreams begin later; 0 = they have begun. */
  #upstreamsFromMs = 0;
  #stuck: string | undefined;
  #lamp: Lamp | undefined;
  readonly #desk: Desk;
  readonly #web: OwnerWeb | undefined;
  readonly #readyBy: ReadyBy;
  /** When the line was last heard or used, ms. */
  #lineMs = 0;

  constructor(world: World, config: UcmConfig) {
    this.#world = world;
    this.#config = config;
    this.#recorder = world.flash === undefined ? undefined : new Recorder(world.flash);
    const store = this.#recorder?.store ?? world.store;
    this.#store = store;
    const random = world.random;
    this.#link = new LinkStack({
      line: world.line,
      random,
      emit: (event) => {
        this.#touched = true;
        this.#sgd.onLink(event, this.#now);
      },
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
        if (event.event === "owed") store.set(owedKey, event.owed ? "1" : "0");
        else if (event.event === "override") this.#recorder?.onOverride(event.on, this.#now);
        else if (event.event === "reboot") this.#onReboot(event.by, event.kind);
      },
      previousLoad: store.get(owedKey) === "0" ? "normal" : "unknown",
    });
    const { charger } = config;
    const site = {
      installerA: charger.installerMaxA,
      ratedA: charger.ratedA,
      phases: charger.phases,
      voltageV: charger.voltage,
    };
    this.#site = site;
    this.#grid = new GridCore({
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
    this.#network = this.#networkOf(world);
    this.#updater = this.#updaterOf(world, config);
    const clients = new Upstreams({
      ...{ world, config, recorder: this.#recorder, updater: this.#updater },
      now: () => this.#now,
    });
    for (const upstream of config.upstreams) {
      const client = clients.connect(upstream, this.#upstreamHost(upstream.id));
      if (client) this.#upstreams.push(client);
      this.#toldUpstream.push("");
    }
    this.#providers = new Providers(this.#upstreams, config.oneProvider, store);
    const zone = parsePosixTz(config.timeZone);
    this.#readyBy = new ReadyBy(store, zone);
    const { web } = world;
    this.#desk = new Desk({
      ...{ config, zone, grid: this.#grid, providers: this.#providers },
      ...{ recorder: this.#recorder, readyBy: this.#readyBy },
      state: (now) => this.state(now),
      memoryShort: () => this.#memory.short,
      factoryReset: () => this.factoryReset(),
      configure: web?.configure === undefined ? undefined : (setup) => web.configure?.(setup),
    });
    if (web !== undefined) {
      const { ownerSecret, fresh } = web;
      const wifi = world.network !== undefined;
      this.#web = new OwnerWeb(this.#desk, { config, zone, ownerSecret, fresh, wifi }, random, store);
    }
  }

  /** The time of the input being handled; the link's synchronous callbacks need it. */
  #now: Now = { ms: 0, utcMs: undefined };

  #updaterOf({ update: port, http, random }: World, { update }: UcmConfig): Updater | undefined {
    if (update === undefined || port === undefined) return undefined;
    return new Updater(
      { url: update.url, rootText: update.rootText ?? "", checkHours: update.checkHours ?? 24 },
      {
        ...{ http, port, random, store: this.#store },
        nextRequestId: () => ++this.#requestId,
        quietMs: (now) => this.#quietMs(now),
        gridEvent: () => this.#config.upstreams.some(({ id }) => id === this.#evaluation?.intent.source),
        session: () => this.#sessionWords(),
        security: (code, text) => {
          this.#recorder?.journal.addSecurity(code, text, this.#now);
          this.#world.emit({ event: "log", level: "info", text: `${code}: ${text}` });
        },
        log: (level, text) => this.#log(level, text),
        restart: () => {
          this.stop(this.#now);
          this.#world.restart?.("requested");
        },
      },
    );
  }

  /** When the line is quiet for long enough to erase program flash. */
  #quietMs({ ms }: Now): number {
    if (ms < this.#lineMs + QUIET_MS) return this.#lineMs + QUIET_MS;
    const nextMs = Math.min(this.#link.nextMs(), this.#sgd.nextMs());
    return nextMs < ms + QUIET_MS ? Math.max(ms, nextMs) + QUIET_MS : ms;
  }

  /** The appliance that there is a session with; "" = none. */
  #sessionWords(): string {
    const { link, identity } = this.#sgd.status();
    if (link !== "online") return "";
    return identity === undefined ? "basic" : `${identity.vendorId}/${identity.deviceType}`;
  }

  #networkOf({ network, builtUtcMs, random }: World): Network | undefined {
    if (network === undefined) return undefined;
    return new Network(
      {
        port: network,
        random,
        store: this.#store,
        busy: () => (this.#evaluation?.intent.ask.ask ?? "normal") !== "normal",
        restart: () => {
          this.stop(this.#now);
          this.#world.restart?.("network");
        },
        log: (level, text) => this.#log(level, text),
      },
      { servers: this.#config.timeServers, builtUtcMs: builtUtcMs ?? 0 },
    );
  }

  #upstreamHost(source: string): UpstreamHost {
    return {
      http: this.#world.http,
      mqtt: this.#world.mqtt,
      mdns: this.#world.mdns,
      random: this.#world.random,
      store: this.#store,
      nextRequestId: () => ++this.#requestId,
      replaceEvents: (source, events, now) => {
        this.#touched = true;
        return this.#grid.replaceEvents(source, events, now);
      },
      clockSeen: (utcMs, now) => {
        const warning = this.#clockHint.seen(source, utcMs, now);
        if (warning !== "") this.#log("warning", warning);
      },
      log: (level, text) => this.#log(level, text),
    };
  }

  #log(level: "info" | "warning" | "error", text: string): void {
    this.#recorder?.log(level, text, this.#now);
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

  start(at: Now): void {
    const now = this.#enter(at);
    if (this.#recorder && isResetting(this.#recorder.store)) {
      this.#beginReset();
      return;
    }
    const reason = this.#world.startReason ?? "power";
    const configuration = String(crcOfText(JSON.stringify(this.#config)));
    const known = this.#store.get(configKey);
    this.#recorder?.started(
      reason,
      known === undefined ? "first" : known === configuration ? "" : "changed",
      now,
    );
    if (known !== configuration) this.#store.set(configKey, configuration);
    // A module that was never here before has no power cut behind it.
    if (reason === "power" && known !== undefined) this.#grid.started("power-restored", now);
    const own = (source: string): boolean => this.#upstreams.some(({ id }) => id === source);
    const stored = this.#grid.listEvents(now).map(({ source }) => source);
    this.#restartHold.start(stored.filter(own), now.ms);
    const crashed = reason === "watchdog" || reason === "crash" || reason === "brownout";
    this.#crashLoop = new CrashLoop(this.#store, crashed, now);
    const waitMs = this.#crashLoop.upstreamWaitMs();
    this.#upstreamsFromMs = waitMs === 0 ? 0 : now.ms + waitMs;
    this.#network?.start(at);
    this.#updater?.start(at);
    if (this.#world.web?.fresh) this.#web?.openSetup("new", now);
    if (waitMs === 0) this.#providers.start(now);
    else
      this.#log(
        "warning",
        `${this.#crashLoop.count} crashes in a row: utilities wait for ${waitMs / 60_000} min.`,
      );
    this.poll(now);
  }

  /** After crashes in a row: the upstreams may begin. */
  #lateStart(now: Now): void {
    if (this.#upstreamsFromMs === 0 || now.ms < this.#upstreamsFromMs) return;
    this.#upstreamsFromMs = 0;
    this.#providers.start(now);
  }

  /** The network came, went, or a time server answered. */
  onNetwork(event: NetworkEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset || !this.#network) return;
    // Time as the world has it: what a utility's server alone has told must not keep the clock from being set.
    this.#network.onEvent(event, at);
    if (event.ev === "up") for (const upstream of this.#upstreams) upstream.networkUp?.(now);
  }

  /** Somebody asks for a page. */
  onWeb(request: WebRequest, at: Now): void {
    if (!this.#web) return;
    const now = this.#enter(at);
    this.#world.web?.respond(this.#factoryReset ? resetting(request.id) : this.#web.handle(request, now));
  }

  /** The module's button was let go: ten seconds forget everything, one opens setup. */
  onButton(heldMs: number, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    if (heldMs >= RESET_PRESS_MS) this.factoryReset();
    else if (heldMs >= SETUP_PRESS_MS) this.#web?.openSetup("button", now);
  }

  /** Bytes that JavaScript has left; where they are few, what can wait is left out. */
  onMemory(freeBytes: number, at: Now): void {
    const now = this.#enter(at);
    if (!this.#memory.onFree(freeBytes) || this.#factoryReset) return;
    this.#recorder?.memoryShort(freeBytes, now);
    this.#log("warning", "Memory is short: the journal is not read out.");
  }

  /** The world is going to end it: power off by hand, an update. */
  stop(now: Now): void {
    if (!this.#factoryReset) this.#recorder?.stopped(now);
  }

  /** What the line has to say, be it a byte line or a frame line. */
  onLine(event: ByteLineEvent | FrameLineEvent, at: Now): void {
    const now = this.#clockHint.fill(at);
    this.#now = now;
    this.#lineMs = now.ms;
    if (this.#factoryReset) return;
    this.#link.onLine(event, now.ms);
  }

  onMqtt(event: MqttEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    for (const upstream of this.#upstreams) upstream.onMqtt?.(event, now);
  }

  onMdns(event: MdnsEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    for (const upstream of this.#upstreams) upstream.onMdns?.(event, now);
  }

  /** Something has changed at that upstream's server, the world was told (a webhook): it is asked soon. */
  hint(source: string, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    for (const upstream of this.#upstreams) if (upstream.id === source) upstream.hint?.(now);
  }

  /** An input that may concern everybody. Answers its time, with UTC where a server alone has told it. */
  #enter(at: Now): Now {
    this.#now = this.#clockHint.fill(at);
    this.#touched = true;
    return this.#now;
  }

  onHttp(event: HttpEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    if (event.ev === "head") this.#alive(now);
    this.#updater?.onHttp(event, at);
    for (const upstream of this.#upstreams) upstream.onHttp(event, now);
  }

  onWebSocket(event: WebSocketEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    if (event.ev === "open" || event.ev === "text") this.#alive(now);
    for (const upstream of this.#upstreams) upstream.onWebSocket?.(event, now);
  }

  /** What became of the renewal of a certificate. */
  onCertificate(event: CertificateEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#factoryReset) return;
    for (const upstream of this.#upstreams) upstream.onCertificate?.(event, now);
  }

  /** A server was heard: the network works. */
  #alive(now: Now): void {
    this.#network?.alive(now);
    this.#updater?.networkSeen(now);
  }

  /** What became of a step of an update. */
  onUpdate(event: UpdateEvent, at: Now): void {
    this.#enter(at);
    if (!this.#factoryReset) this.#updater?.onUpdate(event, at);
  }

  /** Looks for an update at once; false where that cannot be. */
  checkForUpdate(at: Now): boolean {
    this.#enter(at);
    return this.#updater?.check(at) ?? false;
  }

  /** Does everything that is due. Call after each input and when {@link nextMs} has come. */
  poll(at: Now): void {
    const now = this.#clockHint.fill(at);
    this.#now = now;
    if (this.#factoryReset) {
      this.#resetStep(now);
      return;
    }
    if (this.#linkAlone(now)) {
      this.#progress(now);
      return;
    }
    this.#network?.poll(at);
    this.#crashLoop?.poll(now);
    this.#lateStart(now);
    if (this.#upstreamsFromMs === 0) for (const upstream of this.#upstreams) upstream.poll(now);
    this.#providers.poll(now);
    const boostMs = this.#readyBy.poll(now);
    // Whoever has pressed "charge now" for longer is not cut short.
    if (boostMs > this.#grid.ownerStatus(now).boostLeftMs)
      this.#grid.setOwner({ verb: "boost", durationMs: boostMs }, now);
    this.#tellUpstreams(now);
    const evaluation = this.#grid.evaluate(now);
    const online = (id: string): boolean =>
      this.#upstreams.some((upstream) => upstream.id === id && upstream.status().state === "online");
    if (this.#restartHold.holds(evaluation.intent.source, online, now.ms)) this.#evaluation = undefined;
    else if (evaluation !== this.#evaluation || this.#statusChanged) this.#carryOut(evaluation, now);
    this.#sgd.poll(now);
    this.#link.poll(now.ms);
    if (this.#statusChanged) this.#onStatus(now);
    const lineNextMs = Math.min(this.#link.nextMs(), this.#sgd.nextMs());
    this.#recorder?.poll(this.#lineMs, lineNextMs, now);
    // Time as the world has it: what a utility's server alone has told does not decide whether an update is stale.
    this.#updater?.poll(at);
    this.#touched = this.#statusChanged;
    this.#clockMs = (now.utcMs ?? NaN) - now.ms;
    this.#restMs = this.#othersNextMs();
    this.#progress(now);
    this.#showLamp();
  }

  /** Feeds the watchdog while everything makes progress. */
  #progress(now: Now): void {
    const watch = this.#watch;
    watch.polled("link", Math.min(this.#link.nextMs(), this.#sgd.nextMs()), now);
    watch.polled("upstreams", this.#upstreamsNextMs(), now);
    if (this.#recorder) watch.polled("storage", this.#recorder.nextMs(this.#lineMs), now);
    const stuck = watch.stuck(now);
    if (stuck === undefined) this.#world.feed?.();
    else if (stuck !== this.#stuck)
      this.#log("error", `The ${stuck} makes no progress: the watchdog starves.`);
    if (stuck === this.#stuck) return;
    this.#stuck = stuck;
    this.#showLamp();
  }

  #showLamp(): void {
    if (!this.#world.lamp) return;
    const { intent } = this.#evaluation ?? {};
    const lamp = lampOf({
      fault: this.#stuck !== undefined,
      setup: this.#web?.inSetup(this.#now) ?? false,
      updating: !["idle", "checking", undefined].includes(this.#updater?.status().phase),
      network: this.#network?.online ?? true,
      utility: this.#upstreams.some((upstream) => upstream.status().state === "online"),
      appliance: this.#sgd.status().link === "online",
      curtailed: intent !== undefined && intent.source !== "owner" && levelOf(intent.ask, this.#site) < 1,
    });
    if (lamp === this.#lamp) return;
    this.#lamp = lamp;
    this.#world.lamp(lamp);
  }

  #upstreamsNextMs(): number {
    if (this.#upstreamsFromMs !== 0) return this.#upstreamsFromMs;
    let next = NEVER;
    for (const upstream of this.#upstreams) next = Math.min(next, upstream.nextMs());
    return next;
  }

  /** Polls the link alone, where nothing else can have anything to do; false where something can. */
  #linkAlone(now: Now): boolean {
    // A clock that was set or stepped concerns everybody; what two clocks differ by in reading does not.
    const clockMs = (now.utcMs ?? NaN) - now.ms;
    const sameClock = Object.is(clockMs, this.#clockMs) || Math.abs(clockMs - this.#clockMs) < 250;
    if (this.#touched || now.ms >= this.#restMs || !sameClock) return false;
    this.#link.poll(now.ms);
    return !this.#touched;
  }

  #othersNextMs(): number {
    let next = Math.min(
      this.#restartHold.nextMs(),
      this.#sgd.nextMs(),
      this.#providers.nextMs(),
      this.#grid.nextMs(this.#now),
      this.#upstreamsNextMs(),
    );
    if (this.#network) next = Math.min(next, this.#network.nextMs());
    next = Math.min(next, this.#readyBy.nextMs(this.#now));
    if (this.#web?.inSetup(this.#now)) next = Math.min(next, this.#web.setupEndsMs());
    if (this.#updater) next = Math.min(next, this.#updater.nextMs());
    if (this.#crashLoop) next = Math.min(next, this.#crashLoop.nextMs());
    if (this.#recorder) next = Math.min(next, this.#recorder.nextMs(this.#lineMs));
    return next;
  }

  nextMs(): number {
    if (this.#factoryReset) return this.#resetDone ? NEVER : this.#now.ms + RESET_STEP_MS;
    return this.#touched ? this.#now.ms : Math.min(this.#link.nextMs(), this.#restMs);
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
    const level = Math.max(0, levelOf(intent.ask, this.#site));
    this.#recorder?.onIntent({ ask: intent.ask.ask, level, source: intent.source }, intent.reason, now);
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
    const good = this.#upstreams.some((upstream) => upstream.status().state === "online");
    const health = !good ? 0 : this.#network?.poor ? 2 : 1;
    this.#sgd.information(informationOf(this.#evaluation?.outlook, health, this.#evaluation?.intent), now);
  }

  #onStatus(now: Now): void {
    this.#statusChanged = false;
    const status = this.#sgd.status();
    this.#reference.onStatus(status);
    this.#recorder?.onSgd(status, now);
    this.#watchPlugIn(status, now);
    if (status.override !== this.#overridden) {
      this.#overridden = status.override;
      this.#grid.customerOverride(status.override, now);
      this.#touched = true;
    }
    for (const upstream of this.#upstreams) upstream.onSgd(status, now);
    this.#world.emit({ event: "sgd", status });
    const load = status.load;
    if (!load) return;
    const told = `${load.command}|${load.result}|${load.wish}|${load.step}`;
    if (told === this.#toldCommand) return;
    this.#toldCommand = told;
    this.#recorder?.onCommand(load.command, load.result, load.text, now);
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
      this.#recorder?.onUpstream(status.id, status.state, status.fault, status.text, now);
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

  /** Charging has begun by itself: where the region wants it, it waits for a random delay. */
  #watchPlugIn(status: SgdStatus, now: Now): void {
    const free = this.#evaluation?.intent.ask.ask === "normal" && !this.#grid.delay(now).running;
    if (!this.#plugIn.see(status, free, now.ms)) return;
    this.#grid.started("plug-in", now);
    this.#statusChanged = true;
  }

  /** An order of the owner, from the local page; `order` is checked. */
  owner(order: unknown, at: Now): OwnerAnswer {
    return this.#desk.owner(order, this.#enter(at));
  }

  /** An order about the random delay: enable, disable, cancel the running one, set the greatest length. */
  delayOrder(order: unknown, at: Now): OwnerAnswer {
    return this.#desk.delay(order, this.#enter(at));
  }

  /** Some lines of the journal, for whoever may read them (docs/journal.md). */
  readJournal(part: JournalPart, role: Role, format: ExportFormat, from: number): JournalPage {
    if (this.#memory.short) return { why: "memory-short", lines: [], next: undefined };
    return this.#desk.readJournal(part, role, format, from);
  }

  /** Forgets what belongs to the owner, and starts anew. Takes a second or two, a sector at a time. */
  factoryReset(): OwnerAnswer {
    if (!this.#recorder)
      return { ok: false, why: "no-flash", text: "There is nothing here that could be forgotten." };
    this.#beginReset();
    return { ok: true, why: "", text: "The module forgets everything and starts anew." };
  }

  #onReboot(by: "module" | "appliance", kind: number): void {
    this.#recorder?.onReboot(by, kind, this.#now);
    // The appliance asks for factory defaults: its owner has pressed the button there.
    if (by === "appliance" && kind === 1) this.factoryReset();
  }

  #beginReset(): void {
    const { keepSecurityLog } = regionOf(this.#config.region);
    const { journal, store } = this.#recorder!;
    this.#factoryReset ??= new FactoryReset(journal, store, keepSecurityLog);
  }

  #resetStep(now: Now): void {
    if (this.#resetDone) return;
    if (++this.#resetSteps <= MOST_RESET_STEPS) this.#world.feed?.();
    if (this.#factoryReset!.step(now)) return;
    this.#resetDone = true;
    this.#world.restart?.("factory-reset");
  }

  /** Everything at once, for the page and for `state` requests. */
  state(now: Now = this.#now): {
    readonly intent: Intent | undefined;
    readonly sgd: SgdStatus;
    readonly upstreams: readonly UpstreamStatus[];
    readonly counters: LinkCounters;
    /** The random delay with its countdown, what the owner has said, and the stored events. */
    readonly delay: DelayStatus;
    readonly owner: OwnerState;
    readonly schedule: readonly ListedEvent[];
    readonly journal: JournalState | undefined;
    /** The one service provider in use; "" where several may be. */
    readonly provider: string;
    readonly network: ReturnType<Network["status"]> | undefined;
    readonly update: UpdateStatus | undefined;
  } {
    const { consent, ...owner } = this.#grid.ownerStatus(now);
    return {
      delay: this.#grid.delay(now),
      owner: { ...owner, consent: [...consent].map(([source, word]) => ({ source, word })) },
      schedule: this.#grid.listEvents(now),
      journal: this.#recorder?.state(),
      provider: this.#providers.chosen,
      network: this.#network?.status(),
      update: this.#updater?.status(),
      intent: this.#evaluation?.intent,
      sgd: this.#sgd.status(),
      upstreams: this.#upstreams.map((upstream) => upstream.status()),
      counters: this.#link.counters,
    };
  }
}

/** To whoever asks for a page while everything is forgotten; without an answer his connection would stay. */
function resetting(id: number): WebResponse {
  const headers = [
    ["content-type", "text/plain"],
    ["retry-after", "5"],
  ] as const;
  return { id, status: 503, headers, body: "The module forgets everything and starts anew.\n" };
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
