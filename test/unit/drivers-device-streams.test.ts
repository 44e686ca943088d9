/** One stream port, three clients of the device: each answer reaches the one that asked; in memory, and over Node's sockets. */
import * as http from "node:http";
import type * as net from "node:net";
import { describe, expect, it } from "vitest";
import {
  DeviceStreams,
  httpConnections,
  StreamRouter,
  type PolledStream,
} from "../../drivers/device/streams.js";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import { seededRandom } from "../../src/base/random.js";
import type { HttpEvent, HttpRequest } from "../../src/ports/http.js";
import type { MqttEvent } from "../../src/ports/mqtt.js";
import type { StreamEvent, StreamRequest } from "../../src/ports/stream.js";
import type { WebSocketEvent } from "../../src/ports/websocket.js";
import { accepted } from "../support/websocket-rig.js";

/** Stands for drivers/tls: events wait until they are taken. */
class Stand implements PolledStream {
  readonly events: StreamEvent[] = [];
  readonly opened: StreamRequest[] = [];
  readonly closed: number[] = [];
  readonly written: [number, string][] = [];
  open(request: StreamRequest): void {
    this.opened.push(request);
  }
  write(id: number, bytes: Uint8Array): void {
    this.written.push([id, Buffer.from(bytes).toString("latin1")]);
  }
  close(id: number): void {
    this.closed.push(id);
  }
  poll(): StreamEvent | undefined {
    return this.events.shift();
  }
  /** The wire's number of the newest stream to that host. */
  to(host: string): number {
    return this.opened.filter((each) => each.host === host).at(-1)!.id;
  }
  data(id: number, bytes: string): void {
    this.events.push({ id, ev: "data", bytes: Uint8Array.from(Buffer.from(bytes, "latin1")) });
  }
}

function rig(stream: PolledStream) {
  const told: { http: HttpEvent[]; websocket: WebSocketEvent[]; mqtt: MqttEvent[] } = {
    http: [],
    websocket: [],
    mqtt: [],
  };
  const streams = new DeviceStreams({
    ...{ stream, random: seededRandom(1), httpConnections: 1 },
    passwords: { get: () => undefined, keep: () => undefined },
    onHttp: (event) => told.http.push(event),
    onWebSocket: (event) => told.websocket.push(event),
    onMqtt: (event) => told.mqtt.push(event),
  });
  return { streams, told };
}

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ id: 1, method: "GET", url: "https://vtn/", headers: [], body: undefined },
  ...{ credentials: "utility", timeoutMs: 10_000, maxBodyBytes: 1000, ...more },
});
const socket = (url = "wss://csms/ocpp") => ({
  ...{ id: 1, url, subprotocol: "ocpp1.6", credentials: "platform", user: "cp" },
  ...{ timeoutMs: 10_000, maxMessageBytes: 1000, pingMs: 0 },
});
const topics = (uri = "mqtts://broker") => ({
  ...{ id: 1, uri, topics: ["a"], username: undefined, password: undefined, credentials: "three" },
});

/** All three ask with the same number, 1. */
function three() {
  const stand = new Stand();
  const { streams, told } = rig(stand);
  streams.setOnline(true);
  streams.http.request(request());
  streams.websocket!.open(socket());
  streams.mqtt!.subscribe(topics());
  streams.turn(1000);
  return { stand, streams, told };
}

describe("the streams of the device", () => {
  it("one number of three clients is three streams, each with its own credentials", () => {
    const { stand } = three();
    expect(stand.opened.map(({ host, credentials }) => [host, credentials]).sort()).toEqual([
      ["broker", "three"],
      ["csms", "platform"],
      ["vtn", "utility"],
    ]);
    expect(new Set(stand.opened.map(({ id }) => id)).size).toBe(3);
  });

  it("brings each answer to the client that asked", () => {
    const { stand, streams, told } = three();
    for (const { id } of stand.opened) stand.events.push({ id, ev: "open" });
    streams.turn(1001);
    const sent = (host: string): string =>
      stand.written
        .filter(([id]) => id === stand.to(host))
        .map(([, text]) => text)
        .join("");
    expect(sent("vtn")).toMatch(/^GET \/ HTTP/);
    expect(sent("broker").charCodeAt(0)).toBe(0x10);
    const key = /Sec-WebSocket-Key: (\S+)/i.exec(sent("csms"))![1]!;
    stand.data(stand.to("broker"), "\x20\x02\x00\x00");
    stand.data(stand.to("csms"), accepted(key));
    stand.data(stand.to("vtn"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    stand.data(stand.to("broker"), "\x90\x03\x00\x01\x01");
    streams.turn(1002);
    expect(told.http.map(({ ev }) => ev)).toEqual(["head", "data", "end"]);
    expect(told.websocket).toEqual([{ id: 1, ev: "open", subprotocol: "ocpp1.6" }]);
    expect(told.mqtt).toEqual([{ id: 1, ev: "up" }]);
  });

  it("a broken stream is its owner's alone, and what comes after a close is nobody's", () => {
    const { stand, streams, told } = three();
    stand.events.push({ id: stand.to("csms"), ev: "failed", reason: "refused", text: "" });
    streams.turn(1001);
    expect(told.websocket).toEqual([{ id: 1, ev: "failed", reason: "refused", text: "" }]);
    expect([told.http, told.mqtt]).toEqual([[], []]);
    const vtn = stand.to("vtn");
    streams.http.abort(1);
    expect(stand.closed).toEqual([vtn]);
    stand.events.push({ id: vtn, ev: "open" }, { id: vtn, ev: "closed" });
    streams.turn(1002);
    expect(told.http).toEqual([]);
  });

  it("a request that waits for a connection goes out when another is aborted", () => {
    const { stand, streams } = three();
    streams.http.request(request({ id: 2, url: "https://other/" }));
    streams.turn(1001);
    expect(stand.opened.map(({ host }) => host)).not.toContain("other");
    streams.http.abort(1);
    expect(streams.nextMs()).toBe(0);
    streams.turn(1002);
    expect(stand.opened.map(({ host }) => host)).toContain("other");
  });

  it("and when another is answered", () => {
    const { stand, streams } = three();
    streams.http.request(request({ id: 2, url: "https://other/" }));
    streams.turn(1001);
    const id = stand.to("vtn");
    stand.events.push({ id, ev: "open" });
    stand.data(id, "HTTP/1.1 204 No\r\n\r\n");
    streams.turn(1002);
    expect(stand.opened.map(({ host }) => host)).toContain("other");
  });

  it("without a network fails at once and asks nobody", () => {
    const stand = new Stand();
    const { streams, told } = rig(stand);
    streams.http.request(request());
    streams.websocket!.open(socket());
    streams.turn(1000);
    streams.turn(1001);
    expect(stand.opened).toEqual([]);
    const failed = { id: 1, ev: "failed", reason: "unreachable", text: "no network" };
    expect([told.http, told.websocket]).toEqual([[failed], [failed]]);
  });

  it("one turn takes few events, and says that there were some", () => {
    const { stand, streams } = three();
    for (let i = 0; i < 100; i++) stand.events.push({ id: 99, ev: "open" });
    expect(streams.turn(1001)).toBe(true);
    expect(stand.events.length).toBeGreaterThan(90);
    stand.events.length = 0;
    streams.turn(1002);
    expect(streams.turn(1003)).toBe(false);
  });

  it("an owner that opens again while it is told of a refusal is told of that at the next turn", () => {
    let count = 0;
    const router = new StreamRouter(new Stand());
    const again = { id: 1, host: "h", port: 1, secure: true, credentials: "c" };
    const port = router.port(() => {
      count++;
      port.open(again);
    });
    port.open(again);
    router.turn(0);
    expect(count).toBe(1);
    router.turn(1);
    expect(count).toBe(2);
  });

  it("leaves connections for what lasts", () => {
    expect(httpConnections([])).toBe(2);
    expect(httpConnections(["openadr2b", "ocpp16"])).toBe(2);
    expect(httpConnections(["openadr3", "ocpp16"])).toBe(1);
    expect(httpConnections(["openadr3", "ocpp16", "ocpp16", "ocpp16"])).toBe(1);
  });
});

describe("over Node's sockets", () => {
  it("HTTP and WebSocket at one server, and each has its answer", async () => {
    const raws: net.Socket[] = [];
    const server = http.createServer((_, response) => response.end("hello"));
    server.on("upgrade", (message: http.IncomingMessage, raw: net.Socket) => {
      raws.push(raw);
      raw.write(accepted(message.headers["sec-websocket-key"]!));
      raw.write(Uint8Array.of(0x81, 2, 0x68, 0x69));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as net.AddressInfo;
    const waiting: StreamEvent[] = [];
    const node = new NodeStream({ credentials: () => ({}), deliver: (event) => waiting.push(event) });
    const { streams, told } = rig({
      open: (r: StreamRequest) => node.open(r),
      write: (id: number, bytes: Uint8Array) => node.write(id, bytes),
      close: (id: number) => node.close(id),
      poll: () => waiting.shift(),
    });
    streams.setOnline(true);
    streams.http.request(request({ url: `http://127.0.0.1:${String(port)}/` }));
    streams.websocket!.open(socket(`ws://127.0.0.1:${String(port)}/ocpp`));
    for (let i = 0; i < 12_000 && (told.http.at(-1)?.ev !== "end" || told.websocket.length < 2); i++) {
      streams.turn(1000);
      await new Promise((next) => setTimeout(next, 5));
    }
    expect(told.http.map(({ ev }) => ev)).toEqual(["head", "data", "end"]);
    expect(told.websocket).toEqual([
      { id: 1, ev: "open", subprotocol: "ocpp1.6" },
      { id: 1, ev: "text", text: "hi" },
    ]);
    streams.http.abort(1);
    streams.websocket!.close(1, 1000, "");
    server.closeAllConnections();
    for (const raw of raws) raw.destroy();
    await new Promise((done) => server.close(done));
    streams.turn(100_000_000);
  });
});
