import { NEVER, type Now, type StorePort } from "../ports/time.js";
import type { Upstream } from "./upstream.js";

/** Store keys: the provider that was chosen, and one that is being left. */
const chosenKey = "grid.provider";
const leavingKey = "grid.leaving";
/** A provider whose server does not answer is left after this all the same. */
const LEAVE_MS = 120_000;

/**
 * Which upstreams run. Normally all. With `one`, of those that register with a service provider one alone (PAS 1878: one
 * provider at a time), and a change of provider ends the registration at the old one before the new one hears of us.
 * Upstreams that cannot be left (charging platforms) are no providers and always run.
 */
export class Providers {
  private readonly all: readonly Upstream[];
  private readonly one: boolean;
  private readonly store: StorePort;
  private current: Upstream | undefined;
  private leaving: Upstream | undefined;
  private untilMs = 0;

  constructor(all: readonly Upstream[], one: boolean, store: StorePort) {
    this.all = all;
    this.one = one;
    this.store = store;
  }

  /** Id of the provider that was chosen; "" where all may run. */
  get chosen(): string {
    return this.one ? (this.current?.id ?? "") : "";
  }

  start(now: Now): void {
    const providers = this.all.filter((upstream) => upstream.deregister !== undefined);
    const chosen = this.store.get(chosenKey);
    this.current = providers.find(({ id }) => id === chosen) ?? providers[0];
    for (const upstream of this.all) {
      if (!this.one || upstream.deregister === undefined) upstream.start(now);
    }
    if (!this.one || this.current === undefined) return;
    // Power went away in the middle of a change: what was being left is left first.
    const left = providers.find(({ id }) => id === this.store.get(leavingKey));
    if (left !== undefined && left !== this.current) {
      left.start(now);
      this.leave(left, now);
    } else {
      this.store.delete(leavingKey);
      this.current.start(now);
    }
  }

  /** Changes the provider. Answers why not, "" where it is under way or done. */
  change(id: string, now: Now): string {
    if (!this.one) return "not-exclusive";
    const next = this.all.find((upstream) => upstream.id === id && upstream.deregister !== undefined);
    if (next === undefined) return "unknown-source";
    if (next === this.current) return "";
    if (next === this.leaving) return "busy";
    const old = this.current;
    this.current = next;
    this.store.set(chosenKey, id);
    // Not begun yet: while the first is still being left, the second was never told of us.
    if (this.leaving !== undefined || old === undefined) return "";
    this.leave(old, now);
    return "";
  }

  /** Starts the new provider once the old one has been left. */
  poll(now: Now): void {
    const { leaving } = this;
    if (leaving === undefined) return;
    const left = leaving.status().state === "stopped" && leaving.nextMs() === NEVER;
    if (!left && now.ms < this.untilMs) return;
    this.leaving = undefined;
    this.store.delete(leavingKey);
    this.current?.start(now);
  }

  nextMs(): number {
    return this.leaving === undefined ? NEVER : this.untilMs;
  }

  private leave(old: Upstream, now: Now): void {
    this.leaving = old;
    this.untilMs = now.ms + LEAVE_MS;
    this.store.set(leavingKey, old.id);
    old.deregister?.(now);
    this.poll(now);
  }
}

/** What the owner is told about {@link Providers.change}. */
export function changeAnswer(why: string, source: string): { ok: boolean; why: string; text: string } {
  switch (why) {
    case "":
      return { ok: true, why, text: "Done." };
    case "not-exclusive":
      return { ok: false, why, text: "Several providers may be served at once here (oneProvider is off)." };
    case "busy":
      return { ok: false, why, text: "That provider is just being left; try again in a minute." };
    default:
      return { ok: false, why, text: `There is no provider "${source}".` };
  }
}
