import type { FirmwareStatus, FirmwareUpdater } from "./ocpp16/services.js";
import type { Now } from "./ports/time.js";
import type { Updater } from "./update/updater.js";

/**
 * A platform's UpdateFirmware over the module's own updater: it looks at the vendor's repository when the platform wants
 * it. The address that the platform names is not asked: only what the vendor has signed is installed.
 */
export class OrderedUpdate implements FirmwareUpdater {
  /** When to look, as the platform has it. */
  private dueUtcMs: number | undefined;
  /** How the last look had ended when the ordered one began; undefined = none was ordered since the start. */
  private before: string | undefined;

  constructor(private readonly updater: Pick<Updater, "check" | "status">) {}

  get version(): string {
    return this.updater.status().version;
  }

  request({ retrieveUtcMs }: { readonly retrieveUtcMs: number }): void {
    this.dueUtcMs = retrieveUtcMs;
  }

  status(now: Now): FirmwareStatus {
    const { updater } = this;
    if (this.dueUtcMs !== undefined && now.utcMs !== undefined && now.utcMs >= this.dueUtcMs) {
      const before = JSON.stringify(updater.status().last);
      if (updater.check(now)) {
        this.dueUtcMs = undefined;
        this.before = before;
      }
    }
    const { phase, last } = updater.status();
    const isOrdered = this.before !== undefined;
    switch (phase) {
      case "checking":
        // The module looks by itself each day: no news for anybody.
        return isOrdered ? "Downloading" : "Idle";
      case "downloading":
        return "Downloading";
      case "waiting":
        return "Downloaded";
      case "restarting":
      case "trial":
        return "Installing";
      case "rolling-back":
        return "InstallationFailed";
      case "idle":
        if (isOrdered && JSON.stringify(last) === this.before) return "Downloading";
    }
    if (last.result === "installed") return "Installed";
    if (last.result === "rolled-back") return "InstallationFailed";
    if (!isOrdered) return "Idle";
    // Nothing newer: what there is runs already.
    return last.result === "none" ? "Installed" : "DownloadFailed";
  }
}
