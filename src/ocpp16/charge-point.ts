import type { Mains } from "./config.js";
import type { Json } from "./frames.js";
import type { Keys } from "./keys.js";
import type { LimitSources } from "./limits.js";
import type { ChargingProfile } from "./profile.js";
import type { ProfileBook } from "./profile-book.js";
import type { FirmwareStatus, SecurityAct, Services } from "./services.js";
import type { ChargeSession } from "./session.js";
import type { Upload } from "./upload.js";

/** What the answers to the platform (answers.ts) may do with the charge point. */
export interface ChargePoint {
  readonly config: Mains;
  readonly keys: Keys;
  readonly profiles: ProfileBook;
  readonly session: ChargeSession;
  readonly services: Services;
  readonly upload: Upload;
  /** A TxProfile that came with a start from afar and waits for its transaction. */
  startProfile: ChargingProfile | undefined;
  log(level: "info" | "warning", text: string): void;
  limitSources(): LimitSources;
  /** Profiles have changed: draws a new random delay, and hands the limits over. */
  profilesChanged(): void;
  /** Sends a message that is about no transaction, after what waits already. */
  send(action: string, payload: Json): void;
  sendBoot(): void;
  sendHeartbeat(): void;
  /** Tells the status of a connector though it has not changed; undefined = of both. */
  sendStatus(connector: number | undefined): void;
  /** Asks the platform about the idTag of a start from afar. */
  authorize(idTag: string): void;
  /** Tells how far an upload is, in the words of what asked for it. */
  tellUpload(): void;
  firmwareStatus(): FirmwareStatus;
  /** There is nothing that could install firmware: the platform is told so, instead of waiting. */
  firmwareUnavailable(): void;
  /** An id for a request of the network. */
  requestId(): number;
  /** Writes to the module's security log, where there is one. */
  noteSecurity(act: SecurityAct, text: string): void;
  /** Hands a new password to the world, and proves it by a new connection after the answer. */
  setPassword(password: string): void;
  heartbeatChanged(): void;
  pingChanged(): void;
  /** Has a signing request made, and sends it when it is there. */
  requestCertificate(): void;
  /** Hands over what was signed; the platform is answered when it is known whether it fits. */
  installCertificate(chain: string): void;
  /** Starts anew from what is stored, after the answer; the charger is left as it is. */
  restart(hard: boolean): void;
}
