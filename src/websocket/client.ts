/** {@link WebSocketPort} over a byte stream: the same code on the chip and on this computer. */
import { toBase64 } from "../base/base64.js";
import { utf8Encode } from "../base/utf8.js";
import type { StreamEvent, StreamPort } from "../ports/stream.js";
import { NEVER, type RandomPort } from "../ports/time.js";
import type {
  WebSocketEvent,
  WebSocketFailure,
  WebSocketPort,
  WebSocketRequest,
} from "../ports/websocket.js";
import { closePayload, frame, FrameReader, type Incoming, OPCODE } from "./frames.js";
import { type Address, AnswerReader, basicAuthorization, readAddress, requestBytes } from "./handshake.js";

/** Where the passwords of basic authentication are kept; the firmware sees none. */
export interface PasswordKeeper {
  get(credentials: string): string | undefined;
  /** A password that a platform has set has been taken by its server. */
  keep(credentials: string, password: string): void;
}

export interface WebSocketWorld {
  readonly stream: StreamPort;
  /** The hardware's random numbers: masks and keys must not be guessed (RFC 6455, 10.3). */
  readonly random: RandomPort;
  readonly passwords: PasswordKeeper;
  deliver(event: WebSocketEvent): void;
}

/** What a peer gets to answer our close frame, ms. */
const CLOSING_MS = 2000;

/** A timer that begins at the first poll after it was set, because the port's calls carry no time. */
class Timer {
  private dueMs: number | undefined;
  private afterMs = NEVER;

  set(afterMs: number): void {
    this.afterMs = afterMs;
    this.dueMs = undefined;
  }

  get nextMs(): number {
    return this.dueMs ?? (this.afterMs === NEVER ? NEVER : 0);
  }

  /** True where it has run out; it is set anew then. */
  ranOut(nowMs: number): boolean {
    if (this.afterMs === NEVER) return false;
    this.dueMs ??= nowMs + this.afterMs;
    if (nowMs < this.dueMs) return false;
    this.dueMs = nowMs + this.afterMs;
    return true;
  }
}

interface Connection {
  readonly request: WebSocketRequest;
  readonly address: Address | undefined;
  readonly password: string | undefined;
  readonly key: string;
  readonly answer: AnswerReader;
  readonly reader: FrameReader;
  /** `closing`: told as closed, or closed from here; waits for the other side's goodbye. */
  state: "doomed" | "connecting" | "handshake" | "open" | "closing";
  /** Opening or closing takes no longer; while open, the next ping. */
  readonly timer: Timer;
  /** A ping has gone out, and no pong has come. */
  waiting: boolean;
}

export class WebSocketClient implements WebSocketPort {
  private readonly connections: Connection[] = [];
  /** New passwords that no server has taken yet. */
  private readonly unproven: Record<string, string | undefined> = {};

  constructor(private readonly world: WebSocketWorld) {}

  open(request: WebSocketRequest): void {
    this.drop(request.id);
    const { random, passwords, stream } = this.world;
    const nonce = new Uint8Array(16);
    for (let i = 0; i < 16; i++) nonce[i] = random.uint32() >>> 24;
    const key = toBase64(nonce);
    const address = readAddress(request.url);
    const { id, credentials } = request;
    const timer = new Timer();
    timer.set(address === undefined ? 0 : request.timeoutMs);
    this.connections.push({
      ...{ request, address, key, timer, waiting: false },
      password: this.unproven[credentials] ?? passwords.get(credentials),
      answer: new AnswerReader(key),
      reader: new FrameReader(request.maxMessageBytes),
      state: address === undefined ? "doomed" : "connecting",
    });
    if (address === undefined) return;
    const { host, port, secure } = address;
    stream.open({ id, host, port, secure, credentials });
  }

  send(id: number, text: string): void {
    const connection = this.find(id);
    if (connection?.state === "open") this.write(connection, OPCODE.text, utf8Encode(text));
  }

  close(id: number, code: number, reason: string): void {
    const connection = this.find(id);
    if (connection === undefined || connection.state === "closing") return;
    if (connection.state === "open") this.sayGoodbye(connection, code, reason);
    else this.drop(id);
  }

  keepAlive(id: number, pingMs: number): void {
    const connection = this.find(id);
    if (connection?.state !== "open") return;
    connection.waiting = false;
    connection.timer.set(pingMs > 0 ? pingMs : NEVER);
  }

  setPassword(credentials: string, password: string): void {
    this.unproven[credentials] = password;
  }

  /** What the stream port has to say. */
  onStream(event: StreamEvent): void {
    const connection = this.find(event.id);
    if (connection === undefined) return;
    switch (event.ev) {
      case "open":
        if (connection.state === "connecting") this.ask(connection);
        break;
      case "data":
        this.received(connection, event.bytes);
        break;
      default: {
        const { state } = connection;
        this.forget(connection);
        const failed = event.ev === "failed";
        if (state === "open") this.tellClosed(connection, 1006, failed ? event.text : "");
        else if (state === "closing") break;
        else if (failed) this.tellFailed(connection, event.reason, event.text);
        else this.tellFailed(connection, "closed", "");
      }
    }
  }

  /** Time-outs and pings that are due. */
  poll(nowMs: number): void {
    for (const connection of [...this.connections]) {
      if (!connection.timer.ranOut(nowMs)) continue;
      const { state } = connection;
      if (state === "open" && !connection.waiting) {
        connection.waiting = true;
        this.write(connection, OPCODE.ping, new Uint8Array(0));
        continue;
      }
      this.drop(connection.request.id);
      if (state === "open") this.tellClosed(connection, 1006, "no answer to a ping");
      else if (state === "doomed")
        this.tellFailed(connection, "protocol", `"${connection.request.url}" is no WebSocket address.`);
      else if (state !== "closing") this.tellFailed(connection, "timeout", "");
    }
  }

  nextMs(): number {
    return this.connections.reduce((next, { timer }) => Math.min(next, timer.nextMs), NEVER);
  }

  private ask(connection: Connection): void {
    const { request, password, key, address } = connection;
    connection.state = "handshake";
    const authorization = password === undefined ? undefined : basicAuthorization(request.user, password);
    this.world.stream.write(request.id, requestBytes(address!, key, request.subprotocol, authorization));
  }

  private received(connection: Connection, bytes: Uint8Array): void {
    if (connection.state === "open" || connection.state === "closing") {
      connection.reader.push(bytes, (message) => this.handle(connection, message));
      return;
    }
    if (connection.state !== "handshake") return;
    const answer = connection.answer.push(bytes);
    if (answer === undefined) return;
    const { id, credentials, pingMs } = connection.request;
    const { password } = connection;
    const fresh = this.unproven[credentials];
    if (!answer.ok) {
      this.drop(id);
      // The platform told a new password and does not take it: the one before still counts.
      if (answer.reason === "http-401" && fresh === password) this.unproven[credentials] = undefined;
      this.tellFailed(connection, answer.reason, answer.text);
      return;
    }
    if (fresh !== undefined && fresh === password) {
      this.unproven[credentials] = undefined;
      this.world.passwords.keep(credentials, fresh);
    }
    connection.state = "open";
    connection.timer.set(pingMs > 0 ? pingMs : NEVER);
    this.world.deliver({ id, ev: "open", subprotocol: answer.subprotocol });
    if (answer.rest.length > 0) this.received(connection, answer.rest);
  }

  private handle(connection: Connection, message: Incoming): void {
    const { id } = connection.request;
    const isOpen = connection.state === "open";
    switch (message.is) {
      case "text":
        if (isOpen) this.world.deliver({ id, ev: "text", text: message.text });
        break;
      case "ping":
        if (isOpen) this.write(connection, OPCODE.pong, message.payload);
        break;
      case "pong":
        connection.waiting = false;
        break;
      case "close":
        if (isOpen) {
          this.sayGoodbye(connection, message.code, "");
          this.tellClosed(connection, message.code, message.reason);
        } else this.drop(id);
        break;
      case "offence":
        if (isOpen) {
          this.sayGoodbye(connection, message.code, message.text);
          this.tellClosed(connection, message.code, message.text);
        } else this.drop(id);
    }
  }

  /** Sends the close frame; the stream is ended when the other side does, or after {@link CLOSING_MS}. */
  private sayGoodbye(connection: Connection, code: number, reason: string): void {
    this.write(connection, OPCODE.close, closePayload(code, reason));
    connection.state = "closing";
    connection.timer.set(CLOSING_MS);
  }

  private write(connection: Connection, opcode: number, payload: Uint8Array): void {
    const { stream, random } = this.world;
    stream.write(connection.request.id, frame(opcode, payload, random.uint32()));
  }

  private tellClosed({ request }: Connection, code: number, reason: string): void {
    this.world.deliver({ id: request.id, ev: "closed", code, reason });
  }

  private tellFailed({ request }: Connection, reason: WebSocketFailure, text: string): void {
    this.world.deliver({ id: request.id, ev: "failed", reason, text });
  }

  private find(id: number): Connection | undefined {
    return this.connections.find((one) => one.request.id === id);
  }

  private drop(id: number): void {
    const connection = this.find(id);
    if (connection === undefined) return;
    this.forget(connection);
    connection.reader.stopped = true;
    if (connection.state !== "doomed") this.world.stream.close(id);
  }

  private forget(connection: Connection): void {
    const at = this.connections.indexOf(connection);
    if (at >= 0) this.connections.splice(at, 1);
  }
}
