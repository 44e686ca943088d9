import type { SgdStatus } from "../ports/sgd-status.js";
import { OpState } from "../sgd/vocabulary.js";

/** Idle for so long without being asked anything, the appliance begins by itself: a car was plugged in. */
const IDLE_MS = 120_000;
/** A car may take its time to resume after a pause of ours; until then its beginning is no plug-in. */
const AFTER_PAUSE_MS = 1_800_000;

/**
 * CTA-2045 does not tell that a car is plugged in. What can be seen is that charging begins by itself, after a
 * while of idling in which nothing was asked of the appliance.
 */
export class PlugInWatch {
  private idleSinceMs: number | undefined;
  private pausedMs = -AFTER_PAUSE_MS;

  /** Told with every state. `free`: nothing is in force and no delay runs. True where charging has begun by itself. */
  see(status: SgdStatus, free: boolean, nowMs: number): boolean {
    const { opState, link } = status;
    if (!free) this.pausedMs = nowMs;
    if (!free || link !== "online") {
      this.idleSinceMs = undefined;
      return false;
    }
    if (opState === OpState.IdleNormal || opState === OpState.IdlePriceStream) {
      this.idleSinceMs ??= nowMs;
      return false;
    }
    const since = this.idleSinceMs;
    this.idleSinceMs = undefined;
    const running = opState === OpState.RunningNormal || opState === OpState.RunningPriceStream;
    return (
      running && since !== undefined && nowMs >= since + IDLE_MS && nowMs >= this.pausedMs + AFTER_PAUSE_MS
    );
  }
}
