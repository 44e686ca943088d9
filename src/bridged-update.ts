/** The update port of a module that runs behind one function (runtime.ts): calls and answers as JSON. */
import { fromHex, toHex } from "./base/hex.js";
import type { SlotState, UpdateCall, UpdateEvent, UpdatePort } from "./ports/update.js";

/** An {@link UpdateCall} with bytes as hex. */
export type PlainUpdateCall =
  | Exclude<UpdateCall, { readonly do: "write" }>
  | { readonly do: "write"; readonly id: number; readonly at: number; readonly hex: string };

/** An {@link UpdateEvent} with bytes as hex. */
export type PlainUpdateEvent =
  | Extract<UpdateEvent, { readonly ev: "done" }>
  | { readonly ev: "bytes"; readonly id: number; readonly hex: string };

export class BridgedUpdate implements UpdatePort {
  constructor(
    readonly slots: SlotState,
    private readonly out: { put(output: { readonly k: "slot"; readonly call: PlainUpdateCall }): void },
  ) {}

  call(call: UpdateCall): void {
    if (call.do === "write") {
      const { id, at, bytes } = call;
      this.out.put({ k: "slot", call: { do: "write", id, at, hex: toHex(bytes) } });
    } else this.out.put({ k: "slot", call });
  }
}

export function updateEvent(event: PlainUpdateEvent): UpdateEvent {
  if (event.ev === "done") return event;
  return { ev: "bytes", id: event.id, bytes: fromHex(event.hex) ?? new Uint8Array(0) };
}
