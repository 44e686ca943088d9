// What grows with what others send has an end: each queue that a server, an appliance or a visitor can fill.
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { AnswerReader } from "../../drivers/http/answer.js";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { NodeStream } from "../../host-sim/net/node-stream.js";
import { WebhookServer } from "../../host-sim/net/webhook-server.js";
import { SpiLine } from "../../src/link/spi.js";
import { LinkStack } from "../../src/link/stack.js";
import { linkTiming } from "../../src/link/timing.js";
import type { LinkEvent } from "../../src/link/messages.js";
import { MemoryWatch } from "../../src/health/watch.js";
import { PacketReader } from "../../src/mqtt/packets.js";
import { Outbox } from "../../src/openadr2/outbox.js";
import { ReportBook } from "../../src/openadr2/report-book.js";
import type { ReportRequest } from "../../src/openadr2/messages.js";
import { Notices } from "../../src/openadr3/notices.js";
import { seededRandom } from "../../src/base/random.js";
import type { StreamEvent } from "../../src/ports/stream.js";
import { Login } from "../../src/setup/login.js";
import { readForm } from "../../src/setup/html.js";
import { SgdSession } from "../../src/sgd/session.js";
import { DEFAULT_SGD_SETTINGS } from "../../src/sgd/settings.js";
import { ocppBench, online, ask } from "../support/ocpp-bench.js";

const now = { ms: 0, utcMs: Date.UTC(2026, 5, 1) };

describe("bounded whatever comes", () => {
  it("OCPP: a platform that triggers and never answers", async () => {
    const bench = ocppBench();
    await online(bench);
    await bench.run(10_000);
    bench.csms.lose = "answers";
    bench.csms.wire.length = 0;
    for (const requestedMessage of ["Heartbeat", "StatusNotification", "BootNotification"])
      for (let i = 0; i < 40; i++) await ask(bench, "TriggerMessage", { requestedMessage });
    bench.csms.lose = "nothing";
    await bench.run(120_000);
    const calls = bench.csms.wire.filter(
      ({ from, text }) =>
        from === "charger" && /"(Heartbeat|StatusNotification|BootNotification)"/.test(text),
    );
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.length).toBeLessThanOrEqual(16 + 4);
  });

  it("OCPP: no log is read out while memory is short, and again when there is enough", async () => {
    const bench = ocppBench({ flash: FileFlash.blank() });
    await online(bench);
    await bench.run(10_000);
    const free = async (freeBytes: number): Promise<void> => {
      await bench.ask({ k: "memory", freeBytes }, "state").catch(() => undefined);
    };
    const log = async (requestId: number): Promise<unknown> =>
      (
        await ask(bench, "GetLog", {
          ...{ logType: "SecurityLog", requestId },
          log: { remoteLocation: "https://logs.example/" },
        })
      )["status"];
    await free(5000);
    expect(await log(1)).toBe("Rejected");
    await free(9000);
    expect(await log(2)).toBe("Rejected");
    await free(12_000);
    expect(await log(3)).toBe("Accepted");
  });

  it("OpenADR 2.0b: metadata asked for again and again before one was told", () => {
    const book = new ReportBook();
    const request = (id: string): ReportRequest => ({
      ...{ id, specifier: "METADATA", granularityMs: 0, backMs: 0, interval: false },
      ...{ startUtcMs: undefined, durationMs: 0, rids: [], bad: "" },
    });
    for (let i = 0; i < 500; i++) expect(book.create([request(`r${i}`)], now)).toMatchObject({ code: "200" });
    let told = 0;
    while (book.takeMetadataRequest() !== undefined) told++;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(8);
  });

  it("OpenADR 3: a server that knows a thousand subscriptions of ours", () => {
    const options = { callbackUrl: "https://a.test/", callbackToken: "t", clientName: "module" };
    const notices = new Notices(options as never, undefined, () => 1);
    const objectOperations = [{ callbackUrl: options.callbackUrl }];
    for (let i = 0; i < 1000; i++)
      notices.take("find-hook", { id: `s${i}`, clientName: "module", objectOperations });
    const { stale } = notices as unknown as { stale: string[] };
    expect(stale.length).toBeGreaterThan(0);
    expect(stale.length).toBeLessThanOrEqual(8);
  });

  it("the link: requests that the appliance never takes", () => {
    const events: LinkEvent[] = [];
    const link = new LinkStack({
      line: { write: () => undefined, setBitRate: () => true },
      random: seededRandom(1),
      emit: (event) => events.push(event),
    });
    for (let id = 1; id <= 200; id++)
      link.command({ cmd: "request", id, type: 0x0801, payload: new Uint8Array([1, 0]) }, 0);
    link.poll(20);
    const refused = events.filter((event) => event.ev === "result");
    expect(refused.length).toBeGreaterThan(100);
  });

  it("SPI: writes while the appliance never clocks", () => {
    const loaded: number[] = [];
    const spi = new SpiLine({
      port: { attention: () => undefined, load: (bytes) => loaded.push(bytes[0]!) },
      ...{ timing: linkTiming(), emit: () => undefined },
    });
    for (let i = 0; i < 200; i++) spi.write(Uint8Array.of(i));
    for (let ms = 0; ms < 100_000; ms += 100) spi.poll(ms);
    expect(loaded).toEqual([0, 1, 2, 3]);
    // The line goes on with what comes later.
    spi.write(Uint8Array.of(77));
    spi.poll(100_000);
    expect(loaded.at(-1)).toBe(77);
  });

  it("a computer's stream: bytes that cannot go out yet", async () => {
    const told: StreamEvent[] = [];
    const server = createServer((socket) => socket.on("error", () => undefined).destroy());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const stream = new NodeStream({ credentials: () => ({}), deliver: (event) => told.push(event) });
    stream.open({ id: 7, host: "127.0.0.1", port, secure: false, credentials: "" });
    // Before this call has ended nothing can have connected.
    for (let i = 0; i < 64; i++) stream.write(7, new Uint8Array(1024));
    const before = [...told];
    stream.write(7, new Uint8Array(1));
    stream.write(7, new Uint8Array(1));
    await new Promise((next) => setImmediate(next));
    expect([before, told]).toEqual([
      [],
      [{ id: 7, ev: "failed", reason: "closed", text: "too-much-waiting" }],
    ]);
    await new Promise((done) => server.close(done));
  });

  it("a computer's webhooks: a body without end", async () => {
    let called = 0;
    const server = await WebhookServer.listen(0, [{ upstream: "a", path: "/a", token: "t" }], () => called++);
    const post = async (bytes: number): Promise<number> => {
      const headers = { authorization: "Bearer t" };
      const init = { method: "POST", headers, body: "x".repeat(bytes) };
      return (await fetch(`http://127.0.0.1:${server.port}/a`, init)).status;
    };
    expect(await post(65_536)).toBe(200);
    await expect(post(8_000_000)).rejects.toThrow();
    expect(called).toBe(1);
    await server.close();
  });

  it("the session: orders while there is no appliance", () => {
    let failed = 0;
    const session = new SgdSession({
      ...{ emit: () => undefined, random: seededRandom(1), settings: DEFAULT_SGD_SETTINGS },
      onStatus: () => undefined,
      onEvent: ({ event }) => void (failed += Number(event === "order-failed")),
    });
    for (let i = 0; i < 100; i++) session.order({ order: "override", on: i % 2 === 0 }, now);
    expect(failed).toBeGreaterThanOrEqual(92);
  });

  it("the owner's page: sessions, and the fields of a form", () => {
    const login = new Login(
      seededRandom(1),
      { get: () => undefined, set: () => true, delete: () => undefined } as never,
      "7KQ2M9XV4T8BD3NH",
    );
    const tokens = Array.from({ length: 50 }, () => login.enter("7KQ2M9XV4T8BD3NH", now));
    const alive = tokens.filter(
      (one) => typeof one === "object" && login.session(one.token, now) !== undefined,
    );
    expect(alive).toEqual(tokens.slice(-3));
    expect(readForm("a=1&".repeat(64))).toBeUndefined();
  });

  it("memory: short below 6 KB, enough again at 10 KB, and said once", () => {
    const memory = new MemoryWatch();
    const said = [20_000, 6000, 5000, 9000, 10_300, 6100, 6143].map((bytes) => memory.onFree(bytes));
    expect(said).toEqual([false, true, false, false, false, true, false]);
  });
});

describe("the table of docs/network.md", () => {
  const root = new URL("../../", import.meta.url);
  const rows = readFileSync(new URL("docs/network.md", root), "utf8")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => /^`.+` `[A-Z_]+`$/.test(cells[3] ?? ""));

  it("has the figures of the source, and tests that exist", () => {
    expect(rows.length).toBeGreaterThan(35);
    for (const [, what, bound, source, , test] of rows) {
      const [, path, name] = /^`(.+)` `(.+)`$/.exec(source!)!;
      const text = readFileSync(new URL(path!, root), "utf8");
      const value = new RegExp(`\\b${name} = ([0-9_]+);|^#define ${name} ([0-9]+)$`, "m").exec(text);
      expect((value?.[1] ?? value?.[2])?.replaceAll("_", ""), what).toBe(bound);
      const file = /`(.+)`/.exec(test!)?.[1];
      if (file !== undefined) expect(existsSync(new URL(file, root)), file).toBe(true);
    }
  });
});

describe("bounded by itself", () => {
  it("OpenADR 2.0b: messages that nobody takes; the one under way stays, and what goes is counted", () => {
    const outbox = new Outbox(seededRandom(1));
    const first = outbox.put("answer", "EiEvent", "0");
    const rest = Array.from({ length: 200 }, (_, i) => outbox.put("answer", "EiEvent", String(i)));
    expect([first, ...rest].filter((one) => outbox.has(one))).toHaveLength(24);
    expect([outbox.first === first, outbox.has(rest.at(-1)!), outbox.overflows]).toEqual([true, true, 177]);
  });

  it("HTTP: headers without end", () => {
    const reader = new AnswerReader(1000);
    const text = (words: string): Uint8Array => Uint8Array.from(words, (c) => c.charCodeAt(0));
    let part = reader.read(text("HTTP/1.1 200 OK\r\n"));
    let headers = 0;
    for (; headers < 1000 && part.k === "more"; headers++) part = reader.read(text(`x-${headers}: 1\r\n`));
    expect(part).toMatchObject({ k: "fault" });
    expect(headers).toBe(65);
  });

  it("MQTT: of a message of a megabyte the topic alone is kept, and a longer one is none", () => {
    const topics: string[] = [];
    const reader = new PacketReader((packet) => {
      if (packet.packet === "publish") topics.push(packet.topic);
    });
    const kept = (reader as unknown as { readonly kept: Uint8Array }).kept.length;
    const payload = new Uint8Array(65_536);
    // 63 × 2^14 bytes: just below the longest that is passed over.
    expect(reader.push(Uint8Array.of(0x30, 0x80, 0x80, 0x3f, 0, 1, 0x61))).toBe(true);
    for (let i = 0; i < 15; i++) expect(reader.push(payload)).toBe(true);
    expect(reader.push(new Uint8Array(63 * 16_384 - 15 * 65_536 - 3))).toBe(true);
    expect(topics).toEqual(["a"]);
    expect((reader as unknown as { readonly kept: Uint8Array }).kept.length).toBe(kept);
    expect(kept).toBeLessThan(300);
    const other = new PacketReader(() => undefined);
    expect(other.push(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x01))).toBe(false);
  });
});
