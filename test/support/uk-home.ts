import { parsePosixTz } from "../../src/base/posix-tz.js";
import { seededRandom, uniformInt, type Uint32Source } from "../../src/base/random.js";
import { levelOf } from "../../src/grid/asks.js";
import { GridCore } from "../../src/grid/core.js";
import type { GridEvent } from "../../src/grid/event.js";
import { gridSettings } from "../../src/grid/settings.js";
import { FlashArea } from "../../src/journal/flash-sector.js";
import { FlashStore } from "../../src/journal/flash-store.js";
import { Journal, JOURNAL_SECTORS } from "../../src/journal/journal.js";
import type { Now, StorePort } from "../../src/ports/time.js";
import { CUTS, FlashSim, type Cut } from "./flash-sim.js";
import { DAY, HOUR, MINUTE, SECOND } from "./grid.js";

export const STORE_SECTORS = 24;
const HALF = 30 * MINUTE;
const zone = parsePosixTz("GMT0BST,M3.5.0/1,M10.5.0");
const settings = gridSettings({ region: "uk", zone });

/** Power went away inside a flash operation. */
class PowerCut extends Error {}

/** A store that knows what it was told last, and what has been acknowledged. */
export class WatchedStore implements StorePort {
  constructor(
    readonly inner: FlashStore,
    readonly acknowledged: Map<string, string>,
  ) {}
  inFlight: { key: string; value: string | undefined } | undefined;
  get(key: string): string | undefined {
    return this.inner.get(key);
  }
  set(key: string, value: string): void {
    this.inFlight = { key, value };
    if (!this.inner.set(key, value)) throw new Error(`no room for ${key}`);
    this.acknowledged.set(key, value);
    this.inFlight = undefined;
  }
  delete(key: string): void {
    this.inFlight = { key, value: undefined };
    this.inner.delete(key);
    this.acknowledged.delete(key);
    this.inFlight = undefined;
  }
}

/**
 * A home in London: a 7.36 kW charger with its own meter, a car that comes home most evenings, the module's
 * core, journal and flash, without wire and XML. Everything in virtual time.
 */
export class UkHome {
  readonly flash = new FlashSim(JOURNAL_SECTORS + STORE_SECTORS);
  readonly random: Uint32Source;
  readonly acknowledged = new Map<string, string>();
  store!: WatchedStore;
  core!: GridCore;
  journal!: Journal;
  trueMs = 0;
  private bootMs = 0;
  private clockAtMs = 0;
  /** The charger. */
  level = 1;
  meterWh = 12_345.6;
  private needWh = 0;
  private wasPlugged = false;
  powered = true;
  /** The meter at the begin of every half hour (by number since the start), as the simulator knows it. */
  readonly meterAt: number[] = [];
  /** Half hours (by number) that an outage of the module touched. */
  readonly touched = new Set<number>();
  events: GridEvent[] = [];
  private deliveredDay = -1;
  restarts = 0;
  moduleAlive = false;
  tidied = 0;
  onWorked: (() => void) | undefined;

  constructor(
    readonly startUtcMs: number,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    this.boot(0);
  }

  get utcMs(): number {
    return this.startUtcMs + this.trueMs;
  }

  get now(): Now {
    return {
      ms: this.trueMs - this.bootMs,
      utcMs: this.trueMs >= this.clockAtMs ? this.utcMs : undefined,
    };
  }

  /** Starts the module; it learns the time `clockMs` later. */
  boot(clockMs: number): void {
    this.bootMs = this.trueMs;
    this.clockAtMs = this.trueMs + clockMs;
    this.moduleAlive = true;
    const area = new FlashArea(this.flash, JOURNAL_SECTORS, STORE_SECTORS);
    this.store = new WatchedStore(new FlashStore(area), this.acknowledged);
    this.core = new GridCore({ store: this.store, random: this.random, settings });
    this.journal = new Journal(this.flash);
    this.journal.addSecurity("start", `boot ${String(this.restarts)}`, this.now);
    if (this.restarts > 0) this.core.started("power-restored", this.now);
    this.core.sourceHealth("dno", true, this.now);
  }

  /** Lets the home live for a while. */
  live(ms: number): void {
    const untilMs = this.trueMs + ms;
    while (this.trueMs < untilMs) {
      const next = Math.min(
        untilMs,
        (Math.floor(this.trueMs / HALF) + 1) * HALF,
        this.trueMs + (this.charging ? 5 * MINUTE : HALF),
        this.moduleAlive ? Math.max(this.trueMs + 1, this.core.nextMs(this.now) + this.bootMs) : Infinity,
        this.moduleAlive && this.now.utcMs === undefined ? this.clockAtMs : Infinity,
      );
      this.pass(next - this.trueMs);
      this.plug();
      if (this.moduleAlive) this.work();
    }
  }

  /** Power goes away, for the module alone or for the whole house, between operations or inside the next one. */
  cut(outageMs: number, wholeHouse: boolean, inside: Cut | undefined): void {
    if (inside !== undefined) {
      this.flash.onOperation = (operation) => {
        this.flash.bytes.set(this.flash.cutWithin(operation, inside, this.random).bytes);
        this.flash.onOperation = undefined;
        throw new PowerCut();
      };
      try {
        this.live(40 * MINUTE);
        this.flash.onOperation = undefined;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        // What was being written may or may not have got there.
        const { inFlight } = this.store;
        if (inFlight !== undefined) {
          const area = new FlashArea(this.flash, JOURNAL_SECTORS, STORE_SECTORS);
          const kept = new FlashStore(area).get(inFlight.key);
          if (kept === undefined) this.acknowledged.delete(inFlight.key);
          else this.acknowledged.set(inFlight.key, kept);
        }
      }
    }
    // Power may have gone away while the half hour before was being written.
    const from = Math.floor(this.trueMs / HALF) - (inside === undefined ? 0 : 1);
    this.moduleAlive = false;
    this.powered = !wholeHouse;
    this.live(outageMs);
    this.powered = true;
    this.restarts++;
    this.boot(30 * SECOND);
    this.work();
    this.live(MINUTE);
    for (let half = from; half <= Math.floor(this.trueMs / HALF); half++) this.touched.add(half);
  }

  get charging(): boolean {
    return this.powerW > 0;
  }

  get powerW(): number {
    return this.powered && this.plugged && this.needWh > 0 ? 7360 * Math.min(1, this.level) : 0;
  }

  private get plugged(): boolean {
    const hour = new Date(this.utcMs).getUTCHours();
    const day = new Date(this.utcMs).getUTCDay();
    return day === 0 || day === 6 ? hour >= 20 || hour < 10 : hour >= 18 || hour < 8;
  }

  private plug(): void {
    const { plugged } = this;
    if (plugged && !this.wasPlugged) {
      this.needWh = 5000 + uniformInt(this.random, 25_000);
      if (this.moduleAlive) this.core.started("plug-in", this.now);
    }
    this.wasPlugged = plugged;
  }

  private pass(ms: number): void {
    const usedWh = Math.min(this.needWh, (this.powerW * ms) / HOUR);
    if (this.powerW > 0) {
      this.meterWh += usedWh;
      this.needWh -= usedWh;
    }
    this.trueMs += ms;
    if (this.trueMs % HALF === 0) this.meterAt[this.trueMs / HALF] = this.meterWh;
  }

  /** What the module does whenever it is woken. */
  private work(): void {
    const { now } = this;
    const day = Math.floor((this.utcMs - 5 * MINUTE) / DAY);
    if (now.utcMs !== undefined && (day !== this.deliveredDay || now.ms < MINUTE)) {
      this.deliveredDay = day;
      const list = this.events.filter(
        (e) => typeof e.start === "number" && e.start > this.utcMs - DAY && e.start < this.utcMs + 2 * DAY,
      );
      this.core.replaceEvents("dno", list, now);
    }
    const { intent } = this.core.evaluate(now);
    this.level = Math.max(0, levelOf(intent.ask, settings.site));
    this.journal.onIntent({ ask: intent.ask.ask, level: this.level, source: intent.source }, now);
    this.journal.onSgd(
      {
        link: "online",
        identity: undefined,
        opState: undefined,
        opStateAtMs: 0,
        override: false,
        powerW: this.powerW,
        energyWh: this.meterWh,
        meteredAtMs: now.ms,
        measured: true,
        ratedW: 7360,
        storageTotalWh: undefined,
        storagePresentWh: undefined,
        load: undefined,
      },
      now,
    );
    // The line is quiet now and then.
    if (this.journal.tidy() || this.store.inner.tidy()) this.tidied++;
    this.onWorked?.();
  }
}

/** So many events over so many days, some with a start-after window, some price-like, some overlapping. */
export function randomEvents(
  count: number,
  startUtcMs: number,
  days: number,
  random: Uint32Source,
): GridEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const ask = (["shed", "critical-peak", "shed", "limit"] as const)[uniformInt(random, 3)]!;
    return {
      id: `dno-${String(i)}`,
      revision: 0,
      source: "dno",
      programme: "https://dno.example/flex",
      rank: uniformInt(random, 3),
      test: false,
      start: startUtcMs + DAY + uniformInt(random, days * 24 * 60 - 3 * 24 * 60) * MINUTE,
      intervals: [
        {
          offsetMs: 0,
          durationMs: (1 + uniformInt(random, 7)) * HALF,
          ask:
            ask === "limit"
              ? { ask, unit: "A" as const, value: 10, reference: "installer" as const }
              : { ask },
        },
      ],
      randomise: uniformInt(random, 1) === 0 ? undefined : { windowMs: 5 * MINUTE, law: "after" as const },
      rampUpMs: 0,
      notificationMs: 0,
      emergencyPermitted: false,
      createdUtcMs: startUtcMs,
      cancelled: false,
      delayApplied: false,
    };
  });
}

export function randomCut(random: Uint32Source): Cut | undefined {
  const index = uniformInt(random, CUTS.length);
  return CUTS[index];
}
