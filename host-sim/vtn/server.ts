/**
 * The VTN on the network: mutual TLS on 127.0.0.1 with certificates that it made itself (host-sim/pki), and its
 * small HTTP API. A test double; see `xml.ts`.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { CommandError } from "../cli/output.js";
import { startLocalServer } from "../control/local-server.js";
import { type BadCertificate, type PemPair, fingerprint20b } from "../pki/certificates.js";
import { type Pki, openPki } from "../pki/pki.js";
import { vtnApi } from "./api.js";
import { VtnCore } from "./core.js";
import type { ReportReceived } from "./ei-report.js";
import type { FieldError, VtnEvent } from "./event.js";
import type { Misbehaviour } from "./misbehaviour.js";
import type { VtnChange, VtnCoreOptions } from "./state.js";
import { type EventView, type VenView, eventView, venView } from "./views.js";

export interface VtnOptions extends VtnCoreOptions {
  /** Certificates go to `pki` in it. */
  readonly dataDir: string;
  /** 0 or undefined = any free port, on 127.0.0.1. */
  readonly port?: number;
  readonly apiPort?: number;
  /** Names the client certificate that `clientCert` points to; default `module`. */
  readonly clientName?: string;
  /** Restricts TLS, e.g. to `TLSv1.2` and `ECDHE-ECDSA-AES128-SHA256`. */
  readonly maxTlsVersion?: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
}

export interface Vtn {
  readonly urls: { readonly openadr2b: string };
  /** Base address of the HTTP API. */
  readonly api: string;
  /** Paths of the files that a module enrols with. */
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly core: VtnCore;
  readonly pki: Pki;
  /** @param input as `POST /events` takes it (docs/cli.md) */
  createEvent(input: unknown): VtnEvent | FieldError;
  modifyEvent(id: string, input: unknown): VtnEvent | FieldError;
  cancelEvent(id: string): VtnEvent | FieldError;
  withdrawEvent(id: string): VtnEvent | FieldError;
  listEvents(): readonly EventView[];
  vens(): readonly VenView[];
  reports(): readonly ReportReceived[];
  /** On from now; the promise is for those that need a new certificate. */
  misbehave(name: Misbehaviour, times?: number): Promise<void>;
  behave(name?: Misbehaviour): Promise<void>;
  onChange(listener: (change: VtnChange) => void): () => void;
  close(): Promise<void>;
}

export const PATH_20B = "/OpenADR2/Simple/2.0b";

const MAX_REQUEST_BYTES = 1_048_576;
/** `slow-bytes`: one piece of so many bytes in so many ms. */
const SLOW_BYTES = 1;
const SLOW_MS = 100;
/** `clock-off`: the Date header is so far ahead. */
const CLOCK_OFF_MS = 400 * 86_400_000;

const CERTIFICATES: Readonly<Partial<Record<Misbehaviour, BadCertificate>>> = {
  "expired-certificate": "expired",
  "not-yet-valid-certificate": "not-yet-valid",
  "wrong-host": "wrong-host",
  "forged-chain": "forged-chain",
  "self-signed": "self-signed",
};

/** Starts the VTN and its API. Fails with a `CommandError` when a port is taken. */
export async function startVtn(options: VtnOptions): Promise<Vtn> {
  const pki = await openPki(join(options.dataDir, "pki"));
  const client = await pki.client(options.clientName ?? "module");
  const core = new VtnCore({
    reportSeconds: 10,
    newId: (kind) => `${kind}-${randomUUID().slice(0, 18)}`,
    ...options,
  });
  const tls = (pair: PemPair): https.ServerOptions => ({
    key: pair.key,
    cert: pair.cert,
    ca: pki.ca.cert,
    minVersion: "TLSv1.2",
    ...(options.maxTlsVersion === undefined ? {} : { maxVersion: options.maxTlsVersion }),
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
  });
  const server = https.createServer(
    { ...tls(pki.server), requestCert: true, rejectUnauthorized: true, requestTimeout: 30_000 },
    (request, response) => void serve(core, request, response),
  );
  // A module that polls every few minutes keeps its connection.
  server.keepAliveTimeout = Math.max(65_000, core.state.pollSeconds * 3000);
  // Clients that fail the handshake are their own problem; without a listener they would be nobody's.
  server.on("tlsClientError", () => undefined);
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const show = async (): Promise<void> => {
    const name = core.misbehaviours.names().find((n) => CERTIFICATES[n] !== undefined);
    const bad = name === undefined ? undefined : CERTIFICATES[name];
    server.setSecureContext(tls(bad === undefined ? pki.server : await pki.bad(bad)));
    // A kept connection or session would not look at the certificate again.
    server.closeAllConnections();
  };
  const vtn: Omit<Vtn, "api" | "close"> = {
    urls: { openadr2b: `https://127.0.0.1:${port}${PATH_20B}` },
    ca: pki.ca.certPath,
    clientCert: client.certPath,
    clientKey: client.keyPath,
    core,
    pki,
    createEvent: (input) => core.createEvent(input, now()),
    modifyEvent: (id, input) => core.modifyEvent(id, input, now()),
    cancelEvent: (id) => core.cancelEvent(id, now()),
    withdrawEvent: (id) => core.withdrawEvent(id),
    listEvents: () => core.state.events.list().map((event) => eventView(core.state, event, now().utcMs)),
    vens: () => core.vens().map(venView),
    reports: () => core.state.reports,
    misbehave: async (name, times) => {
      core.misbehave(name, CERTIFICATES[name] === undefined ? times : undefined);
      if (CERTIFICATES[name] !== undefined) await show();
    },
    behave: async (name) => {
      const had = core.misbehaviours.names();
      core.behave(name);
      if (had.some((n) => CERTIFICATES[n] !== undefined && (name === undefined || n === name))) await show();
    },
    onChange: (listener) => core.onChange(listener),
  };
  const api = await startLocalServer(options.apiPort ?? 0, vtnApi(vtn)).catch((error: unknown) => {
    server.close();
    throw error;
  });
  return {
    ...vtn,
    api: api.url,
    close: async () => {
      server.closeAllConnections();
      await Promise.all([api.close(), new Promise<void>((resolve) => server.close(() => resolve()))]);
    },
  };
}

function now(): { utcMs: number } {
  return { utcMs: Date.now() };
}

function listen(server: https.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is in use on 127.0.0.1: choose another, or 0 for any`;
      reject(error.code === "EADDRINUSE" ? new CommandError(taken) : error);
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function serve(core: VtnCore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on("error", () => undefined);
  try {
    const path = (request.url ?? "").split("?")[0]!;
    const at = path.indexOf(`${PATH_20B}/`);
    if (at < 0) {
      send(core, response, 404, "text/plain", `OpenADR 2.0b is at ${PATH_20B}/SERVICE here`);
      return;
    }
    if (request.method !== "POST") {
      response.setHeader("Allow", "POST");
      send(core, response, 405, "text/plain", "OpenADR 2.0b is POST only");
      return;
    }
    const body = await readBody(request);
    if (body === undefined) {
      send(core, response, 413, "text/plain", `A message may have ${MAX_REQUEST_BYTES} bytes`);
      return;
    }
    if (core.misbehaviours.take("reset")) {
      request.socket.destroy();
      return;
    }
    if (core.misbehaviours.take("no-answer")) return;
    const certificate = (request.socket as TLSSocket).getPeerCertificate();
    const fingerprint = certificate?.raw === undefined ? undefined : fingerprint20b(certificate.raw);
    const reply = core.handle(path.slice(at + PATH_20B.length + 1), body, fingerprint, now());
    send(core, response, reply.status, reply.status === 200 ? "application/xml" : "text/plain", reply.body);
  } catch {
    // The client went away in the middle of its request.
    response.destroy();
  }
}

/** undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= MAX_REQUEST_BYTES) chunks.push(chunk as Buffer);
  }
  return size > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function send(core: VtnCore, response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text, "utf8");
  if (core.misbehaviours.take("clock-off")) {
    response.sendDate = false;
    response.setHeader("Date", new Date(Date.now() + CLOCK_OFF_MS).toUTCString());
  }
  response.writeHead(status, { "Content-Type": type, "Content-Length": body.length });
  if (!core.misbehaviours.take("slow-bytes")) {
    response.end(body);
    return;
  }
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, (at += SLOW_BYTES)));
    if (at >= body.length) response.end();
  }, SLOW_MS);
  response.on("close", () => clearInterval(timer));
}
