import { isFault } from "../base/fault.js";
import { parseDateTime } from "../base/iso8601.js";
import { uniformInt } from "../base/random.js";
import type { Upstream, UpstreamHost, UpstreamStatus } from "../grid/upstream.js";
import type { CertificateEvent } from "../ports/certificates.js";
import type { HttpEvent } from "../ports/http.js";
import type { SgdStatus } from "../ports/sgd-status.js";
import { NEVER, type Now } from "../ports/time.js";
import type { WebSocketEvent, WebSocketPort } from "../ports/websocket.js";
import { answerRequest } from "./answers.js";
import type { ChargePoint } from "./charge-point.js";
import { limitIn } from "./composite.js";
import { connectionUrl, isSafeUrl, type Ocpp16Config } from "./config.js";
import type { Json } from "./frames.js";
import { Keys } from "./keys.js";
import { LimitPlan, type LimitSources } from "./limits.js";
import type { ChargingProfile } from "./profile.js";
import { ProfileBook } from "./profile-book.js";
import { readRequest, type Refused } from "./requests.js";
import { type CallOutcome, type Outgoing, RpcLink } from "./rpc-link.js";
import { SecurityEvents } from "./security-events.js";
import type { FirmwareStatus, SecurityAct, Services } from "./services.js";
import { ChargeSession, type Time } from "./session.js";
import { StatusNotices } from "./status-notices.js";
import { idTagStatus, TxSender } from "./tx-sender.js";
import type { TxMessage } from "./tx-store.js";
import { Upload } from "./upload.js";

export type { Ocpp16Config } from "./config.js";

export type Ocpp16Host = UpstreamHost & { readonly websocket: WebSocketPort };

/** What a call of ours was about. */
type About =
  | { readonly is: "boot" | "heartbeat" | "other" }
  | { readonly is: "security"; readonly mark: string }
  | { readonly is: "status"; readonly connector: 0 | 1 }
  | { readonly is: "authorize"; readonly idTag: string }
  | { readonly is: "tx"; readonly message: TxMessage };

type Waiting = Outgoing<About>;

/** Until the platform has named an interval for BootNotification. */
const BOOT_RETRY_MS = 60_000;
/** So long the first BootNotification waits for the charger to say who it is. */
const NAME_MS = 10_000;
const MOST_WAITING = 16;
/** Between asking a clock that is not set yet. */
const CLOCK_MS = 2_000;
const RESTART_MS = 1_000;

/**
 * A charge point of OCPP 1.6J with one connector: the charger that the module is plugged into. Driven by `poll`,
 * `onWebSocket` and `onSgd`, like every upstream.
 */
export class Ocpp16 implements Upstream, ChargePoint {
  readonly id: string;
  readonly keys: Keys;
  readonly profiles: ProfileBook;
  readonly session: ChargeSession;
  readonly upload: Upload;
  private readonly link: RpcLink<About>;
  private readonly plan: LimitPlan;
  private started = false;
  private stopped = { code: "", text: "Not started." };
  /** What the platform made of our BootNotification. */
  private boot: "unsent" | "Pending" | "Rejected" | "Accepted" = "unsent";
  private bootDueMs = 0;
  private nameByMs = 0;
  private heartbeatDueMs = NEVER;
  private offsetMs: number | undefined;
  private readonly notices: StatusNotices;
  private readonly txs: TxSender;
  private readonly security: SecurityEvents;
  private readonly outbox: Waiting[] = [];
  private toldFirmware: FirmwareStatus = "Idle";
  private sgd: SgdStatus | undefined;
  private readonly prefix: string;
  private now: Now = { ms: 0, utcMs: undefined };

  constructor(
    readonly config: Ocpp16Config,
    private readonly host: Ocpp16Host,
    readonly services: Services = {},
  ) {
    this.id = config.id;
    this.prefix = `ocpp.${config.id}`;
    this.keys = new Keys(host.store, `${this.prefix}.k`, String(config.securityProfile ?? 2));
    this.profiles = new ProfileBook(host.store, this.prefix);
    this.plan = new LimitPlan(config);
    this.session = new ChargeSession(
      host.store,
      this.prefix,
      this.keys,
      config,
      () => this.newId(),
      () => this.offered(),
    );
    this.notices = new StatusNotices(this.session, this.keys);
    this.txs = new TxSender(this.session, this.keys, (text) => this.log("warning", text));
    this.security = new SecurityEvents(services.security, config.id, host.store, `${this.prefix}.s`);
    this.upload = new Upload(host.http, config.id);
    this.link = new RpcLink<About>(host, this, {
      url: connectionUrl(config),
      credentials: config.id,
      user: config.chargePointId,
      pingMs: () => this.pingMs(),
    });
  }

  // --- Upstream -------------------------------------------------------------------------------------------

  start(now: Now): void {
    if (this.started) return;
    if (!isSafeUrl(this.config.url)) {
      const text = "OCPP needs TLS: the address must begin with wss:// (ws:// is for this computer itself).";
      this.stopped = { code: "ocpp-not-tls", text };
      return;
    }
    this.started = true;
    this.nameByMs = now.ms + NAME_MS;
    this.poll(now);
  }

  poll(now: Now): void {
    if (!this.started) return;
    const time = this.time(now);
    this.session.poll(time, this.isAccepted);
    this.replan(time);
    this.watchFirmware();
    // TLS without a clock would take any certificate for good, or none (O-02).
    if (this.link.isOpen || now.utcMs !== undefined) this.link.poll(now);
    if (this.session.changed) this.replan(this.time(now));
  }

  nextMs(): number {
    if (!this.started) return NEVER;
    const { ms } = this.last;
    let next = Math.min(this.session.nextMs(ms), this.plan.nextMs());
    if (!this.link.isOpen) {
      const clockless = this.last.utcMs === undefined && !this.link.isConnecting;
      return Math.min(next, clockless ? ms + CLOCK_MS : this.link.nextMs());
    }
    next = Math.min(next, this.link.nextMs());
    if (this.link.isFree) {
      if (this.boot !== "Accepted") next = Math.min(next, this.bootDueMs);
      else {
        next = Math.min(next, this.heartbeatDueMs, this.txs.nextMs() ?? NEVER);
        next = Math.min(
          next,
          this.last.utcMs !== undefined && this.security.waits ? ms : (this.notices.dueMs(ms) ?? NEVER),
        );
      }
    }
    const aligned = this.session.alignedUtcMs;
    if (aligned !== undefined && this.last.utcMs !== undefined)
      next = Math.min(next, ms + aligned - this.last.utcMs);
    return Math.max(ms, next);
  }

  onHttp(event: HttpEvent, now: Now): void {
    if (!this.upload.on(event)) return;
    this.tellUpload();
    this.poll(now);
  }

  networkUp(now: Now): void {
    this.link.networkUp(now);
  }

  onWebSocket(event: WebSocketEvent, now: Now): void {
    this.time(now);
    this.link.on(event, now);
    this.poll(now);
  }

  onCertificate(event: CertificateEvent, now: Now): void {
    if (event.credentials !== this.id) return;
    this.time(now);
    if (event.ev === "requested") {
      if (event.csr !== undefined) this.send("SignCertificate", { csr: event.csr });
    } else if (event.ev === "installed") {
      this.link.reply({ status: event.ok ? "Accepted" : "Rejected" });
      this.noteSecurity(event.ok ? "security-setup" : "own-certificate-refused", `${this.id}: certificate`);
      // What was signed is proven by a new connection.
      this.dropAfterAnswer ||= event.ok;
    }
    this.poll(now);
  }

  onSgd(status: SgdStatus, now: Now): void {
    if (status.identity !== undefined && this.boot === "unsent" && this.bootDueMs !== NEVER) {
      this.bootDueMs = Math.min(this.bootDueMs, now.ms);
    }
    this.sgd = status;
    if (!this.started) return;
    this.session.onSgd(status, this.time(now));
    this.poll(now);
  }

  status(): UpstreamStatus {
    const base = { id: this.id, nextTryMs: this.nextMs(), lastContactMs: this.link.lastContactMs };
    if (!this.started) {
      return { ...base, state: "stopped", fault: this.stopped.code, text: this.stopped.text };
    }
    const why = this.link.fault;
    if (isFault(why)) return { ...base, state: "failing", fault: why.fault, text: why.text };
    if (!this.link.isOpen) {
      const clockless = this.last.utcMs === undefined;
      const text = clockless ? "Waiting for the clock." : "Connecting to the charging platform.";
      return { ...base, state: "connecting", fault: "", text };
    }
    if (this.boot === "Rejected") {
      const text = "The charging platform does not accept this charge point; have it enrolled there.";
      return { ...base, state: "failing", fault: "ocpp-rejected", text };
    }
    const online = this.boot === "Accepted";
    const text = online ? "Online." : "Waiting to be accepted by the charging platform.";
    return { ...base, state: online ? "online" : "registering", fault: "", text };
  }

  // --- for the answers to the platform (answers.ts) --------------------------------------------------------

  /** The time of the input being handled, with the platform's clock where ours is not set. */
  last: Time = { ms: 0, utcMs: undefined };
  startProfile: ChargingProfile | undefined;

  log(level: "info" | "warning", text: string): void {
    this.host.log(level, `OCPP: ${text}`);
  }

  limitSources(): LimitSources {
    const { session, profiles, startProfile } = this;
    const { transaction } = session.store;
    return {
      profiles:
        startProfile === undefined || session.inTransaction
          ? profiles.profiles
          : // Its limit holds from the first ampere on.
            [...profiles.profiles, { ...startProfile, purpose: "TxDefaultProfile", stackLevel: 999 }],
      context: { txStartMs: transaction?.startUtcMs, transactionId: transaction?.transactionId },
      held: session.held,
      startUntilMs: session.starting?.untilMs,
      drawMs: session.drawMs,
    };
  }

  /** Profiles have changed: draws a new random delay, and hands the limits over. */
  profilesChanged(): void {
    const most = this.config.delayMaxMs ?? 0;
    this.session.setDraw(most > 0 ? uniformInt(this.host.random, Math.floor(most / 1000)) * 1000 : 0);
    this.session.changed = true;
  }

  /** Sends a message that is about no transaction, after what waits already. */
  send(action: string, payload: Json, about: About = { is: "other" }): void {
    this.put(this.call(action, payload, about));
  }

  /** Asks the platform about an idTag before a start from afar. */
  authorize(idTag: string): void {
    this.send("Authorize", { idTag }, { is: "authorize", idTag });
  }

  sendBoot(): void {
    this.put(this.bootNotification());
  }

  sendHeartbeat(): void {
    this.put(this.heartbeat());
  }

  sendStatus(connector: number | undefined): void {
    for (const one of [0, 1] as const) if (connector !== 1 - one) this.put(this.statusCall(one));
  }

  /** A platform that triggers more than it takes gets no more. */
  private put(call: Waiting): void {
    if (this.outbox.length < MOST_WAITING) this.outbox.push(call);
  }

  /** Tells how far an upload is, in the words of what asked for it. */
  tellUpload(): void {
    const { status, requestId, isDiagnostics } = this.upload;
    if (isDiagnostics) this.send("DiagnosticsStatusNotification", { status });
    else if (status === "Idle") this.send("LogStatusNotification", { status });
    else this.send("LogStatusNotification", { status, requestId });
  }

  firmwareStatus(): FirmwareStatus {
    return this.services.firmware?.status(this.now) ?? this.toldFirmware;
  }

  /** There is nothing that could install firmware: the platform is told so, instead of waiting. */
  firmwareUnavailable(): void {
    this.log("warning", "the platform wants a firmware update; this build cannot do it.");
    this.send("FirmwareStatusNotification", { status: "DownloadFailed" });
    this.toldFirmware = "Idle";
  }

  requestId(): number {
    return this.host.nextRequestId();
  }

  noteSecurity(act: SecurityAct, text: string): void {
    this.services.security?.add(act, text);
  }

  setPassword(password: string): void {
    this.noteSecurity("security-setup", `${this.id}: AuthorizationKey`);
    this.host.websocket.setPassword(this.id, password);
    // The answer goes out first; then the new password is proven by a new connection.
    this.dropAfterAnswer = true;
  }

  pingChanged(): void {
    this.link.keepAlive(this.pingMs());
  }

  heartbeatChanged(): void {
    this.heartbeatDueMs = this.last.ms + this.heartbeatMs();
  }

  requestCertificate(): void {
    this.services.certificates?.call({ do: "request", credentials: this.id });
  }

  installCertificate(chain: string): void {
    this.services.certificates?.call({ do: "install", credentials: this.id, chain });
  }

  /** Starts anew from what is stored; the charger is left as it is, because a load in force must not be dropped. */
  restart(hard: boolean): void {
    this.session.stop(hard ? "HardReset" : "SoftReset", this.last);
    this.noteSecurity("reset", `${this.id}: ${hard ? "hard" : "soft"}`);
    this.restartAfterAnswer = true;
  }

  private dropAfterAnswer = false;
  private restartAfterAnswer = false;

  // --- RpcUser ----------------------------------------------------------------------------------------------

  opened(now: Now): void {
    this.time(now);
    if (this.boot !== "Accepted") {
      // The charger's name and number belong in it; but what is mute is enrolled without them.
      this.bootDueMs = this.sgd?.identity === undefined ? Math.max(now.ms, this.nameByMs) : now.ms;
    } else this.heartbeatDueMs = Math.min(this.heartbeatDueMs, now.ms + this.heartbeatMs());
    this.txs.dueMs = now.ms;
  }

  down(): void {
    this.session.store.keepAll();
    // Answers to triggers are of no use later.
    this.outbox.length = 0;
  }

  called(action: string, payload: Json, now: Now): Json | Refused | undefined {
    this.time(now);
    if (this.boot === "Rejected" || this.boot === "unsent") {
      return { refused: "GenericError", text: "this charge point has not been accepted yet" };
    }
    const request = readRequest(action, payload);
    if ("refused" in request) return request;
    return answerRequest(this, request, this.last);
  }

  next(now: Now): Waiting | undefined {
    const time = this.time(now);
    if (this.afterAnswer(now)) return undefined;
    if (this.boot !== "Accepted") {
      // While pending, the platform may have triggered something.
      if (this.boot === "Pending" && this.outbox.length > 0) return this.outbox.shift();
      if (now.ms < this.bootDueMs) return undefined;
      this.bootDueMs = NEVER;
      return this.bootNotification();
    }
    const waiting =
      this.outbox.shift() ?? this.securityCall(time) ?? (this.txs.isNews ? this.txCall(now) : undefined);
    if (waiting !== undefined) return waiting;
    const connector = this.notices.next(time);
    if (connector !== undefined) return this.statusCall(connector);
    if (now.ms < this.heartbeatDueMs) return this.txCall(now);
    this.heartbeatDueMs = NEVER;
    return this.heartbeat();
  }

  answered(about: About, outcome: CallOutcome, now: Now): void {
    const time = this.time(now);
    const payload = outcome.is === "result" ? outcome.payload : undefined;
    switch (about.is) {
      case "boot":
        this.booted(payload, now);
        break;
      case "heartbeat":
        this.heartbeatDueMs = now.ms + this.heartbeatMs();
        if (payload !== undefined) this.clock(payload, now);
        break;
      case "status":
        // Not heard: to be told again.
        if (outcome.is !== "result" && outcome.is !== "error") this.notices.forget(about.connector);
        break;
      case "authorize":
        if (payload !== undefined && idTagStatus(payload) !== "Accepted") this.session.cancelStart();
        break;
      case "security":
        if (outcome.is === "result" || outcome.is === "error")
          this.security.told(about.mark, outcome.is === "error");
        break;
      case "tx":
        this.txs.answered(about.message, outcome, time);
        break;
      case "other":
    }
  }

  // --- inside ------------------------------------------------------------------------------------------------

  private get isAccepted(): boolean {
    return this.link.isOpen && this.boot === "Accepted";
  }

  private time(now: Now): Time {
    this.now = now;
    const utcMs = now.utcMs ?? (this.offsetMs === undefined ? undefined : now.ms + this.offsetMs);
    this.last = { ms: now.ms, utcMs };
    return this.last;
  }

  private pingMs(): number {
    return this.keys.number("WebSocketPingInterval") * 1000;
  }

  private heartbeat(): Waiting {
    return this.call("Heartbeat", {}, { is: "heartbeat" });
  }

  private call(action: string, payload: Json, about: About, messageId = this.newId()): Waiting {
    return { action, payload, messageId, about };
  }

  private statusCall(connector: 0 | 1): Waiting {
    const payload = this.notices.payload(connector, this.last);
    return this.call("StatusNotification", payload, { is: "status", connector });
  }

  private securityCall({ utcMs }: Time): Waiting | undefined {
    const event = utcMs === undefined ? undefined : this.security.next(utcMs);
    if (event === undefined) return undefined;
    const { payload, mark } = event;
    return this.call("SecurityEventNotification", payload, { is: "security", mark });
  }

  private txCall(now: Now): Waiting | undefined {
    const next = this.txs.next(now.ms);
    if (next === undefined) return undefined;
    const { message, payload } = next;
    // The same id at each attempt, so that the platform can know a repetition.
    return this.call(message.action, payload, { is: "tx", message }, message.messageId);
  }

  private newId(): string {
    const { random } = this.host;
    return hex(random.uint32()) + hex(random.uint32());
  }

  /** What was put off until the answer had gone. */
  private afterAnswer(now: Now): boolean {
    if (this.restartAfterAnswer) {
      this.restartAfterAnswer = false;
      this.dropAfterAnswer = false;
      this.boot = "unsent";
      this.notices.forgetAll();
      this.security.restart();
      this.link.drop(1001, "restart", RESTART_MS, now);
      return true;
    }
    if (!this.dropAfterAnswer) return false;
    this.dropAfterAnswer = false;
    this.link.drop(1001, "reconnect", RESTART_MS, now);
    return true;
  }

  private bootNotification(): Waiting {
    const identity = this.sgd?.identity;
    const model = printable(identity?.model ?? "", 20);
    const serial = printable(identity?.serial ?? "", 25);
    const payload = {
      chargePointVendor: "OpenUCM",
      chargePointModel: model === "" ? "CTA-2045 charger" : model,
      ...(serial === "" ? {} : { chargePointSerialNumber: serial }),
      firmwareVersion: printable(this.services.firmware?.version ?? "0.1.0", 50),
    };
    return this.call("BootNotification", payload, { is: "boot" });
  }

  private booted(payload: Json | undefined, now: Now): void {
    const status = payload?.["status"];
    const interval = payload?.["interval"];
    const seconds =
      typeof interval === "number" && interval >= 0 ? Math.min(86_400, Math.floor(interval)) : 0;
    const known = status === "Accepted" || status === "Pending" || status === "Rejected";
    if (payload !== undefined) this.clock(payload, now);
    if (!known || status !== "Accepted") {
      if (known) this.boot = status;
      this.bootDueMs = now.ms + (seconds > 0 ? seconds * 1000 : BOOT_RETRY_MS);
      if (status === "Rejected") this.log("warning", "the platform rejects this charge point.");
      return;
    }
    const first = this.boot !== "Accepted";
    this.boot = "Accepted";
    if (seconds > 0) this.keys.change("HeartbeatInterval", String(seconds));
    this.heartbeatDueMs = now.ms + this.heartbeatMs();
    if (!first) return;
    this.notices.forgetAll();
    this.txs.dueMs = now.ms;
  }

  private heartbeatMs(): number {
    // 0: we choose (OCPP 1.6, 4.6).
    return (this.keys.number("HeartbeatInterval") || 300) * 1000;
  }

  private clock(payload: Json, now: Now): void {
    const text = payload["currentTime"];
    const utcMs = typeof text === "string" ? parseDateTime(text) : undefined;
    if (utcMs === undefined) return;
    this.offsetMs = utcMs - now.ms;
    this.host.clockSeen(utcMs, now);
    this.time(now);
  }

  private replan(time: Time): void {
    const { session, plan } = this;
    if (!session.changed && !plan.isStale(time.ms, time.utcMs)) return;
    session.changed = false;
    this.watchTxProfiles();
    const events = plan.events(this.limitSources(), time.ms, time.utcMs, this.id, () => this.newId());
    if (events === undefined) return;
    for (const { id, verdict, why } of this.host.replaceEvents(this.id, events, this.now)) {
      if (verdict === "refused") this.log("warning", `limit ${id} was refused (${why}).`);
    }
  }

  /** The TxProfile of a start from afar goes in with its transaction; with the end of one they all go. */
  private watchTxProfiles(): void {
    const { session, startProfile } = this;
    if (!session.inTransaction) this.profiles.endTransaction();
    else if (startProfile !== undefined) this.profiles.install(startProfile);
    if (session.starting === undefined) this.startProfile = undefined;
  }

  private offered(): { readonly A: number; readonly W: number } {
    const { config } = this;
    const limit = this.plan.now(this.limitSources(), this.last.utcMs);
    const full = { unit: "A", value: config.installerMaxA, phases: config.phases } as const;
    const A = limit === undefined ? full.value : Math.min(full.value, limitIn("A", limit, config));
    return { A, W: Math.min(limitIn("W", full, config), limitIn("W", { ...full, value: A }, config)) };
  }

  private watchFirmware(): void {
    const status = this.services.firmware?.status(this.now);
    if (status === undefined || status === this.toldFirmware || !this.isAccepted) return;
    this.toldFirmware = status;
    // Idle is for who asks (OCPP 1.6, 7.25).
    if (status !== "Idle") this.send("FirmwareStatusNotification", { status });
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

function printable(text: string, max: number): string {
  let out = "";
  for (const c of text) if (c >= " " && c <= "~" && out.length < max) out += c;
  return out.trim();
}
