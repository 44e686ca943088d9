/**
 * Updates over the air. This folder guarantees: nothing is written into the inactive slot that a threshold of the
 * release keys has not signed for this board; nothing boots that has not been checked block by block and as a whole;
 * what boots is on trial until it has shown that it can reach both the appliance and the server from which it can be
 * replaced; and every acceptance, refusal, installation and return stands in the security log under its own name.
 * The metadata are The Update Framework's (docs/how-to/release-firmware.md); the server can be any static one.
 */
import { backoffMs } from "../base/backoff.js";
import { isFault, type Fault } from "../base/fault.js";
import { toHex } from "../base/hex.js";
import { crcOfText, openJson, sealJson } from "../base/json.js";
import { uniformInt, type Uint32Source } from "../base/random.js";
import type { CertificateEvent, CertificatePort } from "../ports/certificates.js";
import type { HttpEvent } from "../ports/http.js";
import { NEVER, type Now, type StorePort } from "../ports/time.js";
import type { UpdateEvent } from "../ports/update.js";
import { askSlot, type Steps } from "./asks.js";
import { checkServer, runCycle, type CycleInput } from "./cycle.js";
import { download, PAGE_BYTES } from "./download.js";
import { BLOCK_HASH_BYTES, chooseOffer, compareVersions, type Failure, type Offer } from "./offer.js";
import { Runner, type RunnerHost } from "./runner.js";
import { judgeTrial, TRIAL_MS, type TrialRecord } from "./trial.js";
import { fetchRoots } from "./trust-roots.js";
import { Trust } from "./trust.js";

export interface UpdateConfig {
  /** Address of the folder that `openucm release publish` has made. */
  readonly url: string;
  /** The root that the device was made with, JSON; "" = there is none, and nothing is updated. */
  readonly rootText: string;
  /** About so long between two looks, hours. */
  readonly checkHours: number;
}

export type UpdateCode = "update-accepted" | "update-refused" | "update-installed" | "update-rolled-back";

export interface UpdaterHost extends Omit<RunnerHost, "url"> {
  readonly random: Uint32Source;
  readonly store: StorePort;
  /** Takes bundles of trust roots; without it they are passed over. */
  readonly certificates?: CertificatePort | undefined;
  /** The sets of credentials that have roots. */
  readonly credentials: readonly string[];
  /** A grid event holds the charger at this moment. */
  gridEvent(): boolean;
  /** Nothing is about to change at the charger: a restart now comes between no order and its effect. */
  steady(now: Now): boolean;
  /** The appliance that there is a session with, in any words that stay the same; "" = none. */
  session(): string;
  security(code: UpdateCode | "security-setup", text: string): void;
  log(level: "info" | "warning", text: string): void;
  /** Boots anew. */
  restart(): void;
}

export type UpdatePhase =
  "idle" | "checking" | "downloading" | "waiting" | "restarting" | "trial" | "rolling-back";

/** For the page and for `state`. */
export interface UpdateStatus {
  readonly version: string;
  readonly board: string;
  readonly slot: "a" | "b";
  readonly phase: UpdatePhase;
  /** Version under way; "" = none. */
  readonly target: string;
  /** Of the image, 0…100. */
  readonly percent: number;
  /** Bytes fetched since start, metadata included. */
  readonly fetchedBytes: number;
  /** Most bytes held at once while an image is fetched: a page and the longest piece that came. */
  readonly heldBytes: number;
  /** How the last look ended: `none` = nothing newer. `why` is a fault's code or "". */
  readonly last: {
    readonly result: "" | "none" | "refused" | "failed" | "installed" | "rolled-back" | "no-time";
    readonly why: string;
    readonly text: string;
    readonly utcMs: number | null;
  };
  /** Monotonic ms; −1 = not planned. */
  readonly nextCheckMs: number;
}

const trialKey = "update.trial";
const floorKey = "update.floor";
const failuresKey = "update.failed";
const deviceKey = "update.device";
const acceptedKey = "update.accepted";
/** Of a set of credentials: the version of the last bundle of roots that was decided on. */
const rootsKey = "update.roots.";
const underWayKey = "update.underway";
/** UTC in ms since when there has been an update that was accepted and is not installed. */
const sinceKey = "update.since";

const MINUTE = 60_000;
const HOUR = 3_600_000;
/** The network has worked if it did within this time before the restart. */
const WORKED_MS = HOUR;
/** Metadata older than this are looked at again before an image boots. */
const STALE_MS = HOUR;
/** What is due waits for a steady moment no longer than this. */
const STEADY_MS = 24 * HOUR;
/** So long after the look a download that a power cut has ended goes on without a new look. */
const UNDER_WAY_MS = 24 * HOUR;
/** After a start, nobody asks at once: a whole street comes back from a power cut together. */
const FIRST_CHECK_MS = HOUR;
const FAILURES_KEPT = 4;
/** An image that was left is tried again after this time, then after twice that, and so on up to a month. */
const RETRY_MS = 24 * HOUR;
const MOST_RETRY_MS = 32 * RETRY_MS;
/** The page that a download fills, and a hash it compares with. */
const OWN_BYTES = PAGE_BYTES + BLOCK_HASH_BYTES;

/** The image that is being fetched, as it was verified; kept while it is. */
interface UnderWay {
  readonly offer: Offer;
  readonly utcMs: number;
}

type Outcome =
  | { readonly end: "none" | "again" }
  | { readonly end: "boot"; readonly offer: Offer }
  | { readonly end: "bad"; readonly why: Fault; readonly offer: Offer | undefined };

export class Updater {
  private readonly runner: Runner;
  private readonly trust: Trust;
  private phase: UpdatePhase = "idle";
  private target = "";
  private percent = 0;
  private last: UpdateStatus["last"] = { result: "", why: "", text: "", utcMs: null };
  private nextCheckMs = 0;
  private failures = 0;
  private now: Now = { ms: 0, utcMs: undefined };
  /** What the trial is about, and since when it runs. */
  private trial: { readonly record: TrialRecord; readonly sinceMs: number } | undefined;
  private networkMs: number | undefined;
  private refusalTold = "";
  private timeTold = false;

  constructor(
    private readonly config: UpdateConfig,
    private readonly host: UpdaterHost,
  ) {
    this.runner = new Runner({
      ...{
        http: host.http,
        port: host.port,
        url: config.url.endsWith("/") ? config.url.slice(0, -1) : config.url,
      },
      nextRequestId: () => host.nextRequestId(),
      quietMs: (now) => this.quietMs(now),
    });
    this.trust = new Trust(host.store, String(crcOfText(config.rootText)));
  }

  /** Finds out what the last restart has come to. */
  start(now: Now): void {
    this.now = now;
    const { slots } = this.host.port;
    const record = openJson(this.host.store.get(trialKey)) as TrialRecord | undefined;
    const between = Math.min(FIRST_CHECK_MS, this.config.checkHours * HOUR);
    this.nextCheckMs = now.ms + uniformInt(this.host.random, Math.floor(between));
    if (slots.trial) {
      const none = { from: "", sha256: "", session: "", network: false, why: "" };
      const known = record?.version === slots.version ? record : { ...none, version: slots.version };
      this.trial = { record: known, sinceMs: now.ms };
      this.phase = "trial";
      this.target = slots.version;
      this.nextCheckMs = now.ms;
    } else if (record) {
      this.host.store.delete(trialKey);
      if (record.version === slots.version) this.installed(record.version);
      else if (slots.other === "aborted" || slots.other === "invalid") this.rolledBack(record);
    }
  }

  /** An upstream was reached: the network works. */
  networkSeen(now: Now): void {
    this.networkMs = now.ms;
  }

  onHttp(event: HttpEvent, now: Now): void {
    this.now = now;
    this.runner.onHttp(event, now);
  }

  onUpdate(event: UpdateEvent, now: Now): void {
    this.now = now;
    this.runner.onUpdate(event);
  }

  poll(now: Now): void {
    this.now = now;
    if (this.phase === "restarting" || this.phase === "rolling-back") {
      this.runner.poll(now);
      return;
    }
    if (this.trial) this.pollTrial(this.trial);
    else if (!this.runner.running && now.ms >= this.nextCheckMs) this.look();
    else if (
      this.runner.wantsQuiet &&
      now.utcMs !== undefined &&
      now.ms >= this.lookedMs + this.config.checkHours * HOUR &&
      this.held(now)
    ) {
      // While one waits, a newer one may have come that must not, or new trust roots.
      this.host.store.delete(underWayKey);
      this.look();
    }
    this.runner.poll(now);
  }

  nextMs(): number {
    if (this.runner.running) {
      const own = this.runner.nextMs(this.now);
      return this.trial ? Math.min(own, this.trialNextMs(this.trial)) : own;
    }
    if (this.phase === "restarting" || this.phase === "rolling-back") return NEVER;
    return this.trial ? this.trialNextMs(this.trial) : this.nextCheckMs;
  }

  /** When it must have got on, for the watchdog: also a restart that was asked for and does not come is late. */
  dueMs(): number {
    return this.restartMs ?? this.nextMs();
  }

  /** When a restart was asked for. */
  private restartMs: number | undefined;

  private restart(): void {
    this.restartMs = this.now.ms;
    this.host.restart();
  }

  status(): UpdateStatus {
    const { version, board, slot } = this.host.port.slots;
    return {
      ...{ version, board, slot, phase: this.phase, target: this.target, percent: this.percent },
      fetchedBytes: this.runner.fetchedBytes,
      heldBytes: OWN_BYTES + this.runner.largestPiece,
      last: { ...this.last },
      nextCheckMs: this.runner.running ? -1 : Math.round(this.nextCheckMs),
    };
  }

  /** Looks for an update now; false where that cannot be. */
  check(now: Now): boolean {
    this.now = now;
    if (this.trial || this.runner.running || this.phase !== "idle") return false;
    this.nextCheckMs = now.ms;
    return true;
  }

  // — looking and fetching —

  private input(utcMs: number): CycleInput {
    return { trust: this.trust, bundledRoot: this.config.rootText, utcMs };
  }

  private lookedMs = 0;

  private look(): void {
    const { utcMs, ms } = this.now;
    if (utcMs === undefined) {
      // Without the time, a stale answer cannot be told from a new one: nothing is decided.
      this.nextCheckMs = ms + MINUTE;
      this.ended("no-time", "update-no-time", "The clock is not set, so no update can be judged.");
      if (!this.timeTold) this.host.log("info", this.last.text);
      this.timeTold = true;
      return;
    }
    this.phase = "checking";
    this.percent = 0;
    this.offer = undefined;
    this.lookedMs = ms;
    this.runner.start(this.steps(utcMs), (outcome) => this.onOutcome(outcome));
  }

  private choose(targets: Parameters<typeof chooseOffer>[0], utcMs: number): Offer | Fault | undefined {
    const { slots } = this.host.port;
    const floor = this.host.store.get(floorKey) ?? slots.version;
    return chooseOffer(targets, {
      ...{ slots, floor, failures: this.failed(), deviceId: this.deviceId(), utcMs },
    });
  }

  /** From the look to the image that is ready to boot. */
  private *steps(utcMs: number): Steps<Outcome> {
    const before = this.underWay(utcMs);
    const offer = before ?? (yield* this.offered(utcMs));
    if (offer === undefined) return { end: "none" };
    if (isFault(offer)) return { end: "bad", why: offer, offer: undefined };
    this.accept(offer);
    const progress = (bytes: number): void => {
      this.percent = Math.floor((100 * bytes) / offer.length);
    };
    const write = (at: number, bytes: Uint8Array): void => this.runner.write(at, bytes);
    const place = { slots: this.host.port.slots, write, progress };
    const wrong = yield* download(place, offer, this.trust.root?.consistent ?? true);
    if (wrong) return { end: "bad", why: wrong, offer };
    this.phase = "waiting";
    yield { ask: "quiet" };
    // It may have been withdrawn while it was fetched, while the power was off or while it waited for the end of an event.
    if (before || this.now.ms - this.lookedMs > STALE_MS) return { end: "again" };
    this.leave(offer);
    const { version, board, length, sha256 } = offer;
    const refused = yield* askSlot({ do: "boot", image: { version, board, length, sha256 } });
    return refused ? { end: "bad", why: refused, offer } : { end: "boot", offer };
  }

  private *offered(utcMs: number): Steps<Offer | Fault | undefined> {
    const targets = yield* runCycle(this.input(utcMs));
    if (isFault(targets)) return targets;
    const wrong = yield* this.roots(targets);
    if (wrong) return wrong;
    const offer = this.choose(targets, utcMs);
    if (offer !== undefined && !isFault(offer))
      this.host.store.set(underWayKey, sealJson({ offer, utcMs } satisfies UnderWay));
    return offer;
  }

  /** New trust roots come before new firmware: they may be what reaches it. */
  private roots(targets: Parameters<typeof fetchRoots>[0]): Steps<Fault | undefined> {
    const { certificates, credentials: names, store } = this.host;
    return fetchRoots(
      targets,
      {
        wants: (name, version) =>
          certificates !== undefined &&
          names.includes(name) &&
          version > Number(store.get(rootsKey + name) ?? 0),
        put: (credentials, version, bundle) =>
          certificates?.call({ do: "roots", credentials, version, bundle }),
      },
      this.trust.root?.consistent ?? true,
    );
  }

  /** What became of a bundle of trust roots. What the flash did not take is tried with the next look. */
  onRoots({ credentials, version, ok, why }: Extract<CertificateEvent, { readonly ev: "roots" }>): void {
    if (why === "storage" || why === "memory") return;
    this.host.store.set(rootsKey + credentials, String(version));
    if (why === "old") return;
    const text = `trust roots ${String(version)} for ${credentials}`;
    this.host.security(
      ok ? "security-setup" : "update-refused",
      ok ? `${text}: on trial` : `${text}: ${why}`,
    );
  }

  /** What was being fetched when power went away. It is fetched on, and looked for once more before it boots. */
  private underWay(utcMs: number): Offer | undefined {
    const { offer, utcMs: sinceMs } = (openJson(this.host.store.get(underWayKey)) ?? {}) as Partial<UnderWay>;
    const { slots } = this.host.port;
    if (offer === undefined || sinceMs === undefined || this.trust.root === undefined) return undefined;
    const fresh = utcMs >= sinceMs && utcMs - sinceMs < UNDER_WAY_MS;
    return fresh && compareVersions(offer.version, slots.version) > 0 ? offer : undefined;
  }

  private accept(offer: Offer): void {
    const { store } = this.host;
    this.phase = "downloading";
    this.target = offer.version;
    this.offer = offer;
    const utcMs = this.now.utcMs ?? 0;
    const known = Number(store.get(sinceKey) ?? NaN);
    this.sinceMs = known <= utcMs ? known : utcMs;
    if (known !== this.sinceMs) store.set(sinceKey, String(this.sinceMs));
    if (store.get(acceptedKey) === offer.sha256) return;
    store.set(acceptedKey, offer.sha256);
    this.host.security("update-accepted", `${offer.version} (${offer.path})`);
  }

  /** What is under way, and since when there has been something to install, UTC ms. */
  private offer: Offer | undefined;
  private sinceMs = 0;

  /**
   * An image that must not move during a grid event waits for its end, for as long as its maker allows; and each restarts
   * when nothing is about to change at the charger, or a day later anyway: nobody can hold an update back for ever.
   */
  private held(now: Now): boolean {
    const { offer, host } = this;
    if (offer === undefined) return false;
    const { notDuringEvent, longestWaitMs } = offer;
    const lateMs = (now.utcMs ?? 0) - this.sinceMs - (notDuringEvent ? longestWaitMs : 0);
    if (notDuringEvent && lateMs < 0 && host.gridEvent()) return true;
    return this.phase === "waiting" && lateMs < STEADY_MS && !host.steady(now);
  }

  private quietMs(now: Now): number {
    return this.held(now) ? now.ms + MINUTE : this.host.quietMs(now);
  }

  /** What the image on trial needs to know; written before the switch, so that no power cut loses it. */
  private leave(offer: Offer): void {
    const { networkMs, now } = this;
    const seenMs = Math.max(networkMs ?? -Infinity, this.runner.serverMs ?? -Infinity);
    const record: TrialRecord = {
      ...{ version: offer.version, from: this.host.port.slots.version, sha256: offer.sha256 },
      session: this.host.session(),
      network: now.ms - seenMs <= WORKED_MS,
      why: "",
    };
    this.host.store.set(trialKey, sealJson(record));
  }

  private onOutcome(outcome: Outcome): void {
    this.phase = "idle";
    this.offer = undefined;
    const { now, host } = this;
    host.store.delete(underWayKey);
    if (outcome.end === "boot") {
      this.phase = "restarting";
      this.restart();
      return;
    }
    this.target = "";
    if (outcome.end === "bad") {
      this.bad(outcome.why, outcome.offer);
      const maxMs = Math.max(MINUTE, this.config.checkHours * HOUR);
      const rule = { periodMs: Math.min(2 * MINUTE, maxMs), floorMs: Math.min(15_000, maxMs), maxMs };
      this.nextCheckMs = now.ms + backoffMs(rule, ++this.failures, host.random);
    } else if (outcome.end === "again") this.nextCheckMs = now.ms + 1000;
    else {
      host.store.delete(sinceKey);
      this.failures = 0;
      this.refusalTold = "";
      this.ended("none", "", "There is nothing newer.");
      const hours = this.config.checkHours * (0.75 + uniformInt(host.random, 5000) / 10_000);
      this.nextCheckMs = now.ms + Math.max(1000, Math.floor(hours * HOUR));
    }
  }

  /** What a server, a file or the flash did wrong, told once until it is another thing. */
  private bad(why: Fault, offer: Offer | undefined): void {
    const refused = why.fault.startsWith("tuf-") || why.fault.startsWith("update-");
    this.ended(refused ? "refused" : "failed", why.fault, why.text);
    if (offer) this.host.store.delete(trialKey);
    // An image that is not what was signed is not fetched over and over again.
    const image =
      why.fault === "update-block" || why.fault === "update-image" || why.fault === "update-invalid";
    if (offer && image) this.fail(offer.sha256);
    const told = `${why.fault}: ${why.text}`;
    if (told === this.refusalTold) return;
    this.refusalTold = told;
    if (refused) this.host.security("update-refused", told);
    else this.host.log("info", `Update: ${told}`);
  }

  private ended(result: UpdateStatus["last"]["result"], why: string, text: string): void {
    this.last = { result, why, text, utcMs: this.now.utcMs ?? null };
  }

  // — on trial —

  private pollTrial(trial: NonNullable<Updater["trial"]>): void {
    const { record, sinceMs } = trial;
    const { now, host } = this;
    const network = this.networkMs !== undefined || this.runner.serverMs !== undefined;
    const verdict = judgeTrial(record, {
      ...{ sinceMs: now.ms - sinceMs, session: host.session(), network, server: this.serverSeen },
    });
    if (verdict === "confirm") {
      this.phase = "idle";
      this.trial = undefined;
      this.runner.start(askSlot({ do: "confirm" }), (wrong) => this.onConfirmed(record, wrong));
    } else if (verdict !== "wait") {
      this.phase = "rolling-back";
      host.store.set(trialKey, sealJson({ ...record, why: verdict }));
      host.log("warning", `Version ${record.version} gives up: ${verdict}.`);
      this.runner.start(askSlot({ do: "roll-back" }), (wrong) => {
        if (wrong) host.log("warning", `Going back failed: ${wrong.text}`);
        this.restart();
      });
    } else if (
      !this.serverSeen &&
      !this.runner.running &&
      now.ms >= this.nextCheckMs &&
      now.utcMs !== undefined
    ) {
      this.runner.start(checkServer(this.input(now.utcMs)), (wrong) => {
        this.serverSeen = wrong === undefined;
        if (wrong) this.ended("failed", wrong.fault, wrong.text);
        const rule = { periodMs: 10_000, floorMs: 3000, maxMs: MINUTE };
        this.failures = wrong ? this.failures + 1 : 0;
        this.nextCheckMs = this.now.ms + backoffMs(rule, this.failures, host.random);
      });
    }
  }

  private serverSeen = false;

  private trialNextMs({ sinceMs }: NonNullable<Updater["trial"]>): number {
    const { ms } = this.now;
    if (!this.serverSeen) return Math.max(this.nextCheckMs, ms + 1000);
    return Math.max(ms + 1000, Math.min(sinceMs + TRIAL_MS, ms + MINUTE));
  }

  private onConfirmed(record: TrialRecord, wrong: Fault | undefined): void {
    const between = Math.min(FIRST_CHECK_MS, this.config.checkHours * HOUR);
    this.nextCheckMs = this.now.ms + uniformInt(this.host.random, Math.floor(between));
    if (wrong) {
      // It goes on running; the next reset goes back, and the next look offers it again.
      this.host.log("warning", `Version ${record.version} could not be confirmed: ${wrong.text}`);
      return;
    }
    this.host.store.delete(trialKey);
    this.installed(record.version);
  }

  private installed(version: string): void {
    const { store } = this.host;
    const floor = store.get(floorKey);
    if (floor === undefined || !(compareVersions(floor, version) >= 0)) store.set(floorKey, version);
    store.delete(failuresKey);
    store.delete(sinceKey);
    this.target = "";
    this.ended("installed", "", `Version ${version} is installed.`);
    this.host.security("update-installed", version);
  }

  private rolledBack(record: TrialRecord): void {
    const why = record.why === "" ? "reset on trial" : record.why;
    this.fail(record.sha256);
    this.ended("rolled-back", why, `Version ${record.version} was left: ${why}.`);
    this.host.security("update-rolled-back", `${record.version} to ${record.from}: ${why}`);
  }

  // — what is kept —

  private failed(): readonly Failure[] {
    return (openJson(this.host.store.get(failuresKey)) as readonly Failure[] | undefined) ?? [];
  }

  private fail(sha256: string): void {
    const all = this.failed();
    const times = (all.find((one) => one.sha256 === sha256)?.times ?? 0) + 1;
    const waitMs = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** Math.min(10, times - 1));
    const retryUtcMs = (this.now.utcMs ?? 0) + waitMs;
    const others = all.filter((one) => one.sha256 !== sha256).slice(1 - FAILURES_KEPT);
    this.host.store.set(failuresKey, sealJson([...others, { sha256, times, retryUtcMs }]));
  }

  /** Which of ten thousand modules this one is: drawn at the first need and kept. */
  private deviceId(): string {
    const { store, random } = this.host;
    const known = store.get(deviceKey);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 8; i++) bytes[i] = uniformInt(random, 255);
    const id = toHex(bytes);
    store.set(deviceKey, id);
    return id;
  }
}
