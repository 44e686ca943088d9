import type { PlainEvent } from "../../src/runtime.js";
import { decodeFrameText } from "../../src/wire/decode.js";
import { captureVirtualLine } from "../capture/line-capture.js";
import type { CaptureRecord } from "../capture/record.js";
import type { SgdState } from "../sgd/simulator.js";
import type { VirtualBench } from "../virtual/virtual-bench.js";
import type { ReportReceived } from "../vtn/ei-report.js";
import type { VtnChange } from "../vtn/state.js";

/** A frame on the line, as a trace and an expectation see it. */
export interface SeenFrame {
  readonly atMs: number;
  readonly from: string;
  readonly hex: string;
  readonly name: string;
  readonly text: string;
}

/** Everything that a run has shown so far, and the trace that two runs of one seed share byte for byte. */
export class Watch {
  readonly frames: SeenFrame[] = [];
  readonly reports: ReportReceived[] = [];
  readonly logs: { readonly atMs: number; readonly text: string }[] = [];
  /** Indices at which the present action began. */
  markFrames = 0;
  markReports = 0;
  markLogs = 0;

  private readonly lines: string[] = [];
  /** What the platform's last order was answered with; "" before. */
  platformAnswer = "";
  /** State and fault of each upstream, by its id. */
  readonly upstreams = new Map<string, { readonly state: string; readonly fault: string }>();
  private toldSeen = 0;
  private wireSeen = 0;
  private statesSeen = 0;

  constructor(private readonly bench: VirtualBench) {
    const record = ({ utcMs, from, bytes, marks }: CaptureRecord): void => {
      const atMs = Math.round(utcMs * 1000) / 1000;
      const { hex, name, text } = decodeFrameText(bytes);
      const { collision } = marks;
      if (!collision) this.frames.push({ atMs, from, hex, name: name ?? "", text });
      this.put({ t: atMs, line: from, hex, ...(collision ? { collision } : {}) });
    };
    captureVirtualLine(bench.line, { record }, (atMs) => atMs);
    bench.vtn.onChange((change) => this.onUtility(change));
  }

  /** From here on is "since the last action". */
  mark(): void {
    this.drain();
    this.markFrames = this.frames.length;
    this.markReports = this.reports.length;
    this.markLogs = this.logs.length;
  }

  /** Takes over what module and charger have told; call after every step of the bench. */
  drain(): void {
    const { bench } = this;
    for (; this.statesSeen < bench.states.length; this.statesSeen++) {
      const { event: _, ...state } = bench.states[this.statesSeen]!;
      this.put({ charger: state });
    }
    const { wire } = bench.csms;
    for (; this.wireSeen < wire.length; this.wireSeen++) {
      const { atMs, from, text } = wire[this.wireSeen]!;
      this.put({ t: atMs, ocpp: from, text });
    }
    for (; this.toldSeen < bench.told.length; this.toldSeen++) {
      const { atMs, event } = bench.told[this.toldSeen]!;
      if (event.event === "upstream") this.upstreams.set(event.id, event);
      if (event.event === "log") this.logs.push({ atMs, text: event.text });
      // Frames stand in the trace as the line had them.
      if (event.event !== "frame") this.put({ t: atMs, module: event });
    }
  }

  note(text: string): void {
    this.drain();
    this.put({ t: this.bench.nowMs, step: text });
  }

  /** One JSON object a line. */
  get trace(): string {
    return `${this.lines.join("\n")}\n`;
  }

  get charger(): SgdState {
    return this.bench.sgd.state();
  }

  last<K extends PlainEvent["event"]>(kind: K): Extract<PlainEvent, { readonly event: K }> | undefined {
    return this.bench.last(kind);
  }

  private onUtility(change: VtnChange): void {
    if (change.change === "report") this.reports.push(change.report);
    this.put({ t: this.bench.nowMs, utility: change });
  }

  private put(object: object): void {
    this.lines.push(JSON.stringify(object));
  }
}
