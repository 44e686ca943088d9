/**
 * The secret on a module's label: 80 random bits in Crockford's base 32 (no I, L, O, U), in four groups of four, and a
 * check character (modulo 37) as the last, so that a slip of the finger is told from a wrong secret.
 */
import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Of the check character alone: values 32 to 36. */
const CHECK = `${ALPHABET}*~$=U`;
const CHARACTERS = 16;

function checkOf(plain: string): string {
  let rest = 0;
  for (const letter of plain) rest = (rest * 32 + ALPHABET.indexOf(letter)) % 37;
  return CHECK[rest]!;
}

/** A new secret, such as `7KQ2-M9XV-4T8B-D3NH-P`. */
export function newSecret(random: (bytes: number) => Uint8Array = randomBytes): string {
  const bytes = random((CHARACTERS * 5) / 8);
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let plain = "";
  for (let i = 0; i < CHARACTERS; i++, bits >>= 5n) plain = ALPHABET[Number(bits & 31n)]! + plain;
  return `${plain.match(/.{4}/g)!.join("-")}-${checkOf(plain)}`;
}

/** True where the check character fits: typed as a person types it. */
export function isSecret(typed: string): boolean {
  const plain = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  const body = plain.slice(0, CHARACTERS);
  if (plain.length !== CHARACTERS + 1) return false;
  for (const letter of body) if (!ALPHABET.includes(letter)) return false;
  return checkOf(body) === plain[CHARACTERS];
}
