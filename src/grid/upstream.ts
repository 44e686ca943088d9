import { HOUR_MS } from "../base/iso8601.js";
import type { CertificateEvent } from "../ports/certificates.js";
import type { HttpEvent, HttpPort } from "../ports/http.js";
import type { MdnsEvent, MdnsPort } from "../ports/mdns.js";
import type { MqttEvent, MqttPort } from "../ports/mqtt.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now, type RandomPort, type StorePort } from "../ports/time.js";
import type { WebSocketEvent } from "../ports/websocket.js";
import type { EventVerdict, GridEvent } from "./event.js";

/** Where an upstream protocol stands, for the page, the log and `ucm --json`. */
export interface UpstreamStatus {
  readonly id: string;
  /** `stopped` never tried; `connecting` first exchange under way; `registering`; `online`; `failing` (retrying with back-off). */
  readonly state: "stopped" | "connecting" | "registering" | "online" | "failing";
  /** Stable fault code while failing, "" otherwise. */
  readonly fault: string;
  /** In words: what is wrong and what to do. */
  readonly text: string;
  /** Monotonic time of the next attempt. */
  readonly nextTryMs: number;
  readonly lastContactMs: number | undefined;
}

/** The span before an event in which the customer's override counts for it (CTA-2045 SGDs, S4:2100). */
const OVERRIDE_AHEAD_MS = 12 * HOUR_MS;

/** The customer's override as it is told of events. */
export interface OptOut {
  /** It counts for what runs or begins within so long, ms; 0 = none. */
  readonly aheadMs: number;
  /** It counts for what the owner may not override as well: the charger says so itself. */
  readonly all: boolean;
}

export function optOutOf(status: SgdStatus | undefined, nowMs: number): OptOut {
  const endsMs = status?.overrideEndsMs;
  const leftMs = status?.override === true ? (endsMs ?? NEVER) - nowMs : 0;
  return { aheadMs: Math.max(0, Math.min(OVERRIDE_AHEAD_MS, leftMs)), all: endsMs === undefined };
}

/** True where the customer does not follow an event that is not over. */
export function isOptedOut(
  event: { readonly startUtcMs: number; readonly binding: boolean },
  { aheadMs, all }: OptOut,
  nowUtcMs: number,
): boolean {
  return aheadMs > 0 && nowUtcMs >= event.startUtcMs - aheadMs && (all || !event.binding);
}

/** What an upstream protocol gets from the module. */
export interface UpstreamHost {
  readonly http: HttpPort;
  /** For notifications; without it a protocol polls. */
  readonly mqtt?: MqttPort | undefined;
  /** For servers that announce themselves on the local network. */
  readonly mdns?: MdnsPort | undefined;
  readonly random: RandomPort;
  readonly store: StorePort;
  /** A new request id. */
  nextRequestId(): number;
  /**
   * Hands over everything that the source now holds. An event that is absent is cancelled (implied cancel).
   * Answers one verdict an event, in order.
   */
  replaceEvents(source: string, events: readonly GridEvent[], now: Now): readonly EventVerdict[];
  /** The source's clock, seen over an authenticated connection (HTTP Date). */
  clockSeen(utcMs: number, now: Now): void;
  /** What the server says of us in words of its protocol: it has taken us, or does not know us. For certificates on trial. */
  serverWord?(taken: boolean, now: Now): void;
  log(level: "info" | "warning" | "error", text: string): void;
}

/** One upstream protocol client: pure, driven by events and time. */
export interface Upstream {
  readonly id: string;
  start(now: Now): void;
  /** Does what is due. */
  poll(now: Now): void;
  /** Monotonic time at which `poll` wants to be called next. */
  nextMs(): number;
  onHttp(event: HttpEvent, now: Now): void;
  /** The module's network is back: what failed for want of it may be tried again soon. */
  networkUp?(now: Now): void;
  /** For protocols over WebSocket. */
  onWebSocket?(event: WebSocketEvent, now: Now): void;
  /** What became of its own certificate's renewal. */
  onCertificate?(event: CertificateEvent, now: Now): void;
  onMqtt?(event: MqttEvent, now: Now): void;
  onMdns?(event: MdnsEvent, now: Now): void;
  /** Something has changed at the server, somebody says: ask it soon. */
  hint?(now: Now): void;
  /** Ends the registration at the server (change of provider); `status` says `stopped` when it is done. */
  deregister?(now: Now): void;
  /** Tells what is known of the appliance; the upstream reports and opts out from it. Called on every change. */
  onSgd(status: SgdStatus, now: Now): void;
  status(): UpstreamStatus;
}
