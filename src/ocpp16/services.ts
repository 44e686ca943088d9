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
  status(): FirmwareStatus;
}

/** The module's own certificate (security profile 3). Keys stay where they are. */
export interface CertificateService {
  /** A certificate signing request, PEM; undefined where none can be made. */
  request(): string | undefined;
  /** Takes the signed chain, PEM; used from the next connection on. False where it does not fit the key. */
  install(chain: string): boolean;
}

/** The journal's lines for GetLog and GetDiagnostics, newline-separated; undefined where there is no journal. */
export interface LogSource {
  read(which: "SecurityLog" | "DiagnosticsLog"): string | undefined;
}

export interface Services {
  readonly firmware?: FirmwareUpdater | undefined;
  readonly certificates?: CertificateService | undefined;
  readonly logs?: LogSource | undefined;
}
