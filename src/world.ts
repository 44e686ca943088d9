/** What the module asks of the world that it is plugged into, and what it tells: the face of `Ucm`. */
import type { Upstream, UpstreamHost } from "./grid/upstream.js";
import type { Lamp } from "./health/lamp.js";
import type { StartReason } from "./journal/recorder.js";
import type { CertificatePort } from "./ports/certificates.js";
import type { FlashPort } from "./ports/flash.js";
import type { HttpPort } from "./ports/http.js";
import type { WebServerPort } from "./ports/http-server.js";
import type { ByteLine, FrameLine } from "./ports/line.js";
import type { MdnsPort } from "./ports/mdns.js";
import type { MqttPort } from "./ports/mqtt.js";
import type { NetworkPort } from "./ports/network.js";
import type { SgdStatus } from "./ports/sgd-status.js";
import type { RandomPort, StorePort } from "./ports/time.js";
import type { UpdatePort } from "./ports/update.js";
import type { WebSocketPort } from "./ports/websocket.js";
import type { UpstreamConfig } from "./setup/config.js";
import type { Setup } from "./setup/setup-form.js";

/** Everything that the module tells: what `ucm --json` prints and the page shows. */
export type UcmEvent =
  | {
      readonly event: "intent";
      readonly intent: string;
      readonly source: string;
      readonly reason: string;
      readonly eventId: string;
      readonly endsUtcMs: number | null;
    }
  | {
      readonly event: "command";
      readonly name: string;
      readonly result: string;
      readonly verified: boolean;
      readonly text: string;
    }
  | {
      readonly event: "upstream";
      readonly id: string;
      readonly state: string;
      readonly fault: string;
      readonly text: string;
      readonly nextTryMs: number;
    }
  | { readonly event: "sgd"; readonly status: SgdStatus }
  | {
      readonly event: "frame";
      readonly dir: "rx" | "tx";
      readonly bytes: Uint8Array;
      readonly fault: string;
      readonly atMs: number;
    }
  | { readonly event: "log"; readonly level: "info" | "warning" | "error"; readonly text: string };

/** What the module needs of the world it is plugged into. */
export interface World {
  readonly line: ByteLine | FrameLine;
  readonly http: HttpPort;
  /** For OCPP; a world without one connects to no charging platform. */
  readonly websocket?: WebSocketPort;
  /** For notifications by MQTT; without it OpenADR 3 polls. */
  readonly mqtt?: MqttPort;
  /** For servers that announce themselves on the local network. */
  readonly mdns?: MdnsPort;
  /** For renewal of the module's own certificates; without it there is none. */
  readonly certificates?: CertificatePort;
  /** For the owner's page; without it there is none. */
  readonly web?: WebWorld;
  /** Two slots of program flash; without them there are no updates. */
  readonly update?: UpdatePort;
  readonly random: RandomPort;
  /** Keeps values where there is no flash. */
  readonly store: StorePort;
  /** 24 sectors for the journal, then at least 4 for values; without it there is no journal. */
  readonly flash?: FlashPort;
  /** Where the module keeps its own place in the network and its own clock; else the world does. */
  readonly network?: NetworkPort;
  /** No time before this is possible: when the image was built, UTC ms. */
  readonly builtUtcMs?: number;
  /** Tells the hardware's watchdog that link, upstreams and storage all make progress. */
  feed?(): void;
  /** The one lamp, told when it changes. */
  lamp?(lamp: Lamp): void;
  /** Why the module starts; default: power came. */
  readonly startReason?: StartReason;
  /** A client for a protocol that the world brings along; undefined = the module's own. */
  connect?(config: UpstreamConfig, host: UpstreamHost): Upstream | undefined;
  /**
   * A factory reset begins, or goes on after a power cut: what the world itself keeps of the owner's goes. The module starts
   * anew when its own part is done.
   */
  forget?(): void;
  /** The module must start anew, e.g. after a factory reset. */
  restart?(why: StartReason): void;
  emit(event: UcmEvent): void;
}

/** What the owner's page needs of the world. */
export interface WebWorld extends WebServerPort {
  /** On the label; "" lets nobody in. */
  readonly ownerSecret: string;
  /** Nothing has been set up yet. */
  readonly fresh: boolean;
  /** Keeps what was set up and starts anew; without it the pages set nothing up. */
  configure?(setup: Setup): void;
}

/** A part of the journal as it is read out: some lines, and where to go on. */
export interface JournalPage {
  /** `forbidden`, `no-journal`, or "" where it was read. */
  readonly why: string;
  readonly lines: readonly string[];
  /** Number of the next line; undefined = that was all. */
  readonly next: number | undefined;
}
