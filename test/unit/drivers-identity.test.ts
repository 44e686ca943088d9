// The identity's TypeScript over a stand-in for the natives; the C with a real library: test/interop/identity.full.test.ts.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { DeviceIdentity } from "../../drivers/identity/identity-port.js";
import { AGAIN_MS } from "../../src/network/trials.js";
import type * as Natives from "../../drivers/identity/ucm-identity.js";
import type { StreamEvent } from "../../src/ports/stream.js";

const root = resolve(import.meta.dirname, "../..");

/** Keeps certificates as their end and roots as their version. */
class Store {
  readonly ends: (number | undefined)[] = [1000, undefined];
  readonly roots = [0, 0];
  /** Pair and roots that TLS was given last. */
  used: [number, number] = [-9, -9];
  uses = 0;
  taken = "fine";

  readonly natives: typeof Natives = {
    request: () => "CSR",
    install: (_, chain) => {
      if (chain === "") return "unreadable";
      this.ends[1] = Number(chain);
      return "fine";
    },
    putRoots: (_, version) => {
      if (version <= Math.max(...this.roots)) return "old";
      this.roots[1] = version;
      return "fine";
    },
    confirm: (_, kind) => {
      if (kind === 0) this.ends.splice(0, 2, this.ends[1], undefined);
      else this.roots.splice(0, 2, this.roots[1]!, 0);
      return "fine";
    },
    drop: () => "fine",
    date: (_, slot, which) => (this.ends[slot] === undefined ? NaN : which === 1 ? this.ends[slot] : 0),
    rootsVersion: (_, slot) => this.roots[slot]!,
    use: (_, pair, roots) => {
      this.used = [pair, roots];
      this.uses++;
      return this.taken;
    },
  };
}

describe("two sets and which of them is used", () => {
  let store: Store;
  let identity: DeviceIdentity;
  let ms: number;
  let log: string[];
  let events: StreamEvent[];
  let stream: ReturnType<DeviceIdentity["watch"]>;
  const start = (profile: "modern" | "openadr-2.0b" = "modern"): void => {
    identity = new DeviceIdentity({
      natives: store.natives,
      sets: [{ name: "vtn", ca: "CA", profile, hasPair: true }],
      serial: "UCM-1",
      now: () => ({ ms, utcMs: undefined }),
      log: (text) => log.push(text),
    });
    events = [];
    stream = identity.watch({
      open: () => undefined,
      write: () => undefined,
      close: () => undefined,
      poll: () => events.shift(),
    });
  };
  let id = 0;
  const open = (): number => {
    stream.open({ id: ++id, host: "h", port: 1, secure: true, credentials: "vtn" });
    return id;
  };
  const hear = (event: StreamEvent): void => {
    events.push(event);
    expect(stream.poll()).toBe(event);
  };
  const answered = (which = open()): void => hear({ id: which, ev: "data", bytes: new Uint8Array(1) });
  const failed = (reason: string, which = open()): void =>
    hear({ id: which, ev: "failed", reason: reason as "closed", text: "" });
  const install = (end: number): void => {
    identity.call({ do: "install", credentials: "vtn", chain: String(end) });
    expect(identity.take()).toEqual([{ ev: "installed", credentials: "vtn", ok: true, why: "fine" }]);
  };

  beforeEach(() => {
    store = new Store();
    ms = 0;
    log = [];
    start();
  });

  it("uses a new certificate at once, and keeps it when a server has answered over it", () => {
    expect(store.used).toEqual([0, 0]);
    install(2000);
    expect(store.used).toEqual([1, 0]);
    const early = open();
    hear({ id: early, ev: "open" });
    expect(store.ends).toEqual([1000, 2000]); // a handshake of TLS 1.3 proves nothing yet
    answered(early);
    expect(store.ends).toEqual([2000, undefined]);
    expect(log).toHaveLength(1);
  });

  it("believes no connection that was opened with what was there before", () => {
    const old = open();
    install(2000);
    answered(old);
    expect(store.ends).toEqual([1000, 2000]);
    const older = open();
    failed("tls-client-certificate", old);
    expect(store.used).toEqual([1, 0]);
    answered(older);
    expect(store.ends[0]).toBe(2000);
  });

  it("goes back when the server refuses it, tries it again a day later, and at once when the old one is refused", () => {
    install(2000);
    failed("tls-client-certificate");
    expect(store.used).toEqual([0, 0]);
    answered();
    expect(store.ends).toEqual([1000, 2000]);
    ms = AGAIN_MS - 1;
    open();
    expect(store.used).toEqual([0, 0]);
    ms = AGAIN_MS;
    failed("tls-client-certificate");
    expect(store.used).toEqual([0, 0]);
    failed("tls-client-certificate"); // the old one has expired
    expect(store.used).toEqual([1, 0]);
    answered();
    expect(store.ends).toEqual([2000, undefined]);
  });

  it("waits for OpenADR 2.0b's own word: its servers refuse by HTTP 200 as well", () => {
    start("openadr-2.0b");
    const word = (taken: boolean): void => identity.call({ do: "word", credentials: "vtn", taken });
    const ok = (): void =>
      hear({ id: open(), ev: "data", bytes: Uint8Array.from("HTTP/1.1 200 OK", (c) => c.charCodeAt(0)) });
    ok();
    install(2000);
    // Said of the certificate before.
    word(true);
    word(false);
    expect([store.used, store.ends]).toEqual([
      [1, 0],
      [1000, 2000],
    ]);
    ok();
    expect(store.ends).toEqual([1000, 2000]);
    word(false);
    expect(store.used).toEqual([0, 0]);
    // A word twice over says nothing of the other one.
    word(false);
    expect(store.used).toEqual([0, 0]);
    ok();
    word(true);
    expect([store.used, store.ends]).toEqual([
      [0, 0],
      [1000, 2000],
    ]);
    ms = AGAIN_MS;
    ok();
    expect(store.used).toEqual([1, 0]);
    word(true);
    expect(store.ends).toEqual([2000, undefined]);
    expect(identity.take()).toEqual([]);
  });

  it("takes an answer of HTTP as proof of new roots with OpenADR 2.0b too", () => {
    start("openadr-2.0b");
    identity.call({ do: "roots", credentials: "vtn", version: 1, bundle: "PEM" });
    expect(store.used).toEqual([0, 1]);
    answered();
    expect(store.roots).toEqual([1, 0]);
  });

  it("believes HTTP's word: 401 and 403 are a refusal, other errors are nothing", () => {
    const say = (line: string): void =>
      hear({ id: open(), ev: "data", bytes: Uint8Array.from(line, (c) => c.charCodeAt(0)) });
    install(2000);
    say("HTTP/1.1 500 Internal");
    expect([store.used, store.ends]).toEqual([
      [1, 0],
      [1000, 2000],
    ]);
    say("HTTP/1.1 403 Forbidden");
    expect([store.used, store.ends]).toEqual([
      [0, 0],
      [1000, 2000],
    ]);
    ms = AGAIN_MS;
    say("HTTP/1.1 200 OK");
    expect(store.ends).toEqual([2000, undefined]);
  });

  it("takes an outage for no refusal", () => {
    install(2000);
    for (const why of ["dns", "timeout", "closed", "tls-handshake", "tls-expired"]) failed(why);
    expect(store.used).toEqual([1, 0]);
    expect(store.ends).toEqual([1000, 2000]);
  });

  it("keeps trusting the old roots until a server has answered under the new ones", () => {
    const put = (version: number): string => {
      identity.call({ do: "roots", credentials: "vtn", version, bundle: "R" });
      const [event] = identity.take();
      return event?.ev === "roots" ? event.why : "?";
    };
    expect([put(2), put(2), put(1)]).toEqual(["fine", "old", "old"]);
    expect(store.used).toEqual([0, 1]);
    failed("tls-untrusted");
    expect(store.used).toEqual([0, 0]);
    answered();
    expect(store.roots).toEqual([0, 2]);
    // The server has moved meanwhile: the old root does no longer, and the new one is tried without waiting.
    failed("tls-untrusted");
    expect(store.used).toEqual([0, 1]);
    answered();
    expect(store.roots).toEqual([2, 0]);
    failed("tls-untrusted");
    expect(store.used).toEqual([0, 1]); // there is nothing else to try
    const before = store.uses;
    failed("tls-untrusted");
    expect(store.uses).toBe(before);
  });

  it("proves nothing with what TLS could not take, and asks it again", () => {
    store.taken = "busy";
    install(2000);
    expect(log).toEqual(["vtn: its credentials cannot be used: busy"]);
    answered(); // over what TLS had before
    expect(store.ends).toEqual([1000, 2000]);
    store.taken = "fine";
    answered();
    expect(store.ends).toEqual([2000, undefined]);
  });

  it("goes on with the trial after a restart", () => {
    install(2000);
    start();
    expect(store.used).toEqual([1, 0]);
    answered();
    expect(store.ends).toEqual([2000, undefined]);
  });

  it("says how long its newest certificate is valid, and knows no other names", () => {
    const ask = (credentials: string, what: "look" | "request"): unknown => {
      identity.call({ do: what, credentials });
      return identity.take()[0];
    };
    expect(ask("vtn", "look")).toEqual({
      ev: "validity",
      credentials: "vtn",
      fromUtcMs: 0,
      untilUtcMs: 1000,
    });
    install(2000);
    expect(ask("vtn", "look")).toMatchObject({ untilUtcMs: 2000 });
    store.ends.splice(0, 2, undefined, undefined);
    expect(ask("vtn", "look")).toEqual({ ev: "validity", credentials: "vtn" });
    expect(ask("vtn", "request")).toMatchObject({ csr: "CSR" });
    expect(ask("other", "request")).toMatchObject({ csr: undefined });
    identity.call({ do: "roots", credentials: "other", version: 9, bundle: "R" });
    expect(identity.take()[0]).toMatchObject({ ok: false });
  });

  it("has every native function that its JavaScript names, and an honest word", () => {
    const text = (name: string): string => readFileSync(join(root, "drivers/identity", name), "utf8");
    const named = [...text("ucm-identity.js").matchAll(/native\("(xs_\w+)"\)/g)].map((match) => match[1]!);
    expect(named).toHaveLength(8);
    for (const name of named) expect(text("ucm-identity.c")).toContain(`void ${name}(`);
    for (const file of ["ucm-identity.c", "identity-nvs.c"])
      expect(text(file)).toMatch(/never run on hardware/i);
  });

  it("is type-checked without the SDK", () => {
    const done = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", join(root, "drivers/identity")], {
      encoding: "utf8",
    });
    expect(done.stdout).toBe("");
  });
});
