import { sha256 } from "../base/sha256.js";
import { utf8Decode, utf8Encode } from "../base/utf8.js";
import type { Now } from "../ports/time.js";
import { ByteWriter, packUtc, take, unpackUtc } from "./bytes.js";
import type { FlashLog } from "./flash-log.js";

/** What the security log knows (requirements 1.4 X-06, 1.6 K-07 and K-08). The order is kept in flash: append only. */
export const SECURITY_CODES = [
  "start",
  "stop",
  "power-cycle",
  "user-reset",
  "factory-reset",
  "setup",
  "update-accepted",
  "update-refused",
  "update-installed",
  "update-rolled-back",
  "certificate-refused",
  "login-failed",
  "removed-from-socket",
  "tampering",
  /** A password, a certificate or another means of security was changed. */
  "security-setup",
  /** By order from afar. */
  "reset",
  /** A server refuses the module's password. */
  "login-refused",
  /** A server sends what is no message. */
  "messages-invalid",
  /** A certificate for the module that does not fit its key. */
  "own-certificate-refused",
  "clock-set",
  "memory-short",
] as const;
export type SecurityCode = (typeof SECURITY_CODES)[number];

export interface SecurityEntry {
  readonly utcMs: number | undefined;
  readonly code: SecurityCode | "unknown";
  readonly text: string;
  /** The chain's value after this entry, hexadecimal. */
  readonly chain: string;
}

const CHAIN_BYTES = 16;
const HEAD_BYTES = 5;
/** Longer texts are cut. */
const MOST_TEXT_BYTES = 64;

/**
 * The security log. Every entry carries the first 16 bytes of SHA-256 over the previous entry's value and its own
 * content: taking out, changing or slipping in an entry breaks the chain from there on. Whoever has read the newest
 * value once can tell later that what he read is still there. (Who can write the flash freely can also make a new
 * chain; against him helps only that somebody else remembers the value.)
 */
export class SecurityLog {
  private chain = new Uint8Array(CHAIN_BYTES);

  constructor(private readonly log: FlashLog) {
    for (const { payload } of log.records()) this.chain = chainOf(payload);
  }

  /** The newest value of the chain, hexadecimal. */
  get head(): string {
    return hex(this.chain);
  }

  add(code: SecurityCode, text: string, now: Now): void {
    const bytes = utf8Encode(text).subarray(0, MOST_TEXT_BYTES);
    const content = new ByteWriter(HEAD_BYTES + bytes.length)
      .put(packUtc(now.utcMs), 4)
      .put(SECURITY_CODES.indexOf(code), 1)
      .putBytes(bytes)
      .done();
    this.chain = linkOf(this.chain, content);
    this.log.append(
      1,
      new ByteWriter(CHAIN_BYTES + content.length).putBytes(this.chain).putBytes(content).done(),
    );
  }

  /** Oldest first. */
  *entries(): Generator<SecurityEntry> {
    for (const { payload } of this.log.records()) {
      yield {
        utcMs: unpackUtc(take(payload, CHAIN_BYTES, 4)),
        code: SECURITY_CODES[take(payload, CHAIN_BYTES + 4, 1)] ?? "unknown",
        text: textOf(payload),
        chain: hex(chainOf(payload)),
      };
    }
  }

  /** True where the chain is broken and no entry after the break says so yet. */
  get brokenUntold(): boolean {
    let before: Uint8Array | undefined;
    let untold = false;
    for (const { payload } of this.log.records()) {
      if (before !== undefined && !follows(before, payload)) untold = true;
      else if (take(payload, CHAIN_BYTES + 4, 1) === SECURITY_CODES.indexOf("tampering")) untold = false;
      before = chainOf(payload);
    }
    return untold;
  }

  /**
   * The index of the first entry that does not follow from the one before it, or −1 where all do. The oldest
   * entry is taken as it is: what came before it has been dropped.
   */
  firstBroken(): number {
    let before: Uint8Array | undefined;
    let index = 0;
    for (const { payload } of this.log.records()) {
      if (before !== undefined && !follows(before, payload)) return index;
      before = chainOf(payload);
      index++;
    }
    return -1;
  }
}

function linkOf(before: Uint8Array, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(before.length + content.length);
  all.set(before);
  all.set(content, before.length);
  return new Uint8Array(sha256(all).subarray(0, CHAIN_BYTES));
}

function follows(before: Uint8Array, payload: Uint8Array): boolean {
  return hex(linkOf(before, payload.subarray(CHAIN_BYTES))) === hex(chainOf(payload));
}

function chainOf(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(payload.subarray(0, CHAIN_BYTES));
}

/** The text, without a last letter that was cut in two. */
function textOf(payload: Uint8Array): string {
  const from = CHAIN_BYTES + HEAD_BYTES;
  for (let end = payload.length; end >= from && end > payload.length - 4; end--) {
    const text = utf8Decode(payload, from, end);
    if (text !== undefined) return text;
  }
  return "";
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
