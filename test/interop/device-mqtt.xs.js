// Runs in XS on this computer: the device's MQTT subscriber over the driver's TLS, with HTTP beside it, put together as the
// chip's program does (drivers/device/main.ts). Tells what happens as it happens; each message under "ask/" is a hint to ask
// `url`, one under "stop/" ends it.
/* global Tls, argument, print, now, sleep, collect */
import { DeviceStreams } from "../../drivers/device/streams.js";

const { credentials, utcMs, subscriptions, url } = JSON.parse(argument());
const tls = new Tls({ utcMs: () => utcMs });
for (const name of Object.keys(credentials)) tls.setCredentials(name, credentials[name]);
const stream = {
  open: (request) => tls.open(request),
  write: (id, bytes) => tls.write(id, bytes),
  close: (id) => tls.close(id),
  poll() {
    const event = tls.poll();
    if (event !== undefined && event.ev !== "data") print(JSON.stringify({ stream: event }));
    return event;
  },
};
let seed = utcMs >>> 0;
let asked = 0;
const stopped = new Set();
const streams = new DeviceStreams({
  ...{ stream, httpConnections: 1 },
  random: { uint32: () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) },
  passwords: { get: () => undefined, keep: () => undefined },
  log: (log) => print(JSON.stringify({ log })),
  onHttp(event) {
    if (event.ev === "head") print(JSON.stringify({ http: event.id, status: event.status }));
    else if (event.ev !== "data") print(JSON.stringify({ http: event.id, end: event.ev }));
  },
  onWebSocket() {},
  onMqtt(event) {
    print(JSON.stringify({ mqtt: event }));
    if (event.ev !== "message") return;
    if (event.topic.startsWith("stop/")) stopped.add(event.id);
    if (!event.topic.startsWith("ask/")) return;
    streams.http.request({
      ...{ id: ++asked, url, method: "GET", headers: [], body: undefined, credentials: "good" },
      ...{ timeoutMs: 20000, maxBodyBytes: 10000 },
    });
  },
});
streams.setOnline(true);
for (const each of subscriptions) streams.mqtt.subscribe(each);
while (stopped.size === 0) if (!streams.turn(now())) sleep(1);
for (const { id } of subscriptions) streams.mqtt.end(id);
while (tls.busy > 0) {
  tls.poll();
  sleep(1);
}
collect();
tls.end();
print(JSON.stringify({ end: true }));
