import { once } from "node:events";
import { resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { qemuMissing, startQemu, type QemuOptions } from "../../host-sim/runtime/qemu.js";
import { buildArchive, type XsReply } from "../../host-sim/runtime/xs-host.js";
import { describeWith } from "../support/needs.js";

const fixtures = resolve(import.meta.dirname, "fixtures");

describeWith(qemuMissing(), "emulated rv32 microcontroller", () => {
  const archive = buildArchive(resolve(fixtures, "frame-echo.js"));
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const machine of open.splice(0)) await machine.close();
  });
  const start = async (options: Partial<QemuOptions> = {}) => {
    const outputs: XsReply[] = [];
    const waiting: (() => void)[] = [];
    const machine = await startQemu({
      archive,
      onOutput: (reply) => {
        outputs.push(reply);
        for (const wake of waiting.splice(0)) wake();
      },
      ...options,
    });
    open.push(machine);
    /** The first output with an item of that kind, awaited. */
    const output = async (k: string): Promise<Record<string, number>> => {
      for (;;) {
        for (const reply of outputs) {
          const found = (reply.out as Record<string, unknown>[]).find((item) => item["k"] === k);
          if (found) return found as Record<string, number>;
        }
        await new Promise<void>((wake) => waiting.push(wake));
      }
    };
    return { machine, output, outputs };
  };
  const batch = (...inputs: unknown[]) => ({ nowMs: 0, utcMs: null, in: inputs });

  test("answers batches by its own clock, and keeps UTC from the host", async () => {
    const { machine } = await start();
    const reply = await machine.step({
      nowMs: 77,
      utcMs: 1_700_000_000_000,
      in: [{ k: "x", text: 'a " ] } ü' }],
    });
    const [echo] = reply.out as { nowMs: number; utcMs: number; input: unknown }[];
    expect(echo?.input).toEqual({ k: "x", text: 'a " ] } ü' });
    expect(echo?.nowMs).not.toBe(77);
    expect(echo?.utcMs).toBe(1_700_000_000_000);
    const later = (await machine.step(batch({ k: "x" }))).out as { nowMs: number; utcMs: number }[];
    expect((later[0]?.utcMs ?? 0) - 1_700_000_000_000).toBe((later[0]?.nowMs ?? 0) - (echo?.nowMs ?? 0));
  });

  test("what its UART receives it answers on the UART; the rest of the answer goes to the host", async () => {
    const { machine, output } = await start();
    machine.line.write(Buffer.from("0801000276", "hex"));
    const parts: Buffer[] = [];
    while (Buffer.concat(parts).length < 6) parts.push(((await once(machine.line, "data")) as [Buffer])[0]);
    expect(Buffer.concat(parts).toString("hex")).toBe("080100027681");
    const event = await output("event");
    expect(event["atMs"]).toBeLessThanOrEqual(event["nowMs"] ?? 0);
    const sent = (await output("echo")) as unknown as { input: { k: string; atMs: number } };
    expect(sent.input.k).toBe("sent");
    expect(sent.input.atMs - (event["nowMs"] ?? 0)).toBeGreaterThanOrEqual(3); // 6 bytes at 19,200 bit/s
    expect((await machine.stats()).line).toEqual({ received: 5, dropped: 0, sent: 6 });
  });

  test("an entry that exports `receive` gets the line's bytes without JSON", async () => {
    const { machine, output } = await start({ archive: buildArchive(resolve(fixtures, "bytes-echo.js")) });
    await machine.step({ nowMs: 0, utcMs: 1_700_000_000_000, in: [{ k: "x" }] });
    machine.line.write(Buffer.from([8]));
    expect(((await once(machine.line, "data")) as [Buffer])[0].toString("hex")).toBe("08");
    const { nowMs = 0, utcMs = 0, atMs = 0 } = await output("received");
    expect(nowMs - atMs).toBeLessThan(2);
    expect(utcMs).toBeGreaterThanOrEqual(1_700_000_000_000);
    await machine.collect();
    machine.line.write(Buffer.from([9])); // into the same buffer, which the collection has moved
    expect(((await once(machine.line, "data")) as [Buffer])[0].toString("hex")).toBe("09");
  });

  test("takes 1,500 bytes at once without losing one", async () => {
    const { machine } = await start();
    const bytes = Buffer.from(Array.from({ length: 1500 }, (_, i) => i & 0xff));
    machine.line.resume();
    machine.line.write(bytes);
    for (;;) {
      const { line } = await machine.stats();
      if (line.received === 1500) {
        expect(line.dropped).toBe(0);
        break;
      }
    }
  });

  test("wakes at the time that it asked for", async () => {
    const { machine, output } = await start();
    const reply = await machine.step(batch({ k: "wake", ms: 40 }));
    const woken = await output("woken");
    expect(woken["nowMs"]).toBeGreaterThanOrEqual(reply.wakeMs ?? 0);
    expect(woken["nowMs"]).toBeLessThanOrEqual((reply.wakeMs ?? 0) + 2);
  });

  test("counts instructions exactly: the same work costs the same in another run", async () => {
    const counts: number[] = [];
    for (let run = 0; run < 2; run++) {
      const { machine } = await start();
      await machine.step(batch({ k: "churn", items: 30 }));
      const { instructions } = await machine.stats();
      counts.push(instructions.host.sum, instructions.start);
      expect(instructions.host.count).toBe(1);
    }
    expect(counts[1]).toBe(counts[3]);
    const spread = Math.abs((counts[0] ?? 0) - (counts[2] ?? 0)) / (counts[0] ?? 1);
    expect(spread).toBeLessThan(0.001); // the clock's digits and when interrupts cut in
  });

  test("while the world stands still the interrupt still takes bytes, and JavaScript answers after", async () => {
    const { machine, output } = await start();
    // In real time, which the machine's follows while it idles: on a busy computer the bytes may come after the stop.
    let tries = 0;
    for (; tries < 10; tries++) {
      const before = (await machine.stats()).ms;
      await machine.stop(20, 300);
      await new Promise((resolve) => setTimeout(resolve, 60));
      machine.line.write(Buffer.from([1, 2, 3]));
      const { atMs = 0, nowMs = 0 } = await output("event");
      if (atMs > before + 250) continue;
      expect(atMs).toBeGreaterThan(before + 20);
      expect(nowMs).toBeGreaterThanOrEqual(before + 319);
      expect(nowMs - atMs).toBeGreaterThan(50);
      break;
    }
    expect(tries).toBeLessThan(10);
  });

  test("a machine that hangs is restarted by the watchdog, and says so", async () => {
    const resets: string[] = [];
    let told = (): void => undefined;
    const restarted = new Promise<void>((resolve) => (told = resolve));
    const { machine } = await start({
      onReset: (reset) => {
        resets.push(reset);
        told();
      },
    });
    machine.reset("watchdog");
    await restarted;
    expect(resets).toEqual(["watchdog"]);
    expect((await machine.step(batch({ k: "x" }))).out).toHaveLength(1);
  });

  test("memory full ends it with the same fault as on the host", async () => {
    const { machine } = await start();
    const fault = await machine.step(batch({ k: "fill" })).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "memory-full", exit: 11, step: 1 });
    expect(await machine.ended).toBe(fault);
  });

  test("runs in 320 KB with the C stack within the ESP32's 10 KB", async () => {
    const { machine } = await start();
    await machine.step(batch({ k: "engine" }, { k: "churn", items: 100 }));
    const stats = await machine.stats();
    expect(stats.cStack).toBeLessThan(10 * 1024);
    expect(stats.slots.capacity).toBe(4927);
  });
});
