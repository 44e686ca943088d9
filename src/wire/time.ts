/** UTC time (section 5.4). Get and set share an opcode; the length tells them apart. */
import { EPOCH_2000_MS } from "../base/iso8601.js";
import type { TimeMessage, UtcTime } from "./intermediate-message.js";
import { type GroupOf, I8, type LayoutOf, U32, U8 } from "./layout.js";

const time: GroupOf<UtcTime> = {
  least: 3,
  fields: { utcSeconds: U32, offsetQuarters: I8, dstQuarters: U8 },
};

export const timeLayouts: readonly LayoutOf<TimeMessage>[] = [
  { name: "GetTime", op: 0x0200, least: 0, fields: {} },
  { name: "SetTime", op: 0x0200, least: 1, fields: { time } },
  { name: "TimeReply", op: 0x0280, least: 1, fields: { responseCode: U8, time } },
];

/** UTC milliseconds since 1970 of seconds since 2000. */
export function utcMsOf(seconds: number): number {
  return EPOCH_2000_MS + seconds * 1000;
}

/** Seconds since 2000 of UTC milliseconds since 1970, whole; 0 before 2000, and the most at its end in 2136. */
export function secondsSince2000(utcMs: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.floor((utcMs - EPOCH_2000_MS) / 1000)));
}

export function getTime(): TimeMessage {
  return { family: "intermediate", name: "GetTime" };
}

export function setTime(time: UtcTime): TimeMessage {
  return { family: "intermediate", name: "SetTime", time };
}

/** The answer to a set (no `time`) or to a get. */
export function timeReply(responseCode: number, time?: UtcTime): TimeMessage {
  return { family: "intermediate", name: "TimeReply", responseCode, time };
}
