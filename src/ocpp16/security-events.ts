import type { StorePort } from "../ports/time.js";
import type { Json } from "./frames.js";
import { formatInstant } from "./instant.js";
import type { SecurityNote, SecuritySource } from "./services.js";

/**
 * SecurityEventNotification out of the module's security log (OCPP security whitepaper, 2.6). The log is the queue:
 * what was told up to is kept as the mark of an entry, so what happens offline, or before a power cut, is told later
 * and nothing twice but the last. Without a log only the start is told.
 */
export class SecurityEvents {
  /** The platform answered with an error: it is not asked again before the next restart. */
  private muted = false;
  private startTold = false;
  /** Everything up to here is told, or has no word in the list. */
  private mark: string | undefined;

  constructor(
    private readonly source: SecuritySource | undefined,
    private readonly upstreamId: string,
    private readonly store: StorePort,
    private readonly key: string,
  ) {
    this.mark = store.get(key);
  }

  /** The charge point begins anew with this platform. */
  restart(): void {
    this.muted = false;
    this.startTold = false;
  }

  /** True where there may be something to tell. */
  get waits(): boolean {
    if (this.muted) return false;
    return this.source === undefined ? !this.startTold : this.source.head() !== this.mark;
  }

  /** The oldest that was not told; undefined where there is none. */
  next(utcMs: number): { readonly payload: Json; readonly mark: string } | undefined {
    if (!this.waits) return undefined;
    if (this.source === undefined) {
      return { payload: { type: "StartupOfTheDevice", timestamp: formatInstant(utcMs) }, mark: "" };
    }
    // One pass: what has a word since the mark. A platform that was never told anything hears of this start and what
    // came since; of a log that was cleared, or has turned over, it hears from its beginning.
    let first: SecurityNote | undefined;
    for (const note of this.source.entries()) {
      const isMark = this.mark === undefined ? isStart(note) : note.chain === this.mark;
      if (isMark) first = undefined;
      if (isMark && this.mark !== undefined) continue;
      if (first === undefined && this.typeOf(note) !== undefined) first = note;
    }
    if (first === undefined) {
      this.mark = this.source.head();
      return undefined;
    }
    const timestamp = formatInstant(first.utcMs ?? utcMs);
    const payload: Record<string, unknown> = { type: this.typeOf(first), timestamp };
    if (first.text !== "") payload["techInfo"] = first.text;
    return { payload, mark: first.chain };
  }

  /** The platform has answered. */
  told(mark: string, isError: boolean): void {
    if (isError) {
      this.muted = true;
      return;
    }
    if (this.source === undefined) this.startTold = true;
    else {
      this.mark = mark;
      this.store.set(this.key, mark);
    }
  }

  /** The list's word for an entry; undefined where it has none, or where the entry is about another upstream. */
  private typeOf({ code, text }: SecurityNote): string | undefined {
    const isOurs = text.startsWith(`${this.upstreamId}: `);
    switch (code) {
      case "start":
      case "power-cycle":
        return "StartupOfTheDevice";
      case "stop":
      case "reset":
      case "user-reset":
        return "ResetOrReboot";
      case "factory-reset":
        // With a text: the log went with it.
        return text === "" ? "ResetOrReboot" : "SecurityLogWasCleared";
      case "update-installed":
        return "FirmwareUpdated";
      case "update-refused":
        return text.includes("signature") ? "InvalidFirmwareSignature" : undefined;
      case "certificate-refused":
        return isOurs ? tlsType(text.slice(this.upstreamId.length + 2)) : undefined;
      case "login-refused":
        return isOurs ? "FailedToAuthenticateAtCentralSystem" : undefined;
      case "messages-invalid":
        return isOurs ? "InvalidMessages" : undefined;
      case "own-certificate-refused":
        return "InvalidChargePointCertificate";
      case "security-setup":
        return "ReconfigurationOfSecurityParameters";
      case "clock-set":
        return "SettingSystemTime";
      case "memory-short":
        return "MemoryExhaustion";
      case "tampering":
        return "TamperDetectionActivated";
      default:
        return undefined;
    }
  }
}

function isStart({ code }: SecurityNote): boolean {
  return code === "start" || code === "power-cycle";
}

/** The list's word for what failed in TLS; undefined where nothing more is known than that it did. */
function tlsType(fault: string): string | undefined {
  switch (fault) {
    case "tls-handshake":
      return undefined;
    case "tls-version":
      return "InvalidTLSVersion";
    case "tls-static-rsa":
      return "InvalidTLSCipherSuite";
    case "tls-client-certificate":
      return "FailedToAuthenticateAtCentralSystem";
    default:
      return "InvalidCentralSystemCertificate";
  }
}
