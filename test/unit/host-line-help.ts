import { isFault } from "../../src/base/fault.js";
import { parseFrame } from "../../src/wire/frame.js";
export { emitFrame } from "../../src/wire/frame.js";

/** True for one whole frame with right check bytes. */
export function isFrameRight(bytes: readonly number[]): boolean {
  return !isFault(parseFrame(Uint8Array.from(bytes)));
}
