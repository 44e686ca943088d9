/**
 * The module, composed: link → session with the appliance ← translation ← demand-response core ← upstreams.
 * Nothing is decided here. The app is driven by three inputs (line, HTTP, time), answers through the ports of
 * its {@link World}, and sleeps until {@link Ucm.nextMs}; it has no clock, no timer and no thread of its own.
 */
import { Desk, type UcmState } from "./desk.js";
import {
  gridOf,
  keepsSecurityLog,
  networkOf,
  renewalsOf,
  sgdSettingsOf,
  siteOf,
  updaterOf,
} from "./fittings.js";
import { Reset, resetting } from "./reset.js";
import { Steering } from "./steering.js";
import { Upstreams } from "./upstreams.js";
import { Vitals } from "./vitals.js";
import type { JournalPage, World } from "./world.js";
import { crcOfText } from "./base/json.js";
import { parsePosixTz } from "./base/posix-tz.js";
import type { GridCore } from "./grid/core.js";
import type { OwnerAnswer } from "./grid/owner.js";
import { Providers } from "./grid/providers.js";
import type { Upstream } from "./grid/upstream.js";
import type { LampFacts } from "./health/lamp.js";
import type { JournalPart, Role } from "./journal/access.js";
import type { ExportFormat } from "./journal/export.js";
import { Recorder } from "./journal/recorder.js";
import type { SecurityCode } from "./journal/security-log.js";
import type { FrameTrace } from "./link/messages.js";
import { LinkStack } from "./link/stack.js";
import { ClockHint } from "./network/clock-hint.js";
import type { Renewals } from "./network/renewal.js";
import type { Network } from "./network/network.js";
import type { CertificateEvent } from "./ports/certificates.js";
import type { HttpEvent } from "./ports/http.js";
import type { WebRequest } from "./ports/http-server.js";
import type { ByteLineEvent, FrameLineEvent } from "./ports/line.js";
import type { MdnsEvent } from "./ports/mdns.js";
import type { MqttEvent } from "./ports/mqtt.js";
import type { NetworkEvent } from "./ports/network.js";
import { NEVER, type Now, type StorePort } from "./ports/time.js";
import type { UpdateEvent } from "./ports/update.js";
import type { WebSocketEvent } from "./ports/websocket.js";
import { SgdSession } from "./sgd/session.js";
import type { UcmConfig } from "./setup/config.js";
import { ReadyBy } from "./setup/ready-by.js";
import { OwnerWeb } from "./setup/web.js";
import type { Updater } from "./update/updater.js";

/** The line must have been silent so long, and stay so, before the program flash is erased (drivers/rs485), ms. */
const QUIET_MS = 300;
/** So long after the start an update is judged by a utility's clock, where the module's own has not been set, ms. */
const LENT_MS = 86_400_000;
/** No change of what is in force may be so near when an update restarts the module: start, session, servers asked again, ms. */
const STEADY_MS = 120_000;
/** How often progress is judged: a world asks at least every few seconds, and its watchdog waits longer than both. */
const PROGRESS_MS = 1000;
/** So long a press of the button opens setup; and so long forgets everything. */
const SETUP_PRESS_MS = 1000;
const RESET_PRESS_MS = 10_000;
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
  /** Something that may concern others than link and session has happened since all was looked at. */
  #touched = true;
  /** When others than link and session are due: before that, and untouched, what the line brings costs those two alone. */
  #restMs = 0;
  /** When the link is due, and the session; 0 = at once, the link has told it something. */
  #linkMs = 0;
  #sgdMs = 0;
  /** When progress is looked at again. */
  #progressMs = 0;
  /** UTC minus monotonic time when all was looked at; NaN where UTC was unknown. */
  #clockMs = NaN;
  readonly #store: StorePort;
  readonly #recorder: Recorder | undefined;
  readonly #reset: Reset;
  readonly #providers: Providers;
  readonly #updater: Updater | undefined;
  readonly #renewals: Renewals | undefined;
  readonly #clockHint = new ClockHint();
  readonly #network: Network | undefined;
  readonly #steering: Steering;
  readonly #vitals: Vitals;
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
        this.#sgdMs = 0;
        this.#sgd.onLink(event, this.#now);
      },
      trace: (frame) => this.#trace(frame),
    });
    this.#link.command({ cmd: "support", types: supportedTypes }, 0);
    this.#sgd = new SgdSession({
      emit: (command) => this.#link.command(command, this.#now.ms),
      random,
      settings: sgdSettingsOf(config),
      onStatus: () => {
        this.#touched = true;
        this.#steering.statusChanged = true;
      },
      onEvent: (event) => {
        this.#touched = true;
        // What is owed survives a power cut: at worst an End Shed is sent once too often, never once too seldom.
        if (event.event === "owed") store.set(owedKey, event.owed ? "1" : "0");
        else if (event.event === "override") this.#recorder?.onOverride(event.on, this.#now);
        else if (event.event === "reboot") this.#onReboot(event.by, event.kind);
      },
      previousLoad: store.get(owedKey) === "0" ? "normal" : "unknown",
    });
    const site = siteOf(config);
    this.#grid = gridOf(config, site, world, store);
    // Of a module that nobody has set up the region is not known: what the last one's law wanted kept stays.
    const keepLog = world.web?.fresh === true || keepsSecurityLog(config);
    this.#reset = new Reset(world, this.#recorder, keepLog);
    const log = (level: "info" | "warning" | "error", text: string): void => this.#log(level, text);
    this.#network = networkOf(world, config, {
      ...{ store, log },
      busy: () => (this.#steering.intent?.ask.ask ?? "normal") !== "normal",
      restart: () => this.#restart("network"),
    });
    const nextRequestId = (): number => ++this.#requestId;
    const security = (code: SecurityCode, text: string): void => {
      this.#recorder?.journal.addSecurity(code, text, this.#now);
      world.emit({ event: "log", level: "info", text: `${code}: ${text}` });
    };
    this.#renewals = renewalsOf(world, config, { log, nextRequestId, security });
    this.#updater = updaterOf(world, config, {
      ...{ store, log, nextRequestId, security },
      quietMs: (now) => this.#quietMs(now),
      gridEvent: () => config.upstreams.some(({ id }) => id === this.#steering.intent?.source),
      steady: (now) => this.#steady(now),
      session: () => this.#steering.sessionWords(),
      restart: () => this.#restart("requested"),
    });
    this.#steering = new Steering({
      ...{ world, config, site, log, grid: this.#grid, sgd: this.#sgd, upstreams: this.#upstreams },
      ...{ recorder: this.#recorder, network: this.#network },
    });
    this.#vitals = new Vitals({ world, store, log, lamp: () => this.#lampFacts() });
    const memoryShort = (): boolean => this.#vitals.memory.short;
    const clients = new Upstreams({
      ...{ world, config, store, log, grid: this.#grid, clockHint: this.#clockHint },
      ...{ recorder: this.#recorder, updater: this.#updater },
      memoryShort,
      now: () => this.#now,
      nextRequestId,
      touch: () => {
        this.#touched = true;
      },
    });
    for (const upstream of config.upstreams) {
      const client = clients.connect(upstream);
      if (client) this.#upstreams.push(client);
    }
    this.#providers = new Providers(this.#upstreams, config.oneProvider, store);
    const zone = parsePosixTz(config.timeZone);
    this.#readyBy = new ReadyBy(store, zone);
    const { web } = world;
    this.#desk = new Desk({
      ...{ config, zone, grid: this.#grid, providers: this.#providers },
      ...{ recorder: this.#recorder, readyBy: this.#readyBy, steering: this.#steering },
      ...{ sgd: this.#sgd, counters: this.#link.counters, upstreams: this.#upstreams },
      ...{ network: this.#network, updater: this.#updater, renewals: this.#renewals },
      memoryShort,
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

  /** When the line is quiet for long enough to erase program flash. */
  #quietMs({ ms }: Now): number {
    if (ms < this.#lineMs + QUIET_MS) return this.#lineMs + QUIET_MS;
    const nextMs = this.#lineNextMs();
    return nextMs < ms + QUIET_MS ? Math.max(ms, nextMs) + QUIET_MS : ms;
  }

  /**
   * Time as the world has it: what a utility's server alone has told does not decide whether an update is stale. Where no time
   * server has answered for a day it does, not before the last time known: else such a home would never be updated.
   */
  #forUpdates(at: Now, { ms, utcMs }: Now): Now {
    const floorMs = this.#network?.floorMs;
    if (at.utcMs !== undefined || utcMs === undefined || floorMs === undefined || ms < LENT_MS) return at;
    return { ms, utcMs: Math.max(utcMs, floorMs) };
  }

  /** No order is under way, no change is near, and no random delay runs, which a restart would forget. */
  #steady(now: Now): boolean {
    const { link, load } = this.#sgd.status();
    const ordering = link === "online" && (load?.result === "waiting" || load?.result === "acknowledged");
    return !ordering && !this.#grid.delay(now).running && this.#grid.nextMs(now) > now.ms + STEADY_MS;
  }

  #restart(why: "network" | "requested"): void {
    this.stop(this.#now);
    this.#world.restart?.(why);
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
    if (this.#reset.resume()) return;
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
    this.#steering.restartHold.start(stored.filter(own), now.ms);
    const atOnce = this.#vitals.start(reason, now);
    this.#network?.start(at);
    this.#updater?.start(at);
    this.#renewals?.start(now);
    if (this.#world.web?.fresh) this.#web?.openSetup("new", now);
    if (atOnce) this.#providers.start(now);
    this.poll(now);
  }

  /** The network came, went, or a time server answered. */
  onNetwork(event: NetworkEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going || !this.#network) return;
    // Time as the world has it: what a utility's server alone has told must not keep the clock from being set.
    this.#network.onEvent(event, at);
    if (event.ev === "signal") this.#steering.inform(now);
    if (event.ev !== "up") return;
    this.#renewals?.networkUp(now);
    for (const upstream of this.#upstreams) upstream.networkUp?.(now);
  }

  /** Somebody asks for a page. */
  onWeb(request: WebRequest, at: Now): void {
    if (!this.#web) return;
    const now = this.#enter(at);
    this.#world.web?.respond(this.#reset.going ? resetting(request.id) : this.#web.handle(request, now));
  }

  /** The access point for setup is to be open. */
  inSetup(at: Now): boolean {
    return this.#web?.inSetup(at) ?? false;
  }

  /** The module's button was let go: ten seconds forget everything, one opens setup. */
  onButton(heldMs: number, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
    if (heldMs >= RESET_PRESS_MS) this.factoryReset();
    else if (heldMs >= SETUP_PRESS_MS) this.#web?.openSetup("button", now);
  }

  /** Bytes that JavaScript has left; where they are few, what can wait is left out. */
  onMemory(freeBytes: number, at: Now): void {
    const now = this.#enter(at);
    if (!this.#vitals.memory.onFree(freeBytes) || this.#reset.going) return;
    this.#recorder?.memoryShort(freeBytes, now);
    this.#log("warning", "Memory is short: the journal is not read out.");
  }

  /** The world is going to end it: power off by hand, an update. */
  stop(now: Now): void {
    if (!this.#reset.going) this.#recorder?.stopped(now);
  }

  /** What the line has to say, be it a byte line or a frame line. */
  onLine(event: ByteLineEvent | FrameLineEvent, at: Now): void {
    const now = this.#clockHint.fill(at);
    this.#now = now;
    this.#lineMs = now.ms;
    if (this.#reset.going) return;
    this.#link.onLine(event, now.ms);
    this.#linkMs = this.#link.nextMs();
  }

  onMqtt(event: MqttEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
    for (const upstream of this.#upstreams) upstream.onMqtt?.(event, now);
  }

  onMdns(event: MdnsEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
    for (const upstream of this.#upstreams) upstream.onMdns?.(event, now);
  }

  /** Something has changed at that upstream's server, the world was told (a webhook): it is asked soon. */
  hint(source: string, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
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
    if (this.#reset.going) return;
    if (event.ev === "head") this.#alive(now);
    else if (event.ev === "failed") this.#missed(event.reason, now);
    this.#updater?.onHttp(event, this.#forUpdates(at, now));
    this.#renewals?.onHttp(event, at);
    for (const upstream of this.#upstreams) upstream.onHttp(event, now);
  }

  onWebSocket(event: WebSocketEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
    if (event.ev === "open" || event.ev === "text") this.#alive(now);
    else if (event.ev === "failed") this.#missed(event.reason, now);
    for (const upstream of this.#upstreams) upstream.onWebSocket?.(event, now);
  }

  /** What became of the renewal of a certificate. */
  onCertificate(event: CertificateEvent, at: Now): void {
    const now = this.#enter(at);
    if (this.#reset.going) return;
    if (event.ev === "roots") {
      this.#updater?.onRoots(event);
      return;
    }
    if (this.#renewals?.onCertificate(event, at)) return;
    for (const upstream of this.#upstreams) upstream.onCertificate?.(event, now);
  }

  /** A server was heard: the network works. */
  #alive(now: Now): void {
    this.#network?.alive(now);
    this.#updater?.networkSeen(now);
  }

  /** A server was asked in vain: where nothing at all came back, the network may be dead. */
  #missed(reason: string, now: Now): void {
    if (["dns", "unreachable", "timeout"].includes(reason)) this.#network?.missed(now);
  }

  /** What became of a step of an update. */
  onUpdate(event: UpdateEvent, at: Now): void {
    this.#enter(at);
    if (!this.#reset.going) this.#updater?.onUpdate(event, at);
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
    if (this.#reset.going) {
      this.#reset.step(now);
      return;
    }
    if (this.#lineAlone(now)) {
      this.#progress(now);
      return;
    }
    this.#network?.poll(at);
    if (this.#vitals.poll(now)) this.#providers.start(now);
    if (this.#vitals.upstreamsFromMs === 0) for (const upstream of this.#upstreams) upstream.poll(now);
    this.#providers.poll(now);
    const { boostLeftMs, heldOff } = this.#grid.ownerStatus(now);
    const boostMs = this.#readyBy.poll(now, heldOff);
    // Whoever has pressed "charge now" for longer is not cut short.
    if (boostMs > 0 && (heldOff || boostMs > boostLeftMs))
      this.#grid.setOwner({ verb: "boost", durationMs: Math.max(boostMs, boostLeftMs) }, now);
    this.#steering.tellUpstreams(now);
    this.#steering.poll(now);
    this.#sgd.poll(now);
    this.#link.poll(now.ms);
    if (this.#steering.statusChanged) this.#steering.onStatus(now);
    const lineNextMs = this.#lineNextMs();
    this.#recorder?.poll(this.#lineMs, lineNextMs, now);
    this.#updater?.poll(this.#forUpdates(at, now));
    this.#renewals?.poll(at);
    this.#touched = this.#steering.statusChanged;
    this.#clockMs = (now.utcMs ?? NaN) - now.ms;
    this.#restMs = this.#othersNextMs();
    this.#progress(now);
    this.#vitals.showLamp();
  }

  /** Judges progress, and feeds the watchdog: nobody is late by less than seconds. */
  #progress(now: Now): void {
    if (now.ms < this.#progressMs) return;
    this.#progressMs = now.ms + PROGRESS_MS;
    const storageMs = this.#recorder?.nextMs(this.#lineMs) ?? NEVER;
    this.#vitals.progress(
      Math.min(this.#linkMs, this.#sgdMs),
      this.#upstreamsNextMs(),
      storageMs,
      this.#updater?.dueMs() ?? NEVER,
      now,
    );
  }

  #lampFacts(): Omit<LampFacts, "fault"> {
    return {
      setup: this.#web?.inSetup(this.#now) ?? false,
      updating: !["idle", "checking", undefined].includes(this.#updater?.status().phase),
      network: this.#network?.online ?? true,
      utility: this.#steering.online(),
      appliance: this.#sgd.status().link === "online",
      curtailed: this.#steering.curtailed,
    };
  }

  #upstreamsNextMs(): number {
    const fromMs = this.#vitals.upstreamsFromMs;
    if (fromMs !== 0) return fromMs;
    let next = NEVER;
    for (const upstream of this.#upstreams) next = Math.min(next, upstream.nextMs());
    return next;
  }

  /** Polls link and session alone, where nobody else can have anything to do; false where somebody can. */
  #lineAlone(now: Now): boolean {
    // A clock that was set or stepped concerns everybody; what two clocks differ by in reading does not.
    const clockMs = (now.utcMs ?? NaN) - now.ms;
    const sameClock = Object.is(clockMs, this.#clockMs) || Math.abs(clockMs - this.#clockMs) < 250;
    if (this.#touched || now.ms >= this.#restMs || !sameClock) return false;
    if (now.ms < this.#sgdMs && now.ms >= this.#linkMs) {
      this.#link.poll(now.ms);
      this.#linkMs = this.#link.nextMs();
    }
    if (now.ms >= this.#sgdMs) {
      this.#sgd.poll(now);
      this.#link.poll(now.ms);
      this.#lineNextMs();
    }
    return !this.#touched;
  }

  /** When link or session are due, asked anew. */
  #lineNextMs(): number {
    this.#linkMs = this.#link.nextMs();
    this.#sgdMs = this.#sgd.nextMs();
    return Math.min(this.#linkMs, this.#sgdMs);
  }

  #othersNextMs(): number {
    let next = Math.min(
      this.#steering.restartHold.nextMs(),
      this.#providers.nextMs(),
      this.#grid.nextMs(this.#now),
      this.#upstreamsNextMs(),
      this.#vitals.nextMs(),
    );
    if (this.#network) next = Math.min(next, this.#network.nextMs());
    next = Math.min(next, this.#readyBy.nextMs(this.#now));
    if (this.#web?.inSetup(this.#now)) next = Math.min(next, this.#web.setupEndsMs());
    if (this.#updater) next = Math.min(next, this.#updater.nextMs());
    if (this.#renewals) next = Math.min(next, this.#renewals.nextMs());
    if (this.#recorder) next = Math.min(next, this.#recorder.nextMs(this.#lineMs));
    return next;
  }

  nextMs(): number {
    if (this.#reset.going) return this.#reset.nextMs(this.#now);
    return this.#touched ? this.#now.ms : Math.min(this.#linkMs, this.#sgdMs, this.#restMs);
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
    if (this.#vitals.memory.short) return { why: "memory-short", lines: [], next: undefined };
    return this.#desk.readJournal(part, role, format, from);
  }

  /** Forgets what belongs to the owner, and starts anew. Takes a second or two, a sector at a time. */
  factoryReset(): OwnerAnswer {
    return this.#reset.begin();
  }

  #onReboot(by: "module" | "appliance", kind: number): void {
    this.#recorder?.onReboot(by, kind, this.#now);
    // The appliance asks for factory defaults: its owner has pressed the button there.
    if (by === "appliance" && kind === 1) this.factoryReset();
  }

  /** Everything at once, for the page and for `state` requests. */
  state(now: Now = this.#now): UcmState {
    return this.#desk.state(now);
  }
}
