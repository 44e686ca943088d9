import { fromHex } from "../../src/base/hex.js";
import { utf8Encode } from "../../src/base/utf8.js";
import type { OtherSlot, SlotState, UpdateCall, UpdateEvent, UpdatePort } from "../../src/ports/update.js";
import type * as Natives from "./ucm-slots.js";

const OTHER: readonly OtherSlot[] = ["empty", "written", "valid", "aborted", "invalid"];

/**
 * The port of src/ports/update.ts over the natives of the chip. What is asked is done when it is asked; the answers wait
 * until the main loop takes them ({@link take}), because the firmware must not be entered while it calls.
 */
export class DeviceSlots implements UpdatePort {
  readonly slots: SlotState;
  private answers: UpdateEvent[] = [];

  /** Undefined where the partition table has no two slots. */
  static open(natives: typeof Natives, version: string, board: string): DeviceSlots | undefined {
    return natives.state(3) <= 0 ? undefined : new DeviceSlots(natives, version, board);
  }

  private constructor(
    private readonly natives: typeof Natives,
    version: string,
    board: string,
  ) {
    this.slots = {
      ...{ slot: natives.state(0) === 0 ? "a" : "b", version, board },
      trial: natives.state(1) === 1,
      other: OTHER[natives.state(2)] ?? "empty",
      slotBytes: natives.state(3),
      securityVersion: natives.state(4),
    };
  }

  /** The answers that wait, oldest first. */
  take(): UpdateEvent[] {
    const { answers } = this;
    if (answers.length > 0) this.answers = [];
    return answers;
  }

  call(call: UpdateCall): void {
    this.answers.push(this.carryOut(call));
  }

  private carryOut(call: UpdateCall): UpdateEvent {
    const { natives } = this;
    const { id } = call;
    const done = (error: number, why = `flash-${String(error)}`): UpdateEvent => ({
      ...{ ev: "done", id, ok: error === 0, why: error === 0 ? "" : why },
    });
    const bytes = (into: Uint8Array, error: number): UpdateEvent =>
      error === 0 ? { ev: "bytes", id, bytes: into } : done(error);
    switch (call.do) {
      case "verify": {
        const [spki, signature] = [fromBase64(call.key), fromHex(call.signature)];
        const good = spki && signature && natives.verify(spki, signature, utf8Encode(call.text));
        return done(good ? 0 : 1, "signature");
      }
      case "erase":
        return done(natives.erase(call.at));
      case "write":
        return done(natives.write(call.at, call.bytes));
      case "hash": {
        const into = new Uint8Array(32);
        return bytes(into, natives.hash(call.at, call.length, into));
      }
      case "read": {
        const into = new Uint8Array(call.length);
        return bytes(into, natives.read(call.at, into, call.raw === true));
      }
      case "boot":
        return done(natives.boot(), "invalid");
      case "confirm":
        return done(natives.confirm());
      case "roll-back":
        return done(natives.rollBack());
    }
  }
}

/** Bytes of base64 without white space; undefined for anything else. */
function fromBase64(text: string): Uint8Array | undefined {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = i >= text.length - padding ? 0 : digits.indexOf(text.charAt(i));
    if (digit < 0) return undefined;
    bits = ((bits << 6) | digit) & 0xff_ffff;
    if (i % 4 !== 3) continue;
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (bits >> shift) & 0xff;
  }
  return bytes;
}
