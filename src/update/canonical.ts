import { fault, type Fault } from "../base/fault.js";
import { isShallowJson } from "../base/json.js";

/** A JSON object as it was parsed. */
export type Plain = Readonly<Record<string, unknown>>;

/** Parses JSON text of bounded depth that is an object. */
export function parsePlain(text: string, what: string): Plain | Fault {
  const wrong = fault("server", "tuf-malformed", `${what} is no JSON object.`);
  if (!isShallowJson(text)) return wrong;
  try {
    const value: unknown = JSON.parse(text);
    return isPlain(value) ? value : wrong;
  } catch {
    return wrong;
  }
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Canonical JSON as The Update Framework signs it (OLPC: keys sorted, no white space, only `"` and `\` escaped, integers
 * alone). Undefined for a value that has no such form, e.g. a fraction.
 */
export function canonicalJson(value: unknown): string | undefined {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean" || value === null) return String(value);
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? String(Object.is(value, -0) ? 0 : value) : undefined;
  if (Array.isArray(value)) {
    let text = "[";
    for (let i = 0; i < value.length; i++) {
      const part = canonicalJson(value[i]);
      if (part === undefined) return undefined;
      text += i > 0 ? `,${part}` : part;
    }
    return `${text}]`;
  }
  if (!isPlain(value)) return undefined;
  let text = "{";
  for (const key of Object.keys(value).sort()) {
    const part = canonicalJson(value[key]);
    if (part === undefined) return undefined;
    text += `${text.length > 1 ? "," : ""}${quoted(key)}:${part}`;
  }
  return `${text}}`;
}

function quoted(text: string): string {
  if (!text.includes("\\") && !text.includes('"')) return `"${text}"`;
  let out = '"';
  for (const one of text) out += one === "\\" || one === '"' ? `\\${one}` : one;
  return `${out}"`;
}
