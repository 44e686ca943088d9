import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/hex.js";
import { seededRandom } from "../../src/base/random.js";
import { bridgedNetwork, networkEvent } from "../../src/bridged-network.js";
import { Network } from "../../src/network/network.js";
import { readSntp, sntpRequest } from "../../src/network/sntp.js";
import { sntpAnswer, VirtualNetwork } from "../../host-sim/net/virtual-network.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BUILT = Date.UTC(2026, 0, 1);
const START = Date.UTC(2026, 5, 1, 12);

/** The network part of a module in a virtual home, without the rest of the module. */
class Home {
  ms = 0;
  readonly log: string[] = [];
  readonly store = new Map<string, string>();
  readonly net: VirtualNetwork;
  readonly part: Network;
  /** The module's clock minus monotonic ms; undefined = never set. */
  clockMinusMs: number | undefined;
  restarts = 0;
  busy = false;

  constructor(
    seed = 1,
    store: Record<string, string> = {},
    servers = ["time-a.test", "time-b.test", "time-c.test"],
  ) {
    for (const [key, value] of Object.entries(store)) this.store.set(key, value);
    const random = seededRandom(seed);
    this.net = new VirtualNetwork(
      random,
      (ms) => START + ms,
      (utcMs, ms) => (this.clockMinusMs = utcMs - ms),
    );
    this.part = new Network(
      {
        port: bridgedNetwork((call) => this.net.carryOut(call, this.ms)),
        random,
        store: {
          get: (key) => this.store.get(key),
          set: (key, value) => void this.store.set(key, value),
          delete: (key) => void this.store.delete(key),
        },
        busy: () => this.busy,
        restart: () => this.restarts++,
        log: (_level, text) => this.log.push(text),
      },
      { servers, builtUtcMs: BUILT },
    );
  }

  get now(): { ms: number; utcMs: number | undefined } {
    const utcMs = this.clockMinusMs === undefined ? undefined : this.clockMinusMs + this.ms;
    return { ms: this.ms, utcMs };
  }

  /** How wrong the module's clock is, ms. */
  get errorMs(): number {
    return this.clockMinusMs === undefined ? NaN : this.clockMinusMs - START;
  }

  start(): this {
    this.part.start(this.now);
    return this;
  }

  run(durationMs: number, each?: () => void): this {
    const end = this.ms + durationMs;
    for (;;) {
      const next = Math.max(this.ms, Math.min(this.net.nextMs(), this.part.nextMs(), end));
      this.ms = next;
      for (const event of this.net.take(next)) this.part.onEvent(networkEvent(event), this.now);
      this.part.poll(this.now);
      each?.();
      if (next >= end && this.net.nextMs() > end && this.part.nextMs() > end) return this;
    }
  }

  count(call: string): number {
    return this.net.calls.filter((one) => one.call === call).length;
  }
}

describe("SNTP (RFC 5905 section 14)", () => {
  const random = seededRandom(7);

  it("asks as version 4, mode 3, with nothing of our clock in it", () => {
    const a = sntpRequest(random, 1000);
    const b = sntpRequest(random, 1000);
    expect(toHex(a.bytes).replaceAll(" ", "").slice(0, 80)).toBe(`23${"00".repeat(39)}`);
    expect(toHex(a.bytes.subarray(40))).not.toBe(toHex(b.bytes.subarray(40)));
  });

  it("takes half of the way as the error, and the middle as the time", () => {
    const request = sntpRequest(random, 1000);
    const answer = readSntp(sntpAnswer(request.bytes, START, "well"), request, 1080);
    expect(answer).toEqual({ ok: true, utcMs: START + 40, errorMs: 40 });
  });

  it("reads an answer as a server of the wide world gives it, era 1 (after 2036) included", () => {
    const request = sntpRequest(random, 0);
    // Stratum 1, GPS, root dispersion 1 ms; the layout and the stamps of RFC 5905 figure 8, written by hand.
    const head = "24 01 06 e9 00 00 00 00 00 00 00 41 47 50 53 00";
    const stamps = (s: string): Uint8Array => fromHex(`${head} ${s} ${toHex(request.nonce)} ${s} ${s}`)!;
    const at = (s: string): number => {
      const answer = readSntp(stamps(s), request, 0);
      return answer.ok ? answer.utcMs : NaN;
    };
    expect(at("e9 d5 c3 80 80 00 00 00")).toBe((0xe9d5c380 - 2_208_988_800) * 1000 + 500);
    expect(new Date(at("e9 d5 c3 80 80 00 00 00")).getUTCFullYear()).toBe(2024);
    expect(new Date(at("00 00 00 01 00 00 00 00")).toISOString()).toBe("2036-02-07T06:28:17.000Z");
  });

  const put = (bytes: Uint8Array, at: number, value: number): Uint8Array =>
    bytes.map((byte, i) => (i === at ? value : byte));
  it.each([
    ["length", (bytes: Uint8Array) => bytes.subarray(0, 47)],
    ["mode", (bytes: Uint8Array) => put(bytes, 0, (4 << 3) | 3)],
    ["origin", (bytes: Uint8Array) => put(bytes, 31, bytes[31]! ^ 1)],
    ["unsynchronised", (bytes: Uint8Array) => put(bytes, 1, 16)],
    ["unsynchronised", (bytes: Uint8Array) => put(bytes, 0, bytes[0]! | 0xc0)],
    ["root", (bytes: Uint8Array) => put(bytes, 9, 2)],
    ["blank", (bytes: Uint8Array) => new Uint8Array([...bytes.subarray(0, 40), ...new Uint8Array(8)])],
  ])("refuses what is wrong: %s", (code, spoil) => {
    const request = sntpRequest(random, 0);
    const answer = readSntp(spoil(sntpAnswer(request.bytes, START, "well")), request, 10);
    expect(answer).toEqual({ ok: false, code, stop: false });
  });

  it("obeys a kiss of death", () => {
    const request = sntpRequest(random, 0);
    expect(readSntp(sntpAnswer(request.bytes, START, "RATE"), request, 10)).toEqual({
      ok: false,
      code: "RATE",
      stop: true,
    });
  });

  it("never throws, whatever comes", () => {
    const request = sntpRequest(random, 0);
    for (let i = 0; i < 20_000; i++) {
      const bytes = sntpAnswer(request.bytes, START, "well").slice(0, random.uint32() % 60);
      for (let n = random.uint32() % 6; n > 0 && bytes.length > 0; n--)
        bytes[random.uint32() % bytes.length] = random.uint32() & 255;
      const answer = readSntp(bytes, request, random.uint32());
      if (answer.ok) expect(Number.isFinite(answer.utcMs)).toBe(true);
    }
  });
});

describe("which time is believed", () => {
  it("sets an unset clock once two servers agree, and keeps a floor", () => {
    const home = new Home().start().run(MINUTE);
    expect(Math.abs(home.errorMs)).toBeLessThan(50);
    expect(Number(home.store.get("net.time"))).toBeGreaterThan(START);
  });

  it("is not moved by one of three that lies by years", () => {
    const home = new Home();
    home.net.servers.get("time-b.test")!.offsetMs = 3 * 365 * DAY;
    home.start().run(2 * DAY);
    expect(Math.abs(home.errorMs)).toBeLessThan(300);
  });

  it("is not moved by two that lie differently, and says so", () => {
    const home = new Home();
    home.net.servers.get("time-a.test")!.offsetMs = -400 * DAY;
    home.net.servers.get("time-b.test")!.offsetMs = 300 * DAY;
    home.net.servers.get("time-c.test")!.mood = "silent";
    home.start().run(HOUR);
    expect(home.clockMinusMs).toBeUndefined();
    expect(home.part.status().time.fault).toBe("the servers disagree");
  });

  it.each(["silent", "unsynchronised", "RATE", "forged"] as const)(
    "takes the word of one where the others are %s, after some rounds",
    (mood) => {
      const home = new Home();
      home.net.servers.get("time-a.test")!.mood = mood;
      home.net.servers.get("time-c.test")!.mood = mood;
      home.start().run(5000);
      expect(home.clockMinusMs).toBeUndefined();
      home.run(30 * MINUTE);
      expect(Math.abs(home.errorMs)).toBeLessThan(50);
    },
  );

  it("never takes a time before the image was built, or twenty years after", () => {
    for (const offsetMs of [BUILT - START - 10 * DAY, 25 * 366 * DAY]) {
      const home = new Home();
      for (const server of home.net.servers.values()) server.offsetMs = offsetMs;
      home.start().run(2 * DAY);
      expect(home.clockMinusMs, String(offsetMs)).toBeUndefined();
    }
  });

  it("leaves a floor that was wrong when two servers agree again and again, and not before", () => {
    const home = new Home(3, { "net.time": String(START + 900 * DAY) }).start().run(20_000);
    expect(home.clockMinusMs).toBeUndefined();
    home.run(HOUR);
    expect(Math.abs(home.errorMs)).toBeLessThan(50);
    expect(home.log.some((text) => text.includes("forgotten"))).toBe(true);
  });

  it("one server alone cannot take the clock back before the floor", () => {
    const home = new Home(3, { "net.time": String(START) });
    for (const server of home.net.servers.values()) server.mood = "silent";
    const liar = home.net.servers.get("time-b.test")!;
    liar.mood = "well";
    liar.offsetMs = -30 * DAY;
    home.start().run(3 * DAY);
    expect(home.clockMinusMs).toBeUndefined();
  });

  it("a clock that cannot be set is no reason to be polled without end", () => {
    const home = new Home();
    let polls = 0;
    Object.defineProperty(home, "clockMinusMs", { get: () => undefined, set: () => undefined });
    home.start().run(2 * DAY, () => {
      if (++polls > 20_000) throw new Error("polled without end");
    });
    expect(polls).toBeLessThan(20_000);
  });

  it("asks about once an hour, and writes little into the flash", () => {
    const home = new Home().start().run(3 * DAY);
    const rounds = home.count("ask-time") / 3;
    expect(rounds).toBeGreaterThan(60);
    expect(rounds).toBeLessThan(90);
  });
});

describe("a home in which time servers are blocked", () => {
  const blocked = (): Home => {
    const home = new Home();
    for (const server of home.net.servers.values()) server.mood = "silent";
    return home.start();
  };

  it("is not left because they alone are silent: nobody else was asked", () => {
    const home = blocked().run(MINUTE);
    home.part.alive(home.now);
    home.run(3 * DAY);
    expect(home.count("disconnect")).toBe(0);
    expect(home.count("reinit")).toBe(0);
    expect(home.restarts).toBe(0);
    // After days in which nobody was asked, one request in vain is no dead network.
    home.part.missed(home.now);
    home.run(HOUR);
    expect(home.restarts).toBe(0);
  });

  it("is left when a utility was asked in vain too, and is no reason to restart while it gives addresses", () => {
    const home = blocked().run(MINUTE);
    let asked = 0;
    home.run(3 * DAY, () => {
      if (home.part.online && home.ms - asked > 5 * MINUTE) {
        asked = home.ms;
        home.part.missed(home.now);
      }
    });
    expect(home.count("disconnect")).toBeGreaterThan(10);
    expect(home.restarts).toBe(0);
    home.net.dhcp = false;
    home.net.switchAccessPoint(false, home.ms);
    home.net.switchAccessPoint(true, home.ms + 4000);
    home.run(2 * DAY);
    expect(home.restarts).toBeGreaterThan(0);
  });

  it("whose time servers have answered before is left when they are silent", () => {
    const home = new Home().start().run(HOUR);
    for (const server of home.net.servers.values()) server.mood = "silent";
    home.run(6 * HOUR);
    expect(home.count("disconnect")).toBeGreaterThan(2);
  });
});

describe("the signal", () => {
  it("may grow poor and good again while connected, without fluttering between", () => {
    const home = new Home().start().run(MINUTE);
    const hear = (dbm: number): boolean => {
      home.net.hear(dbm, home.ms);
      home.run(1000);
      return home.part.poor;
    };
    expect([-60, -80, -81, -78, -77, -76, -79, -80, -86].map(hear)).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(home.count("connect")).toBe(1);
  });
});

describe("the station", () => {
  it("comes back by itself whenever the access point does, soon, and with modules spread", () => {
    const waits: number[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const home = new Home(seed).start().run(MINUTE);
      home.net.switchAccessPoint(false, home.ms);
      home.run(HOUR);
      home.net.switchAccessPoint(true, home.ms);
      const from = home.ms;
      let back = NaN;
      home.run(10 * MINUTE, () => {
        if (Number.isNaN(back) && home.part.online) back = home.ms - from;
      });
      waits.push(back);
    }
    waits.sort((a, b) => a - b);
    expect(waits.some(Number.isNaN)).toBe(false);
    expect(waits[189]!, "95th percentile").toBeLessThan(130_000);
    // Full jitter: they come back over the whole of it.
    expect(waits[150]! - waits[50]!).toBeGreaterThan(20_000);
  });

  it("an access point that is away for a week costs no restart", () => {
    const home = new Home().start().run(MINUTE);
    home.net.switchAccessPoint(false, home.ms);
    home.run(7 * DAY);
    expect(home.restarts).toBe(0);
    home.net.switchAccessPoint(true, home.ms);
    expect(home.run(5 * MINUTE).part.online).toBe(true);
  });

  it("leaves a connection over which nothing answers (a new router), without a restart", () => {
    const home = new Home().start().run(MINUTE);
    home.net.newRouter();
    home.run(2 * HOUR);
    expect(home.net.passes).toBe(true);
    expect(home.part.status().station).toMatchObject({ state: "online", reinits: 0, restarts: 0 });
  });

  it("a server that is dead is no dead network: nothing is torn down", () => {
    const home = new Home().start().run(3 * DAY);
    expect(home.part.status().station).toMatchObject({ connections: 1, reinits: 0, restarts: 0 });
    expect(home.count("disconnect")).toBe(0);
  });

  it("starts a hung driver anew, and restarts the module once a day where nothing else helps", () => {
    const home = new Home().start().run(MINUTE);
    home.net.hung = true;
    home.run(4 * HOUR);
    expect(home.part.status().station.reinits).toBeGreaterThan(0);
    expect(home.part.online).toBe(true);
    const dead = new Home(2).start().run(MINUTE);
    // Nothing answers any more, whatever is started anew.
    dead.run(3 * DAY + HOUR, () => (dead.net.hung = true));
    expect(dead.restarts).toBe(3);
    expect(dead.store.get("net.restarts")).toBe("3");
  });

  it("does not restart in the middle of a curtailment, but for half a day", () => {
    const home = new Home(2).start().run(MINUTE);
    home.busy = true;
    home.run(25 * HOUR, () => (home.net.hung = true));
    expect(home.restarts).toBe(0);
    home.run(12 * HOUR, () => (home.net.hung = true));
    expect(home.restarts).toBe(1);
  });

  it("a wrong passphrase is tried on, ever slower, and said once", () => {
    const home = new Home();
    home.net.refuses = true;
    home.start().run(DAY);
    expect(home.part.status().station.why).toBe("refused");
    expect(home.count("connect")).toBeLessThan((24 * 3600) / 50);
    expect(home.log.filter((text) => text.includes("refused"))).toHaveLength(1);
    home.net.refuses = false;
    expect(home.run(5 * MINUTE).part.online).toBe(true);
  });

  it("without addresses it says no-address, and takes one when it comes", () => {
    const home = new Home();
    home.net.dhcp = false;
    home.start().run(HOUR);
    expect(home.part.status().station.why).toBe("no-address");
    home.net.dhcp = true;
    expect(home.run(5 * MINUTE).part.online).toBe(true);
  });

  it("tells a poor connection", () => {
    const home = new Home();
    home.net.rssiDbm = -85;
    home.start().run(MINUTE);
    expect(home.part.poor).toBe(true);
  });
});
