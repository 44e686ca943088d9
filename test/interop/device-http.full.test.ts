/**
 * The device's HTTP and WebSocket clients over its TLS driver, in XS on this computer, put together as on the chip
 * (drivers/device/streams.ts), against Node's servers and `openssl s_server`: what each half promises alone must hold of
 * both. Nothing here waits for a race: servers answer when what they wait for has come.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import * as net from "node:net";
import { join, resolve } from "node:path";
import type * as tls from "node:tls";
import { build } from "esbuild";
import { WebSocketServer } from "ws";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { makeBadServer, makeCertificate, type PemPair } from "../../host-sim/pki/certificates.js";
import { withEachMbedTls } from "../support/each-mbedtls.js";
import { buildTls, type CredentialWish, type Library, Servers } from "../support/tls-rig.js";

const root = resolve(import.meta.dirname, "../..");
const DAY_MS = 86_400_000;

interface Wish {
  readonly id: number;
  readonly url: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly credentials?: string;
  readonly timeoutMs?: number;
  readonly maxBodyBytes?: number;
  readonly ws?: boolean;
  readonly send?: readonly string[];
  readonly until?: string;
  readonly hold?: boolean;
}

interface Outcome {
  readonly id: number;
  readonly end: "end" | "failed" | "closed" | "left" | "open";
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** The first 200 characters of each piece. */
  readonly text: string;
  readonly length: number;
  readonly bytes: number;
  readonly reason?: string;
  readonly told?: string;
  readonly code?: number;
  readonly ms: number;
  /** What the driver said of connections that came about since the outcome before. */
  readonly opened: readonly string[];
}

/** @param of in a folder of its own: other suites may build at the same time */
function cases(of: Library): void {
  const ours: Library = { ...of, name: `device-http-${of.name}` };
  const folder = join(root, "build/tls", ours.name);
  const servers = new Servers();
  const ends: (() => void)[] = [];
  const nowMs = Date.now();
  let ca: PemPair;
  let good: PemPair;
  let client: PemPair;

  beforeAll(async () => {
    buildTls(ours);
    const bundled = await build({
      entryPoints: [join(import.meta.dirname, "device-http.xs.js")],
      ...{ bundle: true, format: "iife", target: "es2022", write: false, logLevel: "silent" },
    });
    const driver = readFileSync(join(root, "drivers/tls/tls.js"), "utf8").replace(/^export default .*$/m, "");
    const natives = `const Native = () => class { constructor() { return Object.setPrototypeOf(newHost(), new.target.prototype); } };\n`;
    writeFileSync(join(folder, "device-http.js"), natives + driver + bundled.outputFiles[0]!.text);
    const wish = { notBeforeUtcMs: nowMs - DAY_MS, notAfterUtcMs: nowMs + 30 * DAY_MS };
    ca = await makeCertificate({ ...wish, commonName: "Test CA", role: "ca" });
    const hosts = ["localhost", "127.0.0.1"];
    good = await makeCertificate({ ...wish, commonName: "localhost", role: "server", hosts }, ca);
    client = await makeCertificate({ ...wish, commonName: "ven", role: "client" }, ca);
  }, 300_000);
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    servers.endAll();
  });
  afterAll(() => servers.stop());

  /** In order of their ends. */
  const run = (
    phases: Wish[][],
    httpConnections = 2,
    set: CredentialWish = {},
    stuck?: number,
  ): Promise<Outcome[]> => {
    const credentials = { c: { ca: ca.cert, ...set }, d: { ca: ca.cert } };
    const argument = JSON.stringify({ credentials, httpConnections, utcMs: nowMs, phases, stuck });
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    return new Promise((done, fail) => {
      const args = [join(folder, "device-http.js"), argument];
      execFile(join(folder, "xs-tls"), args, { env, timeout: 240_000 }, (error, out, err) => {
        if (error !== null || err !== "") fail(new Error(`xs-tls: ${err || String(error)}\n${out}`));
        else
          done(
            out
              .split("\n")
              .filter(Boolean)
              .map((line) => JSON.parse(line) as Outcome),
          );
      });
    });
  };
  const one = async (wish: Omit<Wish, "id">, set: CredentialWish = {}): Promise<Outcome> => {
    const outcomes = await run([[{ id: 7, ...wish }]], 2, set);
    expect(outcomes).toHaveLength(1);
    return outcomes[0]!;
  };
  const faultOf = ({ end, reason, told }: Outcome): string =>
    `${end} ${reason ?? ""} ${(told ?? "").split(" ")[0]!}`;
  const listen = async (server: Server | tls.Server | net.Server): Promise<number> => {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => sockets.add(socket));
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return (server.address() as net.AddressInfo).port;
  };
  const https = async (listener: RequestListener, options: tls.TlsOptions = {}): Promise<string> =>
    `https://localhost:${String(await listen(createServer({ key: good.key, cert: good.cert, ...options }, listener)))}`;
  /** Answers the first request of each connection with these bytes and ends with a goodbye. */
  const verbatim = (answer: string): Promise<number> =>
    servers.node({ key: good.key, cert: good.cert, maxVersion: "TLSv1.2" }, (socket) => {
      socket.once("data", () => socket.end(answer));
    });
  /** The same server behind somebody who keeps the goodbye (records of type 21) to himself and ends the connection. */
  const withoutGoodbye = (port: number): Promise<number> =>
    servers.raw((below) => {
      const above = net.connect(port, "127.0.0.1");
      let kept = Buffer.alloc(0);
      above.on("error", () => undefined);
      below.on("close", () => above.destroy());
      below.pipe(above);
      above.on("data", (bytes) => {
        kept = Buffer.concat([kept, bytes]);
        while (kept.length >= 5 && kept.length >= 5 + kept.readUInt16BE(3)) {
          const record = kept.subarray(0, 5 + kept.readUInt16BE(3));
          kept = kept.subarray(record.length);
          if (record[0] !== 21) below.write(record);
        }
      });
      above.on("close", () => below.end());
    });
  const at = (port: number, path = "/"): string => `https://localhost:${String(port)}${path}`;

  it("asks and is answered, by Node's server and by openssl", async () => {
    const url = await https((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const text = `${request.method!} ${request.url!} ${request.headers["x-ucm"] as string} ${request.headers.host!} `;
        const body = text + String(Buffer.concat(parts).length);
        response.writeHead(201, { "Content-Length": body.length, "X-Answer": "yes" });
        response.end(body);
      });
    });
    // More than one of the driver's buffers.
    const body = "é".repeat(10_000);
    const posted = await one({ url: `${url}/a?b=c`, method: "POST", body, headers: [["X-Ucm", "1"]] });
    expect(posted).toMatchObject({ end: "end", status: 201 });
    expect(posted.text).toBe(`POST /a?b=c 1 ${url.slice(8)} 20000`);
    expect(posted.headers).toContainEqual(["x-answer", "yes"]);
    const pair = ["-cert", servers.file(good.cert), "-key", servers.file(good.key)];
    // HTTP/1.0 without a length: whole, because openssl says goodbye.
    const page = await one({ url: at(await servers.openssl(pair)) });
    expect(page).toMatchObject({ end: "end", status: 200 });
    expect(page.text).toMatch(/^<HTML>/i);
  });

  it("reads chunks, an empty answer, and one that ends with the connection and a goodbye", async () => {
    const url = await https((request, response) => {
      if (request.url === "/empty") response.writeHead(204).end();
      else {
        for (let i = 0; i < 9; i++) response.write("x".repeat(1000));
        response.end("end");
      }
    });
    const [chunks, empty] = await run([[{ id: 1, url }], [{ id: 2, url: `${url}/empty` }]]);
    expect(chunks).toMatchObject({ end: "end", status: 200, bytes: 9003 });
    expect(chunks!.headers).toContainEqual(["transfer-encoding", "chunked"]);
    expect(empty).toMatchObject({ end: "end", status: 204, bytes: 0 });
    const open = await verbatim(`HTTP/1.1 200 OK\r\n\r\n${"y".repeat(9000)}`);
    expect(await one({ url: at(open) })).toMatchObject({ end: "end", status: 200, bytes: 9000 });
  });

  it("refuses a body beyond its bound, however its length is told, and goes on", async () => {
    const url = await https((request, response) => {
      if (request.url === "/length") response.setHeader("Content-Length", 50_000);
      if (request.url === "/small") response.end("small");
      else response.end("z".repeat(50_000));
    });
    const open = await verbatim(`HTTP/1.1 200 OK\r\n\r\n${"z".repeat(50_000)}`);
    const urls = [`${url}/length`, `${url}/chunks`, at(open), `${url}/small`];
    const outcomes = await run(urls.map((each, id) => [{ id, url: each }]));
    expect(outcomes.map(faultOf)).toEqual([...Array<string>(3).fill("failed too-large "), "end  "]);
    for (const { bytes } of outcomes) expect(bytes).toBeLessThanOrEqual(10_000);
  });

  it("keeps a connection, ends it where the server says so, and asks once more where it ended meanwhile", async () => {
    const sockets: net.Socket[] = [];
    const url = await https((request, response) => {
      const { socket } = request;
      if (!sockets.includes(socket)) sockets.push(socket);
      if (request.url === "/close") response.setHeader("Connection", "close");
      // Only where the connection has carried an answer before.
      if (request.url === "/gone" && sockets.indexOf(socket) === 1) socket.destroy();
      else response.end(String(sockets.indexOf(socket)));
    });
    const paths = ["/", "/", "/close", "/", "/gone", "/"];
    const outcomes = await run(paths.map((path, id) => [{ id, url: url + path }]));
    expect(outcomes.map(({ end, text }) => `${end} ${text}`)).toEqual(
      [0, 0, 0, 1, 2, 2].map((index) => `end ${String(index)}`),
    );
    expect(outcomes.map(({ opened }) => opened.length)).toEqual([1, 0, 0, 1, 1, 0]);
  });

  it("ends a slow drip and a silent server by the time of the request, not of the connection", async () => {
    const url = await https((request, response) => {
      if (request.url === "/silent") return;
      response.writeHead(200, { "Content-Length": 1000 });
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    });
    for (const path of ["/drip", "/silent"]) {
      const outcome = await one({ url: url + path, timeoutMs: 1500 });
      expect(faultOf(outcome)).toBe("failed timeout ");
      expect(outcome.ms).toBeGreaterThanOrEqual(1499);
      expect(outcome.opened).toHaveLength(1);
    }
  });

  it("takes no answer that was cut off for a whole one", async () => {
    const half = `HTTP/1.1 200 OK\r\n\r\n${"h".repeat(500)}`;
    const length = `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${"h".repeat(500)}`;
    const chunk = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n${"h".repeat(500)}\r\n`;
    const ended = await one({ url: at(await verbatim(half)) });
    expect(ended).toMatchObject({ end: "end", bytes: 500 });
    for (const answer of [half, length, chunk]) {
      const cut = await one({ url: at(await withoutGoodbye(await verbatim(answer))) });
      expect(cut.bytes).toBe(500);
      expect(faultOf(cut)).toBe("failed closed closed");
    }
    // With a goodbye, but not all that was said to come.
    for (const answer of [length, chunk, "HTTP/1.1 200 OK\r\nContent-Le", ""]) {
      const short = await one({ url: at(await verbatim(answer)) });
      expect(faultOf(short)).toBe("failed closed ");
    }
  });

  it("shows its certificate where it is asked, and says where none or another is wanted", async () => {
    const mutual = { ca: ca.cert, requestCert: true, rejectUnauthorized: true };
    const url = await https((request, response) => {
      response.end((request.socket as tls.TLSSocket).getPeerCertificate().subject.CN);
    }, mutual);
    expect(await one({ url }, client)).toMatchObject({ end: "end", text: "ven" });
    const pair = ["-cert", servers.file(good.cert), "-key", servers.file(good.key)];
    const wants = [...pair, "-Verify", "1", "-verify_return_error", "-CAfile", servers.file(ca.cert)];
    const port = await servers.openssl(wants);
    expect(faultOf(await one({ url: at(port) }))).toBe(
      "failed tls-client-certificate client-certificate-needed",
    );
    expect(await one({ url: at(port) }, client)).toMatchObject({ end: "end", status: 200 });
    expect(faultOf(await one({ url: at(port) }, { cert: client.cert, key: good.key }))).toBe(
      "failed tls-client-certificate credentials-unusable",
    );
  });

  it("resumes the session on the second connection, under the same credentials alone", async () => {
    const url = await https((request, response) => {
      response.setHeader("Connection", "close");
      response.end(String((request.socket as tls.TLSSocket).isSessionReused()));
    });
    const outcomes = await run([
      [{ id: 1, url }],
      [{ id: 2, url }],
      [{ id: 3, url, credentials: "d" }],
      [{ id: 4, url }],
    ]);
    expect(outcomes.map(({ text }) => text)).toEqual(["false", "true", "false", "true"]);
    expect(outcomes.map(({ opened }) => / resumed$/.test(opened[0]!))).toEqual([false, true, false, true]);
  });

  it("tells a wrong host, an unknown root, a closed port and an unknown name by their reasons", async () => {
    const answer: RequestListener = (_request, response) => void response.end("never");
    const stranger = await makeCertificate({
      ...{
        notBeforeUtcMs: nowMs - DAY_MS,
        notAfterUtcMs: nowMs + DAY_MS,
        commonName: "Other CA",
        role: "ca",
      },
    });
    const other = await https(answer, await makeBadServer("wrong-host", ca, nowMs));
    const good2 = await https(answer);
    const gone = at(await listen(net.createServer()));
    for (const end of ends.splice(-1)) end();
    expect(faultOf(await one({ url: other }))).toBe("failed tls-host-name host-name");
    expect(faultOf(await one({ url: good2 }, { ca: stranger.cert }))).toBe(
      "failed tls-untrusted unknown-root",
    );
    expect(faultOf(await one({ url: gone }))).toBe("failed refused refused");
    expect(faultOf(await one({ url: "https://no-such-host.invalid/" }))).toBe("failed dns dns");
    expect(faultOf(await one({ url: good2.replace("https", "http") }))).toBe("failed protocol not-secure");
  });

  it("has three requests at once, and the fourth waits for one of them", async () => {
    const waiting: (() => void)[] = [];
    const seen: string[] = [];
    const url = await https((request, response) => {
      seen.push(request.url!);
      waiting.push(() => response.end(`${request.url!} ${String(seen.length)}`));
      // The first is answered when three are here; the fourth takes its connection.
      if (seen.length === 3) waiting.shift()!();
      if (seen.length === 4) for (const go of waiting.splice(0)) go();
    });
    const outcomes = await run([[1, 2, 3, 4].map((id) => ({ id, url: `${url}/${String(id)}` }))], 3);
    expect(outcomes.map(({ end }) => end)).toEqual(["end", "end", "end", "end"]);
    expect(outcomes[0]!.text).toMatch(/^\/[123] 3$/);
    expect(seen[3]).toBe("/4");
    expect(outcomes.flatMap(({ opened }) => opened)).toHaveLength(3);
  });

  it("gives up an unused connection for another server, with all three in use", async () => {
    const urls: string[] = [];
    for (let i = 0; i < 6; i++)
      urls.push(await https((_request, response) => void response.end(`server ${String(i)}`)));
    const outcomes = await run(
      urls.map((url, id) => [{ id, url }]),
      3,
    );
    expect(outcomes.map(({ text, told }) => text + (told ?? ""))).toEqual(
      urls.map((_, i) => `server ${String(i)}`),
    );
  });

  const socketServer = async (): Promise<number> => {
    const server = createServer(
      { key: good.key, cert: good.cert, maxVersion: "TLSv1.2" },
      (_request, response) => {
        response.writeHead(426).end();
      },
    );
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket, request) => {
      socket.on("error", () => undefined);
      socket.on("message", (data: Buffer) => {
        if (data.toString() === "cut") request.socket.end();
        else socket.send(data.toString());
      });
    });
    return listen(server);
  };

  it("echoes over a WebSocket, beside HTTP, and refuses a fourth connection", async () => {
    const port = await socketServer();
    const url = await https((_request, response) => void response.end("beside"));
    const long = "é".repeat(20_000);
    const ws = { url: `wss://localhost:${String(port)}/`, ws: true };
    const outcomes = await run(
      [
        [{ id: 1, ...ws, send: [long], until: long }],
        [
          { id: 2, ...ws, hold: true },
          { id: 3, ...ws, hold: true },
        ],
        [{ id: 4, url }],
        [{ id: 5, url: at(port) }],
        [{ id: 6, ...ws, hold: true }],
      ],
      1,
    );
    expect(outcomes[0]).toMatchObject({ end: "left", length: long.length });
    expect(outcomes.slice(1).map(faultOf)).toEqual([
      "open  ",
      "open  ",
      "end  ",
      "end  ",
      "failed busy busy",
    ]);
  });

  it("ends a connection that is closed while its peer takes nothing", async () => {
    const port = await servers.node({ key: good.key, cert: good.cert }, (socket) => socket.pause());
    const outcome = (await run([], 2, {}, port))[0]!;
    expect(outcome.end).toBe("end");
    // Not before it had its time: the bytes did wait.
    expect(outcome.ms).toBeGreaterThanOrEqual(1900);
  }, 120_000);

  it("tells a WebSocket that was cut off as one without a goodbye", async () => {
    const port = await withoutGoodbye(await socketServer());
    const wish = {
      url: `wss://localhost:${String(port)}/`,
      ws: true,
      send: ["once", "cut"],
      until: "never",
    };
    expect(await one(wish)).toMatchObject({ end: "closed", text: "once", code: 1006 });
  });
}

withEachMbedTls("HTTP of the device over its TLS", cases);
