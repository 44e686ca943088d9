import type { CertificatePort } from "../ports/certificates.js";
import type { Now } from "../ports/time.js";

/** What the charge point uses of the module beyond grid, network and store, where it is there. */

export type FirmwareStatus =
  | "Idle"
  | "Downloading"
  | "Downloaded"
  | "DownloadFailed"
  | "Installing"
  | "InstallationFailed"
  | "Installed";

/** Firmware over the air. What installs nothing says so. */
export interface FirmwareUpdater {
  /** Asked by the platform; the updater begins at `retrieveUtcMs` and tells by `status` how far it is. */
  request(order: {
    readonly location: string;
    readonly retrieveUtcMs: number;
    readonly retries: number;
    readonly retryS: number;
  }): void;
  /** Asked at every poll: what is due is begun then. */
  status(now: Now): FirmwareStatus;
  /** Of the firmware that runs. */
  readonly version?: string;
}

/** The journal's lines for GetLog and GetDiagnostics, newline-separated; undefined where there is no journal. */
export interface LogSource {
  read(which: "SecurityLog" | "DiagnosticsLog"): string | undefined;
}

/** An entry of the security log. */
export interface SecurityNote {
  /** As src/journal names it. */
  readonly code: string;
  readonly text: string;
  /** Undefined where the clock was not known then. */
  readonly utcMs: number | undefined;
  /** Names the entry. */
  readonly chain: string;
}

/** What the charge point itself has to say to the security log. */
export type SecurityAct = "security-setup" | "reset" | "own-certificate-refused";

/** The module's security log: what SecurityEventNotification is made of. */
export interface SecuritySource {
  /** `chain` of the newest entry. */
  head(): string;
  /** Oldest first. */
  entries(): Iterable<SecurityNote>;
  add(act: SecurityAct, text: string): void;
}

export interface Services {
  readonly firmware?: FirmwareUpdater | undefined;
  /** For renewal of the module's own certificate (security profile 3); answers come by `onCertificate`. */
  readonly certificates?: CertificatePort | undefined;
  readonly logs?: LogSource | undefined;
  readonly security?: SecuritySource | undefined;
}
