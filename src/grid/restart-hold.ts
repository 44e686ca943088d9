import { NEVER } from "../ports/time.js";

/** So long after a start the servers are waited for; then the stored schedule runs. */
export const RESTART_HOLD_MS = 60_000;

/**
 * After a restart nothing is done to the appliance on the word of stored events until the servers that they are of have
 * been asked again: an event may have been changed or cancelled meanwhile. If they do not answer for a minute, the
 * stored schedule runs. What is the owner's or the module's own is not held up.
 */
export class RestartHold {
  private awaited: readonly string[] = [];
  private untilMs = 0;

  /** `sources`: of the events that were restored. */
  start(sources: readonly string[], nowMs: number): void {
    this.awaited = sources.filter((source, i) => sources.indexOf(source) === i);
    this.untilMs = nowMs + RESTART_HOLD_MS;
  }

  /** Whether an intent of that source must wait; `answered`: the server has told its events since the start. */
  holds(source: string, answered: (source: string) => boolean, nowMs: number): boolean {
    if (this.awaited.length === 0) return false;
    if (nowMs >= this.untilMs) this.awaited = [];
    else this.awaited = this.awaited.filter((one) => !answered(one));
    return this.awaited.length > 0 && source !== "local" && source !== "owner";
  }

  nextMs(): number {
    return this.awaited.length > 0 ? this.untilMs : NEVER;
  }
}
