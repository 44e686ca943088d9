/**
 * Bytes on the wire per day of polling with a kept connection, counted on the TCP socket: TLS records, without the
 * headers of TCP and IP. Every poll of the day really goes over a TLS connection to the embedded VTN; only the waiting
 * between them is left out, because the VEN's time is a parameter.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeHttp } from "../../host-sim/net/node-http.js";
import { startVtn } from "../../host-sim/vtn/server.js";
import type { Upstream, UpstreamHost } from "../../src/grid/upstream.js";
import { OpenAdr2Ven } from "../../src/openadr2/ven.js";
import { OpenAdr3Ven } from "../../src/openadr3/ven.js";
import type { HttpEvent } from "../../src/ports/http.js";
import type { Measure, Row } from "../measure.js";

const DAY_MS = 86_400_000;

/** Passes everything on to a port of this computer, and counts. */
class Counter {
  up = 0;
  down = 0;
  connections = 0;
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((near) => {
      this.connections++;
      const far = connect(port, "127.0.0.1");
      near.setNoDelay(true);
      far.setNoDelay(true);
      near.on("data", (data) => {
        this.up += data.length;
        far.write(data);
      });
      far.on("data", (data) => {
        this.down += data.length;
        near.write(data);
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    }).listen(0, "127.0.0.1");
  }

  async port(): Promise<number> {
    if (!this.#server.listening) await new Promise((done) => this.#server.once("listening", done));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

interface Day {
  readonly up: number;
  readonly down: number;
  readonly exchanges: number;
  readonly connections: number;
}

async function day(
  protocol: "openadr2b" | "openadr3",
  periodS: number,
  { prices, reports }: { readonly prices?: boolean; readonly reports?: boolean },
): Promise<Day> {
  const folder = mkdtempSync(join(tmpdir(), "openucm-bytes-"));
  const vtn = await startVtn({
    dataDir: folder,
    pollSeconds: periodS,
    maxTlsVersion: "TLSv1.2",
    requestReports: reports === true ? "telemetry" : "none",
  });
  const target = new URL(vtn.urls[protocol]);
  const counter = new Counter(Number(target.port));
  target.port = String(await counter.port());
  const read = (path: string): string => readFileSync(path, "utf8");
  let ms = 0;
  let exchanges = 0;
  let waiting = 0;
  let wake = (): void => undefined;
  const utc0 = Date.now();
  const now = () => ({ ms, utcMs: utc0 + ms });
  const http = new NodeHttp({
    credentials: new Map([["u", { ca: read(vtn.ca), cert: read(vtn.clientCert), key: read(vtn.clientKey) }]]),
    deliver: (event: HttpEvent) => {
      if (event.ev === "end" || event.ev === "failed") waiting--;
      ven.onHttp(event, now());
      wake();
    },
  });
  const host: UpstreamHost = {
    http: {
      request: (request) => {
        exchanges++;
        waiting++;
        http.request(request);
      },
      abort: (id) => http.abort(id),
    },
    random: { uint32: () => 1 },
    store: { get: () => undefined, set: () => undefined, delete: () => undefined },
    nextRequestId: () => exchanges + 1,
    replaceEvents: (_, events) =>
      events.map(({ id, revision }) => ({ id, revision, verdict: "unchanged", why: "" })),
    clockSeen: () => undefined,
    log: () => undefined,
  };
  const common = { id: "u", url: target.href, venName: "module", pollSeconds: periodS };
  const ven: Upstream =
    protocol === "openadr2b"
      ? new OpenAdr2Ven(common, host)
      : new OpenAdr3Ven({ ...common, ...vtn.clients.module }, host);
  try {
    if (prices === true) {
      const intervals = Array.from({ length: 24 }, (_, i) => ({
        durationSeconds: 3600,
        value: 0.1 + i / 100,
      }));
      vtn.createEvent({
        signal: "ELECTRICITY_PRICE",
        type: "price",
        unit: "EUR",
        intervals,
        durationSeconds: 86_400,
      });
    }
    ven.start(now());
    while (ms < DAY_MS) {
      while (waiting > 0) await new Promise<void>((done) => (wake = done));
      ms = Math.max(ms, Math.min(DAY_MS, Math.ceil(ven.nextMs())));
      ven.poll(now());
    }
    while (waiting > 0) await new Promise<void>((done) => (wake = done));
    if (ven.status().state !== "online") throw new Error(ven.status().text);
    return { up: counter.up, down: counter.down, exchanges, connections: counter.connections };
  } finally {
    http.close();
    counter.close();
    await vtn.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const cases = [
    ["2.0b", "openadr2b", {}],
    ["3.1", "openadr3", {}],
    ["2.0b, telemetry as the embedded VTN asks for it by default", "openadr2b", { reports: true }],
    ["3.1, a day of 24 prices in every answer", "openadr3", { prices: true }],
  ] as const;
  for (const [name, protocol, more] of cases) {
    for (const periodS of [10, 60]) {
      const { up, down, exchanges, connections } = await day(protocol, periodS, more);
      const polls = DAY_MS / 1000 / periodS;
      rows.push({
        name: `OpenADR ${name}, polls every ${periodS} s, per day`,
        value: Math.round((up + down) / 1000) / 1000,
        unit: "MB",
        conditions: `${Math.round(up / 1000)} kB up, ${Math.round(down / 1000)} kB down; ${Math.round((up + down) / polls)} B a poll, everything of the day shared out; ${exchanges} exchanges, ${connections} connection${connections === 1 ? "" : "s"}`,
      });
    }
  }
  return rows;
}

export default {
  name: "openadr-bytes",
  about:
    "Bytes on the wire of a module that polls for a day with nothing else to say, over a kept TLS 1.2 connection (mutual, P-256) to the embedded VTN, counted on the TCP socket in both directions with registration, tokens and the quarter-hourly look at programmes; without the headers of TCP and IP. Every exchange of the day is made; only the waiting between them is left out.",
  run,
} satisfies Measure;
