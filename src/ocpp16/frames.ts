/** OCPP-J frames (OCPP-J 1.6, 4.2): `[2,id,action,payload]`, `[3,id,payload]`, `[4,id,code,text,details]`. */
import { isShallowJson } from "../base/json.js";

/** Longest message that is read, characters: a certificate chain of 10,000 and its frame. */
export const MAX_TEXT = 16_384;
const MAX_ID = 36;

/** Codes of CALLERROR as OCPP-J 1.6 writes them, misspelling included. */
export type CallErrorCode =
  | "NotImplemented"
  | "NotSupported"
  | "InternalError"
  | "ProtocolError"
  | "SecurityError"
  | "FormationViolation"
  | "PropertyConstraintViolation"
  | "OccurenceConstraintViolation"
  | "TypeConstraintViolation"
  | "GenericError";

export type Json = Readonly<Record<string, unknown>>;

export type Frame =
  | { readonly is: "call"; readonly id: string; readonly action: string; readonly payload: Json }
  | { readonly is: "result"; readonly id: string; readonly payload: Json }
  | { readonly is: "error"; readonly id: string; readonly code: string; readonly text: string }
  /** A message type of later versions, or empty: to be ignored. */
  | { readonly is: "ignored" }
  /** A call that can be answered, but not read. */
  | { readonly is: "bad-call"; readonly id: string; readonly code: CallErrorCode; readonly text: string }
  /** Nothing to be made of it: the connection is ended with this code (RFC 6455 7.4.1). */
  | { readonly is: "garbage"; readonly close: 1002 | 1007 | 1009; readonly text: string };

/** Reads a frame; never throws. */
export function parseFrame(text: string): Frame {
  if (text === "") return { is: "ignored" };
  if (text.length > MAX_TEXT) return garbage(1009, "message too big");
  if (!isShallowJson(text)) return garbage(1007, "nested too deeply");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return garbage(1007, "not JSON");
  }
  if (!Array.isArray(value) || typeof value[0] !== "number") return garbage(1002, "no OCPP-J message");
  const [type, id, third, fourth] = value as [number, unknown, unknown, unknown];
  if (type !== 2 && type !== 3 && type !== 4) return { is: "ignored" };
  if (typeof id !== "string" || id === "" || id.length > MAX_ID) return garbage(1002, "no message id");
  if (type === 2) {
    if (typeof third !== "string" || third === "" || third.length > 50)
      return { is: "bad-call", id, code: "FormationViolation", text: "the action must be a text" };
    if (!isObject(fourth))
      return { is: "bad-call", id, code: "FormationViolation", text: "the payload must be an object" };
    return { is: "call", id, action: third, payload: fourth };
  }
  if (type === 3) {
    return isObject(third)
      ? { is: "result", id, payload: third }
      : { is: "error", id, code: "FormationViolation", text: "the result is no object" };
  }
  return {
    is: "error",
    id,
    code: typeof third === "string" ? third.slice(0, 50) : "GenericError",
    text: typeof fourth === "string" ? fourth.slice(0, 200) : "",
  };
}

function garbage(close: 1002 | 1007 | 1009, text: string): Frame {
  return { is: "garbage", close, text };
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function callText(id: string, action: string, payload: Json): string {
  return JSON.stringify([2, id, action, payload]);
}

export function resultText(id: string, payload: Json): string {
  return JSON.stringify([3, id, payload]);
}

export function errorText(id: string, code: CallErrorCode, text: string): string {
  return JSON.stringify([4, id, code, text, {}]);
}
