/**
 * The slots of the chip: the C code over a fake of ESP-IDF's OTA data and boot loader, with the power cut at every change of the
 * flash and sanitizers on; and the port that TypeScript makes of it.
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DeviceSlots } from "../../drivers/slots/slots-port.js";
import { SimulatedSlots } from "../../host-sim/runtime/slots.js";
import { verifySignature } from "../../host-sim/release/verify.js";

const root = resolve(import.meta.dirname, "../..");

describe("the slots of the chip", () => {
  it("survive a power cut at every step", { timeout: 60_000 }, () => {
    const made = spawnSync("make", ["-s", "-C", resolve(root, "drivers/fake-idf"), "slots"], {
      encoding: "utf8",
    });
    expect(made.stderr).toBe("");
    const run = spawnSync(resolve(root, "build/fake-idf/slots-test"), { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.stdout).toMatch(/^slots ok, \d+ power cuts\n$/);
  });
});

/** Natives over the simulated slots, so that the port can be compared with it. */
function natives(slots: SimulatedSlots) {
  const done = (event: ReturnType<SimulatedSlots["carryOut"]>): number =>
    event.ev === "done" && event.ok ? 0 : 258;
  const fill = (into: Uint8Array, event: ReturnType<SimulatedSlots["carryOut"]>): number => {
    if (event.ev === "bytes") into.set(event.bytes);
    return event.ev === "bytes" ? 0 : 258;
  };
  return {
    state: (which: number) => [0, 0, 0, slots.slotBytes, 0][which]!,
    erase: (at: number) => done(slots.carryOut({ do: "erase", id: 1, at })),
    write: (at: number, bytes: Uint8Array) => done(slots.carryOut({ do: "write", id: 1, at, bytes })),
    read: (at: number, into: Uint8Array) =>
      fill(into, slots.carryOut({ do: "read", id: 1, at, length: into.length })),
    hash: (at: number, length: number, into: Uint8Array) =>
      fill(into, slots.carryOut({ do: "hash", id: 1, at, length })),
    boot: () => 0x1503,
    confirm: () => 0,
    rollBack: () => 0,
    verify: (spki: Uint8Array, signature: Uint8Array, text: Uint8Array) =>
      verifySignature(
        Buffer.from(spki).toString("base64"),
        Buffer.from(signature).toString("hex"),
        Buffer.from(text).toString(),
      ),
  };
}

describe("the port of the slots", () => {
  it("does what is asked and answers in order, later", () => {
    const slots = new SimulatedSlots({ board: "bench", version: "1.0.0", slotBytes: 65_536 });
    slots.boot();
    const port = DeviceSlots.open(natives(slots), "1.0.0", "bench")!;
    expect(port.slots).toEqual({
      slot: "a",
      version: "1.0.0",
      board: "bench",
      trial: false,
      other: "empty",
      slotBytes: 65_536,
      securityVersion: 0,
    });
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const text = '{"a":"é"}';
    const signature = sign("sha256", Buffer.from(text), privateKey).toString("hex");
    port.call({ do: "verify", id: 1, key, signature, text });
    port.call({ do: "verify", id: 2, key, signature, text: "other" });
    port.call({ do: "verify", id: 3, key: "no base64!", signature, text });
    port.call({ do: "erase", id: 4, at: 0 });
    port.call({ do: "write", id: 5, at: 0, bytes: new Uint8Array(16).fill(7) });
    port.call({ do: "write", id: 6, at: 3, bytes: new Uint8Array(16) });
    port.call({ do: "read", id: 7, at: 14, length: 4 });
    port.call({ do: "boot", id: 8, image: { version: "1.1.0", board: "bench", length: 16, sha256: "" } });
    expect(port.take()).toEqual([
      { ev: "done", id: 1, ok: true, why: "" },
      { ev: "done", id: 2, ok: false, why: "signature" },
      { ev: "done", id: 3, ok: false, why: "signature" },
      { ev: "done", id: 4, ok: true, why: "" },
      { ev: "done", id: 5, ok: true, why: "" },
      { ev: "done", id: 6, ok: false, why: "flash-258" },
      { ev: "bytes", id: 7, bytes: Uint8Array.of(7, 7, 255, 255) },
      { ev: "done", id: 8, ok: false, why: "invalid" },
    ]);
    expect(port.take()).toEqual([]);
  });

  it("is none where the partition table has no two slots", () => {
    const none = {
      ...natives(new SimulatedSlots({ board: "b", version: "1.0.0", slotBytes: 8192 })),
      state: () => -1,
    };
    expect(DeviceSlots.open(none, "1.0.0", "bench")).toBeUndefined();
  });
});
