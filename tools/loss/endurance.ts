/**
 * Days of traffic in virtual time: session, link, line and simulated charger, commands at random, the module pulled
 * and put back at random, the customer at the button, cars that come and go, and one byte in a thousand lost.
 */
import type { Ask } from "../../src/grid/event.js";
import type { LinkCounters } from "../../src/link/counters.js";
import type { LoadResult } from "../../src/ports/sgd-status.js";
import { wishOf } from "../../test/support/wishes.js";
import { ServiceRun } from "./rig.js";

const minuteMs = 60_000;
const asks: readonly Ask["ask"][] = ["shed", "normal", "critical-peak", "load-up", "emergency"];

/** How the commands ended, as the status said before the next one. */
export interface Ends {
  verified: number;
  /** Not verified, and the status says why. */
  reported: Partial<Record<LoadResult, number>>;
  /** Neither: there must be none. */
  lost: string[];
  /** Not verified, though for five minutes nothing stood in the way: there must be none either. */
  late: string[];
}

export class EnduranceRun extends ServiceRun {
  readonly outcomes: Ends = { verified: 0, reported: {}, lost: [], late: [] };
  pulls = 0;
  commands = 0;
  #inserted = true;
  /** Since when nothing stands in the way of a command. */
  #clearMs = 0;
  #override = false;
  #key = "";
  #wishMs = 0;
  #wishes = 0;

  constructor(seed: number, lossRate = 0.001) {
    super(seed, { kind: "byte-loss", rate: lossRate });
  }

  get chargerCounters(): LinkCounters {
    return this.sgd.counters;
  }

  /** Lets so many hours pass, with something happening every few minutes. */
  run(hours: number): void {
    const endMs = this.nowMs + hours * 60 * minuteMs;
    while (this.nowMs < endMs) {
      this.runUntil(minuteMs + this.#below(9 * minuteMs), () => false);
      this.#happen();
    }
  }

  /** The module is in its socket and nobody has opted out: everything must come to rest now. */
  settle(): void {
    this.#insert();
    this.#optOut(false);
    this.runUntil(10 * minuteMs, () => false);
    this.#judge();
    this.#command("normal");
    this.runUntil(10 * minuteMs, () => false);
    this.#judge();
  }

  #below(count: number): number {
    return this.random.uint32() % count;
  }

  #happen(): void {
    switch (this.#below(10)) {
      case 0:
      case 1:
        if (this.#inserted) {
          this.pulls++;
          this.#inserted = false;
          this.ends[0].unplug(this.nowMs);
        } else this.#insert();
        break;
      case 2:
        this.#insert();
        break;
      case 3:
        this.#optOut(this.#below(4) === 0);
        break;
      case 4:
        if (this.#below(2) === 0) this.sgd.unplug();
        else this.sgd.plug();
        break;
      default:
        this.#judge();
        this.#command(asks[this.#below(asks.length)]!);
    }
  }

  #insert(): void {
    if (this.#inserted) return;
    this.#inserted = true;
    this.#clearMs = this.nowMs;
    this.ends[0].plug(this.nowMs);
  }

  #optOut(on: boolean): void {
    if (this.#override === on) return;
    this.#override = on;
    this.#clearMs = this.nowMs;
    this.sgd.override(on);
  }

  #command(ask: Ask["ask"]): void {
    this.commands++;
    const lastsMs = minuteMs * (5 + this.#below(240));
    const wish = wishOf(ask, {
      endsAtMs: this.nowMs + lastsMs,
      permitted: true,
      abilities: this.session.status(),
    });
    // Each a wish of its own, even if it asks for the same again.
    this.#key = `${wish.key} ${++this.#wishes}`;
    this.#wishMs = this.nowMs;
    this.session.wish({ ...wish, key: this.#key }, this.now);
  }

  /** What has become of the last command? */
  #judge(): void {
    if (this.#key === "") return;
    const { load, link, override } = this.session.status();
    const told = `${this.#key}: ${JSON.stringify(load)}, link ${link}, at ${Math.round(this.nowMs / 1000)} s`;
    const { verified, reported, lost, late } = this.outcomes;
    // Where normal is what the appliance was seen to do already, nothing is sent; pulled meanwhile, it is told
    // End Shed once more when it is back, and until then `link` says what is the matter.
    const already = this.#key.startsWith("normal") && load?.command === "EndShed";
    const gone = already && link !== "online" && this.session.endShedOwed ? "waiting" : undefined;
    const same = load?.wish === this.#key || (already && !this.session.endShedOwed);
    const result = gone ?? (same ? load?.result : undefined);
    if (result === "verified") this.outcomes.verified = verified + 1;
    else if (
      result === undefined ||
      (gone === undefined && load!.text === "" && this.nowMs - this.#wishMs > 30_000)
    )
      lost.push(told);
    else reported[result] = (reported[result] ?? 0) + 1;
    const clear = this.#inserted && !this.#override && !override;
    const sinceMs = Math.max(this.#clearMs, this.#wishMs);
    if (result !== "verified" && clear && this.nowMs - sinceMs > 5 * minuteMs) late.push(told);
    this.#key = "";
  }
}
