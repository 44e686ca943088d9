import { describe, expect, it } from "vitest";
import { checkBytes, emitFrame } from "../../src/wire/frame.js";
import { ReceiverBench, SETTINGS } from "../support/receiver-bench.js";
import { hex } from "../support/wire-pair.js";

const SHED = "08 01 00 02 01 00 0C 3D";

function frame(type: number, payload: number[]): string {
  return hex(emitFrame(type, Uint8Array.from(payload)));
}

describe("receiver: whole frames", () => {
  it("a good frame is told at its end and acknowledged 45 ms later", () => {
    expect(new ReceiverBench().feed(10, SHED).end()).toEqual(["10 frame 0801 01 00 ack", "55 send ack"]);
  });

  it("bytes may come one by one", () => {
    const b = new ReceiverBench();
    SHED.split(" ").forEach((byte, i) => b.feed(10 + i, byte));
    expect(b.end()).toEqual(["17 frame 0801 01 00 ack", "62 send ack"]);
  });

  it("link answers are told and never answered", () => {
    const b = new ReceiverBench().feed(1, "06 00").feed(50, "15").feed(51, "07");
    expect(b.end()).toEqual(["1 got ack", "51 got nak 7"]);
  });

  it("answer and frame in one burst", () => {
    expect(new ReceiverBench().feed(5, `06 00 ${SHED}`).end()).toEqual([
      "5 got ack",
      "5 frame 0801 01 00 ack",
      "50 send ack",
    ]);
  });

  it("reserved length bits are masked off, but summed as received", () => {
    const bytes = Uint8Array.of(0x08, 0x01, 0xe0, 0x02, 0x01, 0x00, 0, 0);
    const check = checkBytes(bytes, 0, 6);
    bytes[6] = check >> 8;
    bytes[7] = check & 0xff;
    expect(new ReceiverBench().feed(1, bytes).end()[0]).toBe("1 frame 0801 01 00 ack");
  });

  it.each([
    ["unknown type", 0x0804, [1, 2], "nak 6"],
    ["unknown type, queried", 0x0901, [], "nak 6"],
    ["type query", 0x0802, [], "ack"],
    ["Basic with three bytes", 0x0801, [1, 2, 3], "nak 2"],
    ["Intermediate with one byte", 0x0802, [1], "nak 2"],
    ["Intermediate", 0x0802, [1, 1], "ack"],
    ["data-link: query max payload", 0x0803, [0x18, 0], "ack"],
    ["data-link: max payload", 0x0803, [0x19, 7], "ack"],
    ["data-link: bit rate 19,200", 0x0803, [0x17, 0], "ack"],
    ["data-link: bit rate that we cannot", 0x0803, [0x17, 3], "nak 7"],
    ["data-link: bit rate that nobody knows", 0x0803, [0x17, 0x20], "nak 7"],
    ["data-link: power mode", 0x0803, [0x16, 0], "nak 7"],
    ["data-link: slot", 0x0803, [0x1a, 0], "nak 7"],
    ["data-link: wrong length", 0x0803, [0x18], "nak 2"],
  ])("%s earns its answer", (_, type, payload, answer) => {
    const out = new ReceiverBench().feed(10, frame(type, payload)).end();
    expect(out[0]!.endsWith(` ${answer}`)).toBe(true);
    expect(out[1]).toBe(`55 send ${answer}`);
    expect(out).toHaveLength(2);
  });

  it("other types of the table are acknowledged at any length; bit rates by their mask", () => {
    const settings = { ...SETTINGS, types: [0x0803, 0x0907], bitRates: 0b1001 };
    expect(new ReceiverBench({}, settings).feed(0, frame(0x0907, [1])).end()[1]).toBe("45 send ack");
    expect(new ReceiverBench({}, settings).feed(0, frame(0x0803, [0x17, 3])).end()[1]).toBe("45 send ack");
    expect(new ReceiverBench({}, settings).feed(0, frame(0x0803, [0x17, 1])).end()[1]).toBe("45 send nak 7");
    const wide = { ...settings, bitRates: 0x1ffff };
    expect(new ReceiverBench({}, wide).feed(0, frame(0x0803, [0x17, 16])).end()[1]).toBe("45 send nak 7");
  });
});

describe("receiver: faults", () => {
  it("wrong check bytes: NAK 03, and silence before anything counts again", () => {
    const b = new ReceiverBench().feed(0, "08 01 00 02 01 00 0C 3E").feed(5, SHED).feed(100, SHED);
    expect(b.end()).toEqual([
      "0 bad-checksum 08 01 00 02 01 00 0C 3E",
      `25 resync ${SHED}`,
      "50 send nak 3",
      "100 frame 0801 01 00 ack",
      "145 send ack",
    ]);
  });

  it("a NAK leaves 40 ms or more after the last byte, where a garbled length ends the frame before its end", () => {
    // Three bytes of a header are lost: what follows reads as a frame without payload in the midst of the real one.
    const b = new ReceiverBench().feed(0, "37 06 80 00 80 00").feed(7, "00 00 00");
    expect(b.end()).toEqual(["0 bad-checksum 37 06 80 00 80 00", "27 resync 00 00 00", "52 send nak 3"]);
    // Above our limit, and more behind it.
    const long = new ReceiverBench({}, { ...SETTINGS, maxPayload: 2 });
    long.feed(0, "37 06 80 04 80 00 00 00 00 00").feed(19, "00");
    expect(long.end().at(-1)).toBe("64 send nak 3");
  });

  it("00 does not stand for FF in a check byte", () => {
    // Find a payload with FF as a check byte.
    for (let op = 0; op < 256; op++) {
      const bytes = emitFrame(0x0801, Uint8Array.of(op, 0));
      const at = bytes.lastIndexOf(0xff);
      if (at < 6) continue;
      bytes[at] = 0;
      expect(new ReceiverBench().feed(0, bytes).end()[0]).toContain("bad-checksum");
      return;
    }
    throw new Error("no such frame");
  });

  it("a frame that is not whole 500 ms after its first byte earns NAK 05", () => {
    expect(new ReceiverBench().feed(100, "08 01 00 02 01").end()).toEqual([
      "600 frame-timeout 08 01 00 02 01",
      "645 send nak 5",
    ]);
  });

  it("a limit of 100 ms, as one source has it", () => {
    expect(new ReceiverBench({ frameMaxMs: 100 }).feed(100, "08 01 00 02 01").end()[1]).toBe(
      "245 send nak 5",
    );
  });

  it("while it is still coming after 500 ms, NAK 05 waits for its end", () => {
    const b = new ReceiverBench();
    b.feed(0, "08 02 00 40");
    for (let t = 10; t <= 540; t += 10) b.feed(t, "00");
    const out = b.end();
    expect(out[0]).toMatch(/^500 frame-timeout 08 02 00 40( 00){49}$/);
    expect(out.slice(1)).toEqual(["560 resync 00 00 00 00 00", "585 send nak 5"]);
  });

  it("a frame with a pause of 400 ms inside is legal", () => {
    const b = new ReceiverBench().feed(0, "08 01 00 02").feed(400, "01 00 0C 3D");
    expect(b.end()).toEqual(["400 frame 0801 01 00 ack", "445 send ack"]);
  });

  it("an incomplete header is dropped after 20 ms of silence", () => {
    const b = new ReceiverBench()
      .feed(0, "08 01 00")
      .feed(19, "02 01 00 0C 3D")
      .feed(200, "08 01 00")
      .feed(220, SHED);
    expect(b.end()).toEqual([
      "19 frame 0801 01 00 ack",
      "64 send ack",
      "220 resync 08 01 00",
      "220 frame 0801 01 00 ack",
      "265 send ack",
    ]);
  });

  it("a new frame behind a broken one is found after a pause", () => {
    const b = new ReceiverBench().feed(0, "08 02 00 30 01 01").feed(100, SHED);
    expect(b.end()).toEqual(["100 resync 08 02 00 30 01 01", "100 frame 0801 01 00 ack", "145 send ack"]);
  });

  it("when the broken frame fills up in the middle of the new one, the new one is kept", () => {
    const b = new ReceiverBench().feed(0, "08 01 00 02 01").feed(50, SHED);
    expect(b.end()).toEqual(["50 resync 08 01 00 02 01", "50 frame 0801 01 00 ack", "95 send ack"]);
  });

  it("when the broken frame runs out of time in the middle of the new one, the new one is kept", () => {
    const b = new ReceiverBench()
      .feed(0, "08 02 00 30 01 01")
      .feed(495, "08 01 00")
      .feed(501, "02 01 00 0C 3D");
    expect(b.end()).toEqual(["500 resync 08 02 00 30 01 01", "501 frame 0801 01 00 ack", "546 send ack"]);
  });

  it("a second reading that fails leaves the first alone", () => {
    const whole = emitFrame(0x0802, Uint8Array.of(6, 0x80, 0, 8, 1, 0, 2, 9, 9, 9, 9));
    for (const cut of [4, 5, 6, 7, 8, 9, 12]) {
      const b = new ReceiverBench().feed(0, whole.slice(0, cut)).feed(60, whole.slice(cut));
      expect(b.end()[0], `cut at ${cut}`).toContain("60 frame 0802 06 80");
    }
    const cutBeforeAnswer = emitFrame(0x0802, Uint8Array.of(6, 0));
    const b = new ReceiverBench().feed(0, cutBeforeAnswer.slice(0, 4)).feed(60, cutBeforeAnswer.slice(4));
    expect(b.end()[0]).toBe("60 frame 0802 06 00 ack");
  });

  it("above our limit: NAK 02 at its end, when its check bytes are right", () => {
    const long = emitFrame(0x0802, new Uint8Array(65).fill(7));
    const out = new ReceiverBench().feed(0, long).end();
    expect(out).toEqual([`0 too-long ${hex(long)}`, "45 send nak 2"]);
    long[70] = 1;
    expect(new ReceiverBench().feed(0, long).end()).toEqual([`0 bad-checksum ${hex(long)}`, "45 send nak 3"]);
  });

  it("a length from garbage is forgotten after 20 ms of silence", () => {
    const b = new ReceiverBench().feed(0, "AA BB 1F FF 01").feed(30, SHED);
    expect(b.end()).toEqual(["20 resync AA BB 1F FF 01", "30 frame 0801 01 00 ack", "75 send ack"]);
  });

  it("a frame above our limit that goes on beyond 500 ms: NAK 02 when it ends; every byte is told", () => {
    const b = new ReceiverBench({}, { ...SETTINGS, maxPayload: 8 }, 8);
    b.feed(0, "08 02 01 F0");
    let fed = 4;
    for (let t = 10; t <= 600; t += 10) {
      b.feed(t, "05");
      fed++;
    }
    const out = b.end();
    expect(out.at(-1)).toBe("645 send nak 2");
    expect(out.filter((l) => l.includes("too-long"))).toHaveLength(1);
    const told = out.slice(0, -1).reduce((n, l) => n + l.split(" ").length - 2, 0);
    expect(told).toBe(fed);
  });

  it("a lone 06 before a frame costs only itself", () => {
    expect(new ReceiverBench().feed(0, `06 ${SHED}`).end()).toEqual([
      "0 bad-answer 06",
      "0 frame 0801 01 00 ack",
      "45 send ack",
    ]);
    expect(new ReceiverBench().feed(0, `15 ${SHED}`).end()[0]).toBe("0 bad-answer 15");
  });

  it("one or two bytes of driver switching before a frame or an answer are survived", () => {
    for (const glitch of ["00", "FF", "00 FF", "FC"]) {
      const out = new ReceiverBench().feed(0, `${glitch} ${SHED}`).end();
      expect(out).toEqual([`0 resync ${glitch}`, "0 frame 0801 01 00 ack", "45 send ack"]);
    }
    expect(new ReceiverBench().feed(0, "00 06 00").end()).toEqual(["20 resync 00", "0 got ack"]);
    expect(new ReceiverBench().feed(0, "FF 15 03").end()).toEqual(["20 resync FF", "0 got nak 3"]);
    expect(new ReceiverBench().feed(0, "FF 15 33").end()).toEqual(["20 resync FF 15 33"]);
  });
});

describe("receiver: when our answer leaves", () => {
  it("waits for bytes that are still coming, and is dropped after 200 ms", () => {
    const b = new ReceiverBench().feed(0, SHED);
    for (let t = 30; t <= 60; t += 10) b.feed(t, "FF");
    expect(b.end()).toContain("80 send ack");
    const never = new ReceiverBench().feed(0, SHED);
    for (let t = 10; t <= 300; t += 10) never.feed(t, "FF");
    expect(never.end()).not.toContainEqual(expect.stringContaining("send ack"));
    expect(never.out).toContainEqual(expect.stringContaining("answer-dropped"));
  });

  it("a frame that ends before the last was answered takes its place", () => {
    expect(new ReceiverBench().feed(0, SHED).feed(30, SHED).end()).toEqual([
      "0 frame 0801 01 00 ack",
      "30 answer-dropped",
      "30 frame 0801 01 00 ack",
      "75 send ack",
    ]);
  });

  it("is dropped when our owner comes too late", () => {
    const b = new ReceiverBench().feed(0, SHED);
    b.receiver.poll(201);
    expect(b.out.at(-1)).toBe("201 answer-dropped");
    const justInTime = new ReceiverBench().feed(0, SHED);
    justInTime.nowMs = 200;
    justInTime.receiver.poll(200);
    expect(justInTime.out.at(-1)).toBe("200 send ack");
  });

  it("reset forgets what is under way, but tells the bytes", () => {
    const b = new ReceiverBench().feed(0, SHED).feed(10, "08 01");
    b.receiver.reset();
    expect(b.end()).toEqual(["0 frame 0801 01 00 ack", "10 resync 08 01"]);
    expect(b.receiver.freeMs).toBe(30);
  });
});

describe("receiver: own echo", () => {
  const OURS = emitFrame(0x0801, Uint8Array.of(1, 0));

  it("is consumed by position, and what follows is the peer's", () => {
    const b = new ReceiverBench();
    b.receiver.expectEcho(OURS, 0);
    b.feed(2, OURS.slice(0, 3)).feed(4, OURS.slice(3));
    b.receiver.echoEnds(4);
    expect(b.receiver.freeMs).toBeLessThan(0);
    b.feed(45, "06 00");
    expect(b.end()).toEqual(["45 got ack"]);
  });

  it("a byte that differs is a collision; the rest until silence is nobody's", () => {
    const b = new ReceiverBench();
    b.receiver.expectEcho(OURS, 0);
    b.feed(2, "08 01 55 06 00").feed(4, "06 00");
    expect(b.feed(60, "06 00").end()).toEqual(["2 collision 55", "24 resync 06 00 06 00", "60 got ack"]);
  });

  it("an echo that does not come is told; one told twice is too", () => {
    const b = new ReceiverBench();
    b.receiver.expectEcho(OURS, 0);
    b.receiver.echoEnds(5);
    expect(b.receiver.nextMs()).toBe(35);
    expect(b.end()).toEqual(["35 echo-missing"]);
    b.receiver.expectEcho(OURS, 100);
    b.receiver.expectEcho(OURS, 110);
    expect(b.out.at(-1)).toBe("110 echo-missing");
  });

  it("a collision in the middle of a frame half received tells that too", () => {
    const b = new ReceiverBench().feed(0, "08 01");
    b.receiver.expectEcho(OURS, 1);
    expect(b.feed(2, "77").end()).toEqual(["2 resync 08 01", "2 collision 77"]);
  });
});
