import { describe, expect, it } from "vitest";
import { SpiLine } from "../../src/link/spi.js";
import { linkTiming } from "../../src/link/timing.js";
import type { LinkResult } from "../../src/link/messages.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import { SpiBus } from "../support/spi-bus.js";
import { hex, unhex } from "../support/wire-pair.js";

const BASIC = 0x0801;
const SHED = "08 01 00 02 01 00 0C 3D";

/** Both sides answer commands with an application ACK. */
function busOf(seed = 1): SpiBus {
  const bus = new SpiBus(seed);
  for (const side of [0, 1] as const) {
    bus.on[side] = (e) => {
      if (e.ev !== "message" || e.payload[0] === 3) return;
      const payload = Uint8Array.of(3, e.payload[0]!);
      bus.stacks[side].command({ cmd: "respond", id: 1000, type: e.type, payload }, bus.nowMs);
    };
  }
  return bus;
}

function request(bus: SpiBus, side: 0 | 1, id: number, payload = "01 00"): void {
  bus.stacks[side].command({ cmd: "request", id, type: BASIC, payload: unhex(payload) }, bus.nowMs);
}

function result(bus: SpiBus, side: 0 | 1, id: number): LinkResult | undefined {
  return bus.events[side].find((e) => e.ev === "result" && e.id === id) as LinkResult | undefined;
}

describe("the DC form, both sides", () => {
  it("the module's command goes out by ATTENTION, SELECT, clock; the appliance's reply by SELECT, ATTENTION, clock", () => {
    const bus = busOf();
    request(bus, 0, 1);
    bus.run(2000);
    expect(result(bus, 0, 1)).toMatchObject({ outcome: "ok", tries: 1, reply: Uint8Array.of(3, 1) });
    const order = bus.log.map((l) => l.replace(/^\d+ /, ""));
    expect(order.slice(0, 5)).toEqual([
      "attention low",
      "select low",
      "attention high",
      "select high",
      `appliance reads ${SHED}`,
    ]);
    // The appliance's link ACK, its reply; our ACK of it.
    expect(order.slice(5, 9)).toEqual(["select low", "attention low", "select high", "attention high"]);
    expect(order.at(-1)).toBe("appliance reads 06 00");
    expect(bus.attention).toBe(false);
  });

  it("the appliance's command works the same way", () => {
    const bus = busOf();
    request(bus, 1, 1, "11 01");
    bus.run(2000);
    expect(result(bus, 1, 1)).toMatchObject({ outcome: "ok", tries: 1 });
  });

  it("both at once, again and again: every request ends well", () => {
    const bus = busOf(7);
    for (let i = 0; i < 30; i++) {
      request(bus, 0, i);
      request(bus, 1, i, "11 01");
      bus.run(bus.nowMs + 5000 + (i % 7));
    }
    for (let i = 0; i < 30; i++) {
      expect([i, result(bus, 0, i)?.outcome, result(bus, 1, i)?.outcome]).toEqual([i, "ok", "ok"]);
    }
  });

  it("long messages cross whole, in both directions", () => {
    const bus = busOf();
    for (const side of [0, 1] as const) bus.stacks[side].command({ cmd: "query-max-payload", id: 5 }, 0);
    bus.run(5000);
    const payload = Uint8Array.from({ length: 500 }, (_, i) => (i === 1 ? 0x80 : i & 0xff));
    for (const side of [0, 1] as const) {
      bus.stacks[side].command({ cmd: "request", id: 9, type: 0x0802, payload }, bus.nowMs);
    }
    bus.run(12_000);
    for (const side of [0, 1] as const) {
      expect(result(bus, side, 9)?.outcome).toBe("ok");
      const got = bus.events[side].find((e) => e.ev === "message" && e.type === 0x0802);
      expect(got).toMatchObject({ payload });
    }
  });

  it("an appliance that ignores ATTENTION: released after 500 ms, no-ack after three tries, then it recovers", () => {
    const bus = busOf();
    bus.deaf = true;
    request(bus, 0, 1);
    bus.run(10_000);
    expect(bus.log.slice(0, 2)).toEqual(["0 attention low", "500 attention high"]);
    expect(result(bus, 0, 1)).toMatchObject({ outcome: "no-ack", tries: 3 });
    bus.deaf = false;
    request(bus, 0, 2);
    bus.run(15_000);
    expect(result(bus, 0, 2)?.outcome).toBe("ok");
  });

  it("an appliance that stops clocking in the middle: given up after 500 ms", () => {
    const bus = busOf();
    bus.stuck = true;
    request(bus, 0, 1);
    bus.run(1000);
    expect(bus.attention).toBe(false);
    expect(bus.select).toBe(true);
    bus.stuck = false;
    bus.insert(true);
    bus.run(2000);
    request(bus, 0, 2);
    bus.run(5000);
    expect(result(bus, 0, 1)?.outcome).toBe("cancelled");
    expect(result(bus, 0, 2)?.outcome).toBe("ok");
  });

  it("pulled out and put in at any moment: RESET clears everything, and it works again", () => {
    for (let ms = 0; ms < 350; ms += 7) {
      const bus = busOf(ms + 1);
      request(bus, 0, 1);
      request(bus, 1, 2, "11 01");
      bus.run(ms);
      bus.insert(false);
      expect(bus.attention).toBe(false);
      bus.run(ms + 1000);
      bus.insert(true);
      bus.run(ms + 2000);
      request(bus, 0, 3);
      request(bus, 1, 4, "11 00");
      bus.run(ms + 20_000);
      expect([ms, result(bus, 0, 3)?.outcome, result(bus, 1, 4)?.outcome]).toEqual([ms, "ok", "ok"]);
      expect([ms, result(bus, 0, 1) !== undefined, result(bus, 1, 2) !== undefined]).toEqual([
        ms,
        true,
        true,
      ]);
    }
  });
});

describe("the peripheral alone", () => {
  function peripheral(): { line: SpiLine; out: string[]; port: string[] } {
    const out: string[] = [];
    const port: string[] = [];
    const line = new SpiLine({
      timing: linkTiming(),
      capacity: 20,
      port: { attention: (on) => port.push(on ? "low" : "high"), load: (b) => port.push(hex(b)) },
      emit: (e: ByteLineEvent) =>
        out.push(e.ev === "rx" ? `rx ${hex(e.bytes)}` : e.ev === "sent" ? "sent" : `carrier ${e.on}`),
    });
    return { line, out, port };
  }

  function receive(bytes: string): string[] {
    const { line, out } = peripheral();
    line.onSpi({ ev: "select", on: true, atMs: 0 }, 0);
    line.onSpi({ ev: "in", bytes: unhex(bytes), atMs: 1 }, 1);
    line.onSpi({ ev: "select", on: false, atMs: 2 }, 2);
    return out;
  }

  it.each([
    [`FF FF ${SHED} FF FF`, SHED],
    ["FF 06 00 FF FF FF", "06 00"],
    ["15 03 FF", "15 03"],
    // Check bytes may themselves be FF: only what lies behind the told length is filler.
    ["08 01 00 02 01 00 FF FF FF", "08 01 00 02 01 00 FF FF"],
    // What is no filler is left for the receiver to judge.
    ["06 00 08", "06 00 08"],
    ["08 01", "08 01"],
  ])("filler around a message is dropped: %s", (bytes, message) => {
    expect(receive(bytes)).toEqual([`rx ${message}`]);
  });

  it("nothing but filler is nothing; more than there is room for is cut, not written beyond", () => {
    expect(receive("FF FF FF")).toEqual([]);
    expect(receive("08 ".repeat(40))).toEqual([`rx ${"08 ".repeat(20).trim()}`]);
  });

  it("asked later than 100 ms ago, it does not invite any more", () => {
    const { line, port } = peripheral();
    line.onSpi({ ev: "select", on: true, atMs: 0 }, 100);
    expect(port).toEqual(["high"]);
    line.onSpi({ ev: "select", on: false, atMs: 110 }, 110);
    expect(line.nextMs()).toBe(Infinity);
  });

  it("invited and never clocked: ATTENTION goes up after 500 ms", () => {
    const { line, port } = peripheral();
    line.onSpi({ ev: "select", on: true, atMs: 0 }, 0);
    expect(port).toEqual(["low"]);
    expect(line.nextMs()).toBe(500);
    line.poll(500);
    expect(port).toEqual(["low", "high"]);
  });

  it("both at once: what came in is taken, what went out half counts as sent", () => {
    const { line, out, port } = peripheral();
    line.write(unhex(SHED));
    line.poll(0);
    line.onSpi({ ev: "select", on: true, atMs: 1 }, 1);
    line.onSpi({ ev: "in", bytes: unhex("06 00"), atMs: 2 }, 2);
    line.onSpi({ ev: "select", on: false, atMs: 3 }, 3);
    expect(out).toEqual(["sent", "rx 06 00"]);
    expect(port).toEqual([SHED, "low", "high"]);
  });

  it("in reset nothing is kept, and events that make no sense change nothing", () => {
    const { line, out } = peripheral();
    line.onSpi({ ev: "out", atMs: 0 }, 0);
    line.onSpi({ ev: "select", on: false, atMs: 0 }, 0);
    line.onSpi({ ev: "reset", on: true, atMs: 1 }, 1);
    line.onSpi({ ev: "reset", on: true, atMs: 2 }, 2);
    line.write(unhex(SHED));
    line.onSpi({ ev: "select", on: true, atMs: 3 }, 3);
    line.onSpi({ ev: "select", on: false, atMs: 4 }, 4);
    expect(line.nextMs()).toBe(Infinity);
    line.onSpi({ ev: "reset", on: false, atMs: 5 }, 5);
    expect(out).toEqual(["carrier false", "carrier true"]);
    expect(line.setBitRate()).toBe(false);
  });
});
