/**
 * The two slots of the module's program flash on this computer, and the boot loader's part of an update: what is new
 * boots once, on trial, and any reset before it is confirmed goes back to the other slot. As on the chip, a slot is
 * NOR flash (erasing sets ones, programming lets bits fall), and the boot loader's record is switched by one write.
 * With a folder everything is on disk when a call returns, so that a process that is killed leaves what a power cut
 * leaves.
 */
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BootImage, OtherSlot, SlotState, UpdateCall, UpdateEvent } from "../../src/ports/update.js";
import { verifySignature } from "../release/verify.js";
import { writeWhole } from "./write-whole.js";

type SlotName = "a" | "b";
/** As ESP-IDF has it in otadata: `new` boots next, on trial; `pending` has booted and is not confirmed. */
type ImageState = "empty" | "written" | "new" | "pending" | "valid" | "aborted" | "invalid";

interface Slot {
  state: ImageState;
  version: string;
  length: number;
  sha256: string;
}

/** The boot loader's record. */
interface BootRecord {
  boots: SlotName;
  securityVersion: number;
  slots: Record<SlotName, Slot>;
}

export interface SlotOptions {
  readonly board: string;
  /** Of the image that a new device has. */
  readonly version: string;
  /** Room in a slot, bytes; default 2 MB less 64 KB, as in the partition tables of boards/. */
  readonly slotBytes?: number;
  /** The one-way counter in the fuses of a new device; default 0. */
  readonly securityVersion?: number;
  /** Kept here; without it, in RAM. */
  readonly folder?: string;
  /** Called before every step that changes anything; to throw there is a power cut. */
  readonly step?: (what: string) => void;
}

export const SLOT_BYTES = 0x1f_0000;
const SECTOR = 4096;

const other = (slot: SlotName): SlotName => (slot === "a" ? "b" : "a");

export class SimulatedSlots {
  readonly board: string;
  readonly slotBytes: number;
  readonly #options: SlotOptions;
  readonly #images: Record<SlotName, Buffer>;
  readonly #files: Partial<Record<SlotName, number>> = {};
  #record: BootRecord;
  #running: SlotName = "a";
  #trial = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.board = options.board;
    this.slotBytes = options.slotBytes ?? SLOT_BYTES;
    this.#images = { a: this.#open("a"), b: this.#open("b") };
    const none = { state: "empty" as const, version: "", length: 0, sha256: "" };
    this.#record = this.#read() ?? {
      ...{ boots: "a", securityVersion: options.securityVersion ?? 0 },
      slots: { a: { ...none, state: "valid", version: options.version }, b: none },
    };
  }

  #open(slot: SlotName): Buffer {
    const image = Buffer.alloc(this.slotBytes, 0xff);
    const { folder } = this.#options;
    if (folder === undefined) return image;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `slot-${slot}.bin`);
    closeSync(openSync(path, "a", 0o600));
    const file = openSync(path, "r+");
    const there = readSync(file, image, 0, image.length, 0);
    ftruncateSync(file, image.length);
    if (there < image.length) writeSync(file, image, there, image.length - there, there);
    this.#files[slot] = file;
    return image;
  }

  #read(): BootRecord | undefined {
    const { folder } = this.#options;
    if (folder === undefined) return undefined;
    try {
      return JSON.parse(readFileSync(join(folder, "boot.json"), "utf8")) as BootRecord;
    } catch {
      return undefined;
    }
  }

  /** One write, whole or not at all, as the boot loader's two records with their counters and checksums. */
  #switch(what: string, change: (record: BootRecord) => void): void {
    const next = structuredClone(this.#record);
    change(next);
    this.#options.step?.(`${what}: before`);
    const { folder } = this.#options;
    if (folder !== undefined) {
      // To the disk before it is told: what boots is asked of nothing else.
      writeWhole(join(folder, "boot.json"), JSON.stringify(next), 0o600);
    }
    this.#record = next;
    this.#options.step?.(`${what}: after`);
  }

  /** What the boot loader does at every reset. */
  boot(): SlotState {
    const { boots, slots } = this.#record;
    const state = slots[boots].state;
    if (state === "pending")
      // It was on trial and nobody has confirmed it: back.
      this.#switch("boot", (record) => {
        record.slots[boots].state = "aborted";
        record.boots = other(boots);
      });
    else if (state === "new") {
      const good = this.#imageFault(boots, slots[boots]) === "";
      this.#switch("boot", (record) => {
        record.slots[boots].state = good ? "pending" : "invalid";
        if (!good) record.boots = other(boots);
      });
    }
    this.#running = this.#record.boots;
    this.#trial = this.#record.slots[this.#running].state === "pending";
    return this.state;
  }

  get state(): SlotState {
    const { slots, securityVersion } = this.#record;
    const there = slots[other(this.#running)].state;
    return {
      ...{
        slot: this.#running,
        version: slots[this.#running].version,
        board: this.board,
        trial: this.#trial,
      },
      other: there === "new" || there === "pending" ? "written" : (there satisfies OtherSlot),
      ...{ slotBytes: this.slotBytes, securityVersion },
    };
  }

  /** Both slots as the boot loader's record has them. */
  get slots(): readonly {
    readonly slot: SlotName;
    readonly state: ImageState;
    readonly version: string;
    readonly runs: boolean;
  }[] {
    return (["a", "b"] as const).map((slot) => {
      const { state, version } = this.#record.slots[slot];
      return { slot, state, version, runs: slot === this.#running };
    });
  }

  /** Does what is asked, and answers. */
  carryOut(call: UpdateCall): UpdateEvent {
    const { id } = call;
    const target = other(this.#running);
    const done = (why = ""): UpdateEvent => ({ ev: "done", id, ok: why === "", why });
    switch (call.do) {
      case "verify":
        return done(verifySignature(call.key, call.signature, call.text) ? "" : "signature");
      case "erase":
        if (call.at % SECTOR !== 0 || call.at < 0 || call.at >= this.slotBytes) return done("range");
        this.#options.step?.(`erase ${call.at}`);
        this.#spoil(target);
        this.#images[target].fill(0xff, call.at, call.at + SECTOR);
        this.#write(target, call.at, SECTOR);
        return done();
      case "write": {
        const { at, bytes } = call;
        if (at % 16 !== 0 || bytes.length % 16 !== 0 || at + bytes.length > this.slotBytes)
          return done("range");
        this.#options.step?.(`write ${at}`);
        for (let i = 0; i < bytes.length; i++) this.#images[target][at + i]! &= bytes[i]!;
        this.#write(target, at, bytes.length);
        return done();
      }
      case "hash":
        return { ev: "bytes", id, bytes: this.#hash(target, call.at, call.length) };
      case "read":
        return {
          ev: "bytes",
          id,
          bytes: new Uint8Array(this.#images[target].subarray(call.at, call.at + call.length)),
        };
      case "boot": {
        const why = this.#imageFault(target, { ...call.image, state: "new" });
        if (why !== "") return done(why);
        this.#switch("set boot", (record) => {
          const { version, length, sha256 } = call.image;
          record.slots[target] = { state: "new", version, length, sha256 };
          record.boots = target;
        });
        return done();
      }
      case "confirm":
        this.#switch("confirm", (record) => {
          record.slots[this.#running].state = "valid";
        });
        this.#trial = false;
        return done();
      case "roll-back":
        this.#switch("roll back", (record) => {
          record.slots[this.#running].state = "aborted";
          record.boots = target;
        });
        return done();
    }
  }

  /** What is written over is an image no more. */
  #spoil(slot: SlotName): void {
    if (this.#record.slots[slot].state === "written") return;
    this.#switch("spoil", (record) => {
      record.slots[slot] = { state: "written", version: "", length: 0, sha256: "" };
    });
  }

  #imageFault(slot: SlotName, image: Pick<BootImage, "length" | "sha256"> & { state: string }): string {
    if (image.length > this.slotBytes) return "range";
    return Buffer.from(this.#hash(slot, 0, image.length)).toString("hex") === image.sha256 ? "" : "invalid";
  }

  #hash(slot: SlotName, at: number, length: number): Uint8Array {
    return new Uint8Array(
      createHash("sha256")
        .update(this.#images[slot].subarray(at, at + length))
        .digest(),
    );
  }

  #write(slot: SlotName, at: number, count: number): void {
    const file = this.#files[slot];
    if (file !== undefined) writeSync(file, this.#images[slot], at, count, at);
  }

  close(): void {
    for (const file of Object.values(this.#files)) closeSync(file);
  }
}
