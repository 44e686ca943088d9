// The MQTT subscriber of the device: packets in any pieces, the session in virtual time, and whatever a broker sends.
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { MqttClient } from "../../src/mqtt/client.js";
import { connectPacket, PacketReader, subscribePacket, type BrokerPacket } from "../../src/mqtt/packets.js";
import type { MqttEvent } from "../../src/ports/mqtt.js";
import type { StreamRequest } from "../../src/ports/stream.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const CONNACK = [0x20, 2, 0, 0];
const SUBACK = [0x90, 3, 0, 1, 1];
const message = (topic: string, payload: number[] = [], qos = 0, id = 7): number[] => {
  const body = [
    topic.length >> 8,
    topic.length & 0xff,
    ...Buffer.from(topic),
    ...(qos > 0 ? [id >> 8, id & 0xff] : []),
    ...payload,
  ];
  const head = [0x30 | (qos << 1)];
  let left = body.length;
  do {
    head.push((left & 0x7f) | (left > 127 ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return [...head, ...body];
};

function read(bytes: readonly number[], piece: number): { packets: BrokerPacket[]; ok: boolean } {
  const packets: BrokerPacket[] = [];
  const reader = new PacketReader((packet) => packets.push(packet));
  let ok = true;
  for (let i = 0; i < bytes.length && ok; i += piece)
    ok = reader.push(Uint8Array.from(bytes.slice(i, i + piece)));
  return { packets, ok };
}

describe("packets", () => {
  it("are written as the specification has them", () => {
    // 3.1: "MQTT", level 4, flags, keep alive, client id, user name, password.
    expect(hex(connectPacket("c", 60, "u", "p"))).toBe(
      "101300044d51545404c2003c000163000175000170".replace("1013", "1013"),
    );
    expect(hex(connectPacket("c", 60, undefined, undefined))).toBe("100d00044d51545404" + "02003c000163");
    expect(hex(subscribePacket(1, ["a/b", "c"]))).toBe("820c00010003612f6201000163" + "01");
    expect(connectPacket("c", 60, "u", "x".repeat(200)).subarray(0, 3)).toEqual(
      Uint8Array.of(0x10, 0xda, 0x01),
    );
  });

  it.each([1, 2, 3, 7, 1000])("are read in pieces of %i bytes alike; a payload is passed over", (piece) => {
    const stream = [
      ...CONNACK,
      ...SUBACK,
      ...message(
        "t/1",
        Array.from({ length: 5000 }, () => 0x20),
      ),
      ...message("t/2", [1], 1, 513),
      ...[0xd0, 0],
      ...message("x".repeat(300), [9, 9], 1, 77),
      ...message("x".repeat(257), [], 1, 78),
      ...message("x".repeat(256), [], 1, 79),
      ...message("e", []),
    ];
    expect(read(stream, piece)).toEqual({
      ok: true,
      packets: [
        { packet: "connack", code: 0 },
        { packet: "suback", id: 1, codes: [1] },
        { packet: "publish", topic: "t/1", qos: 0, id: 0 },
        { packet: "publish", topic: "t/2", qos: 1, id: 513 },
        { packet: "pingresp" },
        { packet: "publish", topic: "", qos: 1, id: 77 },
        { packet: "publish", topic: "", qos: 1, id: 78 },
        { packet: "publish", topic: "x".repeat(256), qos: 1, id: 79 },
        { packet: "publish", topic: "e", qos: 0, id: 0 },
      ],
    });
  });

  it.each([
    ["a packet that only a client sends", [0x82, 2, 0, 1]],
    ["QoS 2, which was not asked for", message("t", [], 2)],
    ["a topic longer than its packet", [0x30, 3, 0, 9, 0x61]],
    ["no topic", [0x30, 2, 0, 0]],
    ["a length that never ends", [0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["megabytes", [0x30, 0xff, 0xff, 0xff, 0x7f]],
    ["an id of 0", message("t", [], 1, 0)],
    ["a topic that is no UTF-8", [0x30, 3, 0, 1, 0xff]],
    ["HTTP", [...Buffer.from("HTTP/1.1 400 Bad Request\r\n")]],
  ])("are refused: %s", (_, bytes) => {
    expect(read(bytes, 1).ok).toBe(false);
    expect(read(bytes, 100).ok).toBe(false);
  });
});

class Rig {
  readonly opened: StreamRequest[] = [];
  readonly written: string[] = [];
  readonly closed: number[] = [];
  readonly told: MqttEvent[] = [];
  readonly logs: string[] = [];
  ms = 0;
  readonly client = new MqttClient({
    stream: {
      open: (request) => void this.opened.push(request),
      write: (_, bytes) => void this.written.push(hex(bytes)),
      close: (id) => void this.closed.push(id),
    },
    random: seededRandom(3),
    deliver: (event) => void this.told.push(event),
    log: (text) => void this.logs.push(text),
  });

  subscribe(more = {}): this {
    this.client.subscribe({
      id: 5,
      uri: "mqtts://b.test",
      topics: ["t/#"],
      username: undefined,
      password: undefined,
      credentials: "u",
      ...more,
    });
    return this.run(0);
  }
  run(ms: number): this {
    for (const end = this.ms + ms; ;) {
      const next = Math.max(this.ms, this.client.nextMs());
      if (next > end) {
        this.ms = end;
        return this;
      }
      this.ms = next;
      this.client.poll(this.ms);
    }
  }
  open(): this {
    this.client.onStream({ id: 5, ev: "open" }, this.ms);
    return this;
  }
  data(bytes: readonly number[]): this {
    this.client.onStream({ id: 5, ev: "data", bytes: Uint8Array.from(bytes) }, this.ms);
    return this;
  }
  get states(): string[] {
    return this.told.map(({ ev }) => ev);
  }
}

describe("the session", () => {
  it("connects over TLS at 8883, subscribes, and tells messages; QoS 1 is acknowledged", () => {
    const rig = new Rig().subscribe();
    expect(rig.opened).toEqual([{ id: 5, host: "b.test", port: 8883, secure: true, credentials: "u" }]);
    rig.open().data(CONNACK);
    expect(rig.written[1]).toBe(hex(subscribePacket(1, ["t/#"])));
    expect(rig.states).toEqual([]);
    rig.data([...SUBACK, ...message("t/1", [1, 2]), ...message("t/2", [], 1, 9)]);
    expect(rig.told).toEqual([
      { id: 5, ev: "up" },
      { id: 5, ev: "message", topic: "t/1" },
      { id: 5, ev: "message", topic: "t/2" },
    ]);
    expect(rig.written.at(-1)).toBe("40020009");
  });

  it("pings a silent broker, keeps one that answers, and leaves one that does not", () => {
    const rig = new Rig().subscribe().open().data(CONNACK).data(SUBACK);
    for (let i = 0; i < 3; i++) {
      rig.run(60_000);
      expect(rig.written.at(-1)).toBe("c000");
      rig.data([0xd0, 0]);
    }
    expect(rig.states).toEqual(["up"]);
    rig.run(60_000).run(20_000);
    expect(rig.states).toEqual(["up", "down"]);
    expect(rig.closed).toEqual([5]);
    rig.run(2000);
    expect(rig.opened).toHaveLength(2);
  });

  it.each([
    ["refuses the login", (rig: Rig) => rig.open().data([0x20, 2, 0, 5]), "refuses our login"],
    [
      "grants no topic",
      (rig: Rig) => rig.open().data(CONNACK).data([0x90, 3, 0, 1, 0x80]),
      "none of the topics",
    ],
    ["says nothing", (rig: Rig) => rig.open().run(21_000), "does not answer"],
    ["never opens", (rig: Rig) => rig.run(21_000), "does not answer"],
    ["talks nonsense", (rig: Rig) => rig.open().data([1, 2, 3]), "does not speak MQTT"],
    ["answers before it is asked", (rig: Rig) => rig.open().data(SUBACK), "none of the topics"],
  ])("waits ever longer for a broker that %s, and says so once", (_, spoil, words) => {
    const rig = new Rig().subscribe();
    for (let i = 0; i < 12; i++) {
      const before = rig.opened.length;
      spoil(rig);
      for (let n = 0; n < 400 && rig.opened.length === before; n++) rig.run(1000);
      expect(rig.opened.length).toBe(before + 1);
    }
    expect(rig.logs).toHaveLength(1);
    expect(rig.logs[0]).toContain(words);
    expect(rig.states).toEqual([]);
    expect(rig.ms).toBeGreaterThan(300_000);
    // The right answers, and it is well.
    rig.open().data(CONNACK).data(SUBACK);
    expect(rig.states).toEqual(["up"]);
  });

  it("says goodbye when it is ended, and hears nothing more", () => {
    const rig = new Rig().subscribe().open().data(CONNACK).data(SUBACK);
    rig.client.end(5);
    rig.data(message("t/1")).run(1_000_000);
    expect(rig.written.at(-1)).toBe("e000");
    expect(rig.closed).toEqual([5]);
    expect(rig.states).toEqual(["up"]);
    expect(rig.client.nextMs()).toBe(Infinity);
  });

  it.each([
    "mqtt://b.test",
    "mqtts://",
    "mqtts://b.test:0",
    "mqtts://b.test:99999",
    "mqtts://a@b.test",
    "wss://b.test",
  ])("does not connect to %s", (uri) => {
    const rig = new Rig().subscribe({ uri });
    expect(rig.opened).toEqual([]);
    expect(rig.logs[0]).toContain("no address with TLS");
  });
});

describe("whatever a broker sends", () => {
  const runs = process.env["OPENUCM_FULL"] === "1" ? 300_000 : 20_000;

  it(`${runs} mutated streams: no throw, and it comes back`, () => {
    const random = seededRandom(11);
    const pick = (below: number): number => random.uint32() % below;
    const good = [
      ...CONNACK,
      ...SUBACK,
      ...message("t/1", [1, 2, 3]),
      ...message("t/2", [], 1),
      0xd0,
      0,
      ...message("y".repeat(270), [], 1),
    ];
    const rig = new Rig().subscribe();
    let ups = 0;
    for (let i = 0; i < runs; i++) {
      const bytes = [...good];
      for (let n = pick(4); n > 0; n--) {
        const at = pick(bytes.length);
        if (pick(3) === 0) bytes.splice(at, 1 + pick(5));
        else bytes[at] = pick(256);
      }
      rig.open();
      const cut = pick(bytes.length);
      rig.data(bytes.slice(0, cut));
      rig.data(bytes.slice(cut));
      if (rig.told.some(({ ev }) => ev === "up")) ups++;
      rig.told.length = 0;
      rig.written.length = 0;
      rig.opened.length = 0;
      rig.logs.length = 0;
      rig.closed.length = 0;
      rig.client.onStream({ id: 5, ev: "closed" }, rig.ms);
      // Its back-off grows; a state of its own making is left by time alone.
      for (let n = 0; n < 40 && rig.opened.length === 0; n++) rig.run(30_000);
      expect(rig.opened.length).toBeGreaterThan(0);
    }
    expect(ups).toBeGreaterThan(runs / 5);
    rig.told.length = 0;
    rig.open().data(good.slice(0, 9));
    expect(rig.states).toEqual(["up"]);
  }, 600_000);
});
