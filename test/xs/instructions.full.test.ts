/** What the firmware costs in instructions grows by no more than 10 % unseen: `npm run measure -- instructions` accepts more. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { qemuMissing } from "../../host-sim/runtime/qemu.js";
import { instructionCounts, type InstructionCounts } from "../support/instruction-counts.js";
import { describeWith } from "../support/needs.js";

const kept = JSON.parse(
  readFileSync(new URL("instructions.json", import.meta.url), "utf8"),
) as InstructionCounts;

describeWith(qemuMissing(), "instructions on the emulated microcontroller", () => {
  let counts: InstructionCounts;
  beforeAll(async () => void (counts = await instructionCounts()), 600_000);

  it.each(Object.keys(kept) as (keyof InstructionCounts)[])("%s", (name) => {
    expect(counts[name]).toBeGreaterThan(0);
    expect(counts[name]).toBeLessThanOrEqual(kept[name] * 1.1);
  });

  it("a byte in the interrupt handler stays within its aim", () => {
    expect(counts.handlerByte).toBeLessThanOrEqual(100);
  });
});
