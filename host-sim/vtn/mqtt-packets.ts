/** The packets of MQTT 3.1.1 that a broker of notifications needs (OASIS mqtt-v3.1.1, chapter 3). */

export type MqttPacket =
  | {
      readonly packet: "connect";
      readonly level: number;
      readonly clientId: string;
      readonly keepAliveSeconds: number;
      readonly username: string | undefined;
      readonly password: string | undefined;
    }
  | { readonly packet: "subscribe"; readonly id: number; readonly filters: readonly string[] }
  | { readonly packet: "unsubscribe"; readonly id: number; readonly filters: readonly string[] }
  | { readonly packet: "pingreq" }
  | { readonly packet: "disconnect" }
  /** A client's own publication: nothing that this broker takes. */
  | { readonly packet: "publish" };

const MAX_PACKET_BYTES = 65_536;

/**
 * Takes one packet from the front of a buffer.
 * @returns the packet and how many bytes it took; undefined while it is not whole; "malformed"
 */
export function readPacket(
  bytes: Buffer,
): { readonly packet: MqttPacket; readonly length: number } | undefined | "malformed" {
  let remaining = 0;
  let at = 1;
  for (let shift = 0; ; shift += 7) {
    if (shift > 21) return "malformed";
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    at += 1;
    remaining |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) break;
  }
  if (remaining > MAX_PACKET_BYTES) return "malformed";
  if (bytes.length < at + remaining) return undefined;
  const packet = readBody(bytes[0]!, new Cursor(bytes.subarray(at, at + remaining)));
  return packet === undefined ? "malformed" : { packet, length: at + remaining };
}

/** Reads fields in order; once one does not fit, `bad` stays true. */
class Cursor {
  bad = false;
  #at = 0;
  constructor(readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  uint8(): number {
    return this.#take(1)?.[0] ?? 0;
  }

  uint16(): number {
    return this.#take(2)?.readUInt16BE(0) ?? 0;
  }

  text(): string {
    return this.#take(this.uint16())?.toString("utf8") ?? "";
  }

  #take(length: number): Buffer | undefined {
    if (this.left < length) {
      this.bad = true;
      return undefined;
    }
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }
}

function readBody(header: number, body: Cursor): MqttPacket | undefined {
  switch (header >> 4) {
    case 1:
      return readConnect(body);
    case 3:
      return { packet: "publish" };
    case 8:
    case 10: {
      const subscribe = header >> 4 === 8;
      const id = body.uint16();
      const filters: string[] = [];
      while (body.left > 0 && !body.bad) {
        filters.push(body.text());
        if (subscribe) body.uint8();
      }
      if (body.bad || filters.length === 0 || (header & 0x0f) !== 2) return undefined;
      return { packet: subscribe ? "subscribe" : "unsubscribe", id, filters };
    }
    case 12:
      return { packet: "pingreq" };
    case 14:
      return { packet: "disconnect" };
    default:
      return undefined;
  }
}

function readConnect(body: Cursor): MqttPacket | undefined {
  const protocol = body.text();
  const level = body.uint8();
  const flags = body.uint8();
  const keepAliveSeconds = body.uint16();
  if (level === 5)
    return {
      packet: "connect",
      level,
      clientId: "",
      keepAliveSeconds,
      username: undefined,
      password: undefined,
    };
  const clientId = body.text();
  if ((flags & 0x04) !== 0) {
    body.text();
    body.text();
  }
  const username = (flags & 0x80) === 0 ? undefined : body.text();
  const password = (flags & 0x40) === 0 ? undefined : body.text();
  if (body.bad || protocol !== "MQTT" || (flags & 0x01) !== 0) return undefined;
  return { packet: "connect", level, clientId, keepAliveSeconds, username, password };
}

/** @param code 0 accepted, 1 protocol level, 4 bad user name or password, 5 not authorised */
export function connack(code: 0 | 1 | 4 | 5): Buffer {
  return Buffer.from([0x20, 2, 0, code]);
}

/** Grants QoS 0 for each, or refuses (0x80). */
export function suback(id: number, granted: readonly boolean[]): Buffer {
  return Buffer.from([
    0x90,
    2 + granted.length,
    id >> 8,
    id & 0xff,
    ...granted.map((yes) => (yes ? 0 : 0x80)),
  ]);
}

export function unsuback(id: number): Buffer {
  return Buffer.from([0xb0, 2, id >> 8, id & 0xff]);
}

export function pingresp(): Buffer {
  return Buffer.from([0xd0, 0]);
}

/** QoS 0, not retained. */
export function publish(topic: string, payload: string): Buffer {
  const name = Buffer.from(topic, "utf8");
  const body = Buffer.concat([
    Buffer.from([name.length >> 8, name.length & 0xff]),
    name,
    Buffer.from(payload, "utf8"),
  ]);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

/** Topic filters of 4.7: `+` for one level, `#` for the rest. */
export function topicMatches(filter: string, topic: string): boolean {
  const [want, have] = [filter.split("/"), topic.split("/")];
  for (const [i, level] of want.entries()) {
    if (level === "#") return i === want.length - 1;
    if (have[i] === undefined || (level !== "+" && level !== have[i])) return false;
  }
  return want.length === have.length;
}
