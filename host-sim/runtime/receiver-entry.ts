/**
 * Entry module for counting what the receiver takes, framing alone: one frame is fed again and again, in pieces of the
 * size asked, with its link answer coming due in between. Nothing else of the firmware runs.
 */
import { fromHex } from "../../src/base/hex.js";
import { Receiver } from "../../src/link/receiver.js";
import { linkTiming } from "../../src/link/timing.js";

interface Load {
  readonly hex: string;
  readonly times: number;
  /** Bytes at a time. */
  readonly piece: number;
}

const types = [0x0801, 0x0802, 0x0803];

export function step(text: string): string {
  const { hex, times, piece } = (JSON.parse(text) as { readonly in: readonly [Load] }).in[0];
  let frames = 0;
  let answers = 0;
  const receiver = new Receiver(linkTiming({}), { types, maxPayload: 512, bitsPerSecond: 19_200 }, 512, {
    onReceived: () => frames++,
    sendAnswer: () => answers++,
  });
  const frame = fromHex(hex) ?? new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < frame.length; at += piece) pieces.push(frame.slice(at, at + piece));
  for (let i = 0, ms = 100; i < times; i++, ms += 100) {
    for (let j = 0; j < pieces.length; j++) receiver.feed(pieces[j]!, ms);
    receiver.poll(ms + 50);
  }
  return JSON.stringify({ wakeMs: null, out: [{ frames, answers }] });
}
