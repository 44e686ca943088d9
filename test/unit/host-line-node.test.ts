import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { LineError, openLine, type NodeLine } from "../../host-sim/line/node/open-line.js";
import { monotonicMs } from "../../host-sim/runtime/clock.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import { describeWith } from "../support/needs.js";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

interface Told {
  line: NodeLine;
  events: ByteLineEvent[];
  bytes: () => number[];
}

async function open(spec: string): Promise<Told> {
  const events: ByteLineEvent[] = [];
  const line = await openLine(spec, { onEvent: (event) => events.push(event) });
  opened.push(line);
  const bytes = (): number[] => events.flatMap((event) => (event.ev === "rx" ? [...event.bytes] : []));
  return { line, events, bytes };
}

/** Real time: these are operating-system lines. */
async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 6000; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within a minute: ${what}`);
}

const ALL = Uint8Array.from({ length: 256 }, (_, i) => i);

describeWith(
  process.platform === "win32" ? "Windows has no pseudo-terminals" : undefined,
  "pseudo-terminal",
  () => {
    /** The other program's view: plain open without any terminal setting. */
    function plain(path: string): { fd: number; read: () => number[]; close: () => void } {
      const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
      const got: number[] = [];
      const buffer = Buffer.alloc(1024);
      const read = (): number[] => {
        try {
          for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer))
            got.push(...buffer.subarray(0, n));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        }
        return got;
      };
      let isOpen = true;
      const close = (): void => {
        if (isOpen) closeSync(fd);
        isOpen = false;
      };
      opened.push({ close });
      return { fd, read, close };
    }

    it("carries every byte both ways, raw, without echo, before anybody has set it up", async () => {
      const { line, bytes, events } = await open("pty");
      expect(line.path).toMatch(/^\/dev\//);
      const other = plain(line.path!);
      line.write(ALL);
      await until("all bytes there", () => other.read().length >= 256);
      expect(other.read()).toEqual([...ALL]);
      writeSync(other.fd, ALL);
      await until("all bytes here", () => bytes().length >= 256);
      await until("sent", () => events.some((event) => event.ev === "sent"));
      expect(bytes()).toEqual([...ALL]);
      expect(other.read()).toEqual([...ALL]);
    });

    it("tells sent when the last bit has left at 19,200 bit/s, in order", async () => {
      const { line, events } = await open("pty");
      plain(line.path!);
      const started = monotonicMs();
      line.write(new Uint8Array(96));
      line.write(new Uint8Array(96));
      await until("sent twice", () => events.filter((event) => event.ev === "sent").length === 2);
      const [first, second] = events.flatMap((event) => (event.ev === "sent" ? [event.atMs] : []));
      // Never early; a busy computer may be late.
      expect(first! - started).toBeGreaterThanOrEqual(50);
      expect(second! - started).toBeGreaterThanOrEqual(100);
    });

    it("lives on when the other side closes and opens again, and keeps nothing old for it", async () => {
      const { line, bytes } = await open("pty");
      const first = plain(line.path!);
      writeSync(first.fd, Uint8Array.from([1]));
      await until("first byte", () => bytes().length === 1);
      first.close();
      line.write(Uint8Array.from([9, 9, 9]));
      await new Promise((resolve) => setTimeout(resolve, 1200));
      line.write(Uint8Array.from([8, 8]));
      await new Promise((resolve) => setTimeout(resolve, 700));
      const second = plain(line.path!);
      line.write(Uint8Array.from([7]));
      await until("a byte for the second", () => second.read().length > 0);
      expect(second.read()).toEqual([7]);
      writeSync(second.fd, Uint8Array.from([2]));
      await until("second byte", () => bytes().length === 2);
    });

    it("does not block or break when nobody reads", async () => {
      const { line, events } = await open("pty");
      for (let i = 0; i < 100; i++) line.write(ALL);
      line.setBitRate(3_686_400);
      const other = plain(line.path!);
      writeSync(other.fd, Uint8Array.from([5]));
      await until("still hears", () => events.some((event) => event.ev === "rx"));
    });

    it("is a serial port for the other side's serial library, which goes and comes", async () => {
      const { line, bytes } = await open("pty");
      for (const value of [1, 2]) {
        const far = await open(line.path!);
        expect(far.line.setBitRate(38_400)).toBe(true);
        far.line.write(Uint8Array.from([value, 0x0a, 0x0d, 0x03]));
        await until("bytes here", () => bytes().length === 4 * value);
        line.write(Uint8Array.from([0x0d, 0x11, 0x13, value]));
        await until("bytes there", () => far.bytes().length === 4);
        expect(far.bytes()).toEqual([0x0d, 0x11, 0x13, value]);
        await far.line.close();
      }
      expect(bytes()).toEqual([1, 10, 13, 3, 2, 10, 13, 3]);
    });

    it("a serial port whose adapter goes is told by the carrier, and goes on without it", async () => {
      const { line } = await open("pty");
      const far = await open(line.path!);
      await line.close();
      await until("carrier gone", () => far.events.some((event) => event.ev === "carrier" && !event.on));
      far.line.write(Uint8Array.from([1]));
      await until("sent all the same", () => far.events.some((event) => event.ev === "sent"));
      expect(far.line.setBitRate(9600)).toBe(false);
    });
  },
);

describe("TCP line", () => {
  it("serves and joins, tells the carrier, refuses a bit rate", async () => {
    const serving = await open("tcp-listen://127.0.0.1:0");
    expect(serving.line.url).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const joined = await open(serving.line.url!);
    await until("both carriers", () =>
      [serving, joined].every(({ events }) => events.some((event) => event.ev === "carrier" && event.on)),
    );
    serving.line.write(ALL);
    joined.line.write(ALL);
    await until("bytes", () => serving.bytes().length === 256 && joined.bytes().length === 256);
    expect(joined.bytes()).toEqual([...ALL]);
    expect(serving.line.setBitRate(38_400)).toBe(false);
    expect(joined.line.setBitRate(38_400)).toBe(false);
    await joined.line.close();
    await until("carrier gone", () => serving.events.some((event) => event.ev === "carrier" && !event.on));
  });

  it("tells first that there is no carrier, tries again, and comes back", async () => {
    const probe = createServer();
    await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
    const { port } = probe.address() as { port: number };
    await new Promise((done) => probe.close(done));
    const joined = await open(`tcp://127.0.0.1:${port}`);
    joined.line.write(Uint8Array.from([1]));
    await until("no carrier", () => joined.events.length > 0);
    expect(joined.events[0]).toMatchObject({ ev: "carrier", on: false });
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
    });
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    opened.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    const carriers = (): boolean[] =>
      joined.events.flatMap((event) => (event.ev === "carrier" ? [event.on] : []));
    await until("carrier", () => carriers().length === 2);
    sockets[0]!.resetAndDestroy();
    await until("carrier again", () => carriers().length === 4);
    expect(carriers()).toEqual([false, true, false, true]);
  });

  it("loses what a peer does not take, as a wire does, and goes on", async () => {
    const serving = await open("tcp-listen://127.0.0.1:0");
    const peer = connect({ port: Number(serving.line.url!.split(":").at(-1)), host: "127.0.0.1" });
    opened.push({ close: () => peer.destroy() });
    let got = 0;
    let last = -1;
    peer.on("data", (bytes: Buffer) => {
      got += bytes.length;
      last = bytes.at(-1)!;
    });
    await until("carrier", () => serving.events.some((event) => event.ev === "carrier" && event.on));
    peer.pause();
    // In one go: the system takes its share of it at most, whatever that is, and nobody reads meanwhile.
    const much = new Uint8Array(1_048_576);
    for (let i = 0; i < 256; i++) serving.line.write(much);
    peer.resume();
    await until("the line is heard again", () => {
      serving.line.write(Uint8Array.of(77));
      return last === 77;
    });
    expect(got).toBeLessThan(200 * 1_048_576);
  });

  it("sends a second peer away", async () => {
    const serving = await open("tcp-listen://127.0.0.1:0");
    const port = Number(serving.line.url!.split(":").at(-1));
    const first = await open(serving.line.url!);
    await until("first", () => first.events.some((event) => event.ev === "carrier" && event.on));
    const second = connect({ port, host: "127.0.0.1" });
    second.on("error", () => undefined);
    await new Promise((done) => second.once("close", done));
    first.line.write(Uint8Array.from([1]));
    await until("first still heard", () => serving.bytes().length === 1);
  });
});

describe("a line that cannot be", () => {
  it("is refused in words", async () => {
    for (const spec of ["tcp://", "tcp://localhost", "tcp://a:99999", "http://a:1", "/dev/no-such-line"]) {
      const failure = await open(spec).catch((error: unknown) => error);
      expect([spec, failure]).toEqual([spec, expect.any(LineError)]);
      expect((failure as Error).message).toContain(spec);
    }
    const serving = await open("tcp-listen://127.0.0.1:0");
    const taken = serving.line.url!.replace("tcp://", "tcp-listen://");
    await expect(open(taken)).rejects.toThrow(/cannot listen on/);
  });
});
