import { fault, type Fault } from "../base/fault.js";
import type { StorePort } from "../ports/time.js";
import type { VtnMessage } from "./messages.js";

/** What the server knows us by. Kept over restarts, so that a restart re-registers and does not enrol anew. */
export interface Registration {
  readonly venId: string;
  readonly registrationId: string;
  readonly vtnId: string;
}

export function unregistered(venId: string | undefined): Registration {
  return { venId: venId ?? "", registrationId: "", vtnId: "" };
}

/** The kept registration; that of another address or a damaged one counts as none. */
export function loadRegistration(store: StorePort, id: string, base: string): Registration | undefined {
  const parts = (store.get(key(id)) ?? "").split("\n");
  if (parts.length !== 4 || parts[0] !== base || parts[2] === "") return undefined;
  return { venId: parts[1]!, registrationId: parts[2]!, vtnId: parts[3]! };
}

export function saveRegistration(store: StorePort, id: string, base: string, is: Registration): void {
  const parts = [base, is.venId, is.registrationId, is.vtnId];
  const text = parts.map((part) => part.replace(/\n/g, " ")).join("\n");
  if (store.get(key(id)) !== text) store.set(key(id), text);
}

export function forgetRegistration(store: StorePort, id: string): void {
  store.delete(key(id));
}

function key(id: string): string {
  return `openadr2.${id}`;
}

/**
 * What a server says to oadrQueryRegistration: the registration that it remembers, if we have none; a fault
 * where it cannot serve us. A server that does not answer queries is taken as it is.
 */
export function readQuery(message: VtnMessage | undefined, is: Registration): Registration | Fault {
  if (message?.payload !== "oadrCreatedPartyRegistration" || refused(message)) return is;
  const { profiles } = message;
  if (profiles.length > 0 && !profiles.includes("2.0b/simpleHttp")) {
    const text = `The server offers ${profiles.join(", ")}, and this module speaks OpenADR 2.0b over simpleHttp.`;
    return fault("configuration", "openadr2-profile", text);
  }
  if (is.registrationId !== "" || message.registrationId === "" || message.venId === "") return is;
  return { venId: message.venId, registrationId: message.registrationId, vtnId: message.vtnId };
}

/** What a server says to oadrCreatePartyRegistration. `fingerprint` is shown where the server does not know us. */
export function readRegistered(
  message: VtnMessage | undefined,
  is: Registration,
  fingerprint: string,
): Registration | Fault {
  let why: string;
  if (message === undefined) why = "an empty answer";
  else if (message.payload !== "oadrCreatedPartyRegistration" || refused(message)) why = words(message);
  else if (message.registrationId === "") why = "it gives no registrationID";
  else if (message.venId === "" && is.venId === "") why = "it gives no venID";
  else
    return { venId: message.venId || is.venId, registrationId: message.registrationId, vtnId: message.vtnId };
  const hint =
    message?.responseCode === "463" && fingerprint !== ""
      ? ` Give the utility this module's fingerprint: ${fingerprint}.`
      : "";
  return fault(
    "server",
    "openadr2-registration-refused",
    `The server refuses the registration: ${why}.${hint}`,
  );
}

/** The first digit decides: the schema allows any three. */
export function refused(message: VtnMessage | undefined): boolean {
  const code = message?.responseCode ?? "";
  return code !== "" && !code.startsWith("2");
}

/** The server does not know us, or not with this certificate. */
export function isUnknown(message: VtnMessage | undefined): boolean {
  const code = message?.responseCode;
  return code === "463" || code === "452";
}

export function words(message: VtnMessage | undefined): string {
  if (message === undefined) return "an empty answer";
  const { payload, responseCode, responseDescription } = message;
  if (responseCode === "") return `an unexpected ${payload}`;
  return responseDescription === ""
    ? `code ${responseCode}`
    : `${responseDescription} (code ${responseCode})`;
}
