/**
 * The owner's desk: orders checked and carried out, the journal read out, and what the owner's page asks. It stands
 * beside app.ts because it knows grid, journal and setup.
 */
import { localTime, type PosixZone } from "./base/posix-tz.js";
import type { GridCore, ListedEvent } from "./grid/core.js";
import type { DelayOrder, DelayStatus } from "./grid/delay.js";
import type { Intent } from "./grid/intent.js";
import type { OwnerAnswer, OwnerOrder } from "./grid/owner.js";
import { changeAnswer, type Providers } from "./grid/providers.js";
import type { Upstream, UpstreamStatus } from "./grid/upstream.js";
import { mayRead, type JournalPart, type Role } from "./journal/access.js";
import { exportLines, type ExportFormat } from "./journal/export.js";
import type { JournalState, Recorder } from "./journal/recorder.js";
import { usageOf } from "./journal/usage.js";
import type { LinkCounters } from "./link/counters.js";
import type { Network } from "./network/network.js";
import type { Renewals, RenewalStatus } from "./network/renewal.js";
import type { SgdStatus } from "./ports/sgd-status.js";
import type { Now } from "./ports/time.js";
import type { SgdSession } from "./sgd/session.js";
import type { UcmConfig } from "./setup/config.js";
import { orderFault } from "./setup/orders.js";
import type { WebFacts, WebHistory } from "./setup/pages.js";
import type { ReadyBy } from "./setup/ready-by.js";
import type { Setup } from "./setup/setup-form.js";
import type { WebDesk } from "./setup/web.js";
import type { Steering } from "./steering.js";
import type { Updater, UpdateStatus } from "./update/updater.js";
import type { JournalPage } from "./world.js";

/** What the owner has said, and for how long it lasts. */
export type OwnerState = Omit<ReturnType<GridCore["ownerStatus"]>, "consent"> & {
  readonly consent: readonly { readonly source: string; readonly word: "pause" | "dismiss" }[];
};

/** Everything at once, for the page and for `state` requests. */
export interface UcmState {
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
  /** Certificates that are renewed by EST. */
  readonly renewals: readonly RenewalStatus[];
}

export interface DeskParts {
  readonly config: UcmConfig;
  readonly zone: PosixZone | undefined;
  readonly grid: GridCore;
  readonly providers: Providers;
  readonly recorder: Recorder | undefined;
  readonly readyBy: ReadyBy;
  readonly steering: Steering;
  readonly sgd: SgdSession;
  readonly counters: LinkCounters;
  readonly upstreams: readonly Upstream[];
  readonly network: Network | undefined;
  readonly updater: Updater | undefined;
  readonly renewals: Renewals | undefined;
  /** Too little memory to read the journal out. */
  memoryShort(): boolean;
  factoryReset(): OwnerAnswer;
  readonly configure: ((setup: Setup) => void) | undefined;
}

/** Lines of the journal that are read out at once. */
const PAGE_LINES = 50;
/** What the page shows of the past. */
const SESSIONS = 20;
const DAYS = 7;
const DAY_MS = 86_400_000;

export class Desk implements WebDesk {
  readonly forget: WebDesk["forget"];
  readonly configure: WebDesk["configure"];

  constructor(private readonly parts: DeskParts) {
    const { recorder, configure } = parts;
    this.forget = recorder === undefined ? undefined : () => parts.factoryReset();
    this.configure = configure === undefined ? undefined : (setup) => configure(setup);
  }

  /** An order of the owner; what it must look like is in src/setup/orders.ts. */
  owner(order: unknown, now: Now): OwnerAnswer {
    const { grid, recorder, config } = this.parts;
    const wrong = orderFault("owner", order);
    if (wrong !== "") return { ok: false, why: "bad-order", text: wrong };
    const sound = order as OwnerOrder | { readonly verb: "provider"; readonly source: string };
    if (sound.verb === "provider") return this.changeProvider(sound.source, now);
    if ("source" in sound && !config.upstreams.some(({ id }) => id === sound.source))
      return { ok: false, why: "unknown-source", text: `There is no upstream "${sound.source}".` };
    const answer = grid.setOwner(sound, now);
    const lasting = sound.verb.endsWith("-schedule") || "source" in sound;
    if (answer.ok && lasting)
      recorder?.setUp("source" in sound ? `${sound.verb} ${sound.source}` : sound.verb, now);
    return answer;
  }

  /** Leaves the service provider and registers with another one. */
  private changeProvider(source: string, now: Now): OwnerAnswer {
    const { providers, recorder } = this.parts;
    const answer = changeAnswer(providers.change(source, now), source);
    if (answer.ok) recorder?.setUp(`provider ${source}`, now);
    return answer;
  }

  /** An order about the random delay: enable, disable, cancel the running one, set the greatest length. */
  delay(order: unknown, now: Now): OwnerAnswer {
    const { grid, recorder } = this.parts;
    const wrong = orderFault("delay", order);
    if (wrong !== "") return { ok: false, why: "bad-order", text: wrong };
    const sound = order as DelayOrder;
    if (!grid.setDelay(sound, now)) return { ok: false, why: "bad-duration", text: "Choose up to 1800 s." };
    if (sound.verb !== "cancel") recorder?.setUp(`random delay ${sound.verb}`, now);
    return { ok: true, why: "", text: "Done." };
  }

  ready(minute: number | undefined, hours: number): boolean {
    return this.parts.readyBy.set(minute === undefined ? undefined : { minute, hours });
  }

  look(now: Now): boolean {
    return this.parts.updater?.check(now) ?? false;
  }

  security(code: "login-failed" | "setup", text: string, now: Now): void {
    this.parts.recorder?.journal.addSecurity(code, text, now);
  }

  facts(now: Now): WebFacts {
    return { ...this.state(now), ready: this.parts.readyBy.time };
  }

  state(now: Now): UcmState {
    const { grid, recorder, providers, network, updater, steering, sgd, upstreams, counters } = this.parts;
    const { consent, ...owner } = grid.ownerStatus(now);
    return {
      delay: grid.delay(now),
      owner: { ...owner, consent: [...consent].map(([source, word]) => ({ source, word })) },
      schedule: grid.listEvents(now),
      journal: recorder?.state(),
      provider: providers.chosen,
      network: network?.status(),
      update: updater?.status(),
      renewals: this.parts.renewals?.status() ?? [],
      intent: steering.intent,
      sgd: sgd.status(),
      upstreams: upstreams.map((upstream) => upstream.status()),
      counters,
    };
  }

  /** The last sessions and days, newest first; undefined where nothing is kept. */
  history(now: Now): ReturnType<WebDesk["history"]> {
    const { recorder, zone } = this.parts;
    if (recorder === undefined) return undefined;
    if (this.parts.memoryShort()) return "memory-short";
    const { journal } = recorder;
    const sessions: WebHistory["sessions"][number][] = [];
    for (const session of journal.sessions.sessions(this.sources())) {
      sessions.unshift(session);
      if (sessions.length > SESSIONS) sessions.pop();
    }
    const days: WebHistory["days"][number][] = [];
    if (now.utcMs !== undefined && zone !== undefined) {
      const offsetMs = localTime(zone, now.utcMs).offsetS * 1000;
      const todayMs = Math.floor((now.utcMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
      for (let i = 0; i < DAYS; i++) {
        const from = todayMs - i * DAY_MS;
        const points = usageOf(journal.energy, "energy", from, from + DAY_MS, DAY_MS / 48, 48);
        const energyWh = points.reduce((sum, { value }) => sum + value, 0);
        days.push({ utcMs: from, energyWh: points.length === 0 ? undefined : energyWh });
      }
    }
    return { sessions, days };
  }

  private sources(): string[] {
    return [...this.parts.config.upstreams.map(({ id }) => id), "local", "owner", "none"];
  }

  /** Some lines of the journal, for whoever may read them (docs/journal.md). */
  readJournal(part: JournalPart, role: Role, format: ExportFormat, from: number): JournalPage {
    const { recorder, config } = this.parts;
    if (!recorder) return { why: "no-journal", lines: [], next: undefined };
    if (!mayRead(role, part, config.shareChargingData))
      return { why: "forbidden", lines: [], next: undefined };
    const lines: string[] = [];
    let number = 0;
    for (const line of exportLines(recorder.journal, part, format, this.sources())) {
      if (lines.length === PAGE_LINES) return { why: "", lines, next: number };
      if (number++ >= from) lines.push(line);
    }
    return { why: "", lines, next: undefined };
  }
}
