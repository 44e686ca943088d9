import { seededRandom, uniformInt } from "../../src/base/random.js";
import { utf8Encode } from "../../src/base/utf8.js";
import { WebSocketClient } from "../../src/websocket/client.js";
import { closePayload, OPCODE } from "../../src/websocket/frames.js";
import { Harness } from "./ocpp-harness.js";
import { accepted, served, unmasked } from "./websocket-rig.js";

export interface FrameFuzz {
  /** Connections ended, by the code that we sent. */
  readonly closes: Readonly<Record<number, number>>;
  readonly handshakes: number;
  /** Messages that reached the firmware whole. */
  readonly texts: number;
}

/** Codes that a server's breach, a message that is none, or our own restart may end a connection with. */
const RIGHT = [1000, 1001, 1002, 1003, 1007, 1009];

/**
 * A charge point behind the WebSocket client, and a server that sends `count` frames: right ones, mutated ones, bytes of
 * no sense, cut anywhere. Throws where anything of ours throws, a connection is ended with a wrong code, or the charge
 * point falls out of its states. `text` makes the payloads.
 */
export function fuzzFrames(
  count: number,
  seed: number,
  text: (draw: (n: number) => number) => string,
): FrameFuzz {
  const source = seededRandom(seed);
  const draw = (n: number): number => uniformInt(source, n - 1);
  const closes: Record<number, number> = {};
  let handshakes = 0;
  let texts = 0;
  let id = 0;
  let alive = false;
  let key = "";
  /** A close frame has come. */
  let ending = false;
  /** Frames since the last that got through: the reader may wait for what a broken head has promised. */
  let quiet = 0;
  const harness: Harness = new Harness({}, {}, { websocket: () => client });
  const client: WebSocketClient = new WebSocketClient({
    stream: {
      open: (request) => {
        id = request.id;
        alive = true;
        ending = false;
      },
      write: (_, bytes) => {
        if (!alive) throw new Error("written to a stream that is closed");
        if (bytes[0] === 0x47) {
          key = /Sec-WebSocket-Key: (.*)\r\n/.exec(Buffer.from(bytes).toString("latin1"))![1]!;
          return;
        }
        const { opcode, payload } = unmasked(bytes);
        ending ||= opcode === OPCODE.close;
        if (opcode === OPCODE.close && payload.length >= 2) {
          const code = (payload[0]! << 8) | payload[1]!;
          closes[code] = (closes[code] ?? 0) + 1;
          // What the server said itself is echoed.
          if (!RIGHT.includes(code) && code < 3000 && (code < 1008 || code > 1014))
            throw new Error(`closed with ${String(code)}`);
        } else if (opcode === OPCODE.text) harness.hear(Buffer.from(payload).toString("utf8"));
      },
      close: (closed) => {
        if (closed === id) alive = false;
      },
    },
    random: source,
    passwords: { get: () => "secret", keep: () => undefined },
    deliver: (event) => {
      if (event.ev === "text") {
        texts++;
        quiet = 0;
      }
      harness.point.onWebSocket(event, harness.now);
    },
  });
  const feed = (bytes: Uint8Array): void => {
    if (alive) client.onStream({ id, ev: "data", bytes });
  };
  const connect = (): void => {
    for (let tries = 0; tries < 200 && !alive; tries++) {
      client.poll(harness.ms);
      harness.advance(10_000);
      client.poll(harness.ms);
    }
    if (!alive) throw new Error("it does not come back");
    client.onStream({ id, ev: "open" });
    handshakes++;
    const answer = utf8Encode(accepted(key));
    if (draw(8) === 0) mutate(answer, draw);
    feed(answer);
  };
  harness.start();
  for (let i = 0; i < count; i++) {
    if (!alive) connect();
    let bytes = frameOf(draw, text);
    const kind = draw(40);
    if (kind < 6) mutate(bytes, draw);
    else if (kind === 6) bytes = Uint8Array.from({ length: draw(40) }, () => draw(256));
    if (draw(4) === 0) {
      const at = draw(bytes.length + 1);
      feed(bytes.subarray(0, at));
      feed(bytes.subarray(at));
    } else feed(bytes);
    harness.settle();
    for (const answer of harness.answersDue()) feed(served(OPCODE.text, utf8Encode(answer)));
    harness.sent.length = 0;
    if (harness.logs.length > 100) harness.logs.length = 0;
    if (harness.csms.records.length > 500) harness.csms.records.length = 0;
    if (draw(100) === 0) {
      harness.ms += draw(5000);
      client.poll(harness.ms);
      harness.point.poll(harness.now);
    }
    if (alive && (ending || ++quiet > 15 || draw(500) === 0)) {
      alive = false;
      quiet = 0;
      client.onStream({ id, ev: "closed" });
    }
    const { state } = harness.point.status();
    if (!["connecting", "registering", "online", "failing"].includes(state))
      throw new Error(`state ${state}`);
    if (harness.faults.length > 0) throw new Error(harness.faults[0]);
  }
  return { closes, handshakes, texts };
}

function frameOf(draw: (n: number) => number, text: (draw: (n: number) => number) => string): Uint8Array {
  switch (draw(12)) {
    case 0:
      return served(
        OPCODE.ping,
        Uint8Array.from({ length: draw(126) }, () => draw(256)),
      );
    case 1:
      return served(OPCODE.pong, new Uint8Array(draw(126)));
    case 2:
      return draw(20) === 0 ? served(OPCODE.close, closePayload(1000 + draw(16), "bye")) : new Uint8Array(0);
    case 3: {
      // A message in fragments.
      const whole = utf8Encode(text(draw));
      const at = draw(whole.length + 1);
      const first = served(OPCODE.text, whole.subarray(0, at));
      first[0]! &= 0x7f;
      return Uint8Array.from([...first, ...served(OPCODE.continuation, whole.subarray(at))]);
    }
    default:
      return served(OPCODE.text, utf8Encode(text(draw)));
  }
}

/** Changes a few bytes, the head more often than the rest. */
function mutate(bytes: Uint8Array, draw: (n: number) => number): void {
  for (let n = 1 + draw(3); n > 0 && bytes.length > 0; n--) {
    const at = draw(2) === 0 ? draw(Math.min(bytes.length, 4)) : draw(bytes.length);
    bytes[at] = draw(3) === 0 ? draw(256) : bytes[at]! ^ (1 << draw(8));
  }
}
