/**
 * The connection to the platform: one WebSocket, opened again with a jittered back-off, and OCPP-J on it with one
 * call of ours in flight at a time. What to send is asked of the user each time that the line is free, so there is
 * one place that knows what comes first.
 */
import { backoffMs, comebackMs } from "../base/backoff.js";
import { fault, type Fault } from "../base/fault.js";
import { httpFailure, httpStatusFault } from "../base/http-words.js";
import type { RandomPort } from "../ports/time.js";
import { NEVER, type Now } from "../ports/time.js";
import type { WebSocketEvent, WebSocketFailure, WebSocketPort } from "../ports/websocket.js";
import { callText, errorText, type Frame, type Json, MAX_TEXT, parseFrame, resultText } from "./frames.js";
import type { Refused } from "./requests.js";

export const SUBPROTOCOL = "ocpp1.6";
const OPEN_TIMEOUT_MS = 30_000;
/** An answer that has not come by then will not (S4:1203). */
export const CALL_TIMEOUT_MS = 30_000;
/** The world's own time-out comes first; this is for a world that forgot. */
const FORGOTTEN_MS = 15_000;
/** Calls without any answer in a row: the connection is dead, whatever TCP thinks. */
const MOST_SILENT_CALLS = 2;
/** First ceiling of the back-off; doubles to 10 min. */
const BACKOFF = { periodMs: 5_000, maxMs: 600_000, floorMs: 500 };
const WHAT = "the charging platform";

/** A call to send. `about` is given back with its answer. */
export interface Outgoing<T> {
  readonly action: string;
  readonly payload: Json;
  readonly messageId: string;
  readonly about: T;
}

export type CallOutcome =
  | { readonly is: "result"; readonly payload: Json }
  | { readonly is: "error"; readonly code: string; readonly text: string }
  | { readonly is: "timeout" }
  /** The connection went before an answer came. */
  | { readonly is: "lost" };

export interface RpcUser<T> {
  /** The next call, where there is one. Asked only while the line is open and free. */
  next(now: Now): Outgoing<T> | undefined;
  answered(about: T, outcome: CallOutcome, now: Now): void;
  /** Answers a call of the platform: the result, or why not; undefined where {@link RpcLink.reply} follows. */
  called(action: string, payload: Json, now: Now): Json | Refused | undefined;
  opened(now: Now): void;
  down(now: Now): void;
}

/** The world as the link sees it. */
export interface RpcWorld {
  readonly websocket: WebSocketPort;
  readonly random: RandomPort;
  nextRequestId(): number;
  log(level: "info" | "warning" | "error", text: string): void;
}

export class RpcLink<T> {
  /** Open, with the right subprotocol. */
  isOpen = false;
  fault: Fault | undefined;
  lastContactMs: number | undefined;
  /** Messages that were no OCPP-J. */
  garbage = 0;
  private id = 0;
  private openDeadlineMs = NEVER;
  private nextTryMs = 0;
  private failures = 0;
  private current: { readonly call: Outgoing<T>; readonly deadlineMs: number } | undefined;
  private silentCalls = 0;
  /** Id of the call of the platform that waits for its answer. */
  private owed = "";

  constructor(
    private readonly world: RpcWorld,
    private readonly user: RpcUser<T>,
    private readonly address: {
      readonly url: string;
      readonly credentials: string;
      readonly user: string;
      pingMs(): number;
    },
  ) {}

  /** Opens, times out, sends: whatever is due. */
  poll(now: Now): void {
    if (this.id === 0) {
      if (now.ms >= this.nextTryMs) this.open(now);
      return;
    }
    if (!this.isOpen) {
      if (now.ms < this.openDeadlineMs) return;
      this.world.websocket.close(this.id, 1000, "");
      this.failed(httpFailure("timeout", "", WHAT), now);
      return;
    }
    if (this.current !== undefined && now.ms >= this.current.deadlineMs) this.timedOut(now);
    if (this.isOpen && this.current === undefined) this.sendNext(now);
  }

  networkUp(now: Now): void {
    this.nextTryMs = comebackMs(this.fault, this.nextTryMs, now.ms, this.world.random);
  }

  nextMs(): number {
    if (this.id === 0) return this.nextTryMs;
    if (!this.isOpen) return this.openDeadlineMs;
    return this.current?.deadlineMs ?? NEVER;
  }

  /** True while nothing of ours waits for an answer. */
  get isFree(): boolean {
    return this.isOpen && this.current === undefined;
  }

  get isConnecting(): boolean {
    return this.id !== 0 && !this.isOpen;
  }

  on(event: WebSocketEvent, now: Now): void {
    if (event.id !== this.id || this.id === 0) return;
    switch (event.ev) {
      case "open":
        this.opened(event.subprotocol, now);
        break;
      case "text":
        if (this.isOpen) this.received(event.text, now);
        break;
      case "closed": {
        const why = `${String(event.code)}${event.reason === "" ? "" : ` ${event.reason.slice(0, 80)}`}`;
        this.failed(fault("server", "closed", `The charging platform ended the connection (${why}).`), now);
        break;
      }
      case "failed":
        this.failed(failure(event.reason, event.text), now);
        break;
    }
  }

  keepAlive(pingMs: number): void {
    if (this.isOpen) this.world.websocket.keepAlive(this.id, pingMs);
  }

  /** Ends the connection from here; it is opened again after `afterMs`. */
  drop(code: number, reason: string, afterMs: number, now: Now): void {
    if (this.id !== 0) this.world.websocket.close(this.id, code, reason);
    this.ended(now);
    this.nextTryMs = now.ms + afterMs;
  }

  private open(now: Now): void {
    this.id = this.world.nextRequestId();
    this.openDeadlineMs = now.ms + OPEN_TIMEOUT_MS + FORGOTTEN_MS;
    const { url, credentials, user } = this.address;
    this.world.websocket.open({
      ...{ id: this.id, url, subprotocol: SUBPROTOCOL, credentials, user },
      timeoutMs: OPEN_TIMEOUT_MS,
      maxMessageBytes: MAX_TEXT * 3,
      pingMs: this.address.pingMs(),
    });
  }

  private opened(subprotocol: string, now: Now): void {
    if (subprotocol !== SUBPROTOCOL) {
      this.world.websocket.close(this.id, 1002, "subprotocol");
      const text = `The charging platform does not speak ${SUBPROTOCOL} (it chose "${subprotocol.slice(0, 30)}"); check the address.`;
      this.failed(fault("server", "ocpp-subprotocol", text), now);
      return;
    }
    this.isOpen = true;
    this.fault = undefined;
    this.silentCalls = 0;
    this.lastContactMs = now.ms;
    this.user.opened(now);
    this.poll(now);
  }

  private received(text: string, now: Now): void {
    const frame = parseFrame(text);
    const { world, id } = this;
    switch (frame.is) {
      case "ignored":
        return;
      case "garbage":
        this.garbage++;
        world.log("warning", `OCPP: the platform sent what is no message (${frame.text}); connection ended.`);
        world.websocket.close(id, frame.close, frame.text);
        this.failed(fault("server", "ocpp-garbage", `The charging platform sent ${frame.text}.`), now);
        return;
      case "bad-call":
        this.garbage++;
        world.websocket.send(id, errorText(frame.id, frame.code, frame.text));
        return;
      case "call": {
        this.heard(now);
        const answer = this.user.called(frame.action, frame.payload, now);
        // A handler may have ended the connection.
        if (this.id !== id) return;
        if (answer === undefined) this.owed = frame.id;
        else this.sendAnswer(frame.id, answer);
        break;
      }
      default:
        this.answer(frame, now);
    }
    this.poll(now);
  }

  /** The answer to the call that was left open. */
  reply(answer: Json | Refused): void {
    const { owed } = this;
    this.owed = "";
    if (owed !== "" && this.isOpen) this.sendAnswer(owed, answer);
  }

  private sendAnswer(id: string, answer: Json | Refused): void {
    const text = isRefused(answer)
      ? errorText(id, answer.refused, answer.text.slice(0, 255))
      : resultText(id, answer);
    this.world.websocket.send(this.id, text);
  }

  private answer(frame: Frame & { readonly is: "result" | "error" }, now: Now): void {
    const { current } = this;
    // Late, or meant for nobody: there is nothing to say to it.
    if (current === undefined || frame.id !== current.call.messageId) return;
    this.current = undefined;
    this.heard(now);
    this.user.answered(current.call.about, frame, now);
  }

  private heard(now: Now): void {
    this.lastContactMs = now.ms;
    this.silentCalls = 0;
    this.failures = 0;
  }

  private timedOut(now: Now): void {
    const { call } = this.current!;
    this.current = undefined;
    this.world.log(
      "warning",
      `OCPP: no answer to ${call.action} within ${String(CALL_TIMEOUT_MS / 1000)} s.`,
    );
    this.user.answered(call.about, { is: "timeout" }, now);
    if (++this.silentCalls < MOST_SILENT_CALLS || !this.isOpen) return;
    this.world.websocket.close(this.id, 1001, "no answer");
    this.failed(httpFailure("timeout", "", WHAT), now);
  }

  private sendNext(now: Now): void {
    const call = this.user.next(now);
    if (call === undefined) return;
    this.current = { call, deadlineMs: now.ms + CALL_TIMEOUT_MS };
    this.world.websocket.send(this.id, callText(call.messageId, call.action, call.payload));
  }

  private failed(why: Fault, now: Now): void {
    if (this.fault?.fault !== why.fault) this.world.log("warning", `OCPP: ${why.text}`);
    this.fault = why;
    this.failures++;
    this.nextTryMs = now.ms + backoffMs(BACKOFF, this.failures, this.world.random);
    this.ended(now);
  }

  private ended(now: Now): void {
    const { current, isOpen } = this;
    this.id = 0;
    this.isOpen = false;
    this.current = undefined;
    this.owed = "";
    if (current !== undefined) this.user.answered(current.call.about, { is: "lost" }, now);
    if (isOpen) this.user.down(now);
  }
}

function isRefused(answer: Json | Refused): answer is Refused {
  return "refused" in answer;
}

function failure(reason: WebSocketFailure, text: string): Fault {
  if (reason === "accept-key") {
    return fault("server", "accept-key", "The server's answer is no WebSocket handshake; check the address.");
  }
  if (!reason.startsWith("http-")) return httpFailure(reason as "closed", text, WHAT);
  const status = Number(reason.slice(5));
  if (status === 401 || status === 403) {
    const words = `The charging platform refuses this charge point (HTTP ${String(status)}); check identity and password.`;
    return fault("configuration", `http-${String(status)}`, words);
  }
  return httpStatusFault(status, WHAT);
}
