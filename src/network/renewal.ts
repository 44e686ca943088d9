/**
 * The module's own certificates over the years, without a visit: each is renewed by EST (RFC 7030, simplereenroll, shown
 * the old certificate) after two thirds of its life, at a moment of its own, so that ten thousand modules that were made on
 * one day do not come on one day; what fails is tried again for ever, at least once a day; what is not to be renewed in time
 * is said to the owner. A module without a certificate asks for its first (simpleenroll). One at a time.
 */
import { backoffMs, comebackMs } from "../base/backoff.js";
import { toBase64 } from "../base/base64.js";
import type { Fault } from "../base/fault.js";
import { httpFailure, httpStatusFault } from "../base/http-words.js";
import { DAY_MS, formatDateTime, HOUR_MS, MINUTE_MS } from "../base/iso8601.js";
import { uniformInt, type Uint32Source } from "../base/random.js";
import { utf8Decode, utf8Encode } from "../base/utf8.js";
import type { CertificateEvent, CertificatePort } from "../ports/certificates.js";
import type { HttpEvent, HttpPort } from "../ports/http.js";
import { NEVER, type Now } from "../ports/time.js";
import { chainOfEst, EST_BYTES, estBody } from "./est.js";

export interface RenewalConfig {
  /** Name of the credentials: the upstream's id. */
  readonly id: string;
  /** Address of the EST server, up to `/.well-known/est` or a label behind it. */
  readonly est: string;
  /** For the first certificate (RFC 7030 3.2.3). */
  readonly estUser: string;
  readonly estSecret?: string | undefined;
}

export interface RenewalHost {
  readonly http: HttpPort;
  readonly certificates: CertificatePort;
  readonly random: Uint32Source;
  nextRequestId(): number;
  /** A certificate was changed, or what came does not fit. */
  security(code: "security-setup" | "own-certificate-refused", text: string): void;
  log(level: "info" | "warning", text: string): void;
}

/** For the page and for `state`. */
export interface RenewalStatus {
  readonly id: string;
  /** Undefined: there is no certificate, or nobody has looked yet. */
  readonly untilUtcMs: number | undefined;
  /** Why it was not renewed, a stable code; "" = nothing is wrong. */
  readonly fault: string;
  /** It ends soon, or has ended. */
  readonly urgent: boolean;
}

interface Renewal {
  readonly config: RenewalConfig;
  dueMs: number;
  fromUtcMs: number | undefined;
  untilUtcMs: number | undefined;
  /** When it is to be renewed; drawn once for a certificate. */
  renewUtcMs: number;
  /** It has waited its part of an hour since the start. */
  spread: boolean;
  failures: number;
  /** What came of the last try; undefined = all is well. */
  why: Fault | undefined;
  urgent: boolean;
}

/** After a start a street does not ask at once. Whoever has no certificate does: nothing works before. */
const SPREAD_MS = HOUR_MS;
const FILE_MS = MINUTE_MS;
const SERVER = "the certificate server";
/** A world that does not answer is asked anew. */
const ANSWER_MS = 10 * MINUTE_MS;

export class Renewals {
  private readonly renewals: Renewal[];
  /** The one that is under way, and until when it may be. */
  private active: Renewal | undefined;
  private waitsFor: CertificateEvent["ev"] | "http" = "validity";
  private untilMs = NEVER;
  private requestId = 0;
  private body = "";
  private now: Now = { ms: 0, utcMs: undefined };

  constructor(
    configs: readonly RenewalConfig[],
    private readonly host: RenewalHost,
  ) {
    this.renewals = configs.map((config) => ({
      ...{ config, dueMs: NEVER, fromUtcMs: undefined, untilUtcMs: undefined, renewUtcMs: NEVER },
      ...{ spread: false, failures: 0, why: undefined, urgent: false },
    }));
  }

  start({ ms }: Now): void {
    for (const each of this.renewals) each.dueMs = ms;
  }

  poll(now: Now): void {
    this.now = now;
    const { active } = this;
    if (active) {
      if (now.ms < this.untilMs) return;
      this.failed(active, httpFailure("timeout", "", SERVER));
    }
    const next = this.renewals.find(({ dueMs }) => now.ms >= dueMs);
    if (next === undefined) return;
    this.active = next;
    this.await("validity");
    this.host.certificates.call({ do: "look", credentials: next.config.id });
  }

  /** What failed for want of the network is tried again soon. */
  networkUp({ ms }: Now): void {
    for (const each of this.renewals) each.dueMs = comebackMs(each.why, each.dueMs, ms, this.host.random);
  }

  nextMs(): number {
    return this.active
      ? this.untilMs
      : this.renewals.reduce((least, { dueMs }) => Math.min(least, dueMs), NEVER);
  }

  status(): RenewalStatus[] {
    return this.renewals.map(({ config, untilUtcMs, why, urgent }) => ({
      ...{ id: config.id, untilUtcMs, fault: why?.fault ?? "", urgent },
    }));
  }

  /** True: it was meant for this, and for nobody else. */
  onCertificate(event: CertificateEvent, now: Now): boolean {
    this.now = now;
    const { active } = this;
    if (active?.config.id !== event.credentials || event.ev !== this.waitsFor) return false;
    if (event.ev === "validity") this.looked(active, event.fromUtcMs, event.untilUtcMs);
    else if (event.ev === "requested") this.ask(active, event.csr);
    else if (event.ev === "installed") this.installed(active, event.ok, event.why ?? "");
    return true;
  }

  onHttp(event: HttpEvent, now: Now): void {
    const { active } = this;
    if (!active || event.id !== this.requestId || this.waitsFor !== "http") return;
    this.now = now;
    switch (event.ev) {
      case "head":
        if (event.status !== 200) this.refused(active, event.status, event.headers);
        return;
      case "data":
        this.body += utf8Decode(event.bytes) ?? "?";
        return;
      case "failed":
        this.failed(active, httpFailure(event.reason, event.text, SERVER));
        return;
      case "end": {
        const chain = chainOfEst(this.body);
        this.body = "";
        if (chain === undefined) {
          this.failed(active, httpFailure("protocol", "its answer is no certificate", SERVER));
          return;
        }
        this.await("installed");
        this.host.certificates.call({ do: "install", credentials: active.config.id, chain });
      }
    }
  }

  private await(event: Renewals["waitsFor"]): void {
    this.waitsFor = event;
    this.untilMs = this.now.ms + ANSWER_MS;
  }

  /** How long the certificate is good is known: is it time? */
  private looked(renewal: Renewal, fromUtcMs: number | undefined, untilUtcMs: number | undefined): void {
    const { utcMs, ms } = this.now;
    if (fromUtcMs !== renewal.fromUtcMs || untilUtcMs !== renewal.untilUtcMs) {
      const lifeS = Math.floor(((untilUtcMs ?? 0) - (fromUtcMs ?? 0)) / 1000);
      const spreadS = uniformInt(this.host.random, Math.max(0, Math.floor(lifeS / 10)));
      renewal.fromUtcMs = fromUtcMs;
      renewal.untilUtcMs = untilUtcMs;
      renewal.renewUtcMs = (fromUtcMs ?? 0) + (Math.floor((lifeS * 2) / 3) + spreadS) * 1000;
    }
    // Without the time nobody knows how old a certificate is; that there is none is known.
    let leftMs = untilUtcMs === undefined ? 0 : utcMs === undefined ? NEVER : renewal.renewUtcMs - utcMs;
    if (untilUtcMs !== undefined && leftMs <= 0 && !renewal.spread)
      leftMs = MINUTE_MS + uniformInt(this.host.random, SPREAD_MS);
    renewal.spread = true;
    if (leftMs > 0) {
      this.active = undefined;
      renewal.dueMs = ms + Math.min(utcMs === undefined ? HOUR_MS : DAY_MS, Math.max(MINUTE_MS, leftMs));
      return;
    }
    this.await("requested");
    this.host.certificates.call({ do: "request", credentials: renewal.config.id });
  }

  private ask(renewal: Renewal, csr: string | undefined): void {
    if (csr === undefined) {
      this.failed(renewal, {
        blame: "storage",
        fault: "no-request",
        text: "No signing request can be made.",
      });
      return;
    }
    const { id, est, estUser, estSecret } = renewal.config;
    const { untilUtcMs } = renewal;
    const { utcMs } = this.now;
    // Nobody can show a certificate that has ended.
    const first = untilUtcMs === undefined || (utcMs !== undefined && utcMs >= untilUtcMs);
    const headers: [string, string][] = [["content-type", "application/pkcs10"]];
    if (first && estSecret !== undefined)
      headers.push(["authorization", `Basic ${toBase64(utf8Encode(`${estUser}:${estSecret}`))}`]);
    this.requestId = this.host.nextRequestId();
    this.body = "";
    this.await("http");
    this.host.http.request({
      ...{ id: this.requestId, method: "POST", headers, body: estBody(csr), credentials: id },
      url: `${est}/simple${first ? "" : "re"}enroll`,
      ...{ timeoutMs: FILE_MS, maxBodyBytes: EST_BYTES },
    });
  }

  private refused(renewal: Renewal, status: number, headers: readonly (readonly [string, string])[]): void {
    this.host.http.abort(this.requestId);
    const seconds = Number(headers.find(([name]) => name === "retry-after")?.[1] ?? 0);
    this.failed(renewal, httpStatusFault(status, SERVER));
    // It decides by hand (202), or has asked for time: no sooner, but the day after at the latest.
    if (seconds > 0) renewal.dueMs = Math.max(renewal.dueMs, this.now.ms + Math.min(seconds * 1000, DAY_MS));
  }

  private installed(renewal: Renewal, ok: boolean, why: string): void {
    const { id } = renewal.config;
    if (!ok) {
      this.host.security("own-certificate-refused", `${id}: ${why}`);
      this.failed(renewal, {
        blame: "server",
        fault: "wrong-certificate",
        text: `The certificate for ${id} does not fit.`,
      });
      return;
    }
    this.host.security("security-setup", `${id}: certificate renewed`);
    this.active = undefined;
    renewal.failures = 0;
    renewal.why = undefined;
    renewal.urgent = false;
    // Looked at once: how long it is good.
    renewal.dueMs = this.now.ms;
  }

  private failed(renewal: Renewal, why: Fault): void {
    const { fault, text } = why;
    const { untilUtcMs, fromUtcMs, config } = renewal;
    const { ms, utcMs } = this.now;
    this.active = undefined;
    const rule = { periodMs: HOUR_MS, floorMs: 10 * MINUTE_MS, maxMs: DAY_MS };
    renewal.dueMs = ms + backoffMs(rule, ++renewal.failures, this.host.random);
    const isNew = fault !== renewal.why?.fault;
    renewal.why = why;
    // The last sixth of its life: half of what there is for trying.
    const lifeMs = (untilUtcMs ?? 0) - (fromUtcMs ?? 0);
    const urgent = untilUtcMs === undefined || (utcMs !== undefined && (untilUtcMs - utcMs) * 6 < lifeMs);
    const turned = urgent && !renewal.urgent;
    renewal.urgent = urgent;
    if (!isNew && !turned) return;
    const until = untilUtcMs === undefined ? "there is none" : `it ends ${formatDateTime(untilUtcMs)}`;
    this.host.log(
      urgent ? "warning" : "info",
      `Certificate for ${config.id} not renewed, ${until}: ${fault}, ${text}`,
    );
  }
}
