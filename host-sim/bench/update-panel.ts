import { join } from "node:path";
import type { UpdateStatus } from "../../src/update/updater.js";
import { monotonicMs } from "../runtime/clock.js";
import { SimulatedSlots } from "../runtime/slots.js";
import type { UpdateView } from "./messages.js";

export interface UpdatePanelOptions {
  readonly url: string;
  /** Of the firmware that a new module has. */
  readonly version: string;
  /** Keeps the slots, under this beginning of their name. */
  readonly dataDir: string;
  readonly prefix: string;
}

/** The slots of one module's flash, and what the page shows of its updates. */
export class UpdatePanel {
  readonly slots: SimulatedSlots;
  #refusal: UpdateView["refusal"] = null;

  constructor(private readonly options: UpdatePanelOptions) {
    const { version, dataDir, prefix } = options;
    this.slots = new SimulatedSlots({ board: "bench", version, folder: join(dataDir, `${prefix}-slots`) });
  }

  /** `update-refused: CODE: why` and `update-rolled-back: FROM to TO: why`, as the security log has them. */
  onLog(text: string, utcMs: number): void {
    const refused = /^update-refused: ([\w-]+): (.*)$/.exec(text);
    const left = /^(update-rolled-back): (.*)$/.exec(text);
    const [, why, words] = refused ?? left ?? [];
    if (why !== undefined && words !== undefined) this.#refusal = { why, text: words, utcMs };
  }

  /** `status` as the module has it; undefined while it has no power. */
  view(status: UpdateStatus | undefined): UpdateView {
    const { slots, state } = this.slots;
    const nextMs = status?.nextCheckMs ?? -1;
    return {
      ...{ url: this.options.url, version: state.version, trial: state.trial, slots },
      ...{ phase: status?.phase ?? "", target: status?.target ?? "", percent: status?.percent ?? 0 },
      fetchedBytes: status?.fetchedBytes ?? 0,
      last: status?.last ?? { result: "", why: "", text: "", utcMs: null },
      refusal: this.#refusal,
      // To the second: what differs by less is no news.
      nextUtcMs: nextMs < 0 ? null : Math.round((Date.now() + nextMs - monotonicMs()) / 1000) * 1000,
    };
  }
}
