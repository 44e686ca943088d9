/**
 * The journal in flash through a power cut, in the device's engine: the module behind its own machine, the flash bridged
 * (src/bridged-flash.ts). The 32-bit machine has the chip's heap and a little for the copy of the flash, which the chip reads
 * in place.
 */
import { expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { xsHostEngine } from "../../host-sim/runtime/xs-engine.js";
import { xsHostMissing } from "../../host-sim/runtime/xs-host.js";
import { qemuMissing } from "../../host-sim/runtime/qemu.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { countedEngine } from "../support/counted-engine.js";
import { describeWith } from "../support/needs.js";

async function powerCut(start: () => Promise<Engine>): Promise<void> {
  const engines: Engine[] = [await start()];
  const step: Engine["step"] = (batch) => engines.at(-1)!.step(batch);
  const bench = new VirtualBench({
    engine: { name: "restarted", step, close: () => undefined },
    flash: FileFlash.blank(),
    vtn: { pollSeconds: 10 },
    config: { polling: { stateSeconds: 30, commoditySeconds: 30 } },
  });
  const amperes = (): number => bench.sgd.state().currentA;
  try {
    bench.sgd.plug();
    await bench.until("32 A", () => amperes() > 31.9, 120_000);
    bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: 1800 },
      { utcMs: bench.utcMs },
    );
    await bench.until("16 A", () => Math.abs(amperes() - 16) < 0.2, 120_000);
    await bench.run(60_000); // what is written lazily is written
    await bench.darkness(30_000);
    await engines.at(-1)!.close();
    engines.push(await start()); // nothing of the machine survives but its flash
    bench.boot("power");
    await bench.until("online again", () => bench.last("upstream")?.state === "online", 120_000);
    await bench.run(30_000);
    expect(amperes()).toBeCloseTo(16, 0); // the event is still in force
    const page = await bench.ask(
      { k: "journal", what: "events", role: "owner", format: "json", from: 0 },
      "journal",
    );
    expect(page.why).toBe("");
    expect(page.lines.join("\n")).toMatch(/shed/i); // from before the cut
    await bench.until("32 A after the event", () => amperes() > 31.9, 2_400_000);
  } finally {
    await engines.at(-1)!.close();
  }
}

describeWith(xsHostMissing(), "a power cut in the 32-bit XS machine", () => {
  it("the event holds and the journal is whole afterwards", async () => {
    await powerCut(() => xsHostEngine());
  }, 600_000);
});

describeWith(qemuMissing(), "a power cut on the emulated microcontroller", () => {
  it("the event holds and the journal is whole afterwards", async () => {
    await powerCut(() => countedEngine());
  }, 600_000);
});
