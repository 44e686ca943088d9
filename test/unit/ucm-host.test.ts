/** A module that restarts itself on a computer: nothing of its former life reaches the new one, whose ids begin anew. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FileStore } from "../../host-sim/runtime/file-store.js";
import { UcmHost } from "../../host-sim/runtime/ucm-host.js";
import type { Batch, Input, Output, Reply } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const http = (id: number): Output => ({
  k: "http",
  request: {
    id,
    method: "POST",
    url: "https://u.example/",
    headers: [],
    body: "",
    credentials: "u",
  } as never,
});
const ws = (id: number): Output => ({
  k: "ws",
  call: { do: "open", request: { id, url: "wss://p.example/" } as never },
});
const mqtt = (id: number): Output => ({ k: "mqtt", call: { do: "subscribe", request: { id } as never } });
const browse: Output = { k: "mdns", call: { do: "browse", service: "_openadr3._tcp" } };
const request: Output = { k: "certificate", call: { do: "request", credentials: "u" } };
const again: Output = { k: "restart", why: "requested" };

class Script {
  readonly heard: Input[] = [];
  readonly called: string[] = [];
  /** What the firmware says in the next step. */
  says: Output[] = [];
  /** The engine's answers wait until {@link go}. */
  slow = false;
  go = (): void => undefined;
  readonly host: UcmHost;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "ucm-host-"));
    folders.push(folder);
    const call =
      (what: string) =>
      (id: unknown): void =>
        void this.called.push(`${what} ${typeof id === "object" ? "" : String(id)}`.trim());
    this.host = new UcmHost({
      engine: { name: "script", step: (batch) => this.#step(batch), close: () => undefined },
      line: { write: () => undefined, setBitRate: () => true } as never,
      http: { request: call("request"), abort: call("abort") },
      websocket: {
        ...{ open: call("open"), send: call("send"), close: call("close") },
        ...{ keepAlive: call("keep-alive"), setPassword: call("password") },
      },
      certificates: { call: call("certificate") },
      mqtt: { subscribe: call("subscribe"), end: call("end") },
      mdns: { browse: call("browse"), stop: call("stop") },
      store: new FileStore(join(folder, "module.json")),
      config: readConfig({ upstreams: [] }) as UcmConfig,
      onEvent: () => undefined,
      onFailure: (error) => {
        throw error;
      },
    });
    this.host.start();
  }

  #step(batch: Batch): Reply | Promise<Reply> {
    this.heard.push(...batch.in);
    const reply = { wakeMs: null, out: this.says };
    this.says = [];
    if (!this.slow) return reply;
    return new Promise((resolve) => (this.go = () => resolve(reply)));
  }

  /** Lets the firmware say this. */
  say(...out: Output[]): void {
    this.says = out;
    this.host.hint("u");
  }

  since(): string[] {
    return this.heard.splice(0).map(({ k }) => k);
  }
}

describe("a module that restarts itself", () => {
  it("leaves nothing open", () => {
    const script = new Script();
    script.say(http(1), http(2), ws(1), mqtt(1), browse);
    script.host.onHttp({ id: 1, ev: "end" });
    script.called.length = 0;
    script.say(again);
    expect(script.called).toEqual(["abort 2", "close 1", "end 1", "stop _openadr3._tcp"]);
    expect(script.since().slice(-1)).toEqual(["boot"]);
    script.called.length = 0;
    script.say(again);
    expect(script.called).toEqual([]);
  });

  it("ends what it opens with its last words as well", () => {
    const script = new Script();
    script.say(again, http(7));
    expect(script.called).toEqual(["request", "abort 7"]);
  });

  it("hears nothing that came for the former life while it was busy", async () => {
    const script = new Script();
    script.say(http(1), ws(1));
    script.since();
    script.slow = true;
    script.say(again);
    script.host.onHttp({ id: 1, ev: "head", status: 200, headers: [] });
    script.host.onWebSocket({ id: 1, ev: "text", text: "[3]" });
    script.host.button(100);
    script.slow = false;
    script.go();
    await new Promise((done) => setImmediate(done));
    expect(script.since()).toEqual(["hint", "boot", "button"]);
  });

  it("hears no answer about a certificate that the former life asked for, and its own", () => {
    const script = new Script();
    script.say(request);
    script.say(again);
    script.say(request);
    script.since();
    const requested = { ev: "requested", credentials: "u", csr: "x" } as const;
    script.host.onCertificate(requested);
    expect(script.since()).toEqual([]);
    script.host.onCertificate(requested);
    expect(script.since()).toEqual(["certificate"]);
  });

  it("the power's going ends it all too", () => {
    const script = new Script();
    script.say(http(3), ws(4));
    script.called.length = 0;
    script.host.cutPower();
    script.host.powerOn();
    expect(script.called).toEqual(["abort 3", "close 4"]);
  });
});
