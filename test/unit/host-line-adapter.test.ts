/** What real RS-485 adapters do: give back what they send, want RTS to send, are pulled out and put in again. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SerialPortMock } from "serialport";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LineEvents } from "../../host-sim/line/node/base.js";
import { EchoFilter } from "../../host-sim/line/node/echo.js";
import { LineError, openLine, type NodeLine } from "../../host-sim/line/node/open-line.js";
import { openSerial, type SerialPorts } from "../../host-sim/line/node/serial-line.js";
import { VirtualLine } from "../../host-sim/line/virtual-line.js";
import { monotonicMs } from "../../host-sim/runtime/clock.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import { describeWith } from "../support/needs.js";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Real time: these are operating-system lines. */
async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 6000; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within a minute: ${what}`);
}

describe("echo", () => {
  const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

  it("is taken out, in whatever pieces it comes, and what follows is heard", () => {
    const echo = new EchoFilter();
    echo.sending(bytes(1, 2, 3), 10);
    echo.sending(bytes(4), 12);
    expect([...echo.received(bytes(1), 5)]).toEqual([]);
    expect([...echo.received(bytes(2, 3, 4, 6, 0), 20)]).toEqual([6, 0]);
    expect([...echo.received(bytes(1, 2, 3), 21)]).toEqual([1, 2, 3]);
  });

  it("that is not what was sent was a collision: from there on all is heard", () => {
    const echo = new EchoFilter();
    echo.sending(bytes(1, 2, 3), 10);
    expect([...echo.received(bytes(1, 9, 3), 10)]).toEqual([9, 3]);
    expect([...echo.received(bytes(1), 11)]).toEqual([1]);
  });

  it("that does not come is waited for no longer than the adapter can be late", () => {
    const echo = new EchoFilter();
    echo.sending(bytes(1, 2), 10);
    expect([...echo.received(bytes(1, 2), 100)]).toEqual([1, 2]);
  });

  it("of a charger's adapter: module and charger talk over it as over any line", async () => {
    // An adapter that echoes, in virtual time: the line's end hears itself.
    const line = new VirtualLine({ bitsPerSecond: 19_200, random: seededRandom(1) });
    const end = line.end("charger", { echo: true });
    const far = line.end("module", { muted: true });
    const events: ByteLineEvent[] = [];
    let nowMs = 0;
    const filtered = new LineEvents({
      ...{ bitsPerSecond: 19_200, echo: true, now: () => nowMs },
      onEvent: (event) => void events.push(event),
    });
    const sgd = new SgdSimulator({
      profile: loadProfile("evse-level2-32a"),
      line: {
        write: (out) => {
          end.write(out);
          filtered.writing(out);
        },
        setBitRate: () => true,
      },
      random: seededRandom(2),
      emit: () => undefined,
    });
    filtered.start();
    await new Promise(setImmediate);
    const heard: number[] = [];
    for (; nowMs < 3000; nowMs++) {
      if (nowMs === 1000) far.write(bytes(0x08, 0x01, 0x00, 0x02, 0x12, 0x00, 0xd8, 0x5f));
      line.poll(nowMs);
      for (let e = far.take(); e; e = far.take()) if (e.ev === "rx" && nowMs > 1000) heard.push(...e.bytes);
      for (let e = end.take(); e; e = end.take()) {
        if (e.ev === "rx") filtered.received(e.bytes);
        else sgd.onByteLine(e, nowMs);
      }
      for (const e of events.splice(0)) if (e.ev === "rx") sgd.onByteLine(e, nowMs);
      sgd.poll(nowMs);
    }
    filtered.close();
    expect(heard.slice(0, 2)).toEqual([6, 0]);
    expect(sgd.counters).toMatchObject({ bytesDiscarded: 0, checksumErrors: 0, framesReceived: 1 });
  });
});

describe("RTS as driver enable, and the bit rate of a port", () => {
  const log: string[] = [];
  const changes: (() => void)[] = [];
  class Recorded extends SerialPortMock {
    override update(options: never, done: (error: Error | null) => void): void {
      changes.push(() => super.update(options, done));
    }
    override set(options: object, done?: (error: Error | null) => void): void {
      log.push(JSON.stringify(options));
      super.set(options, done);
    }
    override write(...args: unknown[]): boolean {
      log.push("write");
      return (super.write as (...all: unknown[]) => boolean)(...args);
    }
  }
  beforeEach(() => {
    log.length = 0;
    SerialPortMock.binding.reset();
    SerialPortMock.binding.createPort("/dev/null", { record: true });
  });

  const open = async (rtsDriverEnable: boolean): Promise<NodeLine> => {
    const events = new LineEvents({
      ...{ bitsPerSecond: 19_200, rtsDriverEnable, now: monotonicMs },
      onEvent: () => undefined,
    });
    const line = await openSerial("/dev/null", events, Recorded as unknown as SerialPorts);
    events.start();
    opened.push(line);
    return line;
  };

  it("is off at first, on before the first byte, and off when the last bit has left", async () => {
    const line = await open(true);
    expect(log).toEqual(['{"rts":false}']);
    const from = monotonicMs();
    line.write(new Uint8Array(48));
    line.write(new Uint8Array(48));
    await until("off again", () => log.at(-1) === '{"rts":false}' && log.length > 3);
    // 96 bytes of ten bits at 19,200 bit/s.
    expect(monotonicMs() - from).toBeGreaterThanOrEqual(50);
    expect(log).toEqual(['{"rts":false}', '{"rts":true}', "write", '{"rts":true}', "write", '{"rts":false}']);
  });

  it("is left alone where it is not asked for", async () => {
    const line = await open(false);
    line.write(new Uint8Array(4));
    await until("written", () => log.includes("write"));
    expect(log).toEqual(["write"]);
  });

  it("writes that wait for a change of the bit rate which does not come to its end are no more than sixteen", async () => {
    changes.length = 0;
    const line = await open(false);
    expect(line.setBitRate(38_400)).toBe(true);
    for (let i = 0; i < 200; i++) line.write(Uint8Array.of(i));
    await until("asked for", () => changes.length === 1);
    expect(log).toEqual([]);
    changes[0]!();
    await until("written", () => log.length > 0);
    expect(log).toEqual(Array(16).fill("write"));
  });

  it("is refused in words for lines that have none", async () => {
    for (const spec of ["pty", "tcp://127.0.0.1:1", "tcp-listen://127.0.0.1:0"]) {
      const failure = openLine(spec, { rtsDriverEnable: true, onEvent: () => undefined });
      await expect(failure).rejects.toThrow(/has no RTS: leave out --rts-driver-enable/);
    }
  });
});

it("a COM port is a serial line, whatever the system", async () => {
  const failure = await openLine("COM5", { onEvent: () => undefined }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(LineError);
  expect((failure as Error).message).toMatch(/^cannot open the serial line COM5: /);
});

describeWith(
  process.platform === "win32" ? "Windows has no pseudo-terminals" : undefined,
  "an adapter that is pulled out",
  () => {
    it("is an event and words, no end; put in again the line goes on", async () => {
      const folder = mkdtempSync(join(tmpdir(), "openucm-adapter-"));
      opened.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
      const path = join(folder, "ttyUSB0");
      const plug = async (): Promise<NodeLine & { heard: number[] }> => {
        const heard: number[] = [];
        const line = await openLine("pty", {
          onEvent: (event) => {
            if (event.ev === "rx") heard.push(...event.bytes);
          },
        });
        symlinkSync(line.path!, path);
        return Object.assign(line, { heard });
      };
      const first = await plug();
      const notices: string[] = [];
      const carriers: boolean[] = [];
      const line = await openLine(path, {
        onNotice: (text) => void notices.push(text),
        onEvent: (event) => {
          if (event.ev === "carrier") carriers.push(event.on);
        },
      });
      opened.push(line);
      line.write(Uint8Array.from([1]));
      await until("the first hears", () => first.heard.length === 1);
      rmSync(path);
      await first.close();
      await until("gone", () => carriers.length === 1);
      line.write(Uint8Array.from([9]));
      const second = await plug();
      opened.push(second);
      await until("back", () => carriers.length === 2);
      line.write(Uint8Array.from([2]));
      await until("the second hears", () => second.heard.length >= 1);
      expect(second.heard).toEqual([2]);
      expect(carriers).toEqual([false, true]);
      expect(notices).toEqual([`${path} has gone; it is opened again when it is back`, `${path} is back`]);
    });
  },
);

it("a TCP line that nobody serves says so once, and that it is there when it is", async () => {
  const early: string[] = [];
  const probe = await openLine("tcp-listen://127.0.0.1:0", {
    onNotice: (text) => void early.push(text),
    onEvent: () => undefined,
  });
  const url = probe.url!;
  expect(early).toEqual([]); // the address comes first
  await until("words", () => early.length === 1);
  expect(early).toEqual(["nobody is there yet; a peer may come"]);
  await probe.close();
  const notices: string[] = [];
  const states: boolean[] = [];
  const line = await openLine(url, {
    onNotice: (text, connected) => {
      notices.push(text);
      states.push(connected);
    },
    onEvent: () => undefined,
  });
  opened.push(line);
  await until("words", () => notices.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(notices).toEqual([`${url} is not there (connection refused); it is tried again until it answers`]);
  const served = await openLine(url.replace("tcp:", "tcp-listen:"), { onEvent: () => undefined });
  opened.push(served);
  await until("there", () => notices.length === 2);
  expect(notices[1]).toBe("the peer is there");
  expect(states).toEqual([false, true]);
});

it("a TCP peer that sends everybody away at once is asked ever more seldom", () => {
  vi.useFakeTimers();
  try {
    let nowMs = 0;
    const events = new LineEvents({ bitsPerSecond: 19_200, now: () => nowMs, onEvent: () => undefined });
    events.start();
    const pauseAfter = (heldMs: number): number => {
      events.carrier(true);
      nowMs += heldMs;
      events.carrier(false);
      let asked = false;
      events.retry(() => (asked = true));
      let pauseMs = 0;
      for (; !asked; pauseMs++) vi.advanceTimersByTime(1);
      return pauseMs;
    };
    // Doubles to five seconds; a connection that has held so long is worth asking at once again.
    expect([1, 1, 1, 1, 1, 1, 1, 5000, 1].map(pauseAfter)).toEqual([
      250, 500, 1000, 2000, 4000, 5000, 5000, 250, 500,
    ]);
    events.close();
  } finally {
    vi.useRealTimers();
  }
});
