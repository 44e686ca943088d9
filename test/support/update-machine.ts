// The whole module behind its one function, in any engine, with slots, a server of files and its journal in flash: an image is
// taken, booted and confirmed, in virtual time. No charger is on the line.
import { toHex } from "../../src/base/hex.js";
import { fromHex } from "../../src/base/hex.js";
import type { Input, Output } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { SimulatedSlots } from "../../host-sim/runtime/slots.js";
import type { Engine } from "../../host-sim/runtime/ucm-host.js";
import { BOARD, T0, type TestRepo } from "./update-rig.js";

export class MachineRig {
  readonly flash = FileFlash.blank();
  readonly slots = new SimulatedSlots({ board: BOARD, version: "1.0.0", slotBytes: 0x4_0000 });
  readonly logs: string[] = [];
  readonly lines: string[] = [];
  state: Readonly<Record<string, unknown>> = {};
  ms = 1000;
  boots = 0;
  private inputs: Input[] = [];
  private later: { readonly atMs: number; readonly input: Input }[] = [];
  private readonly config: UcmConfig;

  constructor(
    private readonly engine: Engine,
    private readonly repo: TestRepo,
  ) {
    const checked = readConfig({
      upstreams: [],
      update: { url: "https://updates.test/fw", root: "root.json", checkHours: 1 },
    });
    if (!("upstreams" in checked)) throw new Error(checked.map(({ text }) => text).join(" "));
    this.config = { ...checked, update: { ...checked.update!, rootText: repo.rootText } };
    this.boot();
  }

  private boot(): void {
    this.boots++;
    this.later = [];
    const slots = this.slots.boot();
    this.inputs = [
      ...this.flash.inputs(),
      {
        ...{ k: "boot", config: this.config, store: {}, seed: [1, 2, 3, this.boots], slots },
        flashSectors: this.flash.sectors,
        reason: "requested",
      },
    ];
  }

  put(input: Input): void {
    this.inputs.push(input);
  }

  async run(forMs: number, until: () => boolean): Promise<boolean> {
    const endMs = this.ms + forMs;
    while (this.ms < endMs && !until()) {
      const due = this.later.filter(({ atMs }) => atMs <= this.ms).map(({ input }) => input);
      this.later = this.later.filter(({ atMs }) => atMs > this.ms);
      const batch = [...this.inputs, ...due];
      this.inputs = [];
      const reply = await this.engine.step({ nowMs: this.ms, utcMs: T0 + this.ms, in: batch });
      for (const output of reply.out) this.carryOut(output);
      if (this.inputs.length > 0) continue;
      const next = Math.min(reply.wakeMs ?? endMs, ...this.later.map(({ atMs }) => atMs));
      this.ms = Math.max(this.ms + 1, Math.min(Math.ceil(next), endMs));
    }
    return until();
  }

  private carryOut(output: Output): void {
    switch (output.k) {
      case "tx":
        this.later.push({ atMs: this.ms + 20, input: { k: "sent", atMs: this.ms + 20 } });
        break;
      case "flash":
        this.flash.carryOut(output);
        break;
      case "slot": {
        const { call } = output;
        const event = this.slots.carryOut(
          call.do === "write" ? { do: "write", id: call.id, at: call.at, bytes: fromHex(call.hex)! } : call,
        );
        this.inputs.push({
          k: "slot",
          event: event.ev === "bytes" ? { ev: "bytes", id: event.id, hex: toHex(event.bytes) } : event,
        });
        break;
      }
      case "http": {
        const { id, url, headers } = output.request;
        const file = this.repo.files.read(url.slice("https://updates.test/fw/".length));
        const range = /^bytes=(\d+)-(\d+)$/.exec(headers.find(([name]) => name === "range")?.[1] ?? "");
        const body = range ? file?.subarray(Number(range[1]), Number(range[2]) + 1) : file;
        const answers: Input[] = [
          {
            ...{ k: "head", id, status: body === undefined ? 404 : range ? 206 : 200 },
            headers: range && file ? [["content-range", `bytes ${range[1]}-${range[2]}/${file.length}`]] : [],
          },
        ];
        if (body) answers.push({ k: "data", id, hex: toHex(body) });
        answers.push({ k: "end", id });
        for (const input of answers) this.later.push({ atMs: this.ms + 30, input });
        break;
      }
      case "restart":
        this.boot();
        break;
      case "event":
        if (output.event.event === "log") this.logs.push(output.event.text);
        break;
      case "journal":
        this.lines.push(...output.lines);
        break;
      case "state":
        this.state = output.state;
        break;
    }
  }
}
