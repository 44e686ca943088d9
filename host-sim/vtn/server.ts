/**
 * The VTN on the network: OpenADR 2.0b over mutual TLS and OpenADR 3.1 over TLS, both on 127.0.0.1 with
 * certificates that it made itself (host-sim/pki), with a broker for MQTT notifications, and its small HTTP API. A test double; see `xml.ts`.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type * as https from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { startLocalServer } from "../control/local-server.js";
import { type BadCertificate, type PemPair, fingerprint20b } from "../pki/certificates.js";
import { openPki } from "../pki/pki.js";
import { vtnApi } from "./api.js";
import type { Vtn } from "./vtn.js";
import { VtnCore } from "./core.js";
import type { Misbehaviour } from "./misbehaviour.js";
import { MqttBroker } from "./mqtt-broker.js";
import { openClients } from "./openadr3-clients.js";
import { Vtn3Core, type Vtn3Options } from "./openadr3-core.js";
import { answerEst, type EstOptions, PATH_EST } from "./est.js";
import { deliverWebhooks } from "./openadr3-webhooks.js";
import type { VtnCoreOptions } from "./state.js";
import { type Reply, TlsFront } from "./tls-front.js";
import { eventView, ven3View, venView } from "./views.js";

export interface VtnOptions extends VtnCoreOptions {
  /** Certificates go to `pki` in it, the clients of OpenADR 3.1 to `openadr3-clients.json`. */
  readonly dataDir: string;
  /** 0 or undefined = any free port, on 127.0.0.1: of OpenADR 2.0b, OpenADR 3.1, and the API. */
  readonly port?: number;
  readonly port3?: number;
  readonly apiPort?: number;
  /** Names the client certificate that `clientCert` points to; default `module`. */
  readonly clientName?: string;
  /** Restricts TLS, e.g. to `TLSv1.2` and `ECDHE-ECDSA-AES128-SHA256`. */
  readonly maxTlsVersion?: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
  readonly openadr3?: Omit<Vtn3Options, "clients">;
  /** How long a certificate is good that the EST server issues; default 365. */
  readonly certificateDays?: number;
}

export const PATH_20B = "/OpenADR2/Simple/2.0b";
export const PATH_3 = "/openadr3/3.1.0";

const CERTIFICATES: Readonly<Partial<Record<Misbehaviour, BadCertificate>>> = {
  "expired-certificate": "expired",
  "not-yet-valid-certificate": "not-yet-valid",
  "wrong-host": "wrong-host",
  "forged-chain": "forged-chain",
  "self-signed": "self-signed",
};

export type { Vtn } from "./vtn.js";

/** Starts the VTN and its API. Fails with a `CommandError` when a port is taken. */
export async function startVtn(options: VtnOptions): Promise<Vtn> {
  const pki = await openPki(join(options.dataDir, "pki"));
  const client = await pki.client(options.clientName ?? "module");
  const clients = await openClients(join(options.dataDir, "openadr3-clients.json"));
  const newId = (kind: string): string => `${kind}-${randomUUID().slice(0, 18)}`;
  const core = new VtnCore({ reportSeconds: 10, newId, ...options });
  const { misbehaviours } = core;
  const core3 = new Vtn3Core(core.state, misbehaviours, {
    ...options.openadr3,
    clients: [clients.module, clients.utility],
  });
  const tls = (pair: PemPair): https.ServerOptions => ({
    key: pair.key,
    cert: pair.cert,
    ca: pki.ca.cert,
    minVersion: "TLSv1.2",
    ...(options.maxTlsVersion === undefined ? {} : { maxVersion: options.maxTlsVersion }),
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
  });
  const est: EstOptions = {
    ...{ ca: pki.ca, secret: clients.module.clientSecret, days: options.certificateDays ?? 365 },
    onRenewed: (before, after) => core.renewed(before, after),
  };
  // A module that polls every few minutes keeps its connection.
  const keepAliveMs = Math.max(65_000, core.state.pollSeconds * 3000);
  const common = { misbehaviours, keepAliveMs };
  const opened: { close(): Promise<void> }[] = [];
  try {
    const front2 = await TlsFront.listen({
      ...common,
      port: options.port ?? 0,
      tls: { ...tls(pki.server), requestCert: true, rejectUnauthorized: true },
      answer: (request, body) => answer20b(core, request, body),
    });
    opened.push(front2);
    const front3 = await TlsFront.listen({
      ...common,
      port: options.port3 ?? 0,
      // A client certificate is welcome here, not demanded: OAuth 2 is the rule.
      tls: { ...tls(pki.server), requestCert: true, rejectUnauthorized: false },
      answer: (request, body) =>
        request.url?.startsWith(`${PATH_EST}/`) === true
          ? answerEst(est, request, body)
          : answer3(core3, request, body),
    });
    opened.push(front3);
    const urls = {
      openadr2b: `https://127.0.0.1:${front2.port}${PATH_20B}`,
      openadr3: `https://127.0.0.1:${front3.port}${PATH_3}`,
      est: `https://127.0.0.1:${front3.port}${PATH_EST}`,
    };
    core3.baseUrl = urls.openadr3;
    const broker = await MqttBroker.listen({
      port: 0,
      tls: tls(pki.server),
      admit: (username, password) => core3.admitsMqtt(username, password, now()),
    });
    opened.push(broker);
    core3.mqttUri = broker.uri;
    core3.onNotification((notification) => {
      for (const topic of notification.topics) broker.publish(topic, JSON.stringify(notification.body));
      deliverWebhooks(notification, pki.ca.cert, (url, why) =>
        core.state.tell({ change: "callback-failed", url, why }),
      );
    });
    const show = async (): Promise<void> => {
      const name = misbehaviours.names().find((n) => CERTIFICATES[n] !== undefined);
      const bad = name === undefined ? undefined : CERTIFICATES[name];
      const shown = tls(bad === undefined ? pki.server : await pki.bad(bad));
      front2.show(shown);
      front3.show(shown);
      broker.show(shown);
    };
    const vtn: Omit<Vtn, "api" | "close"> = {
      urls,
      ca: pki.ca.certPath,
      clientCert: client.certPath,
      clientKey: client.keyPath,
      clients,
      core,
      core3,
      pki,
      createEvent: (input) => core.createEvent(input, now()),
      modifyEvent: (id, input) => core.modifyEvent(id, input, now()),
      cancelEvent: (id) => core.cancelEvent(id, now()),
      withdrawEvent: (id) => core.withdrawEvent(id),
      listEvents: () => core.state.events.list().map((event) => eventView(core.state, event, now().utcMs)),
      vens: () => [...core.vens().map(venView), ...core3.vens().map((ven) => ven3View(ven, core3))],
      reports: () => core.state.reports,
      misbehave: async (name, times) => {
        core.misbehave(name, CERTIFICATES[name] === undefined ? times : undefined);
        if (CERTIFICATES[name] !== undefined) await show();
      },
      behave: async (name) => {
        const had = misbehaviours.names().filter((n) => name === undefined || n === name);
        core.behave(name);
        if (had.some((n) => CERTIFICATES[n] !== undefined)) await show();
      },
      onChange: (listener) => core.onChange(listener),
    };
    const api = await startLocalServer(options.apiPort ?? 0, vtnApi(vtn));
    opened.push(api);
    return { ...vtn, api: api.url, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(opened.map((one) => one.close()));
}

function now(): { utcMs: number } {
  return { utcMs: Date.now() };
}

function answer20b(core: VtnCore, request: IncomingMessage, body: string): Reply {
  const path = (request.url ?? "").split("?")[0]!;
  const at = path.indexOf(`${PATH_20B}/`);
  const plain = (status: number, text: string): Reply => ({ status, type: "text/plain", body: text });
  if (at < 0) return plain(404, `OpenADR 2.0b is at ${PATH_20B}/SERVICE here`);
  if (request.method !== "POST")
    return { ...plain(405, "OpenADR 2.0b is POST only"), headers: { Allow: "POST" } };
  const certificate = (request.socket as TLSSocket).getPeerCertificate();
  const fingerprint = certificate?.raw === undefined ? undefined : fingerprint20b(certificate.raw);
  const { status, body: text } = core.handle(path.slice(at + PATH_20B.length + 1), body, fingerprint, now());
  return status === 200 ? { status, type: "application/xml", body: text } : plain(status, text);
}

function answer3(core3: Vtn3Core, request: IncomingMessage, body: string): Reply {
  const url = request.url ?? "";
  const socket = request.socket as TLSSocket;
  const answer = core3.handle(
    {
      method: request.method ?? "GET",
      path: url.startsWith(`${PATH_3}/`) ? url.slice(PATH_3.length) : url,
      body,
      authorization: request.headers.authorization,
      certificateName: commonName(socket),
    },
    now(),
  );
  const headers = answer.status === 401 ? { "WWW-Authenticate": 'Bearer realm="openucm"' } : {};
  return { ...answer, type: "application/json", headers };
}

/** Of a client certificate that our CA signed. */
function commonName(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}
