import { fromHex, toHex } from "./base/hex.js";
import type { NetworkEvent, NetworkPort } from "./ports/network.js";

/** A {@link NetworkEvent} with bytes as hex. */
export type NetworkInput =
  | Exclude<NetworkEvent, { readonly ev: "time" }>
  | { readonly ev: "time"; readonly id: number; readonly hex: string };

/** A call of the network port (src/ports/network.ts) as data. */
export type NetworkCall =
  | { readonly do: "connect" | "disconnect" | "reinit" }
  | { readonly do: "ask-time"; readonly id: number; readonly server: string; readonly hex: string }
  | { readonly do: "clock"; readonly utcMs: number };

/** The port of a module whose world is another machine: every call goes through `put`. */
export function bridgedNetwork(put: (call: NetworkCall) => void): NetworkPort {
  return {
    connect: () => put({ do: "connect" }),
    disconnect: () => put({ do: "disconnect" }),
    reinit: () => put({ do: "reinit" }),
    askTime: (id, server, bytes) => put({ do: "ask-time", id, server, hex: toHex(bytes) }),
    setClock: (utcMs) => put({ do: "clock", utcMs }),
  };
}

export function networkEvent(input: NetworkInput): NetworkEvent {
  return input.ev === "time"
    ? { ev: "time", id: input.id, bytes: fromHex(input.hex) ?? new Uint8Array(0) }
    : input;
}
