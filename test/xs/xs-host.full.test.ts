import { resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  buildArchive,
  startXsHost,
  XsFault,
  xsHostMissing,
  type XsHostOptions,
} from "../../host-sim/runtime/xs-host.js";
import { describeWith } from "../support/needs.js";

const fixtures = resolve(import.meta.dirname, "fixtures");

describeWith(xsHostMissing(), "32-bit XS machine", () => {
  const archive = buildArchive(resolve(fixtures, "frame-echo.js"));
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const machine of open.splice(0)) await machine.close();
  });
  const start = async (options: Partial<XsHostOptions> = {}) => {
    const machine = await startXsHost({ archive, ...options });
    open.push(machine);
    return machine;
  };
  const batch = (...inputs: unknown[]) => ({ nowMs: 5, utcMs: null, in: inputs });
  const faultOf = async (promise: Promise<unknown>): Promise<XsFault> => {
    const fault = await promise.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(XsFault);
    return fault as XsFault;
  };

  test("answers batches in order", async () => {
    const machine = await start();
    const replies = await Promise.all([
      machine.step({ nowMs: 1, utcMs: 1_700_000_000_000, in: [{ k: "x", text: 'quote " and ü' }] }),
      machine.step({ nowMs: 2, utcMs: null, in: [{ k: "rx", hex: "0801000276", atMs: 2 }] }),
    ]);
    expect(replies[0]).toEqual({
      wakeMs: null,
      out: [{ k: "echo", input: { k: "x", text: 'quote " and ü' }, nowMs: 1, utcMs: 1_700_000_000_000 }],
    });
    expect(replies[1]?.out[0]).toEqual({ k: "tx", hex: "080100027681" });
  });

  test("is the engine that it says it is: ES2022, no eval", async () => {
    const machine = await start();
    expect((await machine.step(batch({ k: "engine" }))).out).toEqual([
      { k: "engine", ok: true, cases: [true, true, true, true, true, true, true] },
    ]);
    expect((await faultOf(machine.step(batch({ k: "evaluate" })))).code).toBe("exception");
  });

  test("has the chip's size, and starts as empty as the chip does: 28 slots, no chunks", async () => {
    const { started } = await start({ preload: "all" });
    expect(started.slots).toMatchObject({ capacity: 4927, live: 28, bytes: 16 });
    expect(started.chunks).toMatchObject({ capacity: 78_848, live: 0 });
    expect(started.stack.capacity).toBe(768);
  });

  test("what is preloaded is ROM and costs no RAM", async () => {
    const [none, imports] = [await start({ preload: "none" }), await start({ preload: "imports" })];
    expect(imports.started.slots.live).toBeLessThan(none.started.slots.live);
    expect(imports.started.rom.slots).toBeGreaterThan(none.started.rom.slots);
  });

  test("the live heap stays flat over thousands of batches with many collections", async () => {
    const machine = await start();
    await machine.step(batch({ k: "churn", items: 40 }));
    const before = await machine.collect();
    for (let i = 0; i < 3000; i++) await machine.step(batch({ k: "churn", items: 40 }));
    const after = await machine.collect();
    expect(after.collections).toBeGreaterThan(before.collections + 20);
    expect(after.slots.live).toBe(before.slots.live);
    expect(after.chunks.live).toBe(before.chunks.live);
    expect(after.keys).toBe(before.keys);
    const { step } = (await import(resolve(fixtures, "frame-echo.js"))) as { step(text: string): string };
    const again = batch({ k: "churn", items: 30 });
    expect(await machine.step(again)).toEqual(JSON.parse(step(JSON.stringify(again)))); // as Node has it
  });

  test("a leak shows", async () => {
    const machine = await start();
    const before = await machine.collect();
    for (let i = 0; i < 100; i++) await machine.step(batch({ k: "keep", text: "kept text " }));
    expect((await machine.collect()).chunks.live).toBeGreaterThan(before.chunks.live + 1000);
  });

  test("memory full is a fault that names the moment, with its own exit code", async () => {
    const machine = await start();
    await machine.step(batch({ k: "x" }));
    const fault = await faultOf(machine.step(batch({ k: "fill" })));
    expect(fault).toMatchObject({ code: "memory-full", exit: 11, step: 2 });
    expect(fault.last).toContain('"fill"');
    expect(fault.stats?.slots.capacity).toBe(4927);
    expect(await machine.ended).toBe(fault);
    expect(await faultOf(machine.step(batch()))).toBe(fault);
  });

  test("stack overflow, exceptions and forgotten rejections end the machine under their own names", async () => {
    expect(await faultOf((await start()).step(batch({ k: "deep" })))).toMatchObject({
      code: "stack-overflow",
      exit: 12,
    });
    const boom = await faultOf((await start()).step(batch({ k: "boom" })));
    expect(boom).toMatchObject({ code: "exception", exit: 15 });
    expect(boom.message).toContain("boom");
    const machine = await start();
    await machine.step(batch({ k: "reject" }));
    expect(await machine.ended).toMatchObject({ code: "unhandled-rejection", exit: 18 });
  });

  test("the size can be set, and a machine that is too small says so", async () => {
    const small = await start({ creation: { chunks: 8192, slots: 600, stack: 200 } });
    expect(small.started.slots.capacity).toBe(599);
    expect(await faultOf(small.step(batch({ k: "churn", items: 200 })))).toMatchObject({
      code: "memory-full",
    });
    expect(await faultOf(start({ creation: { slots: 20 } }))).toMatchObject({ code: "memory-full", step: 0 });
  });

  test("what the SDK's linker refuses in ROM is refused here: a preloaded RegExp", async () => {
    const refused = buildArchive(resolve(fixtures, "rom-refused.js"));
    const fault = await faultOf(start({ archive: refused }));
    expect(fault).toMatchObject({ code: "rom", exit: 32 });
    expect(fault.message).toContain("RegExp");
  });

  test("the world stops for the given time before the given batch, and on command", async () => {
    const machine = await start({ stops: [{ step: 2, ms: 120 }] });
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const before = performance.now();
      await work();
      return performance.now() - before;
    };
    const firstMs = await timed(() => machine.step(batch()));
    expect(await timed(() => machine.step(batch()))).toBeGreaterThanOrEqual(119);
    expect(await timed(() => machine.stop(60))).toBeGreaterThanOrEqual(59);
    // Without a stop it is quick; what else runs here can only make it longer.
    let quickestMs = firstMs;
    for (let i = 0; i < 50 && quickestMs >= 100; i++)
      quickestMs = Math.min(quickestMs, await timed(() => machine.step(batch())));
    expect(quickestMs).toBeLessThan(100);
  });
});
