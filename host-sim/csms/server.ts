/**
 * The charging platform on the network: OCPP 1.6J over WSS on 127.0.0.1, built on `ocpp-rpc` in strict mode, with
 * basic authentication and certificates of the bench's own CA, and a small HTTP API.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { createRPCError, RPCServer } from "ocpp-rpc";
import { CommandError } from "../cli/output.js";
import { startLocalServer } from "../control/local-server.js";
import type { BadCertificate } from "../pki/certificates.js";
import { openPki } from "../pki/pki.js";
import { csmsApi } from "./api.js";
import { CsmsCore, type CsmsPoint, CsmsRefusal, type CsmsRules } from "./core.js";
import type { Csms, Json } from "./platform.js";
import { clearOrder, limitOrder, type Order } from "./requests.js";

/** What is used of a connection of `ocpp-rpc`, whose own declarations name no such type. */
interface Connection {
  readonly identity?: string;
  on(event: "close", listener: () => void): void;
  on(
    event: "strictValidationFailure",
    listener: (failure: { method: string; error: Error; outbound: boolean }) => void,
  ): void;
  on(event: "badMessage", listener: (bad: { error: Error }) => void): void;
  handle(handler: (call: { method: string; params: Json }) => unknown): void;
  call(action: string, payload: Json): Promise<unknown>;
  close(how: { code: number; reason: string }): Promise<unknown>;
}

export interface CsmsOptions extends CsmsRules {
  /** Certificates go to `pki` in it, the password to `csms-password.txt`. */
  readonly dataDir: string;
  /** 0 or undefined = any free port on 127.0.0.1: of OCPP, and of the API. */
  readonly port?: number;
  readonly apiPort?: number;
  /** Shows a bad certificate instead of its own. */
  readonly certificate?: BadCertificate;
  /** A client certificate of the bench's CA is demanded instead of the password (security profile 3). */
  readonly clientCertificates?: boolean;
}

/** Starts the platform. Fails with a {@link CommandError} when a port is taken. */
export async function startCsms(options: CsmsOptions): Promise<Csms> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const pki = await openPki(join(options.dataDir, "pki"));
  const client = await pki.client("module");
  const pair = options.certificate === undefined ? pki.server : await pki.bad(options.certificate);
  const passwordFile = join(options.dataDir, "csms-password.txt");
  let password = await openPassword(passwordFile);
  const core = new CsmsCore({ heartbeatSeconds: 60, ...options });
  const faults: string[] = [];
  const clients = new Map<string, Connection>();
  const certificates = new Map<string, string>();

  const rpc = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true, pingIntervalMs: 30_000 });
  rpc.auth((accept, reject, handshake) => {
    const given = handshake.password;
    const known = options.clientCertificates === true || (given !== undefined && same(given, password));
    if (!known) reject(401, "Unauthorized");
    else if (!handshake.protocols.has("ocpp1.6")) reject(400, "ocpp1.6 is spoken here");
    else accept({}, "ocpp1.6");
  });
  rpc.on("client", (connection: Connection) => {
    const id = connection.identity ?? "";
    clients.set(id, connection);
    core.point(id).online = true;
    connection.on("close", () => {
      if (clients.get(id) !== connection) return;
      clients.delete(id);
      core.point(id).online = false;
    });
    connection.on("strictValidationFailure", (event: { method: string; error: Error; outbound: boolean }) => {
      faults.push(`${event.outbound ? "platform" : "charger"} ${event.method}: ${event.error.message}`);
    });
    connection.on("badMessage", (event: { error: Error }) => faults.push(`frame: ${event.error.message}`));
    connection.handle(({ method, params }) => {
      if (method === "SignCertificate") void sign(id, String((params as Json)["csr"]));
      try {
        return core.receive(id, method, params as Json, Date.now());
      } catch (error) {
        if (error instanceof CsmsRefusal) throw createRPCError("InternalError", error.message);
        throw error;
      }
    });
  });

  /** What a charge point wants to be signed is signed: it has shown who it is. */
  const sign = async (id: string, csr: string): Promise<void> => {
    try {
      const certificateChain = await pki.sign(csr);
      await ask({ action: "CertificateSigned", payload: { certificateChain } }, id);
    } catch (error) {
      faults.push(`SignCertificate: ${(error as Error).message}`);
    }
  };

  const server = https.createServer({
    key: pair.key,
    cert: pair.cert,
    minVersion: "TLSv1.2",
    ...(options.clientCertificates === true
      ? { ca: pki.ca.cert, requestCert: true, rejectUnauthorized: true }
      : {}),
  });
  server.on("upgrade", (request, socket, head) => {
    const { serialNumber } = (socket as TLSSocket).getPeerCertificate();
    const id = decodeURIComponent(request.url?.split("/").pop() ?? "");
    if (serialNumber === undefined) certificates.delete(id);
    else certificates.set(id, serialNumber);
    void rpc.handleUpgrade(request, socket as Socket, head);
  });
  await listen(server, options.port ?? 0);

  const connected = (): readonly string[] => [...clients.keys()];
  const pointOf = (id: string | undefined): CsmsPoint => core.point(id ?? connected()[0] ?? "");
  const ask = async (order: Order, id?: string): Promise<Json> => {
    const point = pointOf(id);
    const connection = clients.get(point.id);
    if (connection === undefined) throw new Error("no charge point is connected");
    const record = point.note({ utcMs: Date.now(), from: "platform", ...shown(order) });
    try {
      const answer = (await connection.call(order.action, order.payload)) as Json;
      record.answer = answer;
      return answer;
    } catch (error) {
      record.answer = { error: (error as Error).message };
      throw error;
    } finally {
      core.tell(point, record);
    }
  };
  const csms: Omit<Csms, "api" | "close"> = {
    url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`,
    ca: pki.ca.certPath,
    passwordFile,
    clientCert: client.certPath,
    clientKey: client.keyPath,
    core,
    faults,
    connected,
    certificateOf: (id) => certificates.get(id),
    ask,
    setLimit: (wish, id) => {
      const number = pointOf(id).running?.id;
      const bound = wish.purpose === "TxProfile" && number !== undefined ? { transactionId: number } : {};
      return ask(limitOrder({ ...bound, ...wish }, Date.now()), id);
    },
    clearLimits: (purpose, id) => ask(clearOrder(purpose), id),
    setPassword: (next) => (password = next),
    dropAll: () => {
      for (const connection of clients.values()) void connection.close({ code: 1012, reason: "restart" });
    },
  };
  const api = await startLocalServer(options.apiPort ?? 0, csmsApi(csms));
  return {
    ...csms,
    api: api.url,
    close: async () => {
      await api.close();
      await rpc.close({ force: true });
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
    },
  };
}

async function listen(server: https.Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const text = `port ${port} is in use on 127.0.0.1: choose another, or 0 for any`;
      reject(error.code === "EADDRINUSE" ? new CommandError(text) : error);
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** The password of this folder: 20 random bytes as 40 hexadecimal digits, made once, mode 0600. */
/** An order as it is told and kept: a password that it sets is nobody's to read. */
function shown({ action, payload }: Order): Order {
  const isSecret = /^authorizationkey$/i.test(String(payload["key"]));
  return {
    action,
    payload: action === "ChangeConfiguration" && isSecret ? { ...payload, value: "…" } : payload,
  };
}

async function openPassword(path: string): Promise<string> {
  try {
    const kept = (await readFile(path, "utf8")).trim();
    if (kept !== "") return kept;
  } catch {
    // none yet
  }
  const password = randomBytes(20).toString("hex");
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return password;
}

function same(given: Buffer, password: string): boolean {
  const digest = (value: Buffer | string): Buffer => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(password));
}
