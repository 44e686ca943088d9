/**
 * Runs the module against a real line and real servers on this computer, whatever engine it runs in: this is the
 * world of `src/runtime.ts`. One batch is under way at a time; inputs that come meanwhile form the next.
 */
import { randomBytes } from "node:crypto";
import { fromHex, toHex } from "../../src/base/hex.js";
import type { CertificateEvent, CertificatePort } from "../../src/ports/certificates.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import type { MdnsEvent, MdnsPort } from "../../src/ports/mdns.js";
import type { MqttEvent, MqttPort } from "../../src/ports/mqtt.js";
import type { WebSocketEvent, WebSocketPort } from "../../src/ports/websocket.js";
import type { StartReason } from "../../src/journal/recorder.js";
import type { JournalPart } from "../../src/journal/access.js";
import type { PlainUpdateCall } from "../../src/bridged-update.js";
import type { UpdateCall } from "../../src/ports/update.js";
import type { Batch, Input, Output, PlainEvent, Reply } from "../../src/runtime.js";
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";
import type { UcmConfig } from "../../src/setup/config.js";
import type { Setup } from "../../src/setup/setup-form.js";
import { monotonicMs, WakeUp } from "./clock.js";
import type { FileFlash } from "./file-flash.js";
import type { FileStore } from "./file-store.js";
import type { SimulatedSlots } from "./slots.js";
import { httpInput, lineInput } from "./inputs.js";
import { isOfALife, Life } from "./life.js";
import { carryOutCall } from "./websocket-calls.js";

/** What an order is answered with. */
export type OwnerReply = Extract<Output, { readonly k: "answer" }>;

/** What the owner may read of a part of the journal: `rows` as its export has them, newest last. */
export interface JournalRows {
  /** `forbidden`, `no-journal`, `no-power`, or "" where it was read. */
  readonly why: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** The firmware in some engine. */
export interface Engine {
  readonly name: string;
  step(batch: Batch): Reply | Promise<Reply>;
  /** Ends it; a promise is kept when its process has gone. */
  close(): void | Promise<void>;
  /** Its memory can hold the contents of a flash as well; the chip's cannot, it reads its flash in place. */
  readonly holdsFlash?: boolean;
  /** Where the firmware runs in a machine with a clock and a UART of its own. */
  readonly machine?: OwnMachine;
}

/**
 * A machine that calls the firmware by itself: when bytes come on its UART, and when the time is due that the
 * firmware asked for. What is told here comes between the answers to batches.
 */
export interface OwnMachine {
  /** Puts bytes on the receiving pin of its UART. */
  receive(bytes: Uint8Array): void;
  /** From now on tells what it sends, what it did unasked, and that it has started anew and knows nothing. */
  listen(listener: {
    onSent(bytes: Uint8Array): void;
    onOutput(reply: Reply): void;
    onRestart(why: string): void;
    onFailure(error: Error): void;
  }): void;
}

export interface UcmHostOptions {
  readonly engine: Engine;
  readonly line: ByteLine;
  readonly http: HttpPort;
  /** Without it, what speaks over WebSocket stays offline. */
  readonly websocket?: WebSocketPort;
  /** Without it the module's certificates are not renewed. */
  readonly certificates?: CertificatePort;
  /** Without it OpenADR 3 polls alone. */
  readonly mqtt?: MqttPort;
  /** Without it no server of the local network is found. */
  readonly mdns?: MdnsPort;
  readonly store: FileStore;
  /** The module's flash, for engines that can hold it; `store` is for the others. */
  readonly flash?: FileFlash;
  /** The slots of the program flash; without them there are no updates. */
  readonly slots?: SimulatedSlots;
  readonly config: UcmConfig;
  /** The module has an owner's page ({@link UcmHost.page}). `onSetup` keeps what it gave; the host starts anew then. */
  readonly web?: { readonly ownerSecret: string; readonly fresh: boolean; onSetup?(setup: Setup): void };
  /** The module has forgotten everything. True where whoever keeps its setup forgets that too and starts it anew. */
  onFactoryReset?(): boolean;
  onEvent(event: PlainEvent): void;
  /** The engine died; nothing runs any more. */
  onFailure(error: Error): void;
}

/** To an order while the power is off. */
const noPower: OwnerReply = { k: "answer", ok: false, why: "no-power", text: "The module has no power." };

export class UcmHost {
  readonly #options: UcmHostOptions;
  readonly #open: Life;
  #inputs: Input[] = [];
  #busy = false;
  #closed = false;
  /** Power is off: nothing runs, nothing is heard. */
  #dark = false;
  /** Counts power cuts: what a step of before one still brings is lost. */
  #life = 0;
  readonly #wake = new WakeUp(() => this.#run());
  readonly #orderers: ((answer: OwnerReply) => void)[] = [];
  readonly #askers: ((state: Readonly<Record<string, unknown>>) => void)[] = [];
  readonly #visitors = new Map<number, (response: WebResponse | undefined) => void>();
  #visits = 0;
  readonly #readers: ((page: Extract<Output, { readonly k: "journal" }> | undefined) => void)[] = [];

  constructor(options: UcmHostOptions) {
    this.#options = options;
    this.#open = new Life(options);
  }

  start(reason: StartReason = "power"): void {
    this.#options.engine.machine?.listen({
      onSent: (bytes) => this.#options.line.write(bytes),
      onOutput: ({ out }) => this.#carryOutAll(out),
      onRestart: (why) => {
        const text = `the machine was restarted (${why})`;
        this.#options.onEvent({ event: "log", level: "warning", text });
        this.#endLife();
        this.#boot(why === "watchdog" ? "watchdog" : "requested");
      },
      onFailure: (error) => this.#fail(error),
    });
    this.#boot(reason);
  }

  get #flash(): FileFlash | undefined {
    return this.#options.engine.holdsFlash === true ? this.#options.flash : undefined;
  }

  #boot(reason: StartReason): void {
    const bytes = randomBytes(16);
    const seed = [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at));
    const { config, store } = this.#options;
    const flash = this.#flash;
    const sectors = flash === undefined ? {} : { flashSectors: flash.sectors };
    const certificates = this.#options.certificates !== undefined;
    const slots = this.#options.slots?.boot();
    const found = slots === undefined ? {} : { slots };
    const { web } = this.#options;
    const pages =
      web === undefined
        ? {}
        : { web: { ownerSecret: web.ownerSecret, fresh: web.fresh, settable: web.onSetup !== undefined } };
    if (this.#dark) return;
    const boot: Input = {
      ...pages,
      k: "boot",
      config,
      store: { ...store.all() },
      seed,
      reason,
      ...sectors,
      certificates,
      ...found,
    };
    // What waits is for the new life.
    this.#inputs = [...(flash?.inputs() ?? []), boot, ...this.#inputs];
    if (!this.#busy) this.#run();
  }

  onLine(event: ByteLineEvent): void {
    const machine = this.#options.engine.machine;
    if (machine && event.ev !== "carrier") {
      if (event.ev === "rx") machine.receive(event.bytes); // its UART tells the firmware, and that it has sent
    } else this.#put(lineInput(event));
  }

  onHttp(event: HttpEvent): void {
    if (event.ev === "end" || event.ev === "failed") this.#open.closed("http", event.id);
    this.#put(httpInput(event));
  }

  onCertificate(event: CertificateEvent): void {
    if (this.#open.isMine(event)) this.#put({ k: "certificate", event });
  }

  onWebSocket(event: WebSocketEvent): void {
    if (event.ev === "closed" || event.ev === "failed") this.#open.closed("ws", event.id);
    this.#put({ k: "ws", event });
  }

  onMqtt(event: MqttEvent): void {
    this.#put({ k: "mqtt", event });
  }

  onMdns(event: MdnsEvent): void {
    this.#put({ k: "mdns", event });
  }

  /** A webhook of that upstream was called. */
  hint(upstream: string): void {
    this.#put({ k: "hint", upstream });
  }

  /** The module's whole state, for the page. */
  state(): Promise<Readonly<Record<string, unknown>>> {
    if (this.#dark) return Promise.resolve({});
    return new Promise((resolve) => {
      this.#askers.push(resolve);
      this.#put({ k: "state" });
    });
  }

  /** A page of the module's own; undefined where it has none, or no power. */
  page(request: Omit<WebRequest, "id">): Promise<WebResponse | undefined> {
    if (this.#dark || this.#closed || this.#options.web === undefined) return Promise.resolve(undefined);
    const id = ++this.#visits;
    return new Promise((resolve) => {
      this.#visitors.set(id, resolve);
      this.#put({ k: "web", request: { id, ...request } });
    });
  }

  /** The module's button, held so long. */
  button(heldMs: number): void {
    this.#put({ k: "button", heldMs });
  }

  /** What this life has open ends, and nobody waits for it any more. */
  #endLife(): void {
    this.#open.end();
    this.#inputs = this.#inputs.filter((input) => !isOfALife(input));
    this.#endVisits();
  }

  #endVisits(): void {
    for (const visitor of this.#visitors.values()) visitor(undefined);
    this.#visitors.clear();
  }

  /** An order of the owner, about the random delay, or to forget everything (src/runtime.ts). */
  order(input: Extract<Input, { readonly k: "owner" | "delay" | "factory-reset" }>): Promise<OwnerReply> {
    if (this.#dark) return Promise.resolve(noPower);
    return new Promise((resolve) => {
      this.#orderers.push(resolve);
      this.#put(input);
    });
  }

  /** A part of the journal, as the owner may read it. */
  async journal(what: JournalPart): Promise<JournalRows> {
    const lines: string[] = [];
    for (let from: number | null = 0; from !== null;) {
      const at = from;
      const page = await new Promise<Extract<Output, { readonly k: "journal" }> | undefined>((resolve) => {
        if (this.#dark) return resolve(undefined);
        this.#readers.push(resolve);
        this.#put({ k: "journal", what, role: "owner", format: "json", from: at });
      });
      if (page === undefined) return { why: "no-power", rows: [] };
      if (page.why !== "") return { why: page.why, rows: [] };
      lines.push(...page.lines);
      from = page.next;
    }
    return { why: "", rows: JSON.parse(lines.join("")) as JournalRows["rows"] };
  }

  /** Takes the module's power away at once; {@link powerOn} gives it back. */
  cutPower(): void {
    this.#dark = true;
    this.#life++;
    this.#inputs = [];
    this.#wake.stop();
    for (const answer of this.#askers.splice(0)) answer({});
    for (const answer of this.#readers.splice(0)) answer(undefined);
    for (const answer of this.#orderers.splice(0)) answer(noPower);
    this.#endLife();
  }

  powerOn(): void {
    if (!this.#dark) return;
    this.#dark = false;
    this.#boot("power");
  }

  /** Lets the module write down that it is ended in order. */
  async #stop(): Promise<void> {
    const flash = this.#flash;
    if (!flash || this.#busy || this.#dark) return;
    const reply = await this.#options.engine.step({
      ...{ nowMs: Math.floor(monotonicMs()), utcMs: Date.now(), in: [{ k: "stop" }] },
    });
    for (const output of reply.out) if (output.k === "flash") flash.carryOut(output);
  }

  async close(): Promise<void> {
    if (!this.#closed) await this.#stop().catch(() => undefined);
    this.#closed = true;
    this.#endVisits();
    this.#wake.stop();
    this.#options.store.flush();
    await this.#options.engine.close();
  }

  #put(input: Input): void {
    if (this.#dark) return;
    this.#inputs.push(input);
    if (!this.#busy) this.#run();
  }

  #run(): void {
    if (this.#busy || this.#closed || this.#dark) return;
    this.#busy = true;
    const life = this.#life;
    const batch: Batch = { nowMs: Math.floor(monotonicMs()), utcMs: Date.now(), in: this.#inputs };
    this.#inputs = [];
    let reply: Reply | Promise<Reply>;
    try {
      reply = this.#options.engine.step(batch);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (reply instanceof Promise) {
      reply.then(
        (value) => this.#done(value, life),
        (error: unknown) => this.#fail(error),
      );
    } else this.#done(reply, life);
  }

  #done(reply: Reply, life: number): void {
    if (this.#closed) return;
    if (life !== this.#life) {
      this.#busy = false;
      if (this.#inputs.length > 0) this.#run();
      return;
    }
    if (!this.#options.engine.machine) this.#wake.at(reply.wakeMs ?? Number.POSITIVE_INFINITY);
    this.#carryOutAll(reply.out);
    this.#busy = false;
    if (this.#inputs.length > 0) this.#run();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    void this.close();
    this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
  }

  #carryOutAll(outputs: Reply["out"]): void {
    if (this.#closed) return;
    // The restart last: whatever else the life says is still of that life.
    for (const output of outputs) if (output.k !== "restart") this.#carryOut(output);
    for (const output of outputs) if (output.k === "restart") this.#carryOut(output);
  }

  #onSlotCall(call: PlainUpdateCall): void {
    // What the next image is to know must be kept before it can boot.
    this.#options.store.flush();
    const whole: UpdateCall =
      call.do === "write"
        ? { do: "write", id: call.id, at: call.at, bytes: fromHex(call.hex) ?? new Uint8Array(0) }
        : call;
    const event = this.#options.slots?.carryOut(whole);
    if (event?.ev === "bytes")
      this.#put({ k: "slot", event: { ev: "bytes", id: event.id, hex: toHex(event.bytes) } });
    else if (event) this.#put({ k: "slot", event });
  }

  /** Looks for an update at once. */
  checkForUpdate(): void {
    this.#put({ k: "check-update" });
  }

  #carryOut(output: Reply["out"][number]): void {
    const { line, http, store } = this.#options;
    this.#open.opened(output);
    switch (output.k) {
      case "tx":
        line.write(fromHex(output.hex) ?? new Uint8Array(0));
        break;
      case "rate":
        line.setBitRate(output.bitsPerSecond);
        break;
      case "http":
        http.request(output.request);
        break;
      case "abort":
        http.abort(output.id);
        break;
      case "ws":
        carryOutCall(output.call, this.#options.websocket, (event) => this.onWebSocket(event));
        break;
      case "certificate":
        this.#options.certificates?.call(output.call);
        break;
      case "slot":
        this.#onSlotCall(output.call);
        break;
      case "mqtt":
        if (output.call.do === "end") this.#options.mqtt?.end(output.call.id);
        else this.#options.mqtt?.subscribe(output.call.request);
        break;
      case "mdns":
        this.#options.mdns?.[output.call.do](output.call.service);
        break;
      case "set":
        store.set(output.key, output.value);
        break;
      case "del":
        store.delete(output.key);
        break;
      case "event":
        this.#options.onEvent(output.event);
        break;
      case "state":
        this.#askers.shift()?.(output.state);
        break;
      case "flash":
        this.#flash?.carryOut(output);
        break;
      case "restart":
        this.#endLife();
        if (output.why !== "factory-reset" || this.#options.onFactoryReset?.() !== true)
          this.#boot(output.why);
        break;
      case "web":
        this.#visitors.get(output.response.id)?.(output.response);
        this.#visitors.delete(output.response.id);
        break;
      case "configure":
        this.#options.web?.onSetup?.(output.setup);
        break;
      case "answer":
        this.#orderers.shift()?.(output);
        break;
      case "journal":
        this.#readers.shift()?.(output);
        break;
    }
  }
}
