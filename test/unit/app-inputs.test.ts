// Inputs of the composed module at odd moments: while it forgets everything, after a long sleep, with memory short.
import { expect, it } from "vitest";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import type { Input, Output } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH";
const HOUR = 3_600_000;
/** 22:00 in the evening. */
const UTC = Date.UTC(2026, 5, 1, 22);

class Module {
  readonly #engine = nodeEngine();
  nowMs = 1000;
  #visits = 0;
  cookie = "";

  async step(...inputs: Input[]): Promise<readonly Output[]> {
    const { out } = await this.#engine.step({
      nowMs: this.nowMs,
      utcMs: UTC + this.nowMs,
      in: inputs,
    });
    return out;
  }

  boot(more: Readonly<Record<string, unknown>> = {}): Promise<readonly Output[]> {
    const config = readConfig({
      upstreams: [{ id: "utility", protocol: "openadr2b", url: "https://vtn.example/", venName: "m" }],
    }) as UcmConfig;
    const web = { ownerSecret: SECRET, fresh: false, settable: true };
    return this.step({ k: "boot", config, store: {}, seed: [1, 2, 3, 4], web, ...more } as Input);
  }

  async visit(method: string, target: string, body = "") {
    this.nowMs += 100;
    const base = { id: ++this.#visits, method, target, body, cookie: this.cookie };
    const out = await this.step({
      k: "web",
      request: { ...base, host: "192.168.4.1", origin: "", site: "" },
    });
    return out.flatMap((output) => (output.k === "web" ? [output.response] : []))[0];
  }

  async login(): Promise<string> {
    const { headers } = (await this.visit("POST", "/login", `secret=${SECRET}`))!;
    this.cookie = headers.find(([name]) => name === "set-cookie")![1].split(";")[0]!;
    return /name="form" value="(\w+)"/.exec((await this.visit("GET", "/"))!.body)![1]!;
  }
}

const asks = (out: readonly Output[]): boolean => out.some(({ k }) => k === "http");

it("after crashes in a row the upstreams begin, also where nobody polled it for an hour", async () => {
  const module = new Module();
  expect(asks(await module.boot({ reason: "crash", store: { "health.crashes": "3" } }))).toBe(false);
  module.nowMs += HOUR;
  let asked = false;
  for (let i = 0; i < 50 && !asked; i++) {
    asked = asks(await module.step());
    module.nowMs += 1000;
  }
  expect(asked).toBe(true);
});

it("who asks for a page while everything is forgotten is answered", async () => {
  const module = new Module();
  await module.boot({ flashSectors: 40 });
  await module.step({ k: "factory-reset" });
  expect(await module.visit("GET", "/")).toMatchObject({ status: 503 });
});

it("with memory short the page does not read the journal out either, and does again later", async () => {
  const module = new Module();
  await module.boot({ flashSectors: 40 });
  await module.login();
  expect((await module.visit("GET", "/history"))!.body).toContain("Last days");
  await module.step({ k: "memory", freeBytes: 1000 });
  expect((await module.visit("GET", "/history"))!.body).toContain("busy");
  await module.step({ k: "memory", freeBytes: 100_000 });
  expect((await module.visit("GET", "/history"))!.body).toContain("Last days");
});

it("'full by' does not cut short what the owner has pressed for longer", async () => {
  const module = new Module();
  await module.boot();
  const form = await module.login();
  await module.visit("POST", "/order", `form=${form}&do=ready&at=07%3A00&hours=4`);
  await module.visit("POST", "/order", `form=${form}&do=boost`);
  module.nowMs += 5 * HOUR + HOUR / 2;
  await module.step();
  const state = (await module.step({ k: "state" })).find(({ k }) => k === "state");
  const { owner } = (state as unknown as { state: { owner: { boostLeftMs: number } } }).state;
  expect(owner.boostLeftMs).toBeGreaterThan(6 * HOUR);
});
