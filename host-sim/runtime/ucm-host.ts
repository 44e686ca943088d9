/**
 * Runs the module against a real line and real servers on this computer, whatever engine it runs in: this is the
 * world of `src/runtime.ts`. One batch is under way at a time; inputs that come meanwhile form the next.
 */
import { randomBytes } from "node:crypto";
import { fromHex, toHex } from "../../src/base/hex.js";
import type { HttpEvent, HttpPort } from "../../src/ports/http.js";
import type { ByteLine, ByteLineEvent } from "../../src/ports/line.js";
import type { Batch, Input, PlainEvent, Reply } from "../../src/runtime.js";
import type { UcmConfig } from "../../src/setup/config.js";
import { monotonicMs, WakeUp } from "./clock.js";
import type { FileStore } from "./file-store.js";

/** The firmware in some engine. */
export interface Engine {
  readonly name: string;
  step(batch: Batch): Reply | Promise<Reply>;
  close(): void;
}

export interface UcmHostOptions {
  readonly engine: Engine;
  readonly line: ByteLine;
  readonly http: HttpPort;
  readonly store: FileStore;
  readonly config: UcmConfig;
  onEvent(event: PlainEvent): void;
  /** The engine died; nothing runs any more. */
  onFailure(error: Error): void;
}

export class UcmHost {
  readonly #options: UcmHostOptions;
  #inputs: Input[] = [];
  #busy = false;
  #closed = false;
  readonly #wake = new WakeUp(() => this.#run());
  readonly #askers: ((state: Readonly<Record<string, unknown>>) => void)[] = [];

  constructor(options: UcmHostOptions) {
    this.#options = options;
  }

  start(): void {
    const bytes = randomBytes(16);
    const seed = [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at));
    this.#put({ k: "boot", config: this.#options.config, store: { ...this.#options.store.all() }, seed });
  }

  onLine(event: ByteLineEvent): void {
    if (event.ev === "rx") this.#put({ k: "rx", hex: toHex(event.bytes), atMs: event.atMs });
    else if (event.ev === "sent") this.#put({ k: "sent", atMs: event.atMs });
    else this.#put({ k: "carrier", on: event.on, atMs: event.atMs });
  }

  onHttp(event: HttpEvent): void {
    switch (event.ev) {
      case "head":
        this.#put({ k: "head", id: event.id, status: event.status, headers: event.headers });
        break;
      case "data":
        this.#put({ k: "data", id: event.id, hex: toHex(event.bytes) });
        break;
      case "end":
        this.#put({ k: "end", id: event.id });
        break;
      case "failed":
        this.#put({ k: "failed", id: event.id, reason: event.reason, text: event.text });
        break;
    }
  }

  /** The module's whole state, for the page. */
  state(): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve) => {
      this.#askers.push(resolve);
      this.#put({ k: "state" });
    });
  }

  close(): void {
    this.#closed = true;
    this.#wake.stop();
    this.#options.store.flush();
    this.#options.engine.close();
  }

  #put(input: Input): void {
    this.#inputs.push(input);
    if (!this.#busy) this.#run();
  }

  #run(): void {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
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
        (value) => this.#done(value),
        (error: unknown) => this.#fail(error),
      );
    } else this.#done(reply);
  }

  #done(reply: Reply): void {
    if (this.#closed) return;
    this.#wake.at(reply.wakeMs ?? Number.POSITIVE_INFINITY);
    for (const output of reply.out) this.#carryOut(output);
    this.#busy = false;
    if (this.#inputs.length > 0) this.#run();
  }

  #fail(error: unknown): void {
    this.close();
    this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
  }

  #carryOut(output: Reply["out"][number]): void {
    const { line, http, store } = this.#options;
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
    }
  }
}
