// The Wi-Fi driver's JavaScript over a stand-in for the SDK: what each message of the radio becomes.
import { beforeEach, describe, expect, it } from "vitest";
import { WifiNetwork, type WifiSdk } from "../../drivers/wifi/station.js";
import { seededRandom } from "../../src/base/random.js";
import { Network } from "../../src/network/network.js";
import { sntpAnswer } from "../../host-sim/net/virtual-network.js";
import type { NetworkEvent } from "../../src/ports/network.js";

class FakeSdk implements WifiSdk {
  readonly calls: string[] = [];
  message: (message: string, value?: number) => void = () => undefined;
  heard: string[] = ["neighbour", "home"];
  fails = "";
  readonly names = new Map([
    ["a.test", "192.0.2.1"],
    ["b.test", "192.0.2.2"],
  ]);
  readonly lookups: (() => void)[] = [];
  received: ((bytes: Uint8Array, address: string) => void) | undefined;
  readonly sent: { readonly address: string; readonly port: number; readonly bytes: Uint8Array }[] = [];
  openSockets = 0;

  #call(name: string): void {
    this.calls.push(name);
    if (this.fails === name) throw new Error("radio");
  }
  onMessage(handle: (message: string, value?: number) => void): void {
    this.message = handle;
  }
  passphrase = "";
  connect(ssid: string, passphrase: string): void {
    this.passphrase = passphrase;
    this.#call(`connect ${ssid}`);
  }
  disconnect(): void {
    this.#call("disconnect");
  }
  off(): void {
    this.#call("off");
  }
  accessPoint(ssid: string): void {
    this.#call(`ap ${ssid}`);
  }
  noAccessPoint(): void {
    this.#call("no-ap");
  }
  scan(each: (ssid: string | null) => void): void {
    this.#call("scan");
    for (const name of this.heard) each(name);
    each(null);
  }
  dbm = -61;
  ms = 0;
  rssiDbm(): number {
    return this.dbm;
  }
  nowMs(): number {
    return this.ms;
  }
  resolve(host: string, done: (address: string | undefined) => void): void {
    this.lookups.push(() => done(this.names.get(host)));
  }
  udp(received: (bytes: Uint8Array, address: string) => void): {
    send(address: string, port: number, bytes: Uint8Array): void;
    close(): void;
  } {
    this.openSockets++;
    this.received = received;
    return {
      send: (address, port, bytes) => void this.sent.push({ address, port, bytes }),
      close: () => void this.openSockets--,
    };
  }
  setClock(utcMs: number): void {
    this.calls.push(`clock ${utcMs}`);
  }
}

let sdk: FakeSdk;
let wifi: WifiNetwork;
const events = (): NetworkEvent[] => {
  const all: NetworkEvent[] = [];
  for (let e = wifi.poll(); e; e = wifi.poll()) all.push(e);
  return all;
};

beforeEach(() => {
  sdk = new FakeSdk();
  wifi = new WifiNetwork(sdk, "home", "secret of the label");
});

describe("a try", () => {
  it("ends in up once an address is there, and in no second event", () => {
    wifi.connect();
    sdk.message("connect");
    expect(events()).toEqual([]);
    sdk.message("gotIP");
    sdk.message("gotIP");
    expect(events().slice(0, 1)).toEqual([{ ev: "up", rssiDbm: -61 }]);
  });

  it("goes with the passphrase or the 64 digits of the key as they were given: the IDF tells them apart", () => {
    wifi.connect();
    expect(sdk.passphrase).toBe("secret of the label");
    wifi.configure("home", "0123456789abcdef".repeat(4));
    wifi.connect();
    expect(sdk.passphrase).toBe("0123456789abcdef".repeat(4));
  });

  it.each([
    ["its name is not heard: away", ["neighbour"], undefined, "no-access-point", 1],
    ["nobody is heard: perhaps deaf", [], undefined, "no-access-point", 0],
    ["it is heard, and did not take us", ["home"], undefined, "refused", 1],
    ["the keys were refused", ["home", "neighbour"], -1, "refused", 2],
  ])("%s", (_name, heard, value, why, count) => {
    sdk.heard = heard;
    wifi.connect();
    sdk.message("disconnect", value);
    expect(events()).toEqual([{ ev: "down", why, heard: count }]);
  });

  it("a driver that throws is a fault, and no exception", () => {
    sdk.fails = "connect home";
    wifi.connect();
    expect(events()).toEqual([{ ev: "down", why: "driver", heard: 2 }]);
    sdk.fails = "scan";
    wifi.connect();
    sdk.message("disconnect");
    expect(events()).toEqual([{ ev: "down", why: "driver", heard: 0 }]);
  });

  it("nothing is tried without a name, and what the radio says unasked is not listened to", () => {
    wifi.configure("", "");
    wifi.connect();
    sdk.message("disconnect");
    expect(sdk.calls).toEqual([]);
    expect(events()).toEqual([]);
  });

  it("looks at the signal once a minute while it is connected, and tells what has changed", () => {
    sdk.ms = 120_000;
    expect(events()).toEqual([]);
    wifi.connect();
    sdk.message("gotIP");
    events();
    sdk.dbm = -85;
    sdk.ms += 59_000;
    expect(events()).toEqual([]);
    sdk.ms += 1000;
    expect(events()).toEqual([{ ev: "signal", rssiDbm: -85 }]);
    sdk.dbm = -83;
    sdk.ms += 60_000;
    expect(events()).toEqual([]);
    // Two small steps are a large one.
    sdk.dbm = -82;
    sdk.ms += 60_000;
    expect(events()).toEqual([{ ev: "signal", rssiDbm: -82 }]);
    wifi.disconnect();
    sdk.dbm = -40;
    sdk.ms += 60_000;
    expect(events()).toEqual([]);
  });

  it("a connection that is left or torn down says nothing more", () => {
    wifi.connect();
    sdk.message("gotIP");
    events();
    wifi.disconnect();
    sdk.message("disconnect");
    wifi.reinit();
    sdk.message("disconnect");
    expect(events()).toEqual([]);
    expect(sdk.calls).toEqual(["connect home", "disconnect", "off"]);
  });

  it("a driver started anew keeps the access point of who is setting it up, until setup is over", () => {
    wifi.openSetup("ucm-1", "label");
    wifi.reinit();
    expect(sdk.calls).toEqual(["ap ucm-1", "off", "ap ucm-1"]);
    wifi.closeSetup();
    wifi.reinit();
    expect(sdk.calls.slice(3)).toEqual(["no-ap", "off"]);
  });

  it("a connection that is lost while an earlier scan still runs is told", () => {
    let end = (): void => undefined;
    sdk.scan = (each) => void (end = () => each(null));
    wifi.connect();
    sdk.message("disconnect");
    wifi.connect();
    sdk.message("gotIP");
    sdk.message("disconnect");
    expect(events()).toEqual([
      { ev: "up", rssiDbm: -61 },
      { ev: "down", why: "beacon", heard: 0 },
    ]);
    end();
    expect(events()).toEqual([]);
  });

  it("a lost connection is down", () => {
    wifi.connect();
    sdk.message("gotIP");
    events();
    sdk.message("disconnect", 0);
    expect(events()).toEqual([{ ev: "down", why: "beacon", heard: 2 }]);
  });
});

describe("time", () => {
  const question = new Uint8Array(48);
  it("is asked by address, and the answer comes with the number of its question", () => {
    wifi.connect();
    sdk.message("gotIP");
    events();
    wifi.askTime(7, "a.test", question);
    wifi.askTime(8, "nowhere.test", question);
    for (const lookup of sdk.lookups) lookup();
    expect(sdk.sent).toHaveLength(1);
    expect(sdk.sent[0]).toMatchObject({ address: "192.0.2.1", port: 123 });
    sdk.received!(new Uint8Array(48), "198.51.100.9");
    expect(events()).toEqual([]);
    sdk.received!(new Uint8Array(2000), "192.0.2.1");
    expect(events()).toMatchObject([{ ev: "time", id: 7, bytes: { length: 68 } }]);
  });

  it("a name that resolves after the connection is gone opens no socket", () => {
    wifi.connect();
    sdk.message("gotIP");
    wifi.askTime(7, "a.test", question);
    wifi.disconnect();
    for (const lookup of sdk.lookups) lookup();
    expect(sdk.openSockets).toBe(0);
  });
});

it("together with src/network: connects, and sets the clock by two servers that agree", () => {
  const utcMs = Date.UTC(2026, 6, 1);
  const part = new Network(
    {
      port: wifi,
      random: seededRandom(3),
      store: { get: () => undefined, set: () => undefined, delete: () => undefined },
      busy: () => false,
      restart: () => undefined,
      log: () => undefined,
    },
    { servers: ["a.test", "b.test"], builtUtcMs: Date.UTC(2026, 0, 1) },
  );
  const now = { ms: 1000, utcMs: undefined };
  const turn = (): void => {
    for (const event of events()) part.onEvent(event, now);
    part.poll(now);
  };
  part.start(now);
  sdk.message("gotIP");
  turn();
  turn();
  for (const lookup of sdk.lookups) lookup();
  for (const { address, bytes } of sdk.sent) sdk.received!(sntpAnswer(bytes, utcMs, "well"), address);
  turn();
  expect(sdk.calls).toContain(`clock ${utcMs}`);
});

describe("without a network to join", () => {
  it("leaves the radio, and whoever is setting one up, alone", () => {
    const radio = new FakeSdk();
    const fresh = new WifiNetwork(radio, "", "");
    fresh.openSetup("UCM-1", "12345678");
    fresh.connect();
    fresh.disconnect();
    fresh.reinit();
    expect(radio.calls).toEqual(["ap UCM-1"]);
    fresh.closeSetup();
    expect(radio.calls).toEqual(["ap UCM-1", "no-ap"]);
  });
});
