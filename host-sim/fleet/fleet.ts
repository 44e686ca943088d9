/**
 * Many modules and chargers in one process, each with protocol traffic of its own: in real time over a TLS
 * connection each against any VTN, or in virtual time against the embedded one without sockets.
 */
import { seededRandom } from "../../src/base/random.js";
import type { HttpPort, HttpRequest } from "../../src/ports/http.js";
import type { PlainEvent } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import type { ToUtc } from "../capture/line-capture.js";
import type { CaptureSink } from "../capture/record.js";
import { NodeHttp, type HttpCredentials } from "../net/node-http.js";
import { monotonicMs, WakeUp } from "../runtime/clock.js";
import type { SgdProfile } from "../sgd/profile.js";
import type { VtnCore } from "../vtn/core.js";
import { Agenda } from "./agenda.js";
import { Histogram } from "./figures.js";
import { Pair } from "./pair.js";

export interface FleetOptions {
  readonly count: number;
  readonly profile: SgdProfile;
  readonly seed: number;
  /** Address of the VTN; ignored in virtual time. */
  readonly vtnUrl: string;
  /** Of each module, by its index: a VTN may know a module by its certificate. */
  credentials(index: number): HttpCredentials;
  readonly pollSeconds: number | undefined;
  /** The modules are started spread over this time, ms. */
  readonly rampMs: number;
  /** Takes every frame of the first module's line. */
  readonly capture?: { readonly sink: CaptureSink; readonly toUtc: ToUtc };
}

/** What happened to one pair in one event. */
export interface Response {
  readonly pair: string;
  /** Frames of this pair that had collided by then. */
  readonly collided: number;
  /** From the intent's beginning in this module to the current below its limit, verified; ms. */
  readonly toVerifiedMs: number;
  /** When it was verified, on the fleet's clock, ms. */
  readonly atMs: number;
}

export interface FleetTotals {
  readonly count: number;
  readonly started: number;
  readonly online: number;
  readonly shedding: number;
  readonly verified: number;
  readonly currentA: number;
  readonly exchanges: number;
  /** Frames of either side that collided, and were repeated. */
  readonly collided: number;
  readonly refused: number;
}

/** Legal window of a link answer, ms (cta2045 2.4, tMA). */
const answerFromMs = 40;
const answerToMs = 200;
/** 2026-06-01T12:00:00Z: where virtual time begins. */
const virtualUtcMs = 1_780_315_200_000;
/** Time from a request to its answer in virtual time, ms. */
const virtualHttpMs = 20;

/** Name of a module of the fleet, and of its certificate. */
export function fleetName(index: number): string {
  return `fleet-${String(index + 1).padStart(5, "0")}`;
}

interface Member {
  readonly pair: Pair;
  online: boolean;
  intent: string;
  intentMs: number;
  verified: boolean;
}

export class Fleet {
  readonly gaps = new Histogram();
  readonly responses: Response[] = [];
  readonly toVerified = new Histogram();
  started = 0;
  refused = 0;
  readonly #options: FleetOptions;
  readonly #agenda: Agenda;
  readonly #members: Member[] = [];
  readonly #http: NodeHttp[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#agenda = new Agenda(options.count);
  }

  totals(): FleetTotals {
    const totals = { online: 0, shedding: 0, verified: 0, currentA: 0, exchanges: 0, collided: 0 };
    for (const { pair, online, intent, verified } of this.#members) {
      if (online) totals.online++;
      if (intent !== "normal" && intent !== "") totals.shedding++;
      if (verified) totals.verified++;
      totals.currentA += pair.sgd.state().currentA;
      totals.exchanges += pair.answers.moduleFrames;
      totals.collided += pair.answers.collided;
    }
    totals.currentA = Math.round(totals.currentA * 100) / 100;
    return { count: this.#options.count, started: this.started, refused: this.refused, ...totals };
  }

  /** Answers within the legal window, of all. */
  deadlines(): { readonly kept: number; readonly all: number } {
    return { kept: this.gaps.within(answerFromMs, answerToMs), all: this.gaps.count };
  }

  #config(name: string): UcmConfig {
    const { pollSeconds, vtnUrl } = this.#options;
    const config = readConfig({
      upstreams: [
        {
          id: "utility",
          protocol: "openadr2b",
          url: vtnUrl,
          venName: name,
          ...(pollSeconds === undefined ? {} : { pollSeconds }),
        },
      ],
      // Three exchanges a minute: commodity every 30 s, state every 60 s.
      polling: { stateSeconds: 60, commoditySeconds: 30 },
    });
    if (!("upstreams" in config)) throw new Error(config.map((one) => one.text).join("; "));
    return config;
  }

  #add(http: (index: number) => HttpPort): Member {
    const index = this.#members.length;
    const name = fleetName(index);
    const member: Member = {
      pair: new Pair({
        name,
        config: this.#config(name),
        profile: this.#options.profile,
        random: seededRandom(this.#options.seed + index * 7919),
        http: http(index),
        ...(index === 0 && this.#options.capture ? { capture: this.#options.capture } : {}),
        onEvent: (event, nowMs) => this.#onEvent(member, event, nowMs),
        onAnswerGap: (gapMs) => this.gaps.add(gapMs),
      }),
      online: false,
      intent: "",
      intentMs: 0,
      verified: false,
    };
    this.#members.push(member);
    this.started++;
    return member;
  }

  #onEvent(member: Member, event: PlainEvent, nowMs: number): void {
    if (event.event === "upstream") member.online = event.state === "online";
    else if (event.event === "intent") {
      member.intent = event.intent;
      member.intentMs = nowMs;
      member.verified = false;
    } else if (event.event === "command") {
      if (event.result === "refused" || event.result === "failed") this.refused++;
      if (!event.verified || member.verified) return;
      member.verified = true;
      if (member.intent === "normal") return;
      const toVerifiedMs = nowMs - member.intentMs;
      const { name, answers } = member.pair;
      this.responses.push({ pair: name, toVerifiedMs, atMs: nowMs, collided: answers.collided });
      this.toVerified.add(toVerifiedMs);
    }
  }

  /** Runs in real time until `until` resolves. */
  async runReal(until: Promise<unknown>): Promise<void> {
    const { count, rampMs } = this.#options;
    const polls = new WakeUp(() => step());
    let stopped = false;
    const step = (): void => {
      if (stopped) return;
      for (;;) {
        const now = Math.floor(monotonicMs());
        const index = this.#agenda.take(now);
        if (index === undefined) break;
        const { pair } = this.#members[index]!;
        pair.poll(now, Date.now());
        this.#agenda.set(index, Math.max(pair.nextMs(), now + 1));
      }
      polls.at(this.#agenda.nextMs());
    };
    const connect = (index: number): HttpPort => {
      // A connection each, as in the field: a network port of its own.
      const http = new NodeHttp({
        credentials: new Map([["utility", this.#options.credentials(index)]]),
        deliver: (event) => {
          this.#members[index]!.pair.onHttp(event);
          this.#agenda.set(index, 0);
          step();
        },
      });
      this.#http.push(http);
      return http;
    };
    const beganMs = monotonicMs();
    const ramp = setInterval(() => {
      const due = Math.min(count, Math.ceil(((monotonicMs() - beganMs) / Math.max(1, rampMs)) * count));
      while (this.started < due) {
        this.#add(connect);
        this.#agenda.set(this.started - 1, 0);
      }
      step();
      if (this.started >= count) clearInterval(ramp);
    }, 20);
    await until;
    stopped = true;
    clearInterval(ramp);
    polls.stop();
    for (const http of this.#http) http.close();
  }

  /** Runs in virtual time against `vtn`; `at` is called at each whole second. */
  runVirtual(vtn: VtnCore, durationMs: number, at: (nowMs: number) => void): void {
    const { count, rampMs } = this.#options;
    const fingerprint = (index: number): string =>
      `00:00:00:00:00:00:${index
        .toString(16)
        .padStart(6, "0")
        .replace(/(..)(..)(..)/, "$1:$2:$3")}:00`;
    const answers: { readonly atMs: number; readonly index: number; readonly request: HttpRequest }[] = [];
    let now = 0;
    let second = 0;
    const connect = (index: number): HttpPort => ({
      request: (request) => void answers.push({ atMs: now + virtualHttpMs, index, request }),
      abort: () => undefined,
    });
    while (now < durationMs) {
      const nextStart =
        this.started < count ? Math.floor((this.started * rampMs) / count) : Number.POSITIVE_INFINITY;
      now = Math.max(
        now,
        Math.min(this.#agenda.nextMs(), answers[0]?.atMs ?? Infinity, nextStart, (second + 1) * 1000),
      );
      while (now >= (second + 1) * 1000) at(++second * 1000);
      while (this.started < count && Math.floor((this.started * rampMs) / count) <= now) {
        this.#add(connect);
        this.#agenda.set(this.started - 1, now);
      }
      while (answers.length > 0 && answers[0]!.atMs <= now) {
        const { index, request } = answers.shift()!;
        this.#answer(vtn, index, request, fingerprint(index), virtualUtcMs + now);
        this.#agenda.set(index, now);
      }
      for (let index = this.#agenda.take(now); index !== undefined; index = this.#agenda.take(now)) {
        const { pair } = this.#members[index]!;
        pair.poll(now, virtualUtcMs + now);
        this.#agenda.set(index, Math.max(Math.ceil(pair.nextMs()), now + 1));
      }
    }
  }

  #answer(vtn: VtnCore, index: number, request: HttpRequest, fingerprint: string, utcMs: number): void {
    const service = request.url.slice(request.url.lastIndexOf("/") + 1);
    const { status, body } = vtn.handle(service, request.body ?? "", fingerprint, { utcMs });
    const { pair } = this.#members[index]!;
    pair.onHttp({ id: request.id, ev: "head", status, headers: [["content-type", "application/xml"]] });
    pair.onHttp({ id: request.id, ev: "data", bytes: Buffer.from(body, "utf8") });
    pair.onHttp({ id: request.id, ev: "end" });
  }
}

export { virtualUtcMs };
