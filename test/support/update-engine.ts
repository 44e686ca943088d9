// A module with two slots and an update server beside whatever else its bench has: wraps the engine of a VirtualBench.
import { fromHex, toHex } from "../../src/base/hex.js";
import type { Batch, Input, Output, Reply } from "../../src/runtime.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { SimulatedSlots } from "../../host-sim/runtime/slots.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { BOARD, type TestRepo } from "./update-rig.js";

const URL = "https://updates.test/fw/";

export class UpdateEngine implements Engine {
  readonly name = "node with slots";
  readonly holdsFlash = true;
  readonly slots = new SimulatedSlots({ board: BOARD, version: "1.0.0", slotBytes: 0x4_0000 });
  /** Monotonic ms of each restart that an update asked for. */
  readonly restartsMs: number[] = [];
  /** What the utility's servers say in their Date. */
  dateUtcMs: ((nowMs: number) => number) | undefined;
  private later: { readonly atMs: number; readonly input: Input }[] = [];
  private readonly inner = nodeEngine();

  constructor(private readonly repo: TestRepo) {}

  async step({ nowMs, utcMs, in: given }: Batch): Promise<Reply> {
    const inputs = given.map((input): Input => {
      const { dateUtcMs } = this;
      if (input.k === "head" && dateUtcMs !== undefined) {
        const date = new Date(dateUtcMs(nowMs)).toUTCString();
        return { ...input, headers: [...input.headers, ["date", date]] };
      }
      if (input.k !== "boot") return input;
      this.later = [];
      const { config } = input;
      if (config.update === undefined) throw new Error("the bench's configuration has no update");
      const update = { ...config.update, rootText: this.repo.rootText };
      return { ...input, config: { ...config, update }, slots: this.slots.boot() };
    });
    const due = this.later.filter(({ atMs }) => atMs <= nowMs);
    this.later = this.later.filter(({ atMs }) => atMs > nowMs);
    const reply = await this.inner.step({ nowMs, utcMs, in: [...inputs, ...due.map(({ input }) => input)] });
    const out = reply.out.filter((output) => !this.took(output, nowMs));
    const wakeMs = Math.min(reply.wakeMs ?? Infinity, ...this.later.map(({ atMs }) => atMs));
    return { ...reply, out, wakeMs: wakeMs === Infinity ? null : wakeMs };
  }

  close(): void {
    // Nothing is open.
  }

  private took(output: Output, nowMs: number): boolean {
    if (output.k === "restart") this.restartsMs.push(nowMs);
    if (output.k === "slot") {
      const { call } = output;
      const event = this.slots.carryOut(
        call.do === "write" ? { do: "write", id: call.id, at: call.at, bytes: fromHex(call.hex)! } : call,
      );
      const plain = event.ev === "bytes" ? { ...event, hex: toHex(event.bytes) } : event;
      this.later.push({ atMs: nowMs + 1, input: { k: "slot", event: plain } });
      return true;
    }
    if (output.k !== "http" || !output.request.url.startsWith(URL)) return false;
    const { id, url, headers } = output.request;
    const file = this.repo.files.read(url.slice(URL.length));
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.find(([name]) => name === "range")?.[1] ?? "");
    const body = range ? file?.subarray(Number(range[1]), Number(range[2]) + 1) : file;
    const put = (input: Input): void => void this.later.push({ atMs: nowMs + 30, input });
    put({
      ...{ k: "head", id, status: body === undefined ? 404 : range ? 206 : 200 },
      headers: range && file ? [["content-range", `bytes ${range[1]}-${range[2]}/${file.length}`]] : [],
    });
    if (body) put({ k: "data", id, hex: toHex(body) });
    put({ k: "end", id });
    return true;
  }
}
