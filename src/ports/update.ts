/**
 * What an update needs of the world: signatures checked by the platform's own cryptography, and the two slots of the
 * program flash. Every call but {@link UpdatePort.slots} is answered by one {@link UpdateEvent} with its id, in order,
 * because the world may be another machine, and because a check of a signature takes a chip tens of milliseconds.
 */

/** How the slot that is not running stands. `aborted`: it was on trial and was left; `invalid`: it is no image. */
export type OtherSlot = "empty" | "written" | "valid" | "aborted" | "invalid";

/** What the boot loader has found; handed over at start, and again with every boot. */
export interface SlotState {
  /** The slot that runs. */
  readonly slot: "a" | "b";
  /** Of the image that runs, e.g. `1.4.0`. */
  readonly version: string;
  readonly board: string;
  /** It runs on trial: unless confirmed, the next reset goes back to the other. */
  readonly trial: boolean;
  readonly other: OtherSlot;
  /** Room in a slot, bytes; a multiple of 4096. */
  readonly slotBytes: number;
  /** The one-way counter in eFuses; images with a lower security version do not boot. 0 where there is none. */
  readonly securityVersion: number;
}

/** The image that is to boot, as its signed metadata describe it; the world checks it once more. */
export interface BootImage {
  readonly version: string;
  readonly board: string;
  readonly length: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export type UpdateCall =
  /**
   * ECDSA P-256 over SHA-256 of `text` in UTF-8. `key`: the subject public key info in base64; `signature`: DER in hex.
   */
  | {
      readonly do: "verify";
      readonly id: number;
      readonly key: string;
      readonly signature: string;
      readonly text: string;
    }
  /** Erases 4096 bytes of the other slot at a multiple of 4096; asked for on a quiet line alone. */
  | { readonly do: "erase"; readonly id: number; readonly at: number }
  /** Programs bytes of the other slot; `at` and the length are multiples of 16 (encrypted flash wants that). */
  | { readonly do: "write"; readonly id: number; readonly at: number; readonly bytes: Uint8Array }
  /** SHA-256 of a part of the other slot. */
  | { readonly do: "hash"; readonly id: number; readonly at: number; readonly length: number }
  /** A few bytes of the other slot; `raw`: as they lie in the flash, where what is erased is FF though it is encrypted. */
  | {
      readonly do: "read";
      readonly id: number;
      readonly at: number;
      readonly length: number;
      readonly raw?: boolean;
    }
  /** Checks the image in the other slot and has it boot next, on trial. The restart is asked for apart. */
  | { readonly do: "boot"; readonly id: number; readonly image: BootImage }
  /** The image that runs stays. Where it carries a higher security version, that is burnt now. */
  | { readonly do: "confirm"; readonly id: number }
  /** Gives up the image that runs on trial and restarts into the other. */
  | { readonly do: "roll-back"; readonly id: number };

export type UpdateEvent =
  /** Done, or not: `why` is a stable code, `""` where it was done. For `verify`, `ok` is the verdict. */
  | { readonly ev: "done"; readonly id: number; readonly ok: boolean; readonly why: string }
  | { readonly ev: "bytes"; readonly id: number; readonly bytes: Uint8Array };

export interface UpdatePort {
  readonly slots: SlotState;
  call(call: UpdateCall): void;
}
