/**
 * From what is in force to what the appliance is asked for, and back: its status to grid, upstreams and journal. Whoever
 * listens (the world, the journal) is told of changes alone. It stands beside app.ts because it knows grid, translate and sgd.
 */
import type { World } from "./world.js";
import { levelOf } from "./grid/asks.js";
import type { Evaluation, GridCore } from "./grid/core.js";
import type { Intent } from "./grid/intent.js";
import { RestartHold } from "./grid/restart-hold.js";
import type { Upstream } from "./grid/upstream.js";
import type { Recorder } from "./journal/recorder.js";
import type { Network } from "./network/network.js";
import type { SgdStatus } from "./ports/sgd-status.js";
import { NEVER, type Now } from "./ports/time.js";
import type { SgdSession } from "./sgd/session.js";
import type { UcmConfig } from "./setup/config.js";
import { PlugInWatch } from "./translate/plug-in.js";
import { LoadReference } from "./translate/reference.js";
import { informationOf, translate } from "./translate/translate.js";

/** The site's electrical limits, as the core has them. */
export type Site = Parameters<typeof levelOf>[1];

export interface SteeringParts {
  readonly world: World;
  readonly config: UcmConfig;
  readonly site: Site;
  readonly grid: GridCore;
  readonly sgd: SgdSession;
  readonly upstreams: readonly Upstream[];
  readonly recorder: Recorder | undefined;
  readonly network: Network | undefined;
  log(level: "warning", text: string): void;
}

export class Steering {
  /** The appliance has something new to say. */
  statusChanged = false;
  readonly restartHold = new RestartHold();
  #evaluation: Evaluation | undefined;
  readonly #reference = new LoadReference();
  readonly #plugIn = new PlugInWatch();
  #overridden = false;
  /** What was last told. */
  #toldIntent = "";
  #toldCommand = "";
  readonly #toldUpstream: string[] = [];
  /** Until when the owner follows it not, by upstream. */
  readonly #toldOverride: (number | undefined)[] = [];

  constructor(private readonly parts: SteeringParts) {}

  /** What was last carried out; undefined = nothing yet. */
  get intent(): Intent | undefined {
    return this.#evaluation?.intent;
  }

  /** An upstream is online: that one, or any. */
  online(id?: string): boolean {
    return this.parts.upstreams.some(
      (upstream) => (id === undefined || upstream.id === id) && upstream.status().state === "online",
    );
  }

  /** Somebody other than the owner holds the appliance down. */
  get curtailed(): boolean {
    const { intent } = this;
    return intent !== undefined && intent.source !== "owner" && levelOf(intent.ask, this.parts.site) < 1;
  }

  /** The appliance that there is a session with; "" = none. */
  sessionWords(): string {
    const { link, identity } = this.parts.sgd.status();
    if (link !== "online") return "";
    return identity === undefined ? "basic" : `${identity.vendorId}/${identity.deviceType}`;
  }

  /** Carries out what is in force, where it or the appliance has changed. */
  poll(now: Now): void {
    const evaluation = this.parts.grid.evaluate(now);
    if (this.restartHold.holds(evaluation.intent.source, (id) => this.online(id), now.ms))
      this.#evaluation = undefined;
    else if (evaluation !== this.#evaluation || this.statusChanged) {
      this.#carryOut(evaluation, now);
      this.#tellStatus(false, now);
    }
  }

  /** The appliance's status to the upstreams; the owner's order at the module overrides as the appliance's button does. */
  #tellStatus(changed: boolean, now: Now): void {
    const { grid, sgd, upstreams } = this.parts;
    const status = sgd.status();
    upstreams.forEach((upstream, i) => {
      const endsMs = status.override ? undefined : grid.overrideEndsMs(upstream.id, now);
      const same =
        Math.abs((endsMs ?? 0) - (this.#toldOverride[i] ?? 0)) < 1000 || endsMs === this.#toldOverride[i];
      if (same && !changed) return;
      this.#toldOverride[i] = endsMs;
      upstream.onSgd(
        endsMs === undefined ? status : { ...status, override: true, overrideEndsMs: endsMs },
        now,
      );
    });
  }

  /** Turns what is in force into wishes for the appliance. Repeating it is free: an equal wish sends nothing. */
  #carryOut(evaluation: Evaluation, now: Now): void {
    const { sgd, config, world, recorder, site } = this.parts;
    const { intent, oneOffs } = evaluation;
    this.#evaluation = evaluation;
    for (const { ask } of oneOffs) {
      sgd.order(
        ask.ask === "reboot" ? { order: "reboot", kind: ask.kind } : { order: "override", on: ask.on },
        now,
      );
    }
    const abilities = {
      ...sgd.status(),
      dynamicW: this.#reference.meanFor(`${intent.source} ${intent.eventId}`, now.ms),
    };
    const { wish, refusal } = translate(intent, abilities, config.charger);
    sgd.wish(wish, now);
    this.inform(now);
    const told = `${intent.ask.ask}|${intent.source}|${intent.reason}`;
    if (told === this.#toldIntent) return;
    this.#toldIntent = told;
    if (refusal) this.parts.log("warning", refusal);
    const level = Math.max(0, levelOf(intent.ask, site));
    recorder?.onIntent({ ask: intent.ask.ask, level, source: intent.source }, intent.reason, now);
    world.emit({
      event: "intent",
      intent: intent.ask.ask,
      source: intent.source,
      reason: intent.reason,
      eventId: intent.eventId,
      endsUtcMs: intent.endsUtcMs ?? null,
    });
  }

  /** Tells the appliance of connection and outlook; what it knows is not repeated. */
  inform(now: Now): void {
    const { sgd, network } = this.parts;
    const health = !this.online() ? 0 : network?.poor ? 2 : 1;
    sgd.information(informationOf(this.#evaluation?.outlook, health, this.intent), now);
  }

  /** The appliance's status to whomever it concerns. */
  onStatus(now: Now): void {
    const { sgd, grid, recorder, world } = this.parts;
    this.statusChanged = false;
    const status = sgd.status();
    this.#reference.onStatus(status);
    recorder?.onSgd(status, now);
    this.#watchPlugIn(status, now);
    if (status.override !== this.#overridden) {
      this.#overridden = status.override;
      grid.customerOverride(status.override, now);
    }
    this.#tellStatus(true, now);
    world.emit({ event: "sgd", status });
    const { load } = status;
    if (!load) return;
    const told = `${load.command}|${load.result}|${load.wish}|${load.step}`;
    if (told === this.#toldCommand) return;
    this.#toldCommand = told;
    recorder?.onCommand(load.command, load.result, load.text, now);
    world.emit({
      event: "command",
      name: load.command,
      result: load.result,
      verified: load.result === "verified",
      text: load.text,
    });
  }

  /** Charging has begun by itself: where the region wants it, it waits for a random delay. */
  #watchPlugIn(status: SgdStatus, now: Now): void {
    const { grid } = this.parts;
    const free = this.intent?.ask.ask === "normal" && !grid.delay(now).running;
    if (!this.#plugIn.see(status, free, now.ms)) return;
    grid.started("plug-in", now);
    this.statusChanged = true;
  }

  /** How each upstream fares, where that has changed. */
  tellUpstreams(now: Now): void {
    const { grid, recorder, upstreams, world } = this.parts;
    upstreams.forEach((upstream, i) => {
      const { id, state, fault, text, nextTryMs } = upstream.status();
      const told = `${state}|${fault}`;
      if (told === this.#toldUpstream[i]) return;
      this.#toldUpstream[i] = told;
      grid.sourceHealth(id, state === "online", now);
      this.inform(now);
      recorder?.onUpstream(id, state, fault, text, now);
      const inMs = nextTryMs === NEVER ? -1 : Math.round(nextTryMs);
      world.emit({ event: "upstream", id, state, fault, text, nextTryMs: inMs });
    });
  }
}
