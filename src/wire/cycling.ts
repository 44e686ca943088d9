/** Autonomous cycling: start and terminate (section 5.10). */
import type { CyclingMessage } from "./intermediate-message.js";
import { type LayoutOf, U16, U32, U8 } from "./layout.js";

export const cyclingLayouts: readonly LayoutOf<CyclingMessage>[] = [
  {
    name: "StartCycling",
    op: 0x0400,
    least: 4,
    fields: {
      eventId: U32,
      startSeconds: U32,
      durationMinutes: U16,
      dutyPercent: U8,
      startRandomMinutes: U8,
      endRandomMinutes: U8,
      criticality: U8,
      periodMinutes: U8,
    },
  },
  { name: "StartCyclingReply", op: 0x0480, least: 1, fields: { responseCode: U8 } },
  {
    name: "TerminateCycling",
    op: 0x0401,
    least: 1,
    fields: { eventId: U32, endRandomMinutes: U8 },
  },
  { name: "TerminateCyclingReply", op: 0x0481, least: 1, fields: { responseCode: U8 } },
];

/** Ends the cycling event; 0 = whichever is running. */
export function terminateCycling(eventId: number, endRandomMinutes?: number): CyclingMessage {
  return { family: "intermediate", name: "TerminateCycling", eventId, endRandomMinutes };
}
