/**
 * MQTT 3.1.1 as a subscriber needs it (OASIS mqtt-v3.1.1, chapters 2 and 3): what it sends, and a reader for what a
 * broker sends. This folder guarantees: whatever a broker sends, nothing is thrown and memory is bounded, because of a
 * message only the topic is kept; its payload is passed over byte by byte.
 */
import { utf8Decode, utf8Encode } from "../base/utf8.js";

/** What a broker sends, as far as a subscriber has to know it. */
export type BrokerPacket =
  | { readonly packet: "connack"; readonly code: number }
  /** One code a topic: granted QoS, or 128 and above where it is refused. */
  | { readonly packet: "suback"; readonly id: number; readonly codes: readonly number[] }
  /** `topic` is "" where it is longer than is kept. `id` only with QoS 1. */
  | { readonly packet: "publish"; readonly topic: string; readonly qos: number; readonly id: number }
  | { readonly packet: "pingresp" };

/** Longest topic that is kept, bytes of UTF-8. */
const MAX_TOPIC = 256;
/** Longest packet that is passed over; no notification is as long, so more is a broker gone wild. */
const MAX_PACKET = 1_048_576;
/** Longest answer to a subscription: a code a topic. */
const MAX_SUBACK = 2 + 64;

export const PINGREQ: readonly number[] = [0xc0, 0];
export const DISCONNECT: readonly number[] = [0xe0, 0];

/** Chapter 3.1, clean session, no will. */
export function connectPacket(
  clientId: string,
  keepAliveS: number,
  username: string | undefined,
  password: string | undefined,
): Uint8Array {
  const flags = 0x02 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const body = [...text("MQTT"), 4, flags, keepAliveS >> 8, keepAliveS & 0xff, ...text(clientId)];
  if (username !== undefined) body.push(...text(username));
  if (password !== undefined) body.push(...text(password));
  return packet(0x10, body);
}

/** Chapter 3.8, every topic with QoS 1. */
export function subscribePacket(id: number, topics: readonly string[]): Uint8Array {
  const body = [id >> 8, id & 0xff];
  for (const topic of topics) body.push(...text(topic), 1);
  return packet(0x82, body);
}

export function pubackPacket(id: number): Uint8Array {
  return packet(0x40, [id >> 8, id & 0xff]);
}

function text(value: string): number[] {
  const bytes = utf8Encode(value);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function packet(first: number, body: readonly number[]): Uint8Array {
  const head = [first];
  let left = body.length;
  do {
    head.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Uint8Array.from([...head, ...body]);
}

const HEAD = 0;
const LENGTH = 1;
const BODY = 2;

/** Takes the bytes of a broker in any pieces. */
export class PacketReader {
  private readonly take: (packet: BrokerPacket) => void;
  private state = HEAD;
  private first = 0;
  private length = 0;
  private shift = 0;
  private at = 0;
  /** The part of the body that is looked at: all of a short packet, topic and id of a message. */
  private readonly kept = new Uint8Array(MAX_TOPIC + 4);
  private topicLength = 0;
  private bad = false;

  constructor(take: (packet: BrokerPacket) => void) {
    this.take = take;
  }

  /** False from the first byte on that no broker may send. */
  push(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length && !this.bad; i++) {
      const byte = bytes[i]!;
      if (this.state === HEAD) {
        this.first = byte;
        this.bad = byte !== 0x20 && byte !== 0x90 && byte !== 0xd0 && (byte >> 4 !== 3 || (byte & 4) !== 0);
        this.length = 0;
        this.shift = 0;
        this.state = LENGTH;
      } else if (this.state === LENGTH) this.lengthByte(byte);
      else {
        this.bodyByte(byte);
        // The rest of a payload is not looked at.
        if (this.state === BODY && this.at >= this.wanted) {
          const skipped = Math.min(bytes.length - 1 - i, this.length - this.at);
          this.at += skipped;
          i += skipped;
          if (this.at === this.length) this.whole();
        }
      }
    }
    return !this.bad;
  }

  /** After the first byte; only what a broker may send to a subscriber of QoS 1 gets this far. */
  private lengthByte(byte: number): void {
    this.length |= (byte & 0x7f) << this.shift;
    this.shift += 7;
    if ((byte & 0x80) !== 0) {
      if (this.shift > 21) this.bad = true;
      return;
    }
    if (this.length > MAX_PACKET) this.bad = true;
    this.at = 0;
    this.topicLength = 0;
    this.state = BODY;
    if (this.length === 0) this.whole();
  }

  private bodyByte(byte: number): void {
    if (this.at < this.kept.length) this.kept[this.at] = byte;
    // The id follows the topic, wherever that ends.
    else if (this.isMessage && this.at < this.topicLength + 4) {
      this.kept[this.kept.length - 2] = this.kept[this.kept.length - 1]!;
      this.kept[this.kept.length - 1] = byte;
    }
    this.at++;
    if (this.at === 2 && this.isMessage) this.topicLength = this.kept[0]! * 256 + this.kept[1]!;
    if (this.at === this.length) this.whole();
  }

  private get isMessage(): boolean {
    return this.first >> 4 === 3;
  }

  /** Bytes of the body that are looked at. */
  private get wanted(): number {
    return this.isMessage ? Math.max(4, this.topicLength + 4) : this.length;
  }

  private whole(): void {
    this.state = HEAD;
    const { length, kept } = this;
    const id = kept[0]! * 256 + kept[1]!;
    switch (this.first) {
      case 0x20:
        if (length !== 2 || kept[0]! > 1) this.bad = true;
        else this.take({ packet: "connack", code: kept[1]! });
        return;
      case 0x90:
        if (length < 3 || length > MAX_SUBACK) this.bad = true;
        else this.take({ packet: "suback", id, codes: [...kept.subarray(2, length)] });
        return;
      case 0xd0:
        if (length !== 0) this.bad = true;
        else this.take({ packet: "pingresp" });
        return;
      default:
        this.message();
    }
  }

  private message(): void {
    const { kept, length, topicLength } = this;
    const qos = (this.first >> 1) & 3;
    const head = 2 + topicLength + (qos > 0 ? 2 : 0);
    if (topicLength === 0 || length < head) {
      this.bad = true;
      return;
    }
    const long = topicLength > MAX_TOPIC;
    const topic = long ? "" : utf8Decode(kept, 2, 2 + topicLength);
    if (topic === undefined) {
      this.bad = true;
      return;
    }
    const at = long ? kept.length - 2 : 2 + topicLength;
    const id = qos > 0 ? kept[at]! * 256 + kept[at + 1]! : 0;
    if (qos > 0 && id === 0) this.bad = true;
    else this.take({ packet: "publish", topic, qos, id });
  }
}
