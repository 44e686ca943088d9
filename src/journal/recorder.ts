import type { FlashPort } from "../ports/flash.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import type { EventLevel } from "./event-log.js";
import { FlashArea } from "./flash-sector.js";
import { FlashStore } from "./flash-store.js";
import { Journal, JOURNAL_SECTORS, type JournalIntent } from "./journal.js";
import type { SecurityCode } from "./security-log.js";

/**
 * Why the module starts: power came, the watchdog, a crash or a brown-out ended it, somebody restarted it, it has just
 * been reset, or the network was dead for a day.
 */
export type StartReason =
  "power" | "watchdog" | "crash" | "brownout" | "requested" | "factory-reset" | "network";

/** How the flash is doing. */
export interface JournalState {
  /** The newest value of the security log's chain: worth remembering elsewhere. */
  readonly securityHead: string;
  readonly erases: number;
  /** Erasures that could not wait for a quiet line. */
  readonly forcedErases: number;
  /** Values that did not fit. */
  readonly refusedValues: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
}

/** The line must have been silent so long, and stay so, before a sector is erased; and so long between two. */
const QUIET_MS = 300;
const BETWEEN_ERASES_MS = 1000;

/** The same thing is noted for security once in this time. */
const SAME_AGAIN_MS = 3_600_000;

/** A clock that moves by more at once was set. */
const CLOCK_STEP_MS = 10_000;

/**
 * Journal and value store on the module's flash, and what is worth keeping of what happens. Told everything
 * that changes; writes each matter once, so that something that repeats itself neither wears the flash nor
 * pushes older entries out.
 */
export class Recorder {
  readonly journal: Journal;
  readonly store: FlashStore;
  private lastEraseMs = -BETWEEN_ERASES_MS;
  private meteredMs: number | undefined;
  /** The line was about to be used; look again then. */
  private busyUntilMs = 0;
  private link: SgdStatus["link"] = "absent";
  private rebooting = false;
  private refusedTold = 0;
  private command = "";
  /** What was noted → when: a loose contact or a server that changes its mind must not push older entries out. */
  private readonly noted = new Map<string, number>();
  /** Upstream → the last fault of security that was noted. */
  private readonly insecure = new Map<string, string>();
  /** UTC less monotonic time. */
  private clockMs: number | undefined;
  private readonly upstreams = new Map<string, string>();

  /** `flash`: the journal's 24 sectors, then at least 4 for values. */
  constructor(flash: FlashPort) {
    this.store = new FlashStore(new FlashArea(flash, JOURNAL_SECTORS, flash.sectors - JOURNAL_SECTORS));
    this.journal = new Journal(flash);
  }

  /** `configuration`: the first there is, another than before, or "" for the same. */
  started(reason: StartReason, configuration: "first" | "changed" | "", now: Now): void {
    const { journal } = this;
    if (journal.security.brokenUntold) journal.addSecurity("tampering", "the security log was changed", now);
    journal.addSecurity(reason === "power" ? "power-cycle" : "start", reason, now);
    if (configuration !== "") journal.addSecurity("setup", `configuration: ${configuration}`, now);
  }

  stopped(now: Now): void {
    this.journal.addSecurity("stop", "", now);
  }

  onSgd(status: SgdStatus, now: Now): void {
    const { link, meteredAtMs } = status;
    if (meteredAtMs !== this.meteredMs) {
      // A reading counts for the moment at which it was read; the half hours' ends lie between two.
      this.meteredMs = meteredAtMs;
      const agoMs = now.ms - meteredAtMs;
      const utcMs = now.utcMs === undefined ? undefined : now.utcMs - agoMs;
      this.journal.onSgd(status, { ms: meteredAtMs, utcMs });
    }
    if (link === this.link) return;
    const before = this.link;
    this.link = link;
    if (link === "online") {
      this.rebooting = false;
      this.journal.addEvent("info", "The appliance is there.", now);
    } else if (link === "absent" && before === "online" && !this.rebooting) {
      // CTA-2045 has no pin that tells: an appliance that is pulled and one that is dead look alike.
      if (this.mayNote("removed", now))
        this.journal.addSecurity("removed-from-socket", "the appliance is silent", now);
      else this.journal.addEvent("warning", "The appliance is silent again.", now);
    }
  }

  onIntent(intent: JournalIntent, reason: string, now: Now): void {
    this.journal.onIntent(intent, now);
    this.journal.addEvent("info", reason, now);
  }

  /** A load command got further: proofs and failures are kept, steps on the way are not. */
  onCommand(name: string, result: string, text: string, now: Now): void {
    if (result === "waiting" || result === "acknowledged") return;
    const told = `${name}: ${result}${text === "" ? "" : `, ${text}`}.`;
    if (told === this.command) return;
    this.command = told;
    const bad = result !== "verified" && result !== "overridden";
    this.journal.addEvent(bad ? "warning" : "info", told, now);
  }

  onOverride(on: boolean, now: Now): void {
    this.journal.addEvent("info", `The customer's override at the appliance ${on ? "began" : "ended"}.`, now);
  }

  onReboot(by: "module" | "appliance", kind: number, now: Now): void {
    this.rebooting = true;
    if (by === "appliance" && kind === 0)
      this.journal.addSecurity("user-reset", "asked by the appliance", now);
    else this.journal.addEvent("info", `Reboot ${String(kind)} by the ${by}.`, now);
  }

  private mayNote(what: string, now: Now): boolean {
    const ms = this.noted.get(what);
    if (ms !== undefined && now.ms - ms < SAME_AGAIN_MS) return false;
    this.noted.set(what, now.ms);
    return true;
  }

  /** Told with every change. What is refused again and again is one entry until it is accepted. */
  onUpstream(id: string, state: string, fault: string, text: string, now: Now): void {
    const code = codeOf(fault);
    if (state === "online") this.insecure.delete(id);
    else if (code !== undefined && this.insecure.get(id) !== fault) {
      this.insecure.set(id, fault);
      if (this.mayNote(`${id} ${fault}`, now)) this.journal.addSecurity(code, `${id}: ${fault}`, now);
    }
    if (state !== "online" && state !== "failing") return;
    const told = `${state} ${fault}`;
    if (this.upstreams.get(id) === told) return;
    this.upstreams.set(id, told);
    this.journal.addEvent(
      state === "online" ? "info" : "warning",
      `Utility '${id}' ${state === "online" ? "is online" : `fails: ${fault}, ${text}`}.`,
      now,
    );
  }

  /** The owner has set something up: consent, schedule, delay. */
  setUp(what: string, now: Now): void {
    this.journal.addSecurity("setup", what, now);
  }

  /** Free memory has just become short. */
  memoryShort(freeBytes: number, now: Now): void {
    this.journal.addSecurity("memory-short", `${String(freeBytes)} bytes free`, now);
  }

  log(level: EventLevel, text: string, now: Now): void {
    if (level !== "info") this.journal.addEvent(level, text, now);
  }

  /**
   * Erases at most one sector, and only where the line has been silent since `lineMs` and nothing is due on it
   * before `lineNextMs`.
   */
  poll(lineMs: number, lineNextMs: number, now: Now): void {
    this.watchClock(now);
    if (this.store.refused > this.refusedTold) {
      this.refusedTold = this.store.refused;
      this.journal.addEvent("error", "A value did not fit the store and was not kept.", now);
    }
    if (now.ms < lineMs + QUIET_MS || now.ms < this.lastEraseMs + BETWEEN_ERASES_MS) return;
    if (lineNextMs < now.ms + QUIET_MS) {
      this.busyUntilMs = now.ms + QUIET_MS;
      return;
    }
    if (this.journal.tidy() || this.store.tidy()) this.lastEraseMs = now.ms;
  }

  /** When to poll next, monotonic ms. */
  nextMs(lineMs: number): number {
    if (!this.wantsErase) return NEVER;
    const quietMs = Math.max(lineMs + QUIET_MS, this.lastEraseMs + BETWEEN_ERASES_MS, this.busyUntilMs);
    return quietMs;
  }

  state(): JournalState {
    const { journal, store } = this;
    return {
      securityHead: journal.security.head,
      erases: journal.erases + store.erases,
      forcedErases: journal.forcedErases + store.forcedErases,
      refusedValues: store.refused,
      usedBytes: store.usedBytes,
      capacityBytes: store.capacity,
    };
  }

  /** A clock that is set or steps; that it drifts, or is corrected by little, is no news. */
  private watchClock({ ms, utcMs }: Now): void {
    if (utcMs === undefined) return;
    const before = this.clockMs ?? utcMs - ms;
    this.clockMs = utcMs - ms;
    const stepMs = this.clockMs - before;
    if (Math.abs(stepMs) < CLOCK_STEP_MS) return;
    this.journal.addSecurity("clock-set", `by ${String(Math.round(stepMs / 1000))} s`, { ms, utcMs });
  }

  private get wantsErase(): boolean {
    return this.journal.wantsErase || this.store.wantsErase;
  }
}

/** The security log's word for a fault of an upstream; undefined for those that are not of security. */
function codeOf(fault: string): SecurityCode | undefined {
  if (fault.startsWith("tls-")) return "certificate-refused";
  if (fault === "http-401" || fault === "http-403") return "login-refused";
  return fault === "ocpp-garbage" ? "messages-invalid" : undefined;
}
