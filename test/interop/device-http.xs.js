// Runs in XS on this computer: the clients of the device over the driver's TLS, put together as the chip's program does
// (drivers/device/main.ts). `argument` says what to ask; phases one after the other, all of a phase at once.
/* global Tls, argument, print, now, sleep */
import { DeviceStreams } from "../../drivers/device/streams.js";

const { credentials, httpConnections, utcMs, phases } = JSON.parse(argument());
const tls = new Tls({ utcMs: () => utcMs });
for (const name of Object.keys(credentials)) tls.setCredentials(name, credentials[name]);
/** What the driver says of each connection, in order. */
const told = [];
const stream = {
  open: (request) => tls.open(request),
  write: (id, bytes) => tls.write(id, bytes),
  close: (id) => tls.close(id),
  poll() {
    const event = tls.poll();
    if (event?.ev === "open") told.push(event.text);
    return event;
  },
};
const live = new Map();
const show = (result, end) => {
  live.delete(result.key);
  const { id, status, headers, text, bytes, startMs } = result;
  const shown = { id, status, headers, text: text.slice(0, 200), length: text.length, bytes };
  print(JSON.stringify({ ...shown, ...end, ms: now() - startMs, opened: told.splice(0) }));
};
const mine = (key) => {
  const result = live.get(key);
  if (result === undefined) throw new Error("an event of nobody: " + key);
  return result;
};
let seed = 1;
const streams = new DeviceStreams({
  ...{ stream, httpConnections },
  random: { uint32: () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) },
  passwords: { get: () => undefined, keep: () => undefined },
  onHttp(event) {
    const result = mine("http " + event.id);
    if (event.ev === "head") {
      result.status = event.status;
      result.headers = event.headers;
    } else if (event.ev === "data") {
      result.bytes += event.bytes.length;
      if (result.text.length < 200) result.text += String.fromCharCode(...event.bytes.subarray(0, 200));
    } else show(result, { end: event.ev, reason: event.reason, told: event.text });
  },
  onWebSocket(event) {
    const result = mine("ws " + event.id);
    if (event.ev === "open") {
      for (const text of result.wish.send ?? []) streams.websocket.send(event.id, text);
      // Stays open beside what comes next.
      if (result.wish.hold) show(result, { end: "open" });
      return;
    }
    if (event.ev === "text") {
      result.text += event.text;
      if (result.text !== result.wish.until) return;
      streams.websocket.close(event.id, 1000, "");
      show(result, { end: "left" });
    } else show(result, { end: event.ev, reason: event.reason, told: event.text, code: event.code });
  },
  onMqtt() {},
});
streams.setOnline(true);
for (const phase of phases) {
  for (const wish of phase) {
    const key = (wish.ws ? "ws " : "http ") + wish.id;
    live.set(key, { key, id: wish.id, text: "", bytes: 0, startMs: now(), wish });
    if (wish.ws)
      streams.websocket.open({
        ...{ subprotocol: "echo", user: "ucm", credentials: "c", timeoutMs: 5000, maxMessageBytes: 70000 },
        ...{ pingMs: 0, send: [], ...wish },
      });
    else
      streams.http.request({
        ...{ method: "GET", headers: [], body: undefined, credentials: "c", timeoutMs: 8000 },
        ...{ maxBodyBytes: 10000, ...wish },
      });
  }
  while (live.size > 0) if (!streams.turn(now())) sleep(1);
}
const { stuck } = JSON.parse(argument());
if (stuck !== undefined) {
  // Until the other side and all buffers between are full; then it is closed with bytes waiting.
  tls.open({ id: -1, host: "localhost", port: stuck, secure: true, credentials: "c" });
  // Long enough that a busy computer is not taken for a full one.
  for (let open = false, fullMs = now(); !open || now() < fullMs + 3000; sleep(1)) {
    if (tls.poll()?.ev === "open") open = true;
    if (open && tls.waiting.length === 0) {
      tls.write(-1, new Uint8Array(60000));
      fullMs = now();
    }
  }
  tls.close(-1);
  const startMs = now();
  while (tls.busy > 0 && now() < startMs + 9000) {
    tls.poll();
    sleep(5);
  }
  print(
    JSON.stringify({
      id: -1,
      end: tls.busy === 0 ? "end" : "stuck",
      ms: now() - startMs,
      waiting: tls.waiting.length,
    }),
  );
}
tls.end();
