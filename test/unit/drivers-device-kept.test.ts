// What the chip keeps of a setup by the page, over a stand-in for NVS.
import { describe, expect, it } from "vitest";
import { type Defaults, KeptSetup, type SetupValue } from "../../drivers/device/kept.js";
import type { Setup } from "../../src/setup/setup-form.js";

class Nvs implements SetupValue {
  text: string | undefined;
  /** What happens is told here in order. */
  readonly steps: string[] = [];
  cut = false;
  get(): string | undefined {
    return this.text;
  }
  set(text: string): void {
    if (this.cut) throw new Error("power");
    this.steps.push("set");
    this.text = text;
  }
  delete(): void {
    this.text = undefined;
  }
}

const NOTHING: Defaults = { ucm: { upstreams: [] }, wifi: { ssid: "", passphrase: "" }, credentials: {} };
const OCPP = { id: "csms", protocol: "ocpp16", url: "wss://a.example/x", chargePointId: "cp1" } as const;
const OCPP_WITH = { ...OCPP, passwordFile: "csms.secret" };
const BUILD: Defaults = {
  ucm: {
    upstreams: [
      { id: "utility", protocol: "openadr2b", url: "https://u.example/", venName: "v" },
      { ...OCPP, passwordFile: "x" },
    ],
    region: "us",
    timeServers: ["time.example"],
  },
  wifi: { ssid: "factory", passphrase: "factory-pass" },
  credentials: {
    utility: { ca: "UTILITY CA", estSecret: "est" },
    csms: { ca: "CSMS CA", password: "built-in" },
  },
};

function setup(upstream: Setup["document"]["upstreams"][number], more: Partial<Setup> = {}): Setup {
  return {
    document: { upstreams: [upstream], region: "uk", timeZone: "GMT0BST,M3.5.0/1,M10.5.0" },
    ...{ wifi: { ssid: "home", passphrase: "home-pass" }, secret: "", ...more },
  };
}

function device(defaults: Defaults, nvs = new Nvs()) {
  const logs: string[] = [];
  const kept = new KeptSetup(nvs, defaults, (text) => logs.push(text));
  const forgotten: string[] = [];
  const keep = (what: Setup): void =>
    kept.keep(what, (id) => {
      nvs.steps.push(`forget ${id}`);
      forgotten.push(id);
    });
  return { nvs, kept, keep, logs, forgotten };
}

describe("a setup that is kept", () => {
  it("is what the next start has; before it the module is new", () => {
    const { nvs, kept, keep } = device(NOTHING);
    expect(kept.load()).toMatchObject({ fresh: true, wifi: { ssid: "" } });
    keep(setup(OCPP_WITH, { secret: "typed" }));
    const next = device(NOTHING, nvs).kept.load();
    expect(next).toMatchObject({ fresh: false, wifi: { ssid: "home", passphrase: "home-pass" } });
    expect(next.config).toMatchObject({ region: "uk", upstreams: [OCPP_WITH] });
    expect(next.credentials["csms"]).toEqual({ password: "typed" });
    expect(JSON.stringify(next.config)).not.toContain("typed");
  });

  it("wins over the build's defaults, whose other fields and upstreams stay", () => {
    const { kept, keep } = device(BUILD);
    expect(kept.load()).toMatchObject({ fresh: false, wifi: { ssid: "factory" } });
    keep(setup(OCPP_WITH));
    const { config, credentials } = kept.load();
    expect(config.upstreams.map(({ id }) => id)).toEqual(["utility", "csms"]);
    expect(config.timeServers).toEqual(["time.example"]);
    expect(credentials).toEqual(BUILD.credentials);
  });

  it("keeps Wi-Fi and secret where the form left them empty", () => {
    const { kept, keep } = device(NOTHING);
    keep(setup(OCPP_WITH, { secret: "typed" }));
    keep(setup(OCPP, { wifi: { ssid: "", passphrase: "" } }));
    expect(kept.load()).toMatchObject({
      wifi: { ssid: "home" },
      credentials: { csms: { password: "typed" } },
    });
  });

  it("shows the build's secrets to no other server, and forgets a platform's password for one", () => {
    const { kept, keep, forgotten } = device(BUILD);
    keep(setup({ ...OCPP, url: "wss://evil.example/x" }));
    expect(kept.load().credentials["csms"]).toEqual({ ca: "CSMS CA" });
    expect(forgotten).toEqual(["csms"]);
  });

  it("does not carry a secret over to another protocol", () => {
    const { kept, keep } = device(NOTHING);
    keep(setup(OCPP_WITH, { secret: "typed" }));
    keep(setup({ id: "csms", protocol: "openadr3", url: "https://o.example/", venName: "v" }));
    expect(JSON.stringify(kept.load())).not.toContain("typed");
  });

  it("holds only the newest of utilities that the build does not know", () => {
    const { nvs, kept, keep } = device(NOTHING);
    for (let i = 0; i < 50; i++) keep(setup({ ...OCPP, id: `u${i}` }, { secret: `s${i}` }));
    expect(kept.load().config.upstreams.map(({ id }) => id)).toEqual(["u49"]);
    expect(nvs.text!.length).toBeLessThan(600);
    expect(nvs.text).not.toContain("s48");
  });

  it("leaves the old one where the power is cut, with no password that another server could see", () => {
    const { nvs, kept, keep } = device(NOTHING);
    keep(setup(OCPP_WITH, { secret: "typed" }));
    const before = kept.load();
    nvs.cut = true;
    nvs.steps.length = 0;
    expect(() => keep(setup({ ...OCPP, url: "wss://b.example/x" }, { secret: "other" }))).toThrow();
    expect(kept.load()).toEqual(before);
    nvs.cut = false;
    keep(setup({ ...OCPP, url: "wss://b.example/x" }));
    expect(nvs.steps).toEqual(["forget csms", "forget csms", "set"]);
  });

  it("is not written where the next start could not read it, or NVS could not hold it", () => {
    const { nvs, keep } = device(NOTHING);
    expect(() => keep(setup({ ...OCPP, url: "gopher://x" }))).toThrow();
    expect(() => keep(setup(OCPP_WITH, { secret: "x".repeat(4000) }))).toThrow(/too long/);
    expect(nvs.text).toBeUndefined();
  });

  it.each(["", "{", "null", "7", '{"document":{}}', '{"document":{"upstreams":[{"id":7}]},"secrets":{}}'])(
    "that is garbage keeps no module from starting: %j",
    (text) => {
      const nvs = new Nvs();
      nvs.text = text;
      const { kept, logs, keep } = device(NOTHING, nvs);
      expect(kept.load()).toMatchObject({ fresh: true });
      expect(logs).not.toEqual([]);
      keep(setup(OCPP_WITH));
      expect(kept.load()).toMatchObject({ fresh: false });
    },
  );

  it("is gone after a factory reset, and the build counts again", () => {
    const { nvs, kept, keep } = device(BUILD);
    const before = kept.load();
    keep(setup(OCPP_WITH, { secret: "typed" }));
    kept.forget();
    kept.forget();
    expect(nvs.text).toBeUndefined();
    expect(kept.load()).toEqual(before);
  });
});
