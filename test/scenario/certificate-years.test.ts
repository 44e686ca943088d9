/**
 * Ten years of a module's certificate in virtual time: renewals, a certificate server that is dead for weeks, one that
 * refuses, and ten thousand modules that were made on one day.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../host-sim/pki/certificates.js";
import { certsOnly } from "../../host-sim/pki/certs-only.js";
import { seededRandom } from "../../src/base/random.js";
import { Renewals } from "../../src/network/renewal.js";
import type { CertificateCall } from "../../src/ports/certificates.js";
import type { HttpEvent, HttpFailure, HttpRequest } from "../../src/ports/http.js";

const DAY = 86_400_000;
const YEAR = 365 * DAY;
const START_UTC = Date.UTC(2026, 0, 1);

type Answer = "good" | "dead" | "other-key" | "garbage" | `http-${number}` | "silent";

let answerBody: Uint8Array;
beforeAll(async () => {
  const span = { notBeforeUtcMs: START_UTC, notAfterUtcMs: START_UTC + YEAR };
  const { cert } = await makeCertificate({ commonName: "x", role: "client", ...span });
  answerBody = new TextEncoder().encode(certsOnly([cert]));
});

/** A module with one certificate; the world keeps it as its dates alone. */
class Home {
  ms = 0;
  /** Undefined: there is none. */
  certificate: { fromUtcMs: number; untilUtcMs: number } | undefined;
  readonly requests: { readonly day: number; readonly request: HttpRequest }[] = [];
  readonly log: string[] = [];
  readonly security: string[] = [];
  answer: (request: HttpRequest) => Answer = () => "good";
  clockIsSet = true;
  reason: HttpFailure = "refused";
  retryAfter: string | undefined;
  /** Days on which there was no valid certificate. */
  bareDays = 0;
  readonly renewals: Renewals;
  #id = 0;
  #pending = false;
  readonly #due: (() => void)[] = [];

  constructor(
    seed: number,
    readonly lifeDays: number,
    secret?: string,
  ) {
    this.renewals = new Renewals(
      [{ id: "vtn", est: "https://ca/est", estUser: "UCM-1", estSecret: secret }],
      {
        http: { request: (request) => this.#serve(request), abort: () => undefined },
        certificates: { call: (call) => this.#due.push(() => this.#keep(call)) },
        random: seededRandom(seed),
        nextRequestId: () => ++this.#id,
        security: (code, text) => this.security.push(`${code} ${text}`),
        log: (level, text) => this.log.push(`${level} ${text}`),
      },
    );
  }

  get now(): { ms: number; utcMs: number | undefined } {
    return { ms: this.ms, utcMs: this.clockIsSet ? START_UTC + this.ms : undefined };
  }

  get day(): number {
    return this.ms / DAY;
  }

  issue(): void {
    const fromUtcMs = START_UTC + this.ms;
    this.certificate = { fromUtcMs, untilUtcMs: fromUtcMs + this.lifeDays * DAY };
  }

  #keep(call: CertificateCall): void {
    const { credentials } = call;
    if (call.do === "look")
      this.renewals.onCertificate({ ev: "validity", credentials, ...this.certificate }, this.now);
    else if (call.do === "request") {
      this.#pending = true;
      const csr = "-----BEGIN CERTIFICATE REQUEST-----\nQUJD\n-----END CERTIFICATE REQUEST-----\n";
      this.renewals.onCertificate({ ev: "requested", credentials, csr }, this.now);
    } else if (call.do === "install") {
      const last = this.requests.at(-1)!;
      const ok = this.#pending && this.answer(last.request) === "good";
      if (ok) this.issue();
      this.#pending = false;
      this.renewals.onCertificate(
        { ev: "installed", credentials, ok, why: ok ? "fine" : "other-key" },
        this.now,
      );
    }
  }

  #serve(request: HttpRequest): void {
    this.requests.push({ day: this.day, request });
    const answer = this.answer(request);
    const { id } = request;
    const tell = (event: HttpEvent): void => void this.#due.push(() => this.renewals.onHttp(event, this.now));
    if (answer === "silent") return;
    if (answer === "dead") {
      tell({ id, ev: "failed", reason: this.reason, text: "" });
      return;
    }
    const status = answer.startsWith("http-") ? Number(answer.slice(5)) : 200;
    const headers: [string, string][] =
      this.retryAfter === undefined ? [] : [["retry-after", this.retryAfter]];
    tell({ id, ev: "head", status, headers });
    tell({ id, ev: "data", bytes: answer === "garbage" ? new TextEncoder().encode("<html>") : answerBody });
    tell({ id, ev: "end" });
  }

  runTo(days: number): void {
    const end = days * DAY;
    while (this.ms < end) {
      this.renewals.poll(this.now);
      for (let one = this.#due.shift(); one !== undefined; one = this.#due.shift()) one();
      const next = Math.min(end, Math.max(this.ms + 1, this.renewals.nextMs()));
      if (this.clockIsSet && (this.certificate?.untilUtcMs ?? 0) < START_UTC + next)
        this.bareDays +=
          (next - Math.max(this.ms, (this.certificate?.untilUtcMs ?? START_UTC) - START_UTC)) / DAY;
      this.ms = next;
    }
  }
}

function home(seed: number, lifeDays = 365): Home {
  const made = new Home(seed, lifeDays);
  made.issue();
  made.renewals.start(made.now);
  return made;
}

describe("ten years of a certificate", () => {
  it.each([30, 90, 365, 1095])(
    "renews one of %i days in time, each time after two thirds of its life",
    (life) => {
      const module = home(life, life);
      module.runTo(3650);
      expect(module.bareDays).toBe(0);
      const days = [0, ...module.requests.map(({ day }) => day)];
      for (let i = 1; i < days.length; i++) {
        const part = (days[i]! - days[i - 1]!) / life;
        expect(part).toBeGreaterThan(0.66);
        expect(part).toBeLessThan(0.81);
      }
      expect(module.security).toHaveLength(module.requests.length);
      expect(module.requests.length).toBeGreaterThanOrEqual(Math.floor(3650 / life / 0.81));
      for (const { request } of module.requests) {
        expect(request).toMatchObject({
          method: "POST",
          url: "https://ca/est/simplereenroll",
          credentials: "vtn",
        });
        expect(request).toMatchObject({ body: "QUJD", headers: [["content-type", "application/pkcs10"]] });
      }
      expect(module.log).toEqual([]);
    },
  );

  it("outlives a certificate server that is dead for ten weeks, and comes back within a day of it", () => {
    const module = home(1, 365);
    const [from, until] = [240, 310];
    module.answer = () => (module.day >= from && module.day < until ? "dead" : "good");
    module.runTo(3650);
    expect(module.bareDays).toBe(0);
    const tries = module.requests.filter(({ day }) => day >= from && day < until);
    // At least daily, at most what the doubling allows.
    expect(tries.length).toBeGreaterThan(40);
    expect(tries.length).toBeLessThan(300);
    expect(module.requests.find(({ day }) => day >= until)!.day).toBeLessThan(until + 1.05);
    expect(module.log[0]).toMatch(/^info .*not renewed, it ends 2027-01-01.*refused/);
    expect(module.log.length).toBeLessThanOrEqual(2);
  });

  it("says to the owner when there is little time left, tries on, and takes it back", () => {
    const module = home(2, 365);
    module.answer = () => "http-403";
    module.runTo(330);
    expect(module.log.map((line) => line.split(" ")[0])).toEqual(["info", "warning"]);
    expect(module.renewals.status()).toMatchObject([{ id: "vtn", fault: "http-403", urgent: true }]);
    module.answer = () => "good";
    module.runTo(333);
    expect(module.renewals.status()).toMatchObject([{ fault: "", urgent: false }]);
    expect(module.bareDays).toBe(0);
  });

  it("asks for a first one where the last has ended, with the secret it was given, for ever", () => {
    const module = new Home(3, 365, "s3cret");
    module.issue();
    module.renewals.start(module.now);
    module.answer = ({ url }) => (url.endsWith("/simpleenroll") && module.day > 500 ? "good" : "dead");
    module.runTo(600);
    const last = module.requests.at(-1)!.request;
    expect(last.url).toBe("https://ca/est/simpleenroll");
    expect(last.headers[1]).toEqual([
      "authorization",
      `Basic ${Buffer.from("UCM-1:s3cret").toString("base64")}`,
    ]);
    expect(
      module.requests.filter(({ request }) => request.url.endsWith("reenroll") && request.headers.length > 1),
    ).toEqual([]);
    expect(module.renewals.status()[0]!.untilUtcMs).toBeGreaterThan(START_UTC + 800 * DAY);
    expect(module.bareDays).toBeGreaterThan(100);
  });

  it("gets its first certificate by itself, without a clock too", () => {
    const module = new Home(4, 365);
    module.clockIsSet = false;
    module.renewals.start(module.now);
    module.runTo(1);
    expect(module.certificate).toBeDefined();
    const before = module.requests.length;
    module.runTo(400);
    expect(module.requests.length).toBe(before); // who knows no time renews nothing
  });

  it.each(["other-key", "garbage", "silent"] as const)(
    "keeps what it has when the answer is %s",
    (answer) => {
      const module = home(5, 365);
      const first = module.certificate;
      module.answer = () => answer;
      module.runTo(330);
      expect(module.certificate).toBe(first);
      expect(module.requests.length).toBeGreaterThan(30);
      expect(module.log.length).toBeLessThanOrEqual(2);
      if (answer === "other-key") expect(module.security[0]).toBe("own-certificate-refused vtn: other-key");
    },
  );

  it("waits as long as it is asked to, but a day at most", () => {
    const module = home(6, 365);
    module.answer = () => "http-202";
    module.retryAfter = "80000";
    module.runTo(330);
    const days = module.requests.map(({ day }) => day);
    for (let i = 1; i < days.length; i++) expect(days[i]! - days[i - 1]!).toBeGreaterThan(0.92);
    module.retryAfter = "99999999";
    const { length } = module.requests;
    module.runTo(340);
    expect(module.requests.length - length).toBeGreaterThanOrEqual(8);
  });

  it("spreads a street that starts together with certificates that are due, and asks at once for a first one", () => {
    const minutes = Array.from({ length: 200 }, (_, seed) => {
      const module = new Home(seed, 365);
      module.certificate = { fromUtcMs: START_UTC - 300 * DAY, untilUtcMs: START_UTC + 65 * DAY };
      module.renewals.start(module.now);
      module.runTo(0.2);
      return module.requests[0]!.day * 1440;
    });
    expect(Math.min(...minutes)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...minutes)).toBeLessThan(62);
    for (let from = 0; from < 60; from += 10)
      expect(minutes.filter((minute) => minute >= from && minute < from + 10).length).toBeLessThan(60);
    const bare = new Home(1, 365);
    bare.renewals.start(bare.now);
    bare.reason = "unreachable";
    bare.answer = () => (bare.ms < 60_000 ? "dead" : "good");
    bare.runTo(0.0007);
    expect(bare.requests).toHaveLength(1);
    bare.renewals.networkUp(bare.now);
    bare.runTo(0.001);
    expect(bare.certificate).toBeDefined();
  });

  it("spreads ten thousand modules that were made on one day over weeks", () => {
    const byDay: number[] = [];
    for (let seed = 0; seed < 10_000; seed++) {
      const module = home(seed, 365);
      module.answer = () => "good";
      while (module.requests.length === 0) module.runTo(module.day + 10);
      const day = Math.floor(module.requests[0]!.day);
      byDay[day] = (byDay[day] ?? 0) + 1;
    }
    const days = byDay.filter((count) => count > 0);
    expect(days.length).toBeGreaterThan(34);
    expect(Math.max(...days)).toBeLessThan(400);
  }, 60_000);
});
