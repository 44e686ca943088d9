/**
 * The module's pages over TCP connections: what src/ports/http-server.ts asks of the world on a chip. This file guarantees:
 * at most four connections, each with one request; a request that is not whole within ten seconds, and an answer that is not
 * taken within ten more, ends, however slowly bytes drip; a request waits while answers of more than 8 KB wait to be taken, so
 * that nobody fills the memory by not reading; nothing that the platform throws leaves it. Platform-free: connections are
 * handed in (sdk.ts has those of the chip). **Never run on hardware.**
 */
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";
import { type ReadRequest, RequestReader, writeResponse } from "../../src/setup/http-codec.js";

/** A TCP connection that has been accepted. Calls may throw. */
export interface WebConnection {
  /** Of the other side. */
  readonly address: string;
  /** At most as much as was told by {@link ConnectionEvents.writable}; how many were taken. */
  write(bytes: Uint8Array): number;
  /** What was taken is still sent. */
  close(): void;
}

/** What a connection tells; each is told of one connection alone. */
export interface ConnectionEvents {
  data(bytes: Uint8Array): void;
  /** So many bytes can be written now. */
  writable(count: number): void;
  /** The other side has ended it. */
  ended(): void;
}

export interface WebSdk {
  /** Listens on every address of the module. `accept` may be called at any time, and answers whom to tell. Throws. */
  listen(port: number, accept: (connection: WebConnection) => ConnectionEvents | undefined): void;
  /** Accepts who has come and tells what has. True: there was something. May throw. */
  poll(): boolean;
}

const MOST_CONNECTIONS = 4;
/** For the whole request, and again for the whole answer. */
const LIMIT_MS = 10_000;
/** The other side closes first, or what it still sends would reset the connection before it has read the answer. */
const LEAVE_MS = 2000;
/** Answers that wait to be taken, in all, before another request is handed on. */
const MOST_UNSENT_BYTES = 8192;
const PORT = 80;
/** Until it listens, it tries so often. */
const LISTEN_MS = 5000;

class Visitor {
  readonly reader = new RequestReader();
  /** Whole, and not yet handed to the module. */
  request: ReadRequest | undefined;
  /** Undefined until there is an answer. */
  unsent: Uint8Array | undefined;
  sent = 0;
  room = 0;
  silent = true;
  state: "reads" | "waits" | "answers" | "leaves" = "reads";

  constructor(
    readonly id: number,
    readonly connection: WebConnection,
    readonly address: string,
    public dueMs: number,
  ) {}
}

export interface WebServerOptions {
  readonly sdk: WebSdk;
  nowMs(): number;
  log(text: string): void;
}

export class DeviceWeb {
  private visitors: Visitor[] = [];
  private nextId = 1;
  private listens = false;
  private tryMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: WebServerOptions) {}

  /** To be called as soon as there is a network, and again: it is tried until it listens. */
  listen(): void {
    const { sdk, nowMs, log } = this.options;
    if (this.listens || nowMs() - this.tryMs < LISTEN_MS) return;
    this.tryMs = nowMs();
    try {
      sdk.listen(PORT, (connection) => this.accept(connection));
      this.listens = true;
    } catch (error) {
      log(`web: ${String(error)}`);
    }
  }

  /** Open connections. */
  get open(): number {
    return this.visitors.length;
  }

  /** Requests that are whole go to `ask`, which has them answered by {@link respond}, at once or later. True: there was something. */
  turn(nowMs: number, ask: (request: WebRequest) => void): boolean {
    let busy = this.listens && this.poll();
    for (const visitor of [...this.visitors]) {
      if (nowMs >= visitor.dueMs) this.drop(visitor);
      else if (visitor.request !== undefined && this.unsentBytes() <= MOST_UNSENT_BYTES) {
        const { request, id } = visitor;
        visitor.request = undefined;
        busy = true;
        try {
          ask({ ...request, id });
        } catch (error) {
          this.options.log(`web: ${String(error)}`);
          this.refuse(visitor, 500);
        }
      }
    }
    return busy;
  }

  private poll(): boolean {
    try {
      return this.options.sdk.poll();
    } catch (error) {
      this.options.log(`web: ${String(error)}`);
      return false;
    }
  }

  respond(response: WebResponse): void {
    const visitor = this.visitors.find(({ id }) => id === response.id);
    if (visitor?.state === "waits") this.answer(visitor, writeResponse(response));
  }

  private unsentBytes(): number {
    return this.visitors.reduce((sum, { unsent, sent }) => sum + (unsent ? unsent.length - sent : 0), 0);
  }

  private accept(connection: WebConnection): ConnectionEvents | undefined {
    let address = "";
    try {
      ({ address } = connection);
    } catch {
      // It has gone already; its end will be told.
    }
    if (this.visitors.length >= MOST_CONNECTIONS && !this.makeRoom(address)) {
      this.close(connection);
      return undefined;
    }
    const id = this.nextId;
    this.nextId = id >= 0x3fff_ffff ? 1 : id + 1;
    const visitor = new Visitor(id, connection, address, this.options.nowMs() + LIMIT_MS);
    this.visitors.push(visitor);
    return {
      data: (bytes) => this.read(visitor, bytes),
      writable: (count) => {
        visitor.room = count;
        this.write(visitor);
      },
      ended: () => this.drop(visitor),
    };
  }

  /**
   * For a newcomer: who has his answer goes first, then who has not said a word (browsers open connections in advance), then
   * the oldest unfinished one of whoever holds several, so that nobody keeps the others out alone.
   */
  private makeRoom(address: string): boolean {
    const count = (of: string): number => this.visitors.filter((each) => each.address === of).length;
    const gives =
      this.visitors.find(({ state }) => state === "leaves") ??
      this.visitors.find(({ silent }) => silent) ??
      this.visitors.find((each) => each.address !== address && count(each.address) > 1);
    if (gives === undefined) return false;
    this.drop(gives);
    return true;
  }

  private read(visitor: Visitor, bytes: Uint8Array): void {
    visitor.silent = false;
    // What comes after the request is read and thrown away.
    if (visitor.state !== "reads" || !this.visitors.includes(visitor)) return;
    const read = visitor.reader.push(bytes);
    if (read === undefined) return;
    if (typeof read === "number") {
      this.refuse(visitor, read);
      return;
    }
    visitor.state = "waits";
    visitor.request = read;
  }

  private refuse(visitor: Visitor, status: number): void {
    const headers = [["content-type", "text/plain"]] as const;
    this.answer(visitor, writeResponse({ status, headers, body: `Refused: ${String(status)}\n` }));
  }

  private answer(visitor: Visitor, bytes: Uint8Array): void {
    if (!this.visitors.includes(visitor)) return;
    visitor.state = "answers";
    visitor.request = undefined;
    visitor.unsent = bytes;
    visitor.dueMs = this.options.nowMs() + LIMIT_MS;
    this.write(visitor);
  }

  private write(visitor: Visitor): void {
    const { unsent, sent, room, connection } = visitor;
    if (unsent === undefined || room <= 0 || !this.visitors.includes(visitor)) return;
    const part = unsent.slice(sent, sent + room);
    try {
      const taken = connection.write(part);
      visitor.sent += taken;
      visitor.room = taken < part.length ? 0 : room - taken;
    } catch {
      this.drop(visitor);
      return;
    }
    if (visitor.sent < unsent.length) return;
    visitor.unsent = undefined;
    visitor.state = "leaves";
    visitor.dueMs = this.options.nowMs() + LEAVE_MS;
  }

  private drop(visitor: Visitor): void {
    if (!this.visitors.includes(visitor)) return;
    this.visitors = this.visitors.filter((each) => each !== visitor);
    this.close(visitor.connection);
  }

  private close(connection: WebConnection): void {
    try {
      connection.close();
    } catch {
      // It was closed.
    }
  }
}
