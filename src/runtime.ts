/**
 * The module behind one function: a batch of inputs goes in, the outputs and the next wake-up come out. This is
 * the form in which it runs where the world is another machine: in an XS engine behind a pipe, on an emulated
 * microcontroller behind a socket, and, for sameness, in Node (host-sim/runtime). All values are JSON.
 */
import { Ucm, type UcmEvent } from "./app.js";
import { fromHex } from "./base/hex.js";
import { frameLineEvent, type FrameLineInput, type FrameLineOutput } from "./bridged-line.js";
import { networkEvent, type NetworkCall, type NetworkInput } from "./bridged-network.js";
import { updateEvent, type PlainUpdateCall, type PlainUpdateEvent } from "./bridged-update.js";
import { BridgedWorld, Outputs } from "./bridged-world.js";
import type { JournalPart, Role } from "./journal/access.js";
import type { ExportFormat } from "./journal/export.js";
import type { Lamp } from "./health/lamp.js";
import type { StartReason } from "./journal/recorder.js";
import type { CertificateCall, CertificateEvent } from "./ports/certificates.js";
import type { HttpEvent, HttpFailure, HttpRequest } from "./ports/http.js";
import type { MdnsEvent } from "./ports/mdns.js";
import type { MqttEvent, MqttSubscription } from "./ports/mqtt.js";
import type { Now } from "./ports/time.js";
import type { SlotState } from "./ports/update.js";
import type { WebSocketEvent, WebSocketRequest } from "./ports/websocket.js";
import type { UcmConfig } from "./setup/config.js";

export type Input =
  /** First of all: the checked configuration, what was stored, and 4 random words. */
  | {
      readonly k: "boot";
      readonly config: UcmConfig;
      readonly store: Readonly<Record<string, string>>;
      readonly seed: readonly number[];
      /** Sectors of 4 KB of the module's flash; without it there is no journal, and `store` keeps the values. */
      readonly flashSectors?: number;
      /** Default: power. */
      readonly reason?: StartReason;
      /** How strong the line is (src/ports/line.ts); "byte" if not given. */
      readonly line?: "byte" | "frame";
      /** The module keeps its own place in the network and its own clock, and was built then, UTC ms. */
      readonly network?: { readonly builtUtcMs: number };
      /** The world can renew the module's certificates. */
      readonly certificates?: boolean;
      /** What the boot loader has found; without it there are no updates. */
      readonly slots?: SlotState;
    }
  | { readonly k: "rx"; readonly hex: string; readonly atMs: number }
  | { readonly k: "sent"; readonly atMs: number }
  | { readonly k: "carrier"; readonly on: boolean; readonly atMs: number }
  | FrameLineInput
  | {
      readonly k: "head";
      readonly id: number;
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
    }
  | { readonly k: "data"; readonly id: number; readonly hex: string }
  | { readonly k: "end"; readonly id: number }
  | { readonly k: "failed"; readonly id: number; readonly reason: HttpFailure; readonly text: string }
  /** What became of the network. */
  | { readonly k: "net"; readonly event: NetworkInput }
  /** Bytes that JavaScript has left. */
  | { readonly k: "memory"; readonly freeBytes: number }
  /** What became of a WebSocket. */
  | { readonly k: "ws"; readonly event: WebSocketEvent }
  /** What became of a certificate's renewal. */
  | { readonly k: "certificate"; readonly event: CertificateEvent }
  /** What became of a step of an update; and the order to look for one now. */
  | { readonly k: "slot"; readonly event: PlainUpdateEvent }
  | { readonly k: "check-update" }
  /** What became of a subscription at a broker, and a server that was found on the local network. */
  | { readonly k: "mqtt"; readonly event: MqttEvent }
  | { readonly k: "mdns"; readonly event: MdnsEvent }
  /** A webhook of that upstream's server was called. */
  | { readonly k: "hint"; readonly upstream: string }
  /**
   * Before `boot`, where the world keeps a flash for the module: what is not blank of it, in pieces. The world keeps
   * what `flash` outputs tell, in their order and before any output that follows.
   */
  | { readonly k: "flash"; readonly at: number; readonly hex: string }
  /** The module is going to be ended in order. */
  | { readonly k: "stop" }
  /** An order of the owner (src/setup/orders.ts), about the random delay, or to forget everything: `answer`. */
  | { readonly k: "owner"; readonly order: unknown }
  | { readonly k: "delay"; readonly order: unknown }
  | { readonly k: "factory-reset" }
  /** Reads out a part of the journal from a line on; answered by one `journal`. */
  | {
      readonly k: "journal";
      readonly what: JournalPart;
      readonly role: Role;
      readonly format: ExportFormat;
      readonly from?: number;
    }
  /** Asks for a `state` output. */
  | { readonly k: "state" };

/** A {@link UcmEvent} with bytes as hex. */
export type PlainEvent =
  | Exclude<UcmEvent, { readonly event: "frame" }>
  | {
      readonly event: "frame";
      readonly dir: "rx" | "tx";
      readonly hex: string;
      readonly fault: string;
      readonly atMs: number;
    };

export type Output =
  | { readonly k: "tx"; readonly hex: string }
  | { readonly k: "rate"; readonly bitsPerSecond: number }
  | FrameLineOutput
  | { readonly k: "http"; readonly request: HttpRequest }
  | { readonly k: "abort"; readonly id: number }
  | { readonly k: "ws"; readonly call: WebSocketCall }
  | { readonly k: "certificate"; readonly call: CertificateCall }
  | { readonly k: "slot"; readonly call: PlainUpdateCall }
  | { readonly k: "mqtt"; readonly call: MqttCall }
  | { readonly k: "mdns"; readonly call: MdnsCall }
  | { readonly k: "net"; readonly call: NetworkCall }
  /** What the module's one lamp says, on every change. */
  | { readonly k: "lamp"; readonly lamp: Lamp }
  | { readonly k: "set"; readonly key: string; readonly value: string }
  | { readonly k: "del"; readonly key: string }
  | { readonly k: "flash"; readonly op: "program" | "erase"; readonly at: number; readonly hex: string }
  /** The module wants to be booted anew. */
  | { readonly k: "restart"; readonly why: StartReason }
  | { readonly k: "answer"; readonly ok: boolean; readonly why: string; readonly text: string }
  | {
      readonly k: "journal";
      readonly what: JournalPart;
      readonly why: string;
      readonly lines: readonly string[];
      /** Ask on from here; null = that was all. */
      readonly next: number | null;
    }
  | { readonly k: "event"; readonly event: PlainEvent }
  | { readonly k: "state"; readonly state: Readonly<Record<string, unknown>> };

/** A call of the WebSocket port (src/ports/websocket.ts) as data. */
export type WebSocketCall =
  | { readonly do: "open"; readonly request: WebSocketRequest }
  | { readonly do: "send"; readonly id: number; readonly text: string }
  | { readonly do: "close"; readonly id: number; readonly code: number; readonly reason: string }
  | { readonly do: "keep-alive"; readonly id: number; readonly pingMs: number }
  | { readonly do: "password"; readonly credentials: string; readonly password: string };

/** A call of the MQTT port (src/ports/mqtt.ts), and of the mDNS port (src/ports/mdns.ts), as data. */
export type MqttCall =
  | { readonly do: "subscribe"; readonly request: MqttSubscription }
  | { readonly do: "end"; readonly id: number };
export interface MdnsCall {
  readonly do: "browse" | "stop";
  readonly service: string;
}

export interface Batch {
  readonly nowMs: number;
  /** null while the clock has never been set. */
  readonly utcMs: number | null;
  readonly in: readonly Input[];
}

export interface Reply {
  /** Monotonic ms at which to call again if nothing comes before; null = never. */
  readonly wakeMs: number | null;
  readonly out: readonly Output[];
}

/** The module and its outputs of one batch. */
export class Machine {
  #ucm: Ucm | undefined;
  readonly #out = new Outputs();
  /** Contents of the flash that came before `boot`. */
  #image: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  #take(input: Input, now: Now): void {
    if (input.k === "boot") {
      this.#ucm = new Ucm(new BridgedWorld(input, this.#image, this.#out), input.config);
      this.#image = [];
      this.#ucm.start(now);
      return;
    }
    if (input.k === "flash") {
      this.#image.push({ at: input.at, bytes: fromHex(input.hex) ?? new Uint8Array(0) });
      return;
    }
    const ucm = this.#ucm;
    if (!ucm) return;
    switch (input.k) {
      case "rx":
        ucm.onLine({ ev: "rx", bytes: fromHex(input.hex) ?? new Uint8Array(0), atMs: input.atMs }, now);
        break;
      case "sent":
      case "carrier":
      case "frame":
      case "answer":
      case "answered":
      case "unsent":
      case "noise":
        ucm.onLine(frameLineEvent(input), now);
        break;
      case "net":
        ucm.onNetwork(networkEvent(input.event), now);
        break;
      case "memory":
        ucm.onMemory(input.freeBytes, now);
        break;
      case "ws":
        ucm.onWebSocket(input.event, now);
        break;
      case "certificate":
        ucm.onCertificate(input.event, now);
        break;
      case "slot":
        ucm.onUpdate(updateEvent(input.event), now);
        break;
      case "check-update":
        ucm.checkForUpdate(now);
        break;
      case "mqtt":
        ucm.onMqtt(input.event, now);
        break;
      case "mdns":
        ucm.onMdns(input.event, now);
        break;
      case "hint":
        ucm.hint(input.upstream, now);
        break;
      case "state":
        this.#out.put({ k: "state", state: copied(ucm.state(now)) as Readonly<Record<string, unknown>> });
        break;
      case "stop":
        ucm.stop(now);
        break;
      case "owner":
        this.#out.put({ k: "answer", ...ucm.owner(input.order, now) });
        break;
      case "delay":
        this.#out.put({ k: "answer", ...ucm.delayOrder(input.order, now) });
        break;
      case "factory-reset":
        this.#out.put({ k: "answer", ...ucm.factoryReset() });
        break;
      case "journal": {
        const { what, role, format, from } = input;
        const { next, ...page } = ucm.readJournal(what, role, format, from ?? 0);
        this.#out.put({ k: "journal", what, ...page, next: next ?? null });
        break;
      }
      default:
        ucm.onHttp(httpEvent(input), now);
    }
  }

  step(batch: Batch): Reply {
    const now: Now = { ms: batch.nowMs, utcMs: batch.utcMs ?? undefined };
    for (const input of batch.in) this.#take(input, now);
    this.#ucm?.poll(now);
    const wake = this.#ucm?.nextMs() ?? Number.POSITIVE_INFINITY;
    return { wakeMs: wake === Number.POSITIVE_INFINITY ? null : wake, out: this.#out.take() };
  }
}

function httpEvent(input: Extract<Input, { readonly k: "head" | "data" | "end" | "failed" }>): HttpEvent {
  switch (input.k) {
    case "head":
      return { id: input.id, ev: "head", status: input.status, headers: input.headers };
    case "data":
      return { id: input.id, ev: "data", bytes: fromHex(input.hex) ?? new Uint8Array(0) };
    case "end":
      return { id: input.id, ev: "end" };
    case "failed":
      return { id: input.id, ev: "failed", reason: input.reason, text: input.text };
  }
}

/**
 * A copy down to the last value: what a module holds as a constant lies in ROM on the device, and XS cannot write
 * an object there as JSON.
 */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) copy[name] = copied(one);
  return copy;
}
