import type { StorePort } from "../ports/time.js";

/** What the server knows us by. Kept over restarts, so that a restart re-registers and does not enrol anew. */
export interface Registration {
  readonly venId: string;
  readonly registrationId: string;
  readonly vtnId: string;
}

export const UNREGISTERED: Registration = { venId: "", registrationId: "", vtnId: "" };

/** The kept registration; that of another address or a damaged one counts as none. */
export function loadRegistration(store: StorePort, id: string, base: string): Registration {
  const parts = (store.get(key(id)) ?? "").split("\n");
  if (parts.length !== 4 || parts[0] !== base) return UNREGISTERED;
  return { venId: parts[1]!, registrationId: parts[2]!, vtnId: parts[3]! };
}

export function saveRegistration(store: StorePort, id: string, base: string, is: Registration): void {
  const text = [base, is.venId, is.registrationId, is.vtnId]
    .map((part) => part.replace(/\n/g, " "))
    .join("\n");
  if (store.get(key(id)) !== text) store.set(key(id), text);
}

export function forgetRegistration(store: StorePort, id: string): void {
  store.delete(key(id));
}

function key(id: string): string {
  return `openadr2.${id}`;
}
