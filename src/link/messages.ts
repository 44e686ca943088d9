/**
 * The plain, copyable messages between a session (the module's in `src/sgd`, the charger's in `host-sim/sgd`)
 * and its link. No references, no callbacks: the link may live in another task, or on another chip.
 *
 * The link owns everything below an exchange: gaps, ACK, NAK, retries, time-outs, payload limits, bit rate,
 * and the whole of the data-link family (08 03). It answers type queries (MTSQ) from its table of types.
 */

/** Asks the link for something. */
export type LinkCommand =
  /**
   * Sends a message and, where its family has one (src/wire/reply.ts), awaits the application reply.
   * Answered by exactly one {@link LinkResult}. An empty payload is a type query.
   */
  | {
      readonly cmd: "request";
      readonly id: number;
      readonly type: number;
      readonly payload: Uint8Array;
    }
  /**
   * Sends the application reply that a received message is owed, not before tAR after our own link ACK.
   * Goes before queued requests. Answered by one {@link LinkResult} (outcome `ok` or a failure).
   */
  | {
      readonly cmd: "respond";
      readonly id: number;
      readonly type: number;
      readonly payload: Uint8Array;
    }
  /** A request is of no use any more: it is not tried again. Its result comes all the same. */
  | { readonly cmd: "drop"; readonly id: number }
  /** The message types that this side supports. */
  | { readonly cmd: "support"; readonly types: readonly number[] }
  /** Asks for a bit rate (code of data-link 17). */
  | { readonly cmd: "bit-rate"; readonly id: number; readonly code: number }
  /** Asks the peer how long a payload it takes (data-link 18). */
  | { readonly cmd: "query-max-payload"; readonly id: number }
  /** Forgets queue and limits: back to 19,200 bit/s and 2 bytes. After Reboot, or when the peer was changed. */
  | { readonly cmd: "reset" };

export type LinkOutcome =
  /** Acknowledged, and the reply has come where one was due. */
  | "ok"
  /** Link NAK; `nak` has the code. */
  | "nak"
  /** No link ACK after all tries. */
  | "no-ack"
  /** ACK, but no application reply in time. */
  | "no-reply"
  /** Longer than the peer's payload limit; not sent. */
  | "too-long"
  /** Dropped by `drop` or `reset`, because the line went away, or (a reply) because the peer has asked something newer. */
  | "cancelled";

export interface LinkResult {
  readonly ev: "result";
  readonly id: number;
  readonly outcome: LinkOutcome;
  /** Link NAK code, −1 for none. */
  readonly nak: number;
  /** Reply payload, of the request's own type; undefined where none was due or came. */
  readonly reply: Uint8Array | undefined;
  /** Times that the frame went out. */
  readonly tries: number;
  readonly atMs: number;
}

export type LinkEvent =
  | LinkResult
  /** The peer says something on its own: a command, a query, a spontaneous state. Already acknowledged. */
  | { readonly ev: "message"; readonly type: number; readonly payload: Uint8Array; readonly atMs: number }
  /** The peer asked whether we support a type (and so supports it itself). */
  | { readonly ev: "asked"; readonly type: number; readonly atMs: number }
  /** Limits of the two directions, bytes, and the bit rate. */
  | {
      readonly ev: "limits";
      readonly sendPayload: number;
      readonly receivePayload: number;
      readonly bitsPerSecond: number;
      readonly atMs: number;
    }
  /** `lost`: 15 min without valid traffic, everything is back at defaults; `carrier` gone or back. */
  | {
      readonly ev: "peer";
      readonly state: "lost" | "heard" | "unplugged" | "plugged";
      readonly atMs: number;
    };

/** A frame that crossed the line, for traces: both sides, as sent or received. */
export interface FrameTrace {
  readonly dir: "rx" | "tx";
  readonly bytes: Uint8Array;
  /** When its last byte did. */
  readonly atMs: number;
  /** A receiver's fault code, or "" for a good frame. */
  readonly fault: string;
}
