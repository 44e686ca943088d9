/**
 * The module's button and its lamp over two pins, asked and driven by the main loop: a press is told when it is let go, with
 * its duration; contacts that bounce, a button that is held as the module starts (GPIO 0 chooses the boot loader) and one
 * that is stuck tell nothing. Platform-free. **Never run on hardware.**
 */
import { type Lamp, patternOf } from "../../src/health/lamp.js";

/** So long a level must stand to count. */
const BOUNCE_MS = 30;
/** Nobody holds a button so long: a short circuit, or something leans on it. */
const STUCK_MS = 60_000;

export class Button {
  private down: boolean;
  /** Since when the pin says the opposite. */
  private sinceMs: number | undefined;
  /** Undefined: the present press does not count. */
  private pressedMs: number | undefined;

  /** `pressed` reads the pin: true = held. */
  constructor(private readonly pressed: () => boolean) {
    this.down = pressed();
  }

  /** How long the button was held, ms, where it has just been let go; else undefined. Every few milliseconds. */
  turn(nowMs: number): number | undefined {
    if (this.pressed() === this.down) {
      this.sinceMs = undefined;
      return undefined;
    }
    this.sinceMs ??= nowMs;
    if (nowMs - this.sinceMs < BOUNCE_MS) return undefined;
    this.down = !this.down;
    const edgeMs = this.sinceMs;
    this.sinceMs = undefined;
    if (this.down) {
      this.pressedMs = edgeMs;
      return undefined;
    }
    const heldMs = edgeMs - (this.pressedMs ?? Number.NEGATIVE_INFINITY);
    this.pressedMs = undefined;
    return heldMs < STUCK_MS ? heldMs : undefined;
  }
}

export class LampPin {
  private pattern: readonly number[] = [];
  private beganMs = 0;
  private on: boolean | undefined;

  /** `light` answers false where it could not: it is asked again at the next turn. */
  constructor(private readonly light: (on: boolean) => boolean) {}

  /** Shows it from now on. */
  set(lamp: Lamp, nowMs: number): void {
    this.pattern = patternOf(lamp);
    this.beganMs = nowMs;
    this.turn(nowMs);
  }

  turn(nowMs: number): void {
    const { pattern } = this;
    if (pattern.length === 0) return;
    let at = (nowMs - this.beganMs) % pattern.reduce((sum, ms) => sum + ms, 0);
    let part = 0;
    for (; at >= pattern[part]!; part++) at -= pattern[part]!;
    const on = part % 2 === 0;
    if (on !== this.on && this.light(on)) this.on = on;
  }
}
