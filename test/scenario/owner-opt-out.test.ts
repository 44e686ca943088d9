/** Whichever way the customer overrides an event, the utility hears of it, and of its end: here by the owner's page and orders. */
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { OwnerPages } from "../../host-sim/virtual/owner-pages.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { eventView } from "../../host-sim/vtn/views.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH-P";
const MINUTE = 60_000;
type Json = Readonly<Record<string, unknown>>;
type Protocol = "openadr2b" | "openadr3";

class Overriding {
  readonly bench: VirtualBench;
  readonly pages: OwnerPages;

  constructor(
    readonly protocol: Protocol,
    config: Json = {},
  ) {
    this.bench = new VirtualBench({
      engine: nodeEngine(),
      protocol,
      web: { ownerSecret: SECRET },
      config: { randomDelay: { enabled: false, maxSeconds: 0 }, ...config },
    });
    this.bench.sgd.plug();
    this.pages = new OwnerPages((request) => this.bench.page(request));
  }

  async event(more: Json = {}): Promise<string> {
    await this.bench.run(MINUTE);
    const wanted = { signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 7200, ...more };
    const made = this.bench.vtn.createEvent(wanted as never, this.bench) as { id: string };
    await this.bench.run(2 * MINUTE);
    return made.id;
  }

  async press(path: string, label: string, of?: string): Promise<void> {
    await this.pages.open(path);
    if (this.pages.asksSecret) await this.pages.logIn(SECRET);
    await this.pages.press(label, {}, of);
    await this.bench.run(2 * MINUTE);
  }

  async order(order: Json): Promise<void> {
    await this.bench.ask({ k: "owner", order } as never, "answer");
    await this.bench.run(2 * MINUTE);
  }

  /** The module's last word about an event: optIn, optOut, or "" for none. */
  said(id: string): string {
    const { state } = this.bench.vtn;
    if (this.protocol === "openadr2b") {
      const event = state.events.get(id);
      return event === undefined ? "gone" : eventView(state, event, this.bench.utcMs).response;
    }
    const states = state.reports
      .filter(({ requestId }) => requestId === id)
      .flatMap(({ values }) => values)
      .filter(({ rId }) => rId.endsWith("/OPERATING_STATE"));
    const text = states.at(-1)?.text ?? "";
    return text === "" ? "" : text.endsWith("OPTED_OUT") ? "optOut" : "optIn";
  }

  /** What stands for taking part before anything was said: 2.0b answers every event, 3.1 none. */
  get before(): string {
    return this.protocol === "openadr2b" ? "optIn" : "";
  }
}

const PROTOCOLS: Protocol[] = ["openadr2b", "openadr3"];

describe.each(PROTOCOLS)("%s: the utility hears", (protocol) => {
  it("of an override on the page, and of its end by 'back to normal'", async () => {
    const one = new Overriding(protocol);
    const id = await one.event();
    expect(one.said(id)).toBe(one.before);
    await one.press("/", "Charge now");
    expect(one.said(id)).toBe(one.before);
    await one.press("/", "Back to normal");
    await one.press("/", "Charge now, whatever the utility asks");
    expect(one.bench.sgd.state().currentA).toBeGreaterThan(31);
    expect(one.said(id)).toBe("optOut");
    await one.press("/", "Back to normal");
    expect(one.bench.sgd.state().currentA).toBeLessThan(17);
    expect(one.said(id)).toBe("optIn");
  });

  it("of an override that runs out, over a restart of the module", async () => {
    const one = new Overriding(protocol);
    const id = await one.event();
    await one.order({ verb: "override", durationMs: 30 * MINUTE });
    expect(one.said(id)).toBe("optOut");
    await one.bench.darkness(2 * MINUTE);
    one.bench.boot();
    await one.bench.run(5 * MINUTE);
    expect(one.said(id)).toBe("optOut");
    await one.bench.run(20 * MINUTE);
    expect(one.said(id)).toBe("optOut");
    await one.bench.run(5 * MINUTE);
    expect(one.said(id)).toBe("optIn");
  });

  it("of an event that comes under an override, not of one that begins after it", async () => {
    const one = new Overriding(protocol);
    await one.bench.run(MINUTE);
    await one.order({ verb: "override", durationMs: 60 * MINUTE });
    const soon = await one.event({ startInSeconds: 1200, durationSeconds: 600 });
    const later = await one.event({ startInSeconds: 7200 });
    await one.bench.run(MINUTE);
    expect(one.said(soon)).toBe("optOut");
    expect(one.said(later)).toBe(one.before);
    await one.bench.run(70 * MINUTE);
    expect(one.said(later)).toBe(one.before);
  });

  it("of a pause of it, and of its end", async () => {
    const one = new Overriding(protocol);
    const id = await one.event();
    await one.press("/settings", "Pause", "utility");
    expect(one.bench.sgd.state().currentA).toBeGreaterThan(31);
    expect(one.said(id)).toBe("optOut");
    await one.press("/settings", "Admit", "utility");
    expect(one.said(id)).toBe("optIn");
  });

  it("not where the owner may not override: a stop in Australia", async () => {
    const one = new Overriding(protocol, { region: "au", offPeak: [] });
    await one.bench.run(MINUTE);
    await one.order({ verb: "override" });
    const id = await one.event({ signal: "LOAD_DISPATCH", type: "setpoint", level: 0 });
    expect(one.bench.last("intent")).toMatchObject({ source: "utility" });
    expect(one.said(id)).toBe(one.before);
  });
});

it.each([
  ["createdEvent", "optOut"],
  ["off", "optIn"],
])("by the way that is configured: %s", async (opt, said) => {
  const upstream = {
    id: "utility",
    protocol: "openadr2b",
    url: "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
    venName: "module",
    opt,
  };
  const one = new Overriding("openadr2b", { upstreams: [upstream] });
  const id = await one.event();
  await one.order({ verb: "override" });
  expect(one.said(id)).toBe(said);
  for (const ven of one.bench.vtn.state.vens.values()) expect(ven.opts.size).toBe(0);
});
