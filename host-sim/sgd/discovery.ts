import { uniformInt } from "../../src/base/random.js";
import type { LinkCommand, LinkResult } from "../../src/link/messages.js";
import { NEVER, type RandomPort } from "../../src/ports/time.js";
import type { Profile } from "./profile-model.js";

const NOTHING = new Uint8Array(0);
/** A repeated discovery comes up to so much later than its period (Rinnai: 15–22 s). */
const REPEAT_SPREAD_MS = 7000;

/**
 * The appliance's own questions to the module at power-up: its message types, then its payload limit; again
 * after a rest when nobody answers, silent after 15 min of that (as the Rinnai water heater does).
 */
export class Discovery {
  private atMs = NEVER;
  /** Step under way, −1 while none is. */
  private step = -1;
  private awaited = -1;
  private aloneSinceMs = -1;
  /** The module has answered or spoken since power-up. */
  heard = false;

  constructor(
    private readonly profile: Profile,
    private readonly random: RandomPort,
    private readonly send: (make: (id: number) => LinkCommand) => number,
  ) {}

  /** Power-up, or the module was put in again. */
  begin(nowMs: number): void {
    this.step = -1;
    this.awaited = -1;
    this.aloneSinceMs = -1;
    this.heard = false;
    this.atMs = this.profile.dialogue.discovers ? nowMs + this.profile.dialogue.startAfterMs : NEVER;
  }

  /** The module said something. */
  spokenTo(nowMs: number): void {
    const wasSilent = !this.heard && this.atMs === NEVER && this.step < 0;
    this.heard = true;
    this.aloneSinceMs = -1;
    if (wasSilent && this.profile.dialogue.discovers) this.atMs = nowMs + this.profile.dialogue.startAfterMs;
  }

  get isRunning(): boolean {
    return this.step >= 0;
  }

  poll(nowMs: number): void {
    if (nowMs < this.atMs) return;
    this.atMs = NEVER;
    this.step = 0;
    this.ask();
  }

  nextMs(): number {
    return this.atMs;
  }

  /** A result, of one of its questions or not. */
  onResult({ id, outcome }: LinkResult, nowMs: number): void {
    if (id !== this.awaited) return;
    this.awaited = -1;
    const { types } = this.profile.answers;
    const { dialogue } = this.profile;
    if (outcome === "no-ack" || outcome === "cancelled") {
      this.step = -1;
      if (this.aloneSinceMs < 0) this.aloneSinceMs = nowMs;
      const givenUp = nowMs - this.aloneSinceMs >= dialogue.giveUpSeconds * 1000;
      this.heard = false;
      this.atMs = givenUp ? NEVER : nowMs + dialogue.restSeconds * 1000;
      return;
    }
    this.heard = true;
    this.aloneSinceMs = -1;
    this.step++;
    if (this.step <= types.length) {
      this.ask();
      return;
    }
    this.step = -1;
    if (dialogue.repeatSeconds > 0) {
      this.atMs = nowMs + dialogue.repeatSeconds * 1000 + uniformInt(this.random, REPEAT_SPREAD_MS);
    }
  }

  private ask(): void {
    const digits = this.profile.answers.types[this.step];
    this.awaited = this.send((id) =>
      digits === undefined
        ? { cmd: "query-max-payload", id }
        : { cmd: "request", id, type: Number.parseInt(digits, 16), payload: NOTHING },
    );
  }
}
