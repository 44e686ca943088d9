// Notifications of OpenADR 3.1 over real sockets with TLS, against the embedded VTN: its broker, and its webhooks. The
// poll period is an hour, so that whatever arrives came by the hint. mosquitto: test/interop/openadr3-mqtt.full.test.ts.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import { WebhookServer } from "../../host-sim/net/webhook-server.js";
import { startVtn } from "../../host-sim/vtn/server.js";
import type { Vtn } from "../../host-sim/vtn/vtn.js";
import { MqttClient } from "../../src/mqtt/client.js";
import type { MqttEvent } from "../../src/ports/mqtt.js";
import { Ven3Host } from "../support/ven3-host.js";

let vtn: Awaited<ReturnType<typeof startVtn>>;
const folder = mkdtempSync(join(tmpdir(), "openadr3-notices-"));
const shed = { signal: "SIMPLE", level: 1, startInSeconds: 600, durationSeconds: 600 };

beforeAll(async () => {
  vtn = await startVtn({ dataDir: folder });
});
afterAll(async () => {
  await (vtn as Vtn).close();
  rmSync(folder, { recursive: true, force: true });
});

function module(name: string, more: Record<string, unknown> = {}): Ven3Host {
  const { clientId, clientSecret } = vtn.clients.module;
  return new Ven3Host(
    { id: "u", url: vtn.urls.openadr3, venName: name, pollSeconds: 3600, clientId, clientSecret, ...more },
    { ca: readFileSync(vtn.ca, "utf8") },
  );
}

describe("MQTT over TLS", () => {
  it("an event arrives by hint, and its end; a broker with a forged certificate is not listened to", async () => {
    const ucm = module("mqtt-1");
    try {
      await ucm.until("told by MQTT", () => ucm.ven.status().text.includes("MQTT"));
      const { id } = vtn.createEvent(shed) as { id: string };
      await ucm.until("the event", () => ucm.held.some((one) => one.id === id));
      vtn.cancelEvent(id);
      await ucm.until("its end", () => ucm.held.every((one) => one.id !== id));
      await vtn.misbehave("forged-chain");
      await ucm.until("deaf", () => !ucm.ven.status().text.includes("MQTT"));
      await ucm.until("told why", () => ucm.logs.some((text) => /broker .* cannot be used/.test(text)));
      await vtn.behave();
      await ucm.until("told again", () => ucm.ven.status().text.includes("MQTT"));
    } finally {
      ucm.close();
    }
  });
});

describe("the device's MQTT subscriber", () => {
  it("hears of an event through the same broker, over a TLS stream", async () => {
    const credentials = { ca: readFileSync(vtn.ca, "utf8") };
    const told: MqttEvent[] = [];
    const stream = new NodeStream({
      credentials: () => credentials,
      deliver: (event) => client.onStream(event, performance.now()),
    });
    const client = new MqttClient({
      stream,
      random: { uint32: () => 7 },
      deliver: (event) => void told.push(event),
    });
    const uri = vtn.core3.mqttUri!;
    const topics = ["openadr3/events/+"];
    client.subscribe({ id: 1, uri, topics, username: undefined, password: undefined, credentials: "u" });
    const timer = setInterval(() => client.poll(performance.now()), 5);
    const until = async (ev: string): Promise<void> => {
      for (let i = 0; i < 6000 && !told.some((event) => event.ev === ev); i++)
        await new Promise((done) => setTimeout(done, 10));
      expect(told.map((event) => event.ev)).toContain(ev);
    };
    try {
      await until("up");
      vtn.createEvent(shed);
      await until("message");
      expect(told.find(({ ev }) => ev === "message")).toEqual({
        ...{ id: 1, ev: "message", topic: "openadr3/events/create" },
      });
      await vtn.misbehave("wrong-host");
      await until("down");
      await vtn.behave();
    } finally {
      clearInterval(timer);
      client.end(1);
    }
  });
});

describe("webhooks", () => {
  it("an event arrives by hint; a stranger's call and a wrong token are no hint; the subscription ends with the VEN", async () => {
    // The port must be known before the address is.
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => probe.once("listening", done));
    const { port } = probe.address() as { port: number };
    await new Promise((done) => probe.close(done));
    const callbackUrl = `http://127.0.0.1:${port}/hook/u`;
    const callbackToken = "t-of-this-life";
    let calls = 0;
    const ucm = module("hook-1", { callbackUrl, callbackToken });
    const hooks = await WebhookServer.listen(
      port,
      [{ upstream: "u", path: "/hook/u", token: callbackToken }],
      (id) => {
        expect(id).toBe("u");
        calls++;
        ucm.hint();
      },
    );
    try {
      await ucm.until("subscribed", () => ucm.asked.includes("POST /openadr3/3.1.0/subscriptions"));
      await ucm.until("online", () => ucm.ven.status().state === "online");
      const post = (path: string, token: string) =>
        fetch(`http://127.0.0.1:${port}${path}`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: "{}",
        });
      expect((await post("/hook/u", "wrong")).status).toBe(401);
      expect((await post("/elsewhere", callbackToken)).status).toBe(404);
      expect(await (await fetch(`${callbackUrl}?echo=a%26b`)).text()).toBe("a&b");
      expect(calls).toBe(0);
      // Whether the subscription has come to the VTN is not seen from outside: an event before it is told to nobody.
      const ids: string[] = [];
      const call = (): number => {
        ids.push((vtn.createEvent(shed) as { id: string }).id);
        return calls;
      };
      await expect.poll(call, { interval: 500 }).toBeGreaterThan(0);
      await ucm.until("the event", () => ucm.held.some((one) => ids.includes(one.id)));
      ucm.leave();
      await ucm.until("gone", () => ucm.ven.status().state === "stopped");
      expect(ucm.asked.some((one) => one.startsWith("DELETE /openadr3/3.1.0/subscriptions/"))).toBe(true);
    } finally {
      ucm.close();
      await hooks.close();
    }
  });
});
