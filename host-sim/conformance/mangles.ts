/** Planted faults of broken-peers.ts as mangles: what becomes of what a sound stack says and hears. */
import { isFault } from "../../src/base/fault.js";
import { checkBytes, emitAnswer, emitFrame, parseFrame } from "../../src/wire/frame.js";
import { BasicOp, DataLinkOp, MessageType } from "../../src/wire/message.js";
import { isAnswer } from "../line/framer.js";
import type { Mangle } from "./mangle-line.js";

export const same = (bytes: Uint8Array) => [{ bytes }];

/** Changes frames that leave: same type, another payload; undefined leaves it, null swallows it. */
export function rewrite(
  change: (type: number, payload: Uint8Array) => Uint8Array | undefined | null,
): Mangle {
  return {
    out(bytes, isLinkAnswer) {
      const frame = isLinkAnswer ? undefined : parseFrame(bytes);
      if (frame === undefined || isFault(frame)) return same(bytes);
      const payload = change(frame.type, frame.payload);
      if (payload === null) return [];
      return same(payload === undefined ? bytes : emitFrame(frame.type, payload));
    },
  };
}

/** Changes the link answers that leave; `heard` is the last frame or answer that came in. */
export function answers(change: (code: number, heard: Uint8Array) => number | undefined): Mangle {
  let last = new Uint8Array(0);
  return {
    heard(bytes) {
      last = bytes.slice();
      return {};
    },
    out(bytes, isLinkAnswer) {
      if (!isLinkAnswer) return same(bytes);
      const code = change(bytes[0] === 0x06 ? -1 : bytes[1]!, last);
      return code === undefined ? [] : same(emitAnswer(code));
    },
  };
}

/** A reply of its own: App ACK, App NAK, state, an Intermediate reply, data-link 19. */
export function isReply(type: number, payload: Uint8Array): boolean {
  const [op, arg] = payload;
  if (op === undefined || arg === undefined) return false;
  if (type === MessageType.Basic)
    return op === BasicOp.AppAck || op === BasicOp.AppNak || op === BasicOp.State;
  if (type === MessageType.DataLink) return op === DataLinkOp.MaxPayload;
  return type === MessageType.Intermediate && (arg & 0x80) !== 0;
}

/** Repairs what comes in with wrong check bytes, so that the stack takes it for good. */
export function ignoresChecksum(): Mangle {
  return {
    heard(bytes) {
      const n = bytes.length;
      if (isAnswer(bytes) || n < 6) return {};
      const check = checkBytes(bytes, 0, n - 2);
      const right = bytes.slice();
      right[n - 2] = check >> 8;
      right[n - 1] = check;
      return { bytes: right };
    },
  };
}

/** Deaf for a long time once something has come that was no frame. */
export function neverResynchronises(): Mangle {
  let lostUntilMs = 0;
  return {
    heard(bytes, nowMs) {
      if (nowMs < lostUntilMs) return { bytes: new Uint8Array(0) };
      if (bytes.length > 0 && bytes[0]! >= 0x80) {
        lostUntilMs = nowMs + 5000;
        return { bytes: new Uint8Array(0) };
      }
      return {};
    },
  };
}

/** Says something of its own directly after it has heard a frame's end: 30 ms of silence instead of 100. */
export function ignoresGap(): Mangle {
  let acked = 0;
  return {
    out(bytes, isLinkAnswer) {
      if (!isLinkAnswer || bytes[0] !== 0x06 || ++acked % 4 !== 0) return same(bytes);
      return [{ bytes }, { bytes: emitFrame(MessageType.DataLink, new Uint8Array(0)), afterMs: 30 }];
    },
  };
}

/** Repeats every unacknowledged frame after 60 ms. */
export function impatient(): Mangle {
  let waits: Uint8Array | undefined;
  return {
    heard(bytes) {
      if (isAnswer(bytes)) waits = undefined;
      return {};
    },
    out(bytes, isLinkAnswer) {
      if (isLinkAnswer || waits === bytes) return same(bytes);
      waits = bytes;
      return [{ bytes }, { bytes: bytes.slice(), afterMs: 64 }];
    },
  };
}

/** Link answers count only where they come so long after the end of the peer's own frame. */
export function takesAnswers(fromMs: number, toMs: number): Mangle {
  let sentMs = 0;
  return {
    out(bytes, isLinkAnswer, nowMs) {
      if (!isLinkAnswer) sentMs = nowMs + (bytes.length * 10_000) / 19_200;
      return same(bytes);
    },
    heard(bytes, nowMs) {
      const isTaken = nowMs - sentMs >= fromMs && nowMs - sentMs <= toMs;
      return !isAnswer(bytes) || isTaken ? {} : { bytes: new Uint8Array(0) };
    },
  };
}

/** Says and hears nothing any more for so long once `hits` has said so of something heard. */
export function dies(forMs: number, hits: (bytes: Uint8Array, silentMs: number) => boolean): Mangle {
  let fromMs = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  const isDead = (nowMs: number): boolean => nowMs >= fromMs && nowMs < fromMs + forMs;
  return {
    heard(bytes, nowMs) {
      // Its App ACK still leaves.
      if (fromMs > nowMs + forMs && hits(bytes, nowMs - lastMs)) fromMs = nowMs + 400;
      lastMs = nowMs;
      return isDead(nowMs) ? { bytes: new Uint8Array(0) } : {};
    },
    out: (bytes, _isLinkAnswer, nowMs) => (isDead(nowMs) ? [] : same(bytes)),
  };
}

export function isReboot(bytes: Uint8Array): boolean {
  const frame = parseFrame(bytes);
  return !isFault(frame) && frame.type === MessageType.Basic && frame.payload[0] === BasicOp.Reboot;
}

export function quickAck(afterMs: number): Mangle {
  let sent = false;
  return {
    heard(bytes) {
      const frame = parseFrame(bytes);
      if (isFault(frame) || frame.type !== MessageType.Basic || frame.payload.length > 2) return {};
      sent = true;
      return { say: [{ bytes: emitAnswer(-1), afterMs }] };
    },
    out(bytes, isLinkAnswer) {
      if (!isLinkAnswer || !sent) return same(bytes);
      sent = false;
      return [];
    },
  };
}

export function typeQueryReply(): Mangle {
  let asked = false;
  return {
    heard(bytes) {
      const frame = parseFrame(bytes);
      asked = !isFault(frame) && frame.payload.length === 0;
      return {};
    },
    out(bytes, isLinkAnswer) {
      if (!isLinkAnswer || bytes[0] !== 0x06 || !asked) return same(bytes);
      asked = false;
      return [
        { bytes },
        { bytes: emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.AppAck, 0)), afterMs: 120 },
      ];
    },
  };
}

/** Once a Shed has come, the state told stays curtailed. */
export function forgetsEndShed(): Mangle {
  let stuck = false;
  return {
    heard(bytes) {
      const frame = parseFrame(bytes);
      if (!isFault(frame) && frame.type === MessageType.Basic && frame.payload[0] === BasicOp.Shed)
        stuck = true;
      return {};
    },
    out(bytes) {
      const frame = parseFrame(bytes);
      if (
        isFault(frame) ||
        !stuck ||
        frame.type !== MessageType.Basic ||
        frame.payload[0] !== BasicOp.State
      ) {
        return same(bytes);
      }
      return same(emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.State, 2)));
    },
  };
}

/** A Shed's duration is heard as 02: 8 s. */
export function shortSheds(): Mangle {
  return {
    heard(bytes) {
      const frame = parseFrame(bytes);
      if (isFault(frame) || frame.type !== MessageType.Basic || frame.payload[0] !== BasicOp.Shed) return {};
      return { bytes: emitFrame(MessageType.Basic, Uint8Array.of(BasicOp.Shed, 2)) };
    },
  };
}
