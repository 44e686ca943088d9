/** What goes in and out of a module that runs behind one function (runtime.ts), as data: all values are JSON. */
import type { FrameLineInput, FrameLineOutput } from "./bridged-line.js";
import type { NetworkCall, NetworkInput } from "./bridged-network.js";
import type { PlainUpdateCall, PlainUpdateEvent } from "./bridged-update.js";
import type { Lamp } from "./health/lamp.js";
import type { JournalPart, Role } from "./journal/access.js";
import type { ExportFormat } from "./journal/export.js";
import type { StartReason } from "./journal/recorder.js";
import type { CertificateCall, CertificateEvent } from "./ports/certificates.js";
import type { HttpFailure, HttpRequest } from "./ports/http.js";
import type { WebRequest, WebResponse } from "./ports/http-server.js";
import type { MdnsEvent } from "./ports/mdns.js";
import type { MqttEvent, MqttSubscription } from "./ports/mqtt.js";
import type { SlotState } from "./ports/update.js";
import type { WebSocketEvent, WebSocketRequest } from "./ports/websocket.js";
import type { UcmConfig } from "./setup/config.js";
import type { Setup } from "./setup/setup-form.js";
import type { UcmEvent } from "./world.js";

/** The module has an owner's page. */
export interface BootWeb {
  /** On the module's label. */
  readonly ownerSecret: string;
  /** Nothing has been set up yet. */
  readonly fresh: boolean;
  /** The world keeps what the page sets up. */
  readonly settable: boolean;
}

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
      readonly web?: BootWeb;
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
  /** Somebody asks for a page: answered by one `web`. */
  | { readonly k: "web"; readonly request: WebRequest }
  /** The module's button was held so long. */
  | { readonly k: "button"; readonly heldMs: number }
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
  | { readonly k: "web"; readonly response: WebResponse }
  /** The owner has set the module up: the world keeps it and boots the module anew. */
  | { readonly k: "configure"; readonly setup: Setup }
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
