/**
 * A frame line (src/ports/line.ts) whose other half is in another machine, reached by text: the chip's interrupt code
 * seen through the batches of src/runtime.ts. Bytes are hex.
 */
import { fromHex, toHex } from "./base/hex.js";
import type { FrameLine, FrameLineEvent, FrameLineSettings } from "./ports/line.js";

/** What a frame line says, besides `sent` and `carrier`, which a byte line says as well. */
export type FrameLineInput =
  | {
      readonly k: "frame";
      readonly type: number;
      readonly hex: string;
      readonly endMs: number;
      readonly answer: number;
    }
  | { readonly k: "answer" | "answered"; readonly code: number; readonly atMs: number }
  | { readonly k: "unsent"; readonly why: "received" | "busy"; readonly atMs: number }
  | { readonly k: "noise"; readonly fault: string; readonly hex: string; readonly atMs: number };

/** To a frame line: a whole frame to send, and what it acknowledges from now on. Members in this order. */
export type FrameLineOutput =
  | { readonly k: "frame"; readonly hex: string }
  | {
      readonly k: "line";
      readonly bitsPerSecond: number;
      readonly maxPayload: number;
      readonly bitRates: number;
      readonly types: readonly number[];
    };

/** The port of such a line. */
export class BridgedFrameLine implements FrameLine {
  constructor(private readonly out: { put(output: FrameLineOutput): void }) {}

  sendFrame(bytes: Uint8Array): void {
    this.out.put({ k: "frame", hex: toHex(bytes) });
  }

  configure({ bitsPerSecond, maxPayload, bitRates = 1, types }: FrameLineSettings): void {
    // A copy: the table may lie in ROM, and XS marks what it makes JSON of.
    this.out.put({ k: "line", bitsPerSecond, maxPayload, bitRates, types: [...types] });
  }
}

/** What such a line has said. */
export function frameLineEvent(
  input:
    | FrameLineInput
    | { readonly k: "sent"; readonly atMs: number }
    | { readonly k: "carrier"; readonly on: boolean; readonly atMs: number },
): FrameLineEvent {
  switch (input.k) {
    case "frame": {
      const { type, hex, endMs, answer } = input;
      return { ev: "frame", type, payload: bytesOf(hex), endMs, answer };
    }
    case "answer":
    case "answered":
      return { ev: input.k, code: input.code, atMs: input.atMs };
    case "sent":
      return { ev: "sent", atMs: input.atMs };
    case "unsent":
      return { ev: "unsent", why: input.why, atMs: input.atMs };
    case "noise":
      return { ev: "noise", fault: input.fault, bytes: bytesOf(input.hex), atMs: input.atMs };
    case "carrier":
      return { ev: "carrier", on: input.on, atMs: input.atMs };
  }
}

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array(0);
}
