// Both MQTT subscribers, the device's over a TLS stream and the computer's, against mosquitto with mutual TLS and a login.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeMqtt } from "../../host-sim/net/node-mqtt.js";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import { openPki } from "../../host-sim/pki/pki.js";
import { MqttClient } from "../../src/mqtt/client.js";
import type { MqttEvent, MqttPort } from "../../src/ports/mqtt.js";
import { mosquittoProgram, startMosquitto } from "./openleadr-rs.js";

const program = process.env["OPENUCM_FULL"] === "1" ? mosquittoProgram() : undefined;
const missing = process.env["OPENUCM_FULL"] === "1" ? "needs mosquitto" : "part of the full suite";
const name = "MQTT subscribers and mosquitto";

interface Subscriber {
  readonly port: MqttPort;
  readonly told: MqttEvent[];
  readonly logs: string[];
  close(): void;
}

function suite(path: string): void {
  const folder = mkdtempSync(join(tmpdir(), "mosquitto-"));
  let broker: Awaited<ReturnType<typeof startMosquitto>>;
  let credentials: { readonly ca: string; readonly cert: string; readonly key: string };
  let publish: (topic: string, qos: 0 | 1, payload?: string) => Promise<void>;
  let closePublisher = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const pki = await openPki(folder);
    const client = await pki.client("module");
    const passwords = join(folder, "passwords");
    for (const [i, user] of ["module", "vtn"].entries()) {
      const made = spawnSync(
        "mosquitto_passwd",
        [...(i === 0 ? ["-c"] : []), "-b", passwords, user, "right"],
        {
          env: { ...process.env, PATH: `${process.env["PATH"]}:${dirname(path)}:/usr/bin` },
        },
      );
      expect(made.status).toBe(0);
    }
    const files = { ca: pki.ca.certPath, cert: pki.server.certPath, key: pki.server.keyPath };
    broker = await startMosquitto(path, folder, files, [
      "allow_anonymous false",
      "require_certificate true",
      `password_file ${passwords}`,
    ]);
    credentials = {
      ca: pki.ca.cert,
      cert: readFileSync(client.certPath, "utf8"),
      key: readFileSync(client.keyPath, "utf8"),
    };
    const publisher = connect(`mqtts://127.0.0.1:${broker.port}`, {
      ...credentials,
      username: "vtn",
      password: "right",
      protocolVersion: 4,
    });
    await new Promise((done, fail) => publisher.once("connect", done).once("error", fail));
    publish = async (topic, qos, payload = "{}") =>
      void (await publisher.publishAsync(topic, payload, { qos }));
    closePublisher = () => publisher.endAsync(true);
  });

  afterAll(async () => {
    await closePublisher();
    broker?.child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const makers: readonly (readonly [string, (with_: Partial<typeof credentials>) => Subscriber])[] = [
    [
      "the device's",
      (shown) => {
        const told: MqttEvent[] = [];
        const logs: string[] = [];
        const stream = new NodeStream({
          credentials: () => shown,
          deliver: (event) => client.onStream(event, performance.now()),
        });
        const client = new MqttClient({
          stream,
          random: { uint32: () => Math.floor(Math.random() * 2 ** 32) },
          deliver: (event) => void told.push(event),
          log: (text) => void logs.push(text),
        });
        const timer = setInterval(() => client.poll(performance.now()), 5);
        return {
          port: client,
          told,
          logs,
          close: () => {
            clearInterval(timer);
            client.end(1);
          },
        };
      },
    ],
    [
      "the computer's",
      (shown) => {
        const told: MqttEvent[] = [];
        const logs: string[] = [];
        const port = new NodeMqtt({
          credentials: new Map([["u", shown]]),
          deliver: (event) => void told.push(event),
          log: (text) => void logs.push(text),
          retryMs: [100, 1000],
        });
        return { port, told, logs, close: () => port.close() };
      },
    ],
  ];

  describe.each(makers)("%s subscriber", (_, make) => {
    const subscribe = (port: MqttPort, password = "right"): void =>
      port.subscribe({
        id: 1,
        uri: `mqtts://127.0.0.1:${broker.port}`,
        topics: ["events/+", "vens/v-1/#"],
        username: "module",
        password,
        credentials: "u",
      });
    const until = async (what: string, fits: () => boolean): Promise<void> => {
      for (let i = 0; i < 6000 && !fits(); i++) await new Promise((done) => setTimeout(done, 10));
      expect(fits(), what).toBe(true);
    };

    it("hears messages of QoS 0 and 1 and of any size, and nothing of other topics", async () => {
      const one = make(credentials);
      try {
        subscribe(one.port);
        await until("up", () => one.told.some(({ ev }) => ev === "up"));
        await publish("events/create", 1);
        await publish("reports/create", 1);
        await publish("vens/v-1/events/update", 0, "x".repeat(100_000));
        await publish("events/delete", 1, "é".repeat(3000));
        await until("all", () => one.told.length >= 4);
        expect(one.told).toEqual([
          { id: 1, ev: "up" },
          ...["events/create", "vens/v-1/events/update", "events/delete"].map((topic) => ({
            id: 1,
            ev: "message",
            topic,
          })),
        ]);
        expect(one.logs).toEqual([]);
      } finally {
        one.close();
      }
    });

    it.each([
      ["a wrong password", (): Partial<typeof credentials> => credentials, "wrong"],
      ["no client certificate", (): Partial<typeof credentials> => ({ ca: credentials.ca }), "right"],
      [
        "a broker of another authority",
        (): Partial<typeof credentials> => ({ cert: credentials.cert, key: credentials.key }),
        "right",
      ],
    ])("says why it is not let in: %s", async (__, shown, password) => {
      const one = make(shown());
      try {
        subscribe(one.port, password);
        await until("told", () => one.logs.length > 0);
        expect(one.logs[0]).toContain("cannot be used");
        expect(one.told).toEqual([]);
      } finally {
        one.close();
      }
    });
  });
}

if (program !== undefined) describe(name, () => suite(program));
else {
  console.warn(`skipped: ${name}: ${missing}`);
  describe.skip(`${name}: ${missing}`, () => it("is skipped", () => undefined));
}
