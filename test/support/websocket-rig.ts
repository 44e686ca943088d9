import { seededRandom } from "../../src/base/random.js";
import { utf8Encode } from "../../src/base/utf8.js";
import type { WebSocketEvent, WebSocketRequest } from "../../src/ports/websocket.js";
import { WebSocketClient } from "../../src/websocket/client.js";
import { frame } from "../../src/websocket/frames.js";
import { acceptKey } from "../../src/websocket/handshake.js";

/** A frame as a server sends it: not masked. */
export function served(opcode: number, payload: Uint8Array): Uint8Array {
  const masked = frame(opcode, payload, 0);
  const head = masked.length - payload.length;
  const bytes = new Uint8Array(masked.length - 4);
  bytes.set(masked.subarray(0, head - 4));
  bytes.set(payload, head - 4);
  bytes[1]! &= 0x7f;
  return bytes;
}

/** What one masked frame says. */
export function unmasked(bytes: Uint8Array): { readonly opcode: number; readonly payload: Uint8Array } {
  if ((bytes[1]! & 0x80) === 0) throw new Error("not masked");
  const short = bytes[1]! & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  return {
    opcode: bytes[0]! & 15,
    payload: bytes.slice(at + 4).map((byte, i) => byte ^ bytes[at + (i & 3)]!),
  };
}

/** A right answer to the opening handshake. */
export function accepted(key: string, subprotocol = "ocpp1.6"): string {
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${acceptKey(key)}\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`
  );
}

/** The client over a stream that the test is the other end of, in virtual time. */
export class SocketRig {
  readonly client: WebSocketClient;
  readonly events: WebSocketEvent[] = [];
  /** What was written to the stream, piece by piece. */
  readonly raw: Uint8Array[] = [];
  readonly kept: [string, string][] = [];
  isStreamOpen = false;
  key = "";
  ms = 1000;

  constructor({ password, seed = 1 }: { readonly password?: string; readonly seed?: number } = {}) {
    this.client = new WebSocketClient({
      stream: {
        open: () => (this.isStreamOpen = true),
        write: (_, bytes) => {
          if (!this.isStreamOpen) throw new Error("written to a stream that is not open");
          this.raw.push(bytes);
        },
        close: () => (this.isStreamOpen = false),
      },
      random: seededRandom(seed),
      passwords: {
        get: () => password,
        keep: (name, value) => this.kept.push([name, value]),
      },
      deliver: (event) => this.events.push(event),
    });
  }

  /** Frames of ours since they were last looked at whole. */
  get sent(): { readonly opcode: number; readonly payload: Uint8Array }[] {
    return this.raw.map(unmasked);
  }

  /** What was written since, as text of one byte a character. */
  written(): string {
    let text = "";
    for (const bytes of this.raw) for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }

  open(request: Partial<WebSocketRequest> = {}): this {
    this.client.open({
      ...{ id: 1, url: "wss://csms.example/ocpp/CP-1", subprotocol: "ocpp1.6", credentials: "platform" },
      ...{ user: "CP-1", timeoutMs: 30_000, maxMessageBytes: 50_000, pingMs: 0 },
      ...request,
    });
    this.client.onStream({ id: 1, ev: "open" });
    this.key = /Sec-WebSocket-Key: (.*)\r\n/.exec(this.written())?.[1] ?? "";
    return this;
  }

  /** Open, with the handshake behind it. */
  opened(request: Partial<WebSocketRequest> = {}): this {
    this.open(request).feed(utf8Encode(accepted(this.key)));
    this.raw.length = 0;
    return this;
  }

  feed(...parts: Uint8Array[]): void {
    for (const bytes of parts) this.client.onStream({ id: 1, ev: "data", bytes });
  }

  run(ms: number): void {
    this.client.poll(this.ms);
    const end = this.ms + ms;
    while (this.client.nextMs() <= end) {
      this.ms = Math.max(this.ms, this.client.nextMs());
      this.client.poll(this.ms);
    }
    this.ms = end;
    this.client.poll(end);
  }
}
