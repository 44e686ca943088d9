/**
 * The whole bench in virtual time, without sockets: utility, module, line, charger and car, each exactly the code
 * that runs in real time. The clock jumps to the next moment at which any of them has something to do, so an hour
 * takes a fraction of a second, and the same seed gives the same run.
 */
import { fromHex, toHex } from "../../src/base/hex.js";
import { seededRandom } from "../../src/base/random.js";
import type { HttpFailure, HttpRequest } from "../../src/ports/http.js";
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";
import { NEVER } from "../../src/ports/time.js";
import type { WebSocketFailure } from "../../src/ports/websocket.js";
import type { Input, Output, PlainEvent, Reply, WebSocketCall } from "../../src/runtime.js";
import type { Setup } from "../../src/setup/setup-form.js";
import { VirtualCsms, type VirtualCsmsOptions } from "../csms/virtual.js";
import { VirtualNetwork } from "../net/virtual-network.js";
import { type LineUser, nextTurnMs, passBytes, type Wired } from "../line/pass-bytes.js";
import { VirtualLine, type VirtualEnd } from "../line/virtual-line.js";
import { lineInput } from "../runtime/inputs.js";
import type { StartReason } from "../../src/journal/recorder.js";
import type { FileFlash } from "../runtime/file-flash.js";
import type { Engine } from "../runtime/ucm-host.js";
import { loadProfile, type SgdProfile } from "../sgd/profile.js";
import { SgdSimulator, type SgdState } from "../sgd/simulator.js";
import { VtnCore } from "../vtn/core.js";
import { Vtn3Core, type Vtn3Options } from "../vtn/openadr3-core.js";
import type { VtnCoreOptions } from "../vtn/state.js";
import { benchDocument, client3, VirtualSetup } from "./virtual-setup.js";

export interface VirtualBenchOptions {
  readonly engine: Engine;
  readonly seed?: number;
  readonly profile?: SgdProfile | string;
  /** What the upstream "utility" of the default configuration speaks; default OpenADR 2.0b. */
  readonly protocol?: "openadr2b" | "openadr3";
  readonly vtn3?: Vtn3Options;
  /** The charging platform, for an upstream of protocol ocpp16 ({@link csmsUpstream}). */
  readonly csms?: VirtualCsmsOptions;
  /** Widens the default configuration: one upstream "utility". */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly vtn?: VtnCoreOptions;
  /** Keeps the module's journal and values; without it `store` keeps the values, and there is no journal. */
  readonly flash?: FileFlash;
  /** UTC at the start, ms; default 2026-06-01T12:00:00Z. */
  readonly utcMs?: number;
  /**
   * The module keeps its own place in a home network ({@link VirtualBench.home}), and its own clock, unset at the start.
   * Without it the world does both.
   */
  readonly home?: boolean;
  /**
   * The module has its own pages ({@link VirtualBench.page}), behind this secret of its label. `fresh`: nobody has set it
   * up, it knows no utility and no Wi-Fi; what `config` says beside its upstreams stands.
   */
  readonly web?: { readonly ownerSecret: string; readonly fresh?: boolean };
  /** Time from a request to its answer, ms. */
  readonly httpDelayMs?: number;
  /** Hangs something else on the line than the charger's simulator, e.g. a recorded appliance. */
  readonly appliance?: (end: VirtualEnd) => LineUser;
  /** Awaited before the bench goes on to `nowMs`; real time is a bench that waits for the wall clock here. */
  readonly pace?: (nowMs: number) => Promise<void>;
}

/** The module's clock against the utility's, which is always right. */
export interface ModuleClock {
  /** False: it has never been set. */
  known: boolean;
  offsetMs: number;
}

export type { LineUser } from "../line/pass-bytes.js";

interface Pending {
  readonly atMs: number;
  readonly request: HttpRequest;
}

/** How a request fares; replaced by tests of outages. */
export type Network = (request: HttpRequest, utcMs: number) => { status: number; body: string } | HttpFailure;

/** An upstream that the bench's charging platform answers. */
export const csmsUpstream = {
  id: "platform",
  protocol: "ocpp16",
  url: "wss://127.0.0.1:1/ocpp",
  chargePointId: "CP-1",
} as const;

const noWifi = { ssid: "", passphrase: "" } as const;

/** The page that says "saved" goes out before the module starts anew, ms. */
const SETTLE_MS = 300;

/** A ping a minute, and one more to answer it, ms. */
const PING_LOST_MS = 120_000;

const fingerprint = "00:11:22:33:44:55:66:77:88:99";

export class VirtualBench {
  nowMs = 0;
  readonly line: VirtualLine;
  readonly vtn: VtnCore;
  /** The same utility over OpenADR 3.1. */
  readonly vtn3: Vtn3Core;
  /** The charging platform. */
  readonly csms: VirtualCsms;
  /** The charger; on a line of its own where `appliance` takes its place. */
  readonly sgd: SgdSimulator;
  /** Everything that the module told, with its time. */
  readonly told: { readonly atMs: number; readonly event: PlainEvent }[] = [];
  /** Every change of the charger's state. */
  readonly states: SgdState[] = [];
  /** What the module keeps over a restart. */
  readonly store: Record<string, string> = {};
  network: Network;
  /** How connections to the charging platform fare: "" = well, else why none comes about. */
  platformWay: WebSocketFailure | "" = "";
  /** When an open one over which nothing passes is given up, for want of an answer to a ping. */
  #pingLostMs = NEVER;
  /** The network at home, where the module has to find its way itself. */
  readonly home: VirtualNetwork | undefined;
  /** What the module's lamp says. */
  lamp = "";
  /** May be changed at any time; the module sees it at its next step. */
  readonly moduleClock: ModuleClock = { known: true, offsetMs: 0 };

  readonly flash: FileFlash | undefined;
  readonly #engine: Engine;
  readonly #setup: VirtualSetup;
  readonly #web: VirtualBenchOptions["web"];
  #visits = 0;
  /** When the module starts anew with what was set up. */
  #anewMs = NEVER;
  readonly #utc0: number;
  readonly #httpDelayMs: number;
  readonly #pace: ((nowMs: number) => Promise<void>) | undefined;
  readonly #random;
  readonly #moduleEnd: VirtualEnd;
  readonly #wired: Wired;
  #pending: Pending[] = [];
  #inputs: Input[] = [];
  #answers: Output[] = [];
  #wakeMs = 0;
  #dark = false;
  /** Steps at one moment: a bench that does not get on with time has a fault. */
  #stuck = 0;

  constructor(options: VirtualBenchOptions) {
    this.#engine = options.engine;
    this.flash = options.flash;
    this.#utc0 = options.utcMs ?? 1_780_315_200_000;
    this.#httpDelayMs = options.httpDelayMs ?? 15;
    this.#pace = options.pace;
    this.#random = seededRandom(options.seed ?? 1);
    this.csms = new VirtualCsms(() => this.utcMs, options.csms);
    this.home = options.home
      ? new VirtualNetwork(
          this.#random,
          (ms) => this.#utc0 + ms,
          (utcMs, ms) => {
            this.moduleClock.known = true;
            this.moduleClock.offsetMs = utcMs - (this.#utc0 + ms);
          },
        )
      : undefined;
    if (this.home) this.moduleClock.known = false;
    this.line = new VirtualLine({ bitsPerSecond: 19_200, random: this.#random });
    this.#moduleEnd = this.line.end("module", { muted: true });
    const chargerEnd = this.line.end("charger", { muted: true });
    this.vtn = new VtnCore({ pollSeconds: 10, ...options.vtn });
    this.vtn3 = new Vtn3Core(this.vtn.state, this.vtn.misbehaviours, { clients: [client3], ...options.vtn3 });
    const profile =
      typeof options.profile === "object"
        ? options.profile
        : loadProfile(options.profile ?? "evse-level2-32a");
    this.sgd = new SgdSimulator({
      profile,
      line: options.appliance
        ? new VirtualLine({ bitsPerSecond: 19_200, random: this.#random }).end("nobody")
        : chargerEnd,
      random: this.#random,
      emit: (event) => {
        if (event.event === "state") this.states.push(event);
      },
    });
    const appliance = options.appliance?.(chargerEnd) ?? this.sgd;
    this.#wired = { line: this.line, moduleEnd: this.#moduleEnd, chargerEnd, appliance };
    this.#web = options.web;
    const fresh = options.web?.fresh ?? false;
    if (fresh && this.home) this.home.known = noWifi;
    const url3 = options.protocol === "openadr3" ? this.vtn3.baseUrl : undefined;
    this.#setup = new VirtualSetup(benchDocument(url3, options.config), fresh);
    this.network = (request, utcMs) => {
      if (request.url.startsWith(this.vtn3.baseUrl)) {
        const header = request.headers.find(([name]) => name === "authorization");
        return this.vtn3.handle(
          {
            method: request.method,
            path: request.url.slice(this.vtn3.baseUrl.length),
            body: request.body ?? "",
            authorization: header?.[1],
          },
          { utcMs },
        );
      }
      const service = request.url.slice(request.url.lastIndexOf("/") + 1);
      return this.vtn.handle(service, request.body ?? "", fingerprint, { utcMs });
    };
    this.boot();
  }

  /** What the pages have set up, in order. */
  get setups(): readonly Setup[] {
    return this.#setup.setups;
  }

  get utcMs(): number {
    return this.#utc0 + this.nowMs;
  }

  /** Starts the module; again after a power cut, where the engine is a fresh one. */
  boot(reason: StartReason = "power"): void {
    this.#dark = false;
    while (this.#moduleEnd.take());
    this.csms.forget();
    const seed = [0, 1, 2, 3].map(() => this.#random.uint32());
    this.#pending = [];
    const sectors = this.flash === undefined ? {} : { flashSectors: this.flash.sectors };
    this.home?.forget();
    const network = this.home === undefined ? {} : { network: { builtUtcMs: this.#utc0 - 30 * 86_400_000 } };
    const web =
      this.#web === undefined
        ? {}
        : { web: { ownerSecret: this.#web.ownerSecret, fresh: this.#setup.fresh, settable: true } };
    const given = { ...sectors, ...network, ...web };
    this.#inputs = [
      ...(this.flash?.inputs() ?? []),
      { k: "boot", config: this.#setup.config, store: { ...this.store }, seed, reason, ...given },
    ];
    this.#wakeMs = this.nowMs;
  }

  /** Asks the module something at this very moment: `state`, `owner`, `delay`, `journal`, `factory-reset`. */
  async ask<K extends "state" | "answer" | "journal" | "web">(
    input: Input,
    kind: K,
  ): Promise<Extract<Output, { readonly k: K }>> {
    this.#answers = [];
    this.#inputs.push(input);
    await this.#stepModule(this.nowMs);
    const answer = this.#answers.find((output) => output.k === kind);
    if (answer === undefined) throw new Error(`no answer to ${input.k}`);
    return answer as Extract<Output, { readonly k: K }>;
  }

  /**
   * A page of the module's own at this very moment, over the home network or, in setup, its own access point; undefined
   * where there is no way to it.
   */
  async page(request: Omit<WebRequest, "id">): Promise<WebResponse | undefined> {
    const reached = this.home === undefined || this.home.passes || this.lamp === "setup";
    if (this.#web === undefined || this.#dark || !reached) return undefined;
    const { response } = await this.ask({ k: "web", request: { id: ++this.#visits, ...request } }, "web");
    return response;
  }

  /** The module's button, held so long. */
  async button(heldMs: number): Promise<void> {
    this.#inputs.push({ k: "button", heldMs });
    await this.#stepModule(this.nowMs);
  }

  /** The world keeps what the owner's page gave, and starts the module with it. */
  #setUp(): void {
    this.#anewMs = NEVER;
    this.#setup.keep();
    const { wifi } = this.setups.at(-1)!;
    if (wifi.ssid !== "" && this.home) this.home.known = wifi;
    this.boot("requested");
  }

  /** Factory reset: what the owner's page gave, and the Wi-Fi, are gone. */
  #forget(): void {
    if (this.#web === undefined) return;
    if (this.home) this.home.known = noWifi;
    this.#setup.forget();
  }

  /** Lets `durationMs` pass with the module without power; {@link boot} starts it again. */
  async darkness(durationMs: number): Promise<void> {
    this.cutPower();
    await this.run(durationMs);
  }

  /** Takes the module's power away; {@link boot} starts it again. */
  cutPower(): void {
    // What was set up is kept all the same: the world does so at once.
    if (this.#anewMs !== NEVER) this.#setUp();
    this.#dark = true;
    this.#pending = [];
    this.csms.forget();
    this.home?.forget();
    if (this.home) this.moduleClock.known = false;
    this.#inputs = [];
    this.#wakeMs = NEVER;
  }

  /** Pulls the module out of its socket: off the line, and without power. */
  unplugModule(): void {
    this.#moduleEnd.unplug(this.nowMs);
    this.cutPower();
  }

  /** Puts the module back into its socket: it boots. */
  plugModule(): void {
    this.#moduleEnd.plug(this.nowMs);
    this.boot();
  }

  /** Lets time pass until `done` says so. Answers the ms waited, or throws after `limitMs`. */
  async until(what: string, done: () => boolean, limitMs = 60_000): Promise<number> {
    const from = this.nowMs;
    if (!(await this.waitFor(done, limitMs))) throw new Error(`not within ${limitMs} ms: ${what}`);
    return this.nowMs - from;
  }

  /** Lets time pass until `done` says so; false where `limitMs` went by without. */
  async waitFor(done: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.nowMs + limitMs;
    while (!done()) {
      if (this.#nextMs() > end) {
        await this.#pace?.(end);
        this.nowMs = end;
        return false;
      }
      await this.#stepAt(this.#nextMs());
    }
    return true;
  }

  /** Lets `durationMs` pass. */
  async run(durationMs: number): Promise<void> {
    await this.waitFor(() => false, durationMs);
  }

  /** The last event of a kind that the module told. */
  last<K extends PlainEvent["event"]>(kind: K): Extract<PlainEvent, { readonly event: K }> | undefined {
    for (let i = this.told.length - 1; i >= 0; i--) {
      const { event } = this.told[i]!;
      if (event.event === kind) return event as Extract<PlainEvent, { readonly event: K }>;
    }
    return undefined;
  }

  #nextMs(): number {
    let next = Math.min(nextTurnMs(this.#wired), this.#wakeMs, this.csms.nextMs(), this.#anewMs);
    next = Math.min(next, this.#pingLostMs);
    for (const pending of this.#pending) next = Math.min(next, pending.atMs);
    if (this.home) next = Math.min(next, this.home.nextMs());
    if (next === NEVER) throw new Error("nobody has anything to do any more");
    return Math.max(this.nowMs, Math.ceil(next));
  }

  /** Why nothing passes between module and platform; "" where it does. */
  get #wrongWay(): WebSocketFailure | "" {
    return this.home?.passes === false ? "unreachable" : this.platformWay;
  }

  #platformLine(ms: number): void {
    const { csms } = this;
    const dead = this.#wrongWay !== "" && csms.isConnected;
    csms.lose = dead ? "requests" : csms.lose === "requests" ? "nothing" : csms.lose;
    if (!dead) this.#pingLostMs = NEVER;
    else if (this.#pingLostMs === NEVER) this.#pingLostMs = ms + PING_LOST_MS;
    else if (ms >= this.#pingLostMs) csms.cut();
  }

  #toPlatform(call: WebSocketCall): void {
    const reason = this.#wrongWay;
    if (call.do !== "open" || reason === "") return this.csms.carryOut(call, this.nowMs);
    const event = { id: call.request.id, ev: "failed", reason, text: "" } as const;
    this.#inputs.push({ k: "ws", event });
    this.#wakeMs = Math.min(this.#wakeMs, this.nowMs + this.#httpDelayMs);
  }

  async #stepAt(ms: number): Promise<void> {
    this.#stuck = ms === this.nowMs ? this.#stuck + 1 : 0;
    if (this.#stuck > 10_000) throw new Error(`time stands still at ${ms} ms`);
    await this.#pace?.(ms);
    this.nowMs = ms;
    if (ms >= this.#anewMs) this.#setUp();
    passBytes(this.#wired, ms, (event) => this.#inputs.push(lineInput(event)));
    this.#answerRequests(ms);
    for (const event of this.home?.take(ms) ?? []) this.#inputs.push({ k: "net", event });
    this.#platformLine(ms);
    for (const event of this.csms.take(ms)) this.#inputs.push({ k: "ws", event });
    if (this.#dark) {
      this.#inputs = [];
      this.#wakeMs = NEVER;
    } else if (this.#inputs.length > 0 || ms >= this.#wakeMs) await this.#stepModule(ms);
  }

  async #stepModule(ms: number): Promise<void> {
    const inputs = this.#inputs;
    this.#inputs = [];
    const { known, offsetMs } = this.moduleClock;
    const utcMs = known ? this.utcMs + offsetMs : null;
    const reply: Reply = await this.#engine.step({ nowMs: ms, utcMs, in: inputs });
    this.#wakeMs = reply.wakeMs ?? NEVER;
    for (const output of reply.out) this.#carryOut(output);
  }

  #carryOut(output: Output): void {
    switch (output.k) {
      case "tx":
        this.#moduleEnd.write(fromHex(output.hex)!);
        break;
      case "rate":
        this.#moduleEnd.setBitRate(output.bitsPerSecond);
        break;
      case "http":
        this.#pending.push({ atMs: this.nowMs + this.#httpDelayMs, request: output.request });
        break;
      case "abort":
        this.#pending = this.#pending.filter((pending) => pending.request.id !== output.id);
        break;
      case "net":
        this.home?.carryOut(output.call, this.nowMs);
        break;
      case "lamp":
        this.lamp = output.lamp;
        break;
      case "ws":
        this.#toPlatform(output.call);
        break;
      case "set":
        this.store[output.key] = output.value;
        break;
      case "del":
        delete this.store[output.key];
        break;
      case "event":
        this.told.push({ atMs: this.nowMs, event: output.event });
        break;
      case "flash":
        this.flash?.carryOut(output);
        break;
      case "restart":
        if (output.why === "factory-reset") this.#forget();
        this.boot(output.why);
        break;
      case "configure":
        this.#setup.setups.push(output.setup);
        this.#anewMs = this.nowMs + SETTLE_MS;
        break;
      case "web":
      case "state":
      case "answer":
      case "journal":
        this.#answers.push(output);
        break;
    }
  }

  #answerRequests(ms: number): void {
    const due = this.#pending.filter((pending) => pending.atMs <= ms);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((pending) => pending.atMs > ms);
    for (const { request } of due) {
      const { id } = request;
      const answer = this.home?.passes === false ? "unreachable" : this.network(request, this.utcMs);
      if (typeof answer === "string") {
        this.#inputs.push({ k: "failed", id, reason: answer, text: `the server is not there (${answer})` });
        continue;
      }
      this.#inputs.push({
        k: "head",
        id,
        status: answer.status,
        headers: [["content-type", "application/xml"]],
      });
      const bytes = utf8(answer.body);
      for (let at = 0; at < bytes.length; at += 512) {
        this.#inputs.push({ k: "data", id, hex: toHex(bytes.subarray(at, at + 512)) });
      }
      this.#inputs.push({ k: "end", id });
    }
  }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}
