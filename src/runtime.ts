/**
 * The module behind one function: a batch of inputs goes in, the outputs and the next wake-up come out. This is
 * the form in which it runs where the world is another machine: in an XS engine behind a pipe, on an emulated
 * microcontroller behind a socket, and, for sameness, in Node (host-sim/runtime). All values are JSON.
 */
import { Ucm } from "./app.js";
import { fromHex } from "./base/hex.js";
import type { Batch, Input, Reply } from "./batch.js";
import { frameLineEvent } from "./bridged-line.js";
import { networkEvent } from "./bridged-network.js";
import { updateEvent } from "./bridged-update.js";
import { BridgedWorld, Outputs } from "./bridged-world.js";
import type { HttpEvent } from "./ports/http.js";
import type { Now } from "./ports/time.js";

export type * from "./batch.js";

/** The module and its outputs of one batch. */
export class Machine {
  #ucm: Ucm | undefined;
  readonly #out = new Outputs();
  /** Contents of the flash that came before `boot`. */
  #image: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  #take(input: Input, now: Now): void {
    if (input.k === "boot") {
      this.#ucm = new Ucm(new BridgedWorld(input, this.#image, this.#out), input.config);
      this.#image = [];
      this.#ucm.start(now);
      return;
    }
    if (input.k === "flash") {
      this.#image.push({ at: input.at, bytes: fromHex(input.hex) ?? new Uint8Array(0) });
      return;
    }
    const ucm = this.#ucm;
    if (!ucm) return;
    switch (input.k) {
      case "rx":
        ucm.onLine({ ev: "rx", bytes: fromHex(input.hex) ?? new Uint8Array(0), atMs: input.atMs }, now);
        break;
      case "sent":
      case "carrier":
      case "frame":
      case "answer":
      case "answered":
      case "unsent":
      case "noise":
        ucm.onLine(frameLineEvent(input), now);
        break;
      case "web":
        ucm.onWeb(input.request, now);
        break;
      case "button":
        ucm.onButton(input.heldMs, now);
        break;
      case "net":
        ucm.onNetwork(networkEvent(input.event), now);
        break;
      case "memory":
        ucm.onMemory(input.freeBytes, now);
        break;
      case "ws":
        ucm.onWebSocket(input.event, now);
        break;
      case "certificate":
        ucm.onCertificate(input.event, now);
        break;
      case "slot":
        ucm.onUpdate(updateEvent(input.event), now);
        break;
      case "check-update":
        ucm.checkForUpdate(now);
        break;
      case "mqtt":
        ucm.onMqtt(input.event, now);
        break;
      case "mdns":
        ucm.onMdns(input.event, now);
        break;
      case "hint":
        ucm.hint(input.upstream, now);
        break;
      case "state":
        this.#out.put({ k: "state", state: copied(ucm.state(now)) as Readonly<Record<string, unknown>> });
        break;
      case "stop":
        ucm.stop(now);
        break;
      case "owner":
        this.#out.put({ k: "answer", ...ucm.owner(input.order, now) });
        break;
      case "delay":
        this.#out.put({ k: "answer", ...ucm.delayOrder(input.order, now) });
        break;
      case "factory-reset":
        this.#out.put({ k: "answer", ...ucm.factoryReset() });
        break;
      case "journal": {
        const { what, role, format, from } = input;
        const { next, ...page } = ucm.readJournal(what, role, format, from ?? 0);
        this.#out.put({ k: "journal", what, ...page, next: next ?? null });
        break;
      }
      default:
        ucm.onHttp(httpEvent(input), now);
    }
  }

  step(batch: Batch): Reply {
    const now: Now = { ms: batch.nowMs, utcMs: batch.utcMs ?? undefined };
    for (const input of batch.in) this.#take(input, now);
    this.#ucm?.poll(now);
    const wake = this.#ucm?.nextMs() ?? Number.POSITIVE_INFINITY;
    return { wakeMs: wake === Number.POSITIVE_INFINITY ? null : wake, out: this.#out.take() };
  }
}

function httpEvent(input: Extract<Input, { readonly k: "head" | "data" | "end" | "failed" }>): HttpEvent {
  switch (input.k) {
    case "head":
      return { id: input.id, ev: "head", status: input.status, headers: input.headers };
    case "data":
      return { id: input.id, ev: "data", bytes: fromHex(input.hex) ?? new Uint8Array(0) };
    case "end":
      return { id: input.id, ev: "end" };
    case "failed":
      return { id: input.id, ev: "failed", reason: input.reason, text: input.text };
  }
}

/**
 * A copy down to the last value: what a module holds as a constant lies in ROM on the device, and XS cannot write
 * an object there as JSON.
 */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) copy[name] = copied(one);
  return copy;
}
