import { toHex } from "../base/hex.js";
import { sha256 } from "../base/sha256.js";
import { utf8Encode } from "../base/utf8.js";
import type { Now, RandomPort, StorePort } from "../ports/time.js";

/** Store key: "SALT HASH" of a secret that the owner has chosen himself. */
const chosenKey = "setup.secret";
/** Rounds of hashing of a chosen secret: what a chip does in JavaScript in about a tenth of a second. */
const ROUNDS = 64;
/** A session ends after so long without a request, and at the latest after so long. */
const IDLE_MS = 30 * 60_000;
const LONGEST_MS = 12 * 3_600_000;
const MOST_SESSIONS = 3;
/** After a wrong secret: 1 s, doubled by each further one. */
const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 10 * 60_000;
/** A chosen secret has at least so many characters. */
export const LEAST_SECRET = 10;
const MOST_SECRET = 64;

export interface Session {
  /** The cookie's value. */
  readonly token: string;
  /** What a form of this session has to carry. */
  readonly form: string;
}

interface Kept extends Session {
  readonly sinceMs: number;
  seenMs: number;
}

/**
 * A label's secret as it is compared: as a person types it, without spaces and dashes, and with the letters that
 * Crockford's base 32 leaves out read as the digits that they look like.
 */
export function plainSecret(text: string): string {
  let plain = "";
  for (const letter of text.toUpperCase()) {
    if (letter === " " || letter === "-") continue;
    plain += letter === "O" ? "0" : letter === "I" || letter === "L" ? "1" : letter;
  }
  return plain;
}

function hashOf(salt: string, secret: string): Uint8Array {
  let bytes = sha256(utf8Encode(`${salt}:${secret}`));
  for (let i = 1; i < ROUNDS; i++) bytes = sha256(bytes);
  return bytes;
}

/** In the same time whatever differs. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length && i < b.length; i++) differs |= a[i]! ^ b[i]!;
  return differs === 0;
}

/**
 * Who may use the owner's page: whoever knows the secret on the label, or the one that the owner has chosen in its
 * place. Wrong ones cost ever more time, for everybody, because addresses in a home are cheap; the wait ends with the
 * next right one, with a press of the button or with a restart. Random numbers are the world's: on the device the hardware's generator.
 */
export class Login {
  #sessions: Kept[] = [];
  #failures = 0;
  #nextMs = 0;
  #tokens = 0;

  constructor(
    private readonly random: RandomPort,
    private readonly store: StorePort,
    private readonly labelSecret: string,
  ) {}

  /** Milliseconds until another secret is looked at. */
  waitMs(now: Now): number {
    return Math.max(0, this.#nextMs - now.ms);
  }

  /** Ends the wait after wrong secrets; they are counted on. */
  calm(): void {
    this.#nextMs = 0;
  }

  /** A session where the secret is right; else "wait" or "wrong". */
  enter(secret: string, now: Now): Session | "wait" | "wrong" {
    if (this.waitMs(now) > 0) return "wait";
    if (!this.#isRight(secret)) {
      this.#failures++;
      this.#nextMs = now.ms + Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, this.#failures - 1));
      return "wrong";
    }
    this.#failures = 0;
    const session: Kept = {
      token: this.#token(),
      form: this.#token(),
      sinceMs: now.ms,
      seenMs: now.ms,
    };
    this.#sessions = [...this.#sessions.slice(1 - MOST_SESSIONS), session];
    return session;
  }

  /** The session of a cookie's value. */
  session(token: string, now: Now): Session | undefined {
    this.#sessions = this.#sessions.filter(
      ({ sinceMs, seenMs }) => now.ms < seenMs + IDLE_MS && now.ms < sinceMs + LONGEST_MS,
    );
    const bytes = utf8Encode(token);
    const found = this.#sessions.find((one) => same(utf8Encode(one.token), bytes));
    if (found) found.seenMs = now.ms;
    return found;
  }

  leave(session: Session): void {
    this.#sessions = this.#sessions.filter((one) => one.token !== session.token);
  }

  /** Takes another secret, and ends all sessions. "" = done; else what is wrong with it. */
  choose(secret: string): string {
    if (secret.length < LEAST_SECRET || secret.length > MOST_SECRET)
      return `Choose ${LEAST_SECRET} to ${MOST_SECRET} characters.`;
    const salt = this.#token();
    this.store.set(chosenKey, `${salt} ${toHex(hashOf(salt, secret))}`);
    this.#sessions = [];
    return "";
  }

  #isRight(secret: string): boolean {
    if (secret.length > MOST_SECRET) return false;
    const [salt, hash] = (this.store.get(chosenKey) ?? "").split(" ");
    if (salt !== undefined && hash !== undefined)
      return same(utf8Encode(toHex(hashOf(salt, secret))), utf8Encode(hash));
    const label = plainSecret(this.labelSecret);
    // A module without a secret lets nobody in.
    return label.length >= LEAST_SECRET && same(hashOf("", plainSecret(secret)), hashOf("", label));
  }

  /**
   * 128 bits that nobody can tell beforehand: random words and, because a world may have no better than a generator
   * that was seeded once and whose other numbers can be seen on the network, the secret, by way of a hash.
   */
  #token(): string {
    const words = [0, 1, 2, 3].map(() => this.random.uint32()).join(" ");
    const chosen = this.store.get(chosenKey) ?? "";
    const bytes = sha256(utf8Encode(`${this.labelSecret} ${chosen} ${++this.#tokens} ${words}`));
    return toHex(bytes.subarray(0, 16));
  }
}
