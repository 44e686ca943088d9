/** The chip's HTTP client: over a scripted stream in virtual time, over Node's own server, and over every cut of an answer. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { HttpClient } from "../../drivers/http/client.js";
import { readTarget, requestHead } from "../../drivers/http/request.js";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import type { HttpEvent, HttpRequest } from "../../src/ports/http.js";
import type { StreamPort, StreamRequest } from "../../src/ports/stream.js";
import { NEVER } from "../../src/ports/time.js";

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

class Rig implements StreamPort {
  readonly opened: StreamRequest[] = [];
  readonly closed: number[] = [];
  readonly written = new Map<number, string>();
  readonly events: HttpEvent[] = [];
  nowMs = 1000;
  onEvent: (event: HttpEvent) => void = () => undefined;
  readonly client = new HttpClient({
    stream: this,
    deliver: (event) => {
      this.events.push(event.ev === "data" ? { ...event, bytes: event.bytes.slice() } : event);
      this.onEvent(event);
    },
  });

  open(request: StreamRequest): void {
    this.opened.push(request);
    this.written.set(request.id, "");
  }
  write(id: number, bytes: Uint8Array): void {
    this.written.set(id, `${this.written.get(id) ?? ""}${text(bytes)}`);
  }
  close(id: number): void {
    this.closed.push(id);
  }
  ask(more: Partial<HttpRequest> = {}): this {
    this.client.request({
      ...{ id: 1, method: "GET", url: "https://vtn.example/path?a=b", headers: [], body: undefined },
      ...{ credentials: "utility", timeoutMs: 10_000, maxBodyBytes: 1000, ...more },
    });
    return this.poll();
  }
  poll(afterMs = 0): this {
    this.nowMs += afterMs;
    this.client.poll(this.nowMs);
    return this;
  }
  /** The newest stream is open. */
  connect(): this {
    this.client.onStream({ id: this.opened.at(-1)!.id, ev: "open" });
    return this;
  }
  answer(bytes: string): this {
    this.client.onStream({ id: this.opened.at(-1)!.id, ev: "data", bytes: latin(bytes) });
    return this;
  }
  end(ev: "closed" | "failed" = "closed"): this {
    const { id } = this.opened.at(-1)!;
    this.client.onStream(ev === "closed" ? { id, ev } : { id, ev, reason: "closed", text: "truncated" });
    return this;
  }
  get told(): string {
    const parts: string[] = [];
    for (const e of this.events) {
      if (e.ev === "head") parts.push(String(e.status));
      else if (e.ev === "data") parts.push(text(e.bytes));
      else parts.push(e.ev === "failed" ? e.reason : "end");
    }
    return parts.join("|");
  }
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("drivers/http", () => {
  it("sends a request as RFC 9112 wants it, and nothing that a caller could smuggle in", () => {
    const rig = new Rig()
      .ask({
        method: "POST",
        body: "äx",
        headers: [
          ["Content-Type", "text/plain"],
          ["content-length", "99"],
          ["Connection", "close"],
        ],
      })
      .connect();
    expect(rig.opened).toEqual([
      { id: 1, host: "vtn.example", port: 443, secure: true, credentials: "utility" },
    ]);
    expect(rig.written.get(1)).toBe(
      "POST /path?a=b HTTP/1.1\r\nHost: vtn.example\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n\u00c3\u00a4x",
    );
    const bad: Partial<HttpRequest>[] = [
      { url: "https://a/b c" },
      { url: "https://a/b\r\nX: y" },
      { url: "ftp://a" },
      { url: "https://user@a/" },
      { url: "https://a:99999/" },
      { headers: [["X", "a\r\nY: b"]] },
      { headers: [["X y", "a"]] },
      { method: "GET /x" as "GET" },
    ];
    for (const each of bad) expect(new Rig().ask(each).told, JSON.stringify(each)).toBe("protocol");
    const six = { url: "https://[::1]:8443?x", method: "GET", headers: [] } as unknown as HttpRequest;
    const target = readTarget(six)!;
    expect(target).toMatchObject({ host: "::1", port: 8443, path: "/?x" });
    expect(requestHead(six, target, undefined)).toContain("Host: [::1]:8443\r\n");
  });

  it.each([
    ["a length", `${OK}Content-Length: 5\r\n\r\nhello`, "200|hello|end"],
    ["no body", `${OK}content-length:0\r\n\r\n`, "200|end"],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", "204|end"],
    ["304 with a length", "HTTP/1.1 304 X\r\nContent-Length: 900\r\n\r\n", "304|end"],
    [
      "chunks",
      `${OK}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrail: er\r\n\r\n`,
      "200|hello|!|end",
    ],
    ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200|ok|end"],
    ["interim answers", `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`, "200|ok|end"],
    ["two lengths that agree", `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, "200|ok|end"],
  ])("reads an answer with %s, however it is cut", (_, answer, told) => {
    const whole = new Rig().ask().connect().answer(answer);
    expect(whole.told).toBe(told);
    const joined = told.replaceAll("|", "");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        const rig = new Rig().ask().connect();
        for (let at = 0, i = 0; at < answer.length; i++) {
          const size = sizes[i % sizes.length]!;
          rig.answer(answer.slice(at, at + size));
          at += size;
        }
        expect(rig.told.replaceAll("|", "")).toBe(joined);
        expect(rig.closed).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["no HTTP", "SSH-2.0-x\r\n", "protocol"],
    ["two lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk`, "protocol"],
    ["a length beside chunks", `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, "protocol"],
    ["another coding", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, "protocol"],
    ["a negative length", `${OK}Content-Length: -2\r\n\r\n`, "protocol"],
    ["a folded line", `${OK}A: b\r\n c\r\n\r\n`, "protocol"],
    ["a blank before the colon", `${OK}Content-Length : 2\r\n\r\n`, "protocol"],
    ["another protocol", "HTTP/1.1 101 Switching\r\n\r\n", "protocol"],
    ["a chunk that is none", `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, "200|protocol"],
    ["a chunk longer than it said", `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n`, "200|a|protocol"],
    ["a body beyond the bound", `${OK}Content-Length: 1001\r\n\r\n`, "too-large"],
    ["a chunk beyond the bound", `${OK}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n`, "200|too-large"],
    ["an endless line", `${OK}A: ${"x".repeat(5000)}`, "too-large"],
    ["an endless head", OK + `A: ${"x".repeat(3000)}\r\n`.repeat(6), "too-large"],
    ["very many headers", `${OK}${"A: b\r\n".repeat(65)}`, "too-large"],
    ["endless interim answers", "HTTP/1.1 100 Continue\r\n\r\n".repeat(6), "protocol"],
  ])("refuses %s, and ends the connection", (_, answer, told) => {
    const rig = new Rig().ask().connect().answer(answer);
    expect(rig.told).toBe(told);
    expect(rig.closed).toEqual([1]);
  });

  it("takes the end of the connection for the end of an answer only after a goodbye", () => {
    expect(new Rig().ask().connect().answer(`${OK}\r\nall of it`).end().told).toBe("200|all of it|end");
    expect(new Rig().ask().connect().answer(`${OK}\r\nall`).end("failed").told).toBe("200|all|closed");
    expect(new Rig().ask().connect().answer(`${OK}Content-Length: 9\r\n\r\nhalf`).end().told).toBe(
      "200|half|closed",
    );
    expect(new Rig().ask().connect().answer(OK).end().told).toBe("closed");
    const endless = new Rig().ask().connect().answer(`${OK}\r\n`);
    for (let i = 0; i < 20; i++) endless.answer("x".repeat(100));
    expect(endless.told).toMatch(/\|too-large$/);
  });

  it("keeps a connection for the next request to the same server with the same credentials, and no longer than idle", () => {
    const rig = new Rig().ask().connect().answer(`${OK}Content-Length: 2\r\n\r\nok`);
    rig.ask({ id: 2, url: "https://vtn.example/other" }).answer(`${OK}Content-Length: 2\r\n\r\nno`);
    expect(rig.opened).toHaveLength(1);
    expect(rig.written.get(1)).toMatch(/^GET \/path\?a=b [^]*\r\n\r\nGET \/other HTTP/);
    rig.ask({ id: 3, credentials: "other" });
    expect(rig.opened).toHaveLength(2);
    rig.client.abort(3);
    expect(rig.closed).toEqual([2]);
    rig.poll();
    expect(rig.client.nextMs()).toBe(rig.nowMs + 4000);
    rig.poll(4000);
    expect(rig.closed).toEqual([2, 1]);
    expect(rig.client.nextMs()).toBe(NEVER);
    const close = new Rig().ask().connect().answer(`${OK}Connection: Close\r\nContent-Length: 0\r\n\r\n`);
    expect(close.closed).toEqual([1]);
    const more = new Rig().ask().connect().answer(`${OK}Content-Length: 0\r\n\r\nHTTP/1.1 200 Smuggled`);
    expect([more.told, more.closed]).toEqual(["200|end", [1]]);
    const late = new Rig().ask().connect().answer(`${OK}Content-Length: 0\r\n\r\n`).answer("HTTP/1.1 200");
    expect(late.closed).toEqual([1]);
  });

  it("asks once more, on a new connection, when a kept one had been closed; never twice, never after an answer began", () => {
    const kept = (): Rig => new Rig().ask().connect().answer(`${OK}Content-Length: 0\r\n\r\n`).ask({ id: 2 });
    const rig = kept().end().poll().connect().answer(`${OK}Content-Length: 2\r\n\r\nok`);
    expect(rig.told).toBe("200|end|200|ok|end");
    expect(kept().end().poll().connect().end().told).toBe("200|end|closed");
    expect(kept().answer("HTTP").end().told).toBe("200|end|closed");
  });

  it("ends in time: while it waits for a connection, for the head and for the rest of a drip", () => {
    for (const act of [
      (rig: Rig) => rig,
      (rig: Rig) => rig.connect(),
      (rig: Rig) => rig.connect().answer(`${OK}Content-Length: 9\r\n\r\nhalf`),
    ]) {
      const rig = act(new Rig().ask());
      rig.poll(9_999);
      expect(rig.told).not.toContain("timeout");
      expect(rig.poll(1).told).toMatch(/timeout$/);
      expect(rig.closed).toEqual([1]);
      expect(rig.client.nextMs()).toBe(NEVER);
    }
  });

  it("says nothing after an abort, also one from inside an event; passes the stream's reasons on", () => {
    const rig = new Rig().ask();
    rig.client.abort(1);
    rig.connect().answer(`${OK}Content-Length: 2\r\n\r\nok`);
    expect([rig.told, rig.closed]).toEqual(["", [1]]);
    const inside = new Rig();
    inside.onEvent = ({ ev, id }) => ev === "head" && inside.client.abort(id);
    inside.ask().connect().answer(`${OK}Content-Length: 2\r\n\r\nok`);
    expect([inside.told, inside.closed]).toEqual(["200", [1]]);
    const again = new Rig();
    again.onEvent = ({ ev }) => ev === "end" && again.events.length < 9 && again.ask();
    again.ask().connect().answer(`${OK}Content-Length: 0\r\n\r\n`);
    expect(again.opened).toHaveLength(1);
    const failing = new Rig().ask();
    failing.client.onStream({ id: 1, ev: "failed", reason: "tls-expired", text: "expired" });
    expect(failing.events).toEqual([{ id: 1, ev: "failed", reason: "tls-expired", text: "expired" }]);
  });

  it("has two connections at once; a third request waits, within its time", () => {
    const rig = new Rig().ask({ id: 1 }).ask({ id: 2 }).ask({ id: 3 });
    expect(rig.opened).toHaveLength(2);
    rig.client.onStream({ id: 1, ev: "open" });
    rig.client.onStream({ id: 1, ev: "data", bytes: latin(`${OK}Content-Length: 0\r\n\r\n`) });
    rig.poll();
    expect(rig.written.get(1)!.match(/GET/g)).toHaveLength(2);
    rig.ask({ id: 4, timeoutMs: 50 }).poll(50);
    expect(rig.told).toMatch(/timeout$/);
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(
              ...[
                OK,
                "\r\n",
                "Transfer-Encoding: chunked\r\n",
                "Content-Length: 7\r\n",
                "5\r\nhello\r\n",
                "0\r\n\r\n",
              ].map(latin),
            ),
          ),
          { maxLength: 30 },
        ),
        fc.boolean(),
        (pieces, clean) => {
          const rig = new Rig().ask({ maxBodyBytes: 100 }).connect();
          for (const bytes of pieces) rig.client.onStream({ id: 1, ev: "data", bytes });
          rig.end(clean ? "closed" : "failed").poll(10_000);
          const last = rig.events.filter(({ ev }) => ev === "end" || ev === "failed");
          expect(last).toHaveLength(1);
          expect(rig.events.at(-1)).toBe(last[0]);
          let sum = 0;
          for (const e of rig.events) if (e.ev === "data") sum += e.bytes.length;
          expect(sum).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("drivers/http against Node's server", () => {
  const ends: (() => void)[] = [];
  afterAll(() => {
    for (const end of ends) end();
  });

  it("gets chunks, posts, reuses a connection and follows the server that closes it", async () => {
    const sockets = new Set<unknown>();
    const server = http.createServer((request, response) => {
      sockets.add(request.socket);
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        if (request.url === "/close") response.setHeader("Connection", "close");
        if (request.url === "/chunks") for (let i = 0; i < 50; i++) response.write(`${String(i)},`);
        response.end(`${request.method ?? ""} ${body}`);
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    let body = "";
    let done: (how: string) => void = () => undefined;
    const stream = new NodeStream({
      credentials: () => ({}),
      deliver: (event) => client.onStream(event),
    });
    const client: HttpClient = new HttpClient({
      stream,
      deliver: (event) => {
        if (event.ev === "data") body += text(event.bytes);
        if (event.ev === "end") done("end");
        if (event.ev === "failed") done(event.reason);
      },
    });
    ends.push(() => {
      client.close();
      stream.destroyAll();
      server.closeAllConnections();
      server.close();
    });
    let id = 0;
    const ask = (path: string, sent?: string): Promise<string> =>
      new Promise((resolve) => {
        body = "";
        done = (how) => setImmediate(() => resolve(`${how} ${body}`));
        client.request({
          ...{ id: ++id, method: sent === undefined ? "GET" : "POST", headers: [], body: sent },
          ...{
            url: `http://127.0.0.1:${String(port)}${path}`,
            credentials: "",
            timeoutMs: 5000,
            maxBodyBytes: 10_000,
          },
        });
        client.poll(0);
        client.poll(0);
      });
    expect(await ask("/")).toBe("end GET ");
    expect(await ask("/chunks")).toMatch(/^end 0,1,.*,49,GET $/);
    expect(await ask("/", "body")).toBe("end POST body");
    expect(sockets.size).toBe(1);
    expect(await ask("/close")).toBe("end GET ");
    expect(await ask("/")).toBe("end GET ");
    expect(sockets.size).toBe(2);
  });
});
