import type { Told } from "./connector.js";
import type { Json } from "./frames.js";
import { formatInstant } from "./instant.js";
import type { Keys } from "./keys.js";
import type { ChargeSession, Time } from "./session.js";

/** StatusNotification: what the platform was last told of each connector, and what it has to be told now. */
export class StatusNotices {
  /** By connector. */
  private readonly told = ["", ""];
  private since = { key: "", ms: 0 };

  constructor(
    private readonly session: ChargeSession,
    private readonly keys: Keys,
  ) {}

  /** The platform knows nothing. */
  forgetAll(): void {
    this.told.fill("");
  }

  /** It was not heard, and is to be told again. */
  forget(connector: 0 | 1): void {
    this.told[connector] = "";
  }

  /** When something is to be told that has not been; undefined where there is nothing. */
  dueMs(nowMs: number): number | undefined {
    for (const connector of [0, 1] as const) {
      const status = this.statusOf(connector, nowMs);
      if (this.told[connector] !== keyOf(status)) return this.dueOf(status, nowMs);
    }
    return undefined;
  }

  /** The connector that is to be told of now, connector 0 first. */
  next({ ms }: Time): 0 | 1 | undefined {
    const key = keyOf(this.statusOf(1, ms));
    // The first status of all is told at once, whatever MinimumStatusDuration says.
    if (this.since.key !== key) this.since = { key, ms: this.since.key === "" ? -Infinity : ms };
    for (const connector of [0, 1] as const) {
      const status = this.statusOf(connector, ms);
      if (this.told[connector] === keyOf(status)) continue;
      if (connector === 0 || ms >= this.dueOf(status, ms)) return connector;
    }
    return undefined;
  }

  /** The payload about a connector, from now on told. */
  payload(connector: 0 | 1, { ms, utcMs }: Time): Json {
    const now = this.statusOf(connector, ms);
    this.told[connector] = keyOf(now);
    const { status, errorCode, info } = now;
    const payload: Record<string, unknown> = { connectorId: connector, errorCode, status };
    if (info !== "") payload["info"] = info;
    if (utcMs !== undefined) payload["timestamp"] = formatInstant(utcMs);
    return payload;
  }

  private statusOf(connector: 0 | 1, nowMs: number): Told {
    const told = this.session.status(nowMs);
    if (connector === 1) return told;
    // Connector 0 is the charge point: Available, Unavailable or Faulted (OCPP 1.6, 4.9).
    if (told.status === "Faulted" || told.status === "Unavailable") return told;
    return { ...told, status: "Available" };
  }

  private dueOf(status: Told, nowMs: number): number {
    const { key, ms } = this.since;
    return key === keyOf(status) ? ms + this.keys.number("MinimumStatusDuration") * 1000 : nowMs;
  }
}

function keyOf(told: Told): string {
  return `${told.status} ${told.info}`;
}
