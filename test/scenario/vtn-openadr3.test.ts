/** The 3.1 half of the VTN on real sockets: TLS, OAuth 2, webhooks and MQTT. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeHttp } from "../../host-sim/net/node-http.js";
import { readPacket, topicMatches } from "../../host-sim/vtn/mqtt-packets.js";
import { type Vtn, startVtn } from "../../host-sim/vtn/server.js";
import type { HttpEvent, HttpRequest } from "../../src/ports/http.js";

let dir = "";
let vtn: Vtn;
let port: NodeHttp;
let ca = "";
let nextId = 1;
const waiting = new Map<number, (event: HttpEvent) => void>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "openucm-vtn3-"));
  vtn = await startVtn({ dataDir: dir, pollSeconds: 2, openadr3: { mqttLogin: "token" } });
  ca = await readFile(vtn.ca, "utf8");
  port = new NodeHttp({
    credentials: new Map([["utility", { ca }]]),
    deliver: (e) => waiting.get(e.id)?.(e),
  });
});
afterAll(async () => {
  port.close();
  await vtn.close();
  await rm(dir, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: string;
  failed: string;
}

function ask(
  method: HttpRequest["method"],
  path: string,
  headers: HttpRequest["headers"],
  body?: string,
): Promise<Answer> {
  const id = nextId++;
  const answer: Answer = { status: 0, body: "", failed: "" };
  return new Promise((resolve) => {
    waiting.set(id, (event) => {
      if (event.ev === "head") answer.status = event.status;
      if (event.ev === "data") answer.body += Buffer.from(event.bytes).toString();
      if (event.ev === "failed") answer.failed = event.reason;
      if (event.ev === "end" || event.ev === "failed") resolve(answer);
    });
    port.request({
      id,
      method,
      url: vtn.urls.openadr3 + path,
      headers,
      body,
      credentials: "utility",
      timeoutMs: 60_000,
      maxBodyBytes: 65_536,
    });
  });
}

async function login(): Promise<string> {
  const { clientId, clientSecret } = vtn.clients.module;
  const form = `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}`;
  const reply = await ask(
    "POST",
    "/auth/token",
    [["Content-Type", "application/x-www-form-urlencoded"]],
    form,
  );
  return (JSON.parse(reply.body) as { access_token: string }).access_token;
}

describe("OpenADR 3.1 VTN on the network", () => {
  it("keeps its client secrets in a file of the owner alone, and the same ones next time", async () => {
    expect((await stat(join(dir, "openadr3-clients.json"))).mode & 0o777).toBe(0o600);
    const again = await startVtn({ dataDir: dir });
    await again.close();
    expect(again.clients).toEqual(vtn.clients);
  });

  it("says where tokens are, gives one, and shows an event made by the API", async () => {
    const server = JSON.parse((await ask("GET", "/auth/server", [])).body) as { tokenURL: string };
    expect(server.tokenURL).toBe(`${vtn.urls.openadr3}/auth/token`);
    const token = await login();
    const made = await fetch(`${vtn.api}/events`, {
      method: "POST",
      body: JSON.stringify({ signal: "ELECTRICITY_PRICE", value: 0.31, durationSeconds: 3600 }),
    });
    const { id } = (await made.json()) as { id: string };
    const events = JSON.parse(
      (await ask("GET", "/events?active=true", [["Authorization", `Bearer ${token}`]])).body,
    ) as {
      id: string;
    }[];
    expect(events.map((e) => e.id)).toContain(id);
    const ven = await ask(
      "POST",
      "/vens",
      [
        ["Authorization", `Bearer ${token}`],
        ["Content-Type", "application/json"],
      ],
      JSON.stringify({ objectType: "VEN_VEN_REQUEST", venName: "bench module" }),
    );
    expect(ven.status).toBe(201);
    expect(vtn.vens()).toMatchObject([
      { protocol: "openadr3", venName: "bench module", registrationId: "module" },
    ]);
    expect((await ask("GET", "/vens", [["Authorization", "Bearer stale"]])).status).toBe(401);
  });

  it("calls the webhook of a subscription", async () => {
    let called = (_: { authorization: string | undefined; body: string }): void => undefined;
    const got = new Promise<{ authorization: string | undefined; body: string }>(
      (resolve) => (called = resolve),
    );
    const hook = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        called({ authorization: request.headers.authorization, body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    const callbackUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
    const subscription = {
      clientName: "module",
      objectOperations: [{ objects: ["EVENT"], operations: ["CREATE"], callbackUrl, bearerToken: "secret" }],
    };
    const headers = [["Authorization", `Bearer ${await login()}`]] as const;
    expect((await ask("POST", "/subscriptions", headers, JSON.stringify(subscription))).status).toBe(201);
    vtn.createEvent({ level: 1, durationSeconds: 60 });
    const { authorization, body } = await got;
    hook.close();
    expect(authorization).toBe("Bearer secret");
    expect(JSON.parse(body)).toMatchObject({ objectType: "EVENT", operation: "CREATE" });
  });

  it("publishes to an MQTT client that logs in with its token, and to no other", async () => {
    const token = await login();
    const notifiers = JSON.parse(
      (await ask("GET", "/notifiers", [["Authorization", `Bearer ${token}`]])).body,
    ) as {
      MQTT: { URIS: string[]; authentication: unknown };
    };
    expect(notifiers.MQTT.authentication).toEqual({ method: "OAUTH2_BEARER_TOKEN", username: "{clientID}" });
    const stranger = await connect(notifiers.MQTT.URIS[0]!, "module", "stale");
    expect(await stranger.next(4)).toEqual(Buffer.from([0x20, 2, 0, 4]));
    const client = await connect(notifiers.MQTT.URIS[0]!, "module", token);
    expect(await client.next(4)).toEqual(Buffer.from([0x20, 2, 0, 0]));
    const filter = Buffer.from("openadr3/events/+");
    client.socket.write(Buffer.from([0x82, 2 + 2 + filter.length + 1, 0, 7, 0, filter.length, ...filter, 1]));
    expect(await client.next(5)).toEqual(Buffer.from([0x90, 3, 0, 7, 0]));
    client.socket.write(Buffer.from([0xc0, 0]));
    expect(await client.next(2)).toEqual(Buffer.from([0xd0, 0]));
    vtn.createEvent({ level: 2, durationSeconds: 60 });
    const head = await client.next(1);
    expect(head[0]).toBe(0x30);
    let length = 0;
    for (let shift = 0, byte = 0x80; (byte & 0x80) !== 0; shift += 7) {
      byte = (await client.next(1))[0]!;
      length |= (byte & 0x7f) << shift;
    }
    const body = await client.next(length);
    const topicLength = body.readUInt16BE(0);
    expect(body.subarray(2, 2 + topicLength).toString()).toBe("openadr3/events/create");
    expect(JSON.parse(body.subarray(2 + topicLength).toString())).toMatchObject({ operation: "CREATE" });
    client.socket.destroy();
  });

  it("shows a bad certificate on request", async () => {
    await vtn.misbehave("wrong-host");
    expect((await ask("GET", "/events", [])).failed).toBe("tls-host-name");
    await vtn.behave();
    expect((await ask("GET", "/events", [])).status).toBe(200);
  });
});

describe("MQTT packets", () => {
  it("survive what is no MQTT, and wait for what is not whole", () => {
    expect(readPacket(Buffer.from([]))).toBeUndefined();
    expect(readPacket(Buffer.from([0x10]))).toBeUndefined();
    expect(readPacket(Buffer.from([0x10, 5, 0]))).toBeUndefined();
    expect(readPacket(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1]))).toBe("malformed");
    expect(readPacket(Buffer.from([0x10, 0xff, 0xff, 0x7f]))).toBe("malformed");
    expect(readPacket(Buffer.from([0x10, 2, 0, 9]))).toBe("malformed");
    expect(readPacket(Buffer.from([0x80, 2, 0, 1]))).toBe("malformed");
    expect(readPacket(Buffer.from("GET / HTTP/1.1\r\n".padEnd(100, "x")))).toBe("malformed");
    expect(readPacket(Buffer.from([0xc0, 0, 1]))).toEqual({ packet: { packet: "pingreq" }, length: 2 });
  });

  it.each([
    ["a/b", "a/b", true],
    ["a/+", "a/b", true],
    ["a/+", "a/b/c", false],
    ["a/#", "a/b/c", true],
    ["#", "a", true],
    ["a/b", "a", false],
    ["a", "a/b", false],
    ["a/#/b", "a/x/b", false],
  ])("filter %s on %s: %s", (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });
});

/** A raw MQTT client: CONNECT is sent; `next` gives the following bytes. */
async function connect(
  uri: string,
  username: string,
  password: string,
): Promise<{ socket: tls.TLSSocket; next: (count: number) => Promise<Buffer> }> {
  const socket = tls.connect({ host: "127.0.0.1", port: Number(new URL(uri).port), ca });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  let pending = Buffer.alloc(0);
  let wake = (): void => undefined;
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    wake();
  });
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  };
  const fields = [text("MQTT"), Buffer.from([4, 0xc2, 0, 60]), text("c1"), text(username), text(password)];
  const body = Buffer.concat(fields);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  return {
    socket,
    next: async (count) => {
      while (pending.length < count) await new Promise<void>((resolve) => (wake = resolve));
      const taken = pending.subarray(0, count);
      pending = pending.subarray(count);
      return taken;
    },
  };
}
