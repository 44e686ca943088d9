import type { ByteLineEvent } from "../../src/ports/line.js";
import type { VirtualEnd, VirtualLine } from "./virtual-line.js";

/** Whatever hangs on the charger's end of a line. */
export interface LineUser {
  onByteLine(event: ByteLineEvent, nowMs: number): void;
  poll(nowMs: number): void;
  nextMs(): number;
}

/** A virtual line with its two ends, and what hangs on the charger's. */
export interface Wired {
  readonly line: VirtualLine;
  readonly chargerEnd: VirtualEnd;
  readonly moduleEnd: VirtualEnd;
  readonly appliance: LineUser;
}

/** One turn of a line at `nowMs`: the charger hears and acts, the module is told what it hears. */
export function passBytes(
  { line, chargerEnd, moduleEnd, appliance }: Wired,
  nowMs: number,
  toModule: (event: ByteLineEvent) => void,
): void {
  line.poll(nowMs);
  for (let event = chargerEnd.take(); event; event = chargerEnd.take()) appliance.onByteLine(event, nowMs);
  appliance.poll(nowMs);
  for (let event = moduleEnd.take(); event; event = moduleEnd.take()) toModule(event);
}

/** When the next turn is due. */
export function nextTurnMs({ line, appliance }: Wired): number {
  return Math.min(line.nextMs(), appliance.nextMs());
}
