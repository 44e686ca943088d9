import type { RandomPort } from "../ports/time.js";

/**
 * Simple network time protocol, version 4 (RFC 5905 section 14), the client's side: 48 bytes out, 48 bytes in.
 * Nothing here is authenticated; what guards against a forged answer is the nonce in the transmit time stamp
 * (RFC 9109 asks for random ports for the same reason) and the bounds of {@link TimeKeeper}.
 */
export const SNTP_BYTES = 48;

/** Seconds from the NTP era 0 (1900) to 1970. */
const UNIX_SECONDS = 2_208_988_800;
/** Dates before 1968-01-20 cannot be meant: a smaller number belongs to era 1 (2036 …). RFC 4330 section 3. */
const ERA_BIT = 0x8000_0000;
/** Root delay and dispersion beyond a second: a server that does not know the time either. */
const MOST_ROOT_MS = 1000;

/** A request that was sent. */
export interface SntpRequest {
  readonly bytes: Uint8Array;
  /** What the server must give back as origin: 8 random bytes. */
  readonly nonce: Uint8Array;
  readonly sentMs: number;
}

export type SntpAnswer =
  /** UTC at the moment when the answer came in, and how wrong it may be: half of the way there and back. */
  | { readonly ok: true; readonly utcMs: number; readonly errorMs: number }
  /** `code` as the server or the check has it; `stop`: this server asked not to be asked so soon again. */
  | { readonly ok: false; readonly code: string; readonly stop: boolean };

/** A request. The transmit time is random: it is a nonce, and tells nobody what our clock says. */
export function sntpRequest(random: RandomPort, nowMs: number): SntpRequest {
  const bytes = new Uint8Array(SNTP_BYTES);
  bytes[0] = (4 << 3) | 3;
  const view = new DataView(bytes.buffer);
  view.setUint32(40, random.uint32());
  view.setUint32(44, random.uint32());
  return { bytes, nonce: bytes.slice(40), sentMs: nowMs };
}

/** UTC in ms of the 64-bit time stamp at `at`; 0 where it is blank. */
function stamp(view: DataView, at: number): number {
  const seconds = view.getUint32(at);
  const fraction = view.getUint32(at + 4);
  if (seconds === 0 && fraction === 0) return 0;
  const era = seconds >= ERA_BIT ? 0 : 0x1_0000_0000;
  return (seconds + era - UNIX_SECONDS) * 1000 + Math.floor((fraction * 1000) / 0x1_0000_0000);
}

function shortMs(view: DataView, at: number): number {
  return (view.getUint32(at) * 1000) / 0x1_0000;
}

function refused(code: string, stop = false): SntpAnswer {
  return { ok: false, code, stop };
}

/** Reads an answer that came in at `nowMs`. Faults: `length`, `mode`, `origin`, `unsynchronised`, `root`, `blank`, or a kiss code. */
export function readSntp(bytes: Uint8Array, request: SntpRequest, nowMs: number): SntpAnswer {
  if (bytes.length < SNTP_BYTES) return refused("length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = bytes[0]!;
  if ((head & 7) !== 4) return refused("mode");
  for (let i = 0; i < 8; i++) if (bytes[24 + i] !== request.nonce[i]) return refused("origin");
  const stratum = bytes[1]!;
  if (stratum === 0) {
    const kiss = String.fromCharCode(...bytes.subarray(12, 16)).replace(/[^A-Z]/g, "");
    return refused(kiss === "" ? "kiss" : kiss, true);
  }
  if (stratum > 15 || head >> 6 === 3) return refused("unsynchronised");
  if (shortMs(view, 4) > MOST_ROOT_MS || shortMs(view, 8) > MOST_ROOT_MS) return refused("root");
  const received = stamp(view, 32);
  const sent = stamp(view, 40);
  if (sent === 0) return refused("blank");
  const roundMs = Math.max(0, nowMs - request.sentMs);
  // What the server took does not belong to the way; a server that says nonsense about it is taken at its sending.
  const server = received > 0 && sent >= received && sent - received <= roundMs ? sent - received : 0;
  const wayMs = (roundMs - server) / 2;
  return { ok: true, utcMs: Math.round(sent + wayMs), errorMs: Math.ceil(wayMs) };
}
