// The owner's page and the setup page, request by request, without a server.
import { beforeEach, describe, expect, it } from "vitest";
import { parsePosixTz } from "../../src/base/posix-tz.js";
import { seededRandom } from "../../src/base/random.js";
import type { WebRequest, WebResponse } from "../../src/ports/http-server.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { type Span, spansOf, windowsOf } from "../../src/setup/hours.js";
import { RequestReader, writeResponse } from "../../src/setup/http-codec.js";
import { plainSecret } from "../../src/setup/login.js";
import { settingsPage, type WebFacts, type WebHistory } from "../../src/setup/pages.js";
import { ReadyBy } from "../../src/setup/ready-by.js";
import type { Setup } from "../../src/setup/setup-form.js";
import { OwnerWeb, SETUP_MS, type WebDesk } from "../../src/setup/web.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH";
const UTC = Date.UTC(2026, 5, 1, 12);

function memory() {
  const values = new Map<string, string>();
  return {
    values,
    get: (key: string) => values.get(key),
    set: (key: string, value: string) => void values.set(key, value),
    delete: (key: string) => void values.delete(key),
  };
}

const facts: WebFacts = {
  intent: {
    ask: { ask: "shed" },
    source: "utility",
    reason: "Peak <script>alert(1)</script>",
    // An end that is not on the minute: said as in the reason, to the nearest.
    endsUtcMs: UTC + 3_600_000 - 20_000,
  },
  sgd: { link: "online", powerW: 3680, override: false, load: undefined },
  upstreams: [{ id: "utility", state: "failing", text: `down" onmouseover="x` }],
  delay: { enabled: true, running: true, remainingMs: 90_000 },
  owner: {
    ...{ overrideLeftMs: 0, boostLeftMs: 0, heldOff: false, schedule: "offered", consent: [] },
    windows: [{ days: 62, fromMin: 960, toMin: 1320 }],
  },
  schedule: [],
  provider: "",
  ready: undefined,
};

const history: WebHistory = {
  sessions: [
    {
      ...{ startUtcMs: UTC - 7_200_000, stopUtcMs: UTC, energyWh: 7300 },
      changes: [{ ask: "shed", source: "utility" }],
    },
  ],
  days: [{ utcMs: UTC, energyWh: 12_345 }],
};

class Bench {
  readonly orders: unknown[] = [];
  readonly log: string[] = [];
  readonly setups: Setup[] = [];
  readonly store = memory();
  nowMs = 1000;
  web: OwnerWeb;
  cookie = "";

  constructor(
    options: { fresh?: boolean; wifi?: boolean; config?: Record<string, unknown>; secret?: string } = {},
    seen = facts,
  ) {
    const config = readConfig(
      options.config ?? {
        upstreams: [{ id: "utility", protocol: "openadr2b", url: "https://vtn.example/", venName: "m" }],
        region: "uk",
      },
    ) as UcmConfig;
    const take = (order: unknown) => {
      this.orders.push(order);
      return { ok: true, text: "Done." };
    };
    const desk: WebDesk = {
      facts: () => seen,
      history: () => history,
      owner: take,
      delay: take,
      look: () => {
        this.orders.push("look");
        return true;
      },
      ready: (minute, hours) => {
        this.orders.push({ minute, hours });
        return minute === undefined || hours > 0;
      },
      forget: () => take("forget"),
      configure: (setup) => void this.setups.push(setup),
      security: (code, text) => void this.log.push(`${code}: ${text}`),
    };
    this.web = new OwnerWeb(
      desk,
      {
        ...{ config, zone: parsePosixTz("GMT0BST,M3.5.0/1,M10.5.0"), ownerSecret: options.secret ?? SECRET },
        ...{ fresh: options.fresh ?? false, wifi: options.wifi ?? true },
      },
      seededRandom(5),
      this.store,
    );
  }

  request(method: string, target: string, body = "", more: Partial<WebRequest> = {}): WebResponse {
    const base = { id: 1, method, target, body, host: "192.168.4.1", cookie: this.cookie };
    return this.web.handle(
      { ...base, origin: method === "POST" ? "http://192.168.4.1" : "", site: "", ...more },
      { ms: this.nowMs, utcMs: UTC },
    );
  }

  get(target: string, more: Partial<WebRequest> = {}): WebResponse {
    return this.request("GET", target, "", more);
  }

  post(target: string, fields: Record<string, string>, more: Partial<WebRequest> = {}): WebResponse {
    return this.request("POST", target, new URLSearchParams(fields).toString(), more);
  }

  login(secret = SECRET): WebResponse {
    const response = this.post("/login", { secret });
    const cookie = response.headers.find(([name]) => name === "set-cookie")?.[1];
    if (cookie !== undefined) this.cookie = cookie.split(";")[0]!;
    return response;
  }

  get form(): string {
    return /name="form" value="([0-9A-Fa-f]{32})"/.exec(this.get("/settings").body)![1]!;
  }
}

let bench: Bench;
beforeEach(() => (bench = new Bench()));

describe("two modules on one computer", () => {
  it("do not throw each other's owner out: cookies know no ports", () => {
    const modules = [8050, 8051].map((port) => {
      const host = `127.0.0.1:${port}`;
      return { bench: new Bench(), more: { host, origin: `http://${host}` } };
    });
    // What a browser keeps of 127.0.0.1: one value a name.
    const jar = new Map<string, string>();
    const cookie = (): string => [...jar].map((pair) => pair.join("=")).join("; ");
    for (const { bench: one, more } of modules) {
      const { headers } = one.post("/login", { secret: SECRET }, { ...more, cookie: cookie() });
      const [name, value] = headers
        .find(([field]) => field === "set-cookie")![1]
        .split(";")[0]!
        .split("=");
      jar.set(name!, value!);
    }
    expect([...jar.keys()]).toEqual(["ucm8050", "ucm8051"]);
    for (const { bench: one, more } of modules)
      expect(one.get("/settings", { ...more, cookie: cookie() }).body).toContain("Log out");
    // Without a port, as on the device, nothing is added; and a Host says no more than its number.
    new Map([
      ["192.168.4.1", /^ucm=/],
      ["127.0.0.1:80; Domain=x", /^ucm=/],
    ]).forEach((name, host) => {
      const { headers } = new Bench().post("/login", { secret: SECRET }, { host, origin: "" });
      expect(headers.find(([field]) => field === "set-cookie")![1]).toMatch(name);
    });
  });
});

describe("without the secret", () => {
  it.each(["/", "/history", "/settings", "/setup"])("%s shows the login alone", (path) => {
    const { status, body } = bench.get(path);
    expect(status).toBe(200);
    expect(body).toContain('name="secret"');
    expect(body).not.toContain("kW");
    expect(body).not.toContain("vtn.example");
  });

  it.each(["/order", "/secret", "/forget", "/setup", "/leave"])("POST %s does nothing", (path) => {
    expect(bench.post(path, { do: "override", sure: "forget", form: "" }).status).toBe(403);
    expect(bench.orders).toEqual([]);
    expect(bench.setups).toEqual([]);
  });

  it("a module without a secret lets nobody in", () => {
    const open = new Bench({ secret: "" });
    expect(open.login("").status).toBe(429);
    open.nowMs += 5000;
    expect(open.login("-").status).toBe(429);
  });

  it("wrong secrets cost ever more time, for everybody, and are logged; the right one in between is not looked at", () => {
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { status, headers } = bench.login("wrong");
      expect(status).toBe(429);
      const waitS = Number(headers.find(([name]) => name === "retry-after")![1]);
      waits.push(waitS);
      expect(bench.login().status, "too early").toBe(429);
      bench.nowMs += waitS * 1000;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
    expect(bench.log.filter((line) => line.startsWith("login-failed"))).toHaveLength(12);
    expect(bench.login().status).toBe(303);
    expect(bench.login("wrong").headers.find(([name]) => name === "retry-after")![1]).toBe("1");
  });
});

describe("the secret", () => {
  it.each([SECRET, "7kq2m9xv4t8bd3nh", " 7KQ2 M9XV 4T8B D3NH "])("is taken as it is typed: %j", (typed) => {
    expect(bench.login(typed).status).toBe(303);
  });

  it("reads the letters that are not in the alphabet as the digits they look like", () => {
    expect(plainSecret("oO-iI lL")).toBe("001111");
  });

  it("can be changed, which ends all sessions; the label's is then of no use, and only a hash is kept", () => {
    bench.login();
    const form = bench.form;
    expect(bench.post("/secret", { form, old: SECRET, new: "short" }).body).toContain("10 to 64");
    expect(bench.post("/secret", { form, old: SECRET, new: "correct horse battery" }).status).toBe(303);
    expect(bench.get("/").body).toContain('name="secret"');
    expect(bench.login().status).toBe(429);
    bench.nowMs += 2000;
    expect(bench.login("correct horse battery").status).toBe(303);
    expect(JSON.stringify([...bench.store.values])).not.toMatch(/horse|7KQ2/);
  });

  it("is not changed by whoever only has the session", () => {
    bench.login();
    expect(bench.post("/secret", { form: bench.form, old: "no", new: "correct horse" }).status).toBe(429);
    expect(bench.log).toContain("login-failed: change of the secret");
  });

  it("a session ends after half an hour without a request, and after 12 hours at the latest", () => {
    bench.login();
    bench.nowMs += 29 * 60_000;
    expect(bench.get("/").body).toContain("3.7 kW");
    bench.nowMs += 31 * 60_000;
    expect(bench.get("/").body).toContain('name="secret"');
    bench.login();
    for (let i = 0; i < 25; i++, bench.nowMs += 29 * 60_000) bench.get("/");
    expect(bench.get("/").body).toContain('name="secret"');
  });
});

describe("other pages cannot press buttons here", () => {
  beforeEach(() => void bench.login());

  it.each([
    ["another origin", { origin: "http://evil.example" }],
    ["a page of another site", { origin: "", site: "cross-site" }],
    ["null, as a sandbox sends it", { origin: "null" }],
  ])("%s", (_name, more) => {
    expect(bench.post("/order", { form: bench.form, do: "override" }, more).status).toBe(403);
    expect(bench.orders).toEqual([]);
  });

  it("a form without this session's word", () => {
    expect(bench.post("/order", { do: "override" }).status).toBe(403);
    expect(bench.orders).toEqual([]);
  });

  it.each(["evil.example", "192.168.4.1.evil.example", "ucm.local.example", "", "0300.1.1.1"])(
    "a name that is bent to this address: %j",
    (host) => {
      expect(bench.get("/", { host }).status).toBe(421);
    },
  );

  it.each(["192.168.1.20", "192.168.1.20:8080", "ucm.local", "localhost:3000"])("%s is its own", (host) => {
    expect(bench.get("/", { host }).status).toBe(200);
  });
});

describe("the pages", () => {
  beforeEach(() => void bench.login());

  it("say who is in control and why, with what a utility sends made harmless", () => {
    const { body, headers } = bench.get("/");
    expect(body).toContain("Your utility (utility)");
    expect(body).toContain("Peak &lt;script&gt;alert(1)&lt;/script&gt;");
    expect(body).not.toContain("<script>");
    expect(body).not.toContain('" onmouseover');
    expect(body).toContain("Mon 1 Jun 14:00");
    expect(headers.find(([name]) => name === "content-security-policy")![1]).toContain("default-src 'none'");
  });

  it("show history in local time", () => {
    const { body } = bench.get("/history");
    expect(body).toContain("Mon 1 Jun 11:00");
    expect(body).toContain("7.3");
    expect(body).toContain("held back by utility");
    expect(body).toContain("12.3");
  });

  it("stay under 12 KB each, and need no script nor anything from elsewhere", () => {
    for (const path of ["/", "/history", "/settings", "/setup"]) {
      const { body } = bench.get(path);
      expect(Buffer.byteLength(body), path).toBeLessThan(12 * 1024);
      expect(body).not.toMatch(/<script|style="|https?:\/\/(?!vtn\.example)[a-z]/);
    }
  });

  it.each([
    [{ do: "boost" }, { verb: "boost", durationMs: 43_200_000 }],
    [{ do: "override" }, { verb: "override" }],
    [{ do: "skip-delay" }, { verb: "skip-delay" }],
    [{ do: "resume" }, { verb: "resume" }],
    [{ do: "accept-schedule" }, { verb: "accept-schedule" }],
    [
      { do: "pause", source: "utility" },
      { verb: "pause", source: "utility" },
    ],
    [{ do: "delay-off" }, { verb: "disable" }],
    [
      { do: "change-schedule", days: "62", from: "16:30", to: "21:00" },
      { verb: "change-schedule", windows: [{ days: 62, fromMin: 990, toMin: 1260 }] },
    ],
    [
      { do: "ready", at: "07:00", hours: "4.5" },
      { minute: 420, hours: 4.5 },
    ],
  ])("%j becomes an order", (fields, order) => {
    expect(bench.post("/order", { form: bench.form, ...(fields as Record<string, string>) }).status).toBe(
      200,
    );
    expect(bench.orders).toEqual([order]);
  });

  it("hours past midnight are two windows, the second on the days after", () => {
    const change = (days: number, from: string, to: string): unknown => {
      bench.orders.length = 0;
      bench.post("/order", { form: bench.form, do: "change-schedule", days: String(days), from, to });
      return (bench.orders[0] as { windows: unknown }).windows;
    };
    expect(change(62, "23:00", "06:30")).toEqual([
      { days: 62, fromMin: 1380, toMin: 1440 },
      { days: 124, fromMin: 0, toMin: 390 },
    ]);
    expect(change(65, "23:00", "06:30")).toMatchObject([{ days: 65 }, { days: 3 }]);
    expect(change(127, "22:00", "00:00")).toEqual([{ days: 127, fromMin: 1320, toMin: 1440 }]);
    expect(change(127, "09:00", "17:00")).toEqual([{ days: 127, fromMin: 540, toMin: 1020 }]);
  });

  describe("several off-peak hours", () => {
    const day = { days: 62, fromMin: 480, toMin: 660 };
    const night = [
      { days: 62, fromMin: 1380, toMin: 1440 },
      { days: 124, fromMin: 0, toMin: 390 },
    ];
    const noon = { days: 127, fromMin: 720, toMin: 780 };
    const asNoon = { do: "change-schedule", days: "127", from: "12:00", to: "13:00" };
    const shown = (windows: readonly Span[]): Bench => {
      const owner = new Bench({}, { ...facts, owner: { ...facts.owner, windows } });
      owner.login();
      return owner;
    };
    const ask = (
      fields: Readonly<Record<string, string>>,
      windows: readonly Span[] = [day, ...night],
    ): unknown => {
      const owner = shown(windows);
      const { body } = owner.post("/order", { form: owner.form, ...fields });
      const [order] = owner.orders as { verb: string; windows: unknown }[];
      return order === undefined ? /role="status"><p>([^<]*)/.exec(body)![1] : [order.verb, order.windows];
    };

    it("are all shown, those past midnight as one, and all can be chosen", () => {
      const { body } = shown([day, ...night]).get("/settings");
      const texts = ["Mon to Fri 08:00 to 11:00", "Mon to Fri 23:00 to 06:30"];
      expect(body).toContain(`No charging ${texts.join("; ")} (offered)`);
      const options = [...body.matchAll(/<option value="([^"]*)">Instead of ([^<]*)</g)].map(
        ([, , text]) => text,
      );
      expect(options).toEqual(["all these", ...texts]);
      for (const text of texts) expect(body).toContain(`>Remove ${text}</button>`);
      expect(shown([...night].reverse()).get("/settings").body).toContain(
        "No charging Mon to Fri 23:00 to 06:30 (",
      );
      expect(shown([day]).get("/settings").body).not.toMatch(/Instead of Mon|>Remove Mon/);
      expect(shown([]).get("/settings").body).not.toContain('name="instead"');
      expect(shown([day, ...night]).get("/").body).toContain(texts.join("; "));
    });

    it("change one by one: the others stay", () => {
      expect(ask({ ...asNoon, instead: "62-480-660" })).toEqual(["change-schedule", [noon, ...night]]);
      expect(ask({ ...asNoon, instead: "62-1380-390" })).toEqual(["change-schedule", [day, noon]]);
      expect(ask({ ...asNoon, instead: "none" })).toEqual(["change-schedule", [day, ...night, noon]]);
      expect(ask({ ...asNoon, instead: "all" })).toEqual(["change-schedule", [noon]]);
      expect(ask({ do: "drop-hours", instead: "62-480-660" })).toEqual(["change-schedule", night]);
      expect(ask({ do: "drop-hours", instead: "62-1380-390" })).toEqual(["change-schedule", [day]]);
    });

    it("of a page that is old, or too many, change nothing", () => {
      expect(ask({ ...asNoon, instead: "62-481-660" })).toContain("not there any more");
      expect(ask({ do: "drop-hours", instead: "62-481-660" })).toContain("not there any more");
      expect(ask({ do: "drop-hours" })).toContain("not there any more");
      const eight = Array.from({ length: 8 }, (_, i) => ({ days: 127, fromMin: i * 60, toMin: i * 60 + 30 }));
      expect(ask({ ...asNoon, instead: "none" }, eight)).toContain("enough");
      expect(ask({ ...asNoon, instead: "127-0-30" }, eight)).toEqual([
        "change-schedule",
        [noon, ...eight.slice(1)],
      ]);
      expect(Buffer.byteLength(shown(eight).get("/settings").body)).toBeLessThan(12 * 1024);
    });

    it("come back as they were said, to midnight and the whole day too", () => {
      const times = [0, 1, 390, 720, 1380, 1439];
      for (const days of [1, 62, 64, 65, 127])
        for (const fromMin of times)
          for (const toMin of times) {
            if (fromMin === toMin && toMin !== 0) continue;
            const said = { days, fromMin, toMin };
            const whole = { ...said, toMin: toMin === 0 ? 1440 : toMin };
            expect(spansOf(windowsOf(said))).toEqual([whole]);
            const two = [...windowsOf({ days: 2, fromMin: 600, toMin: 660 }), ...windowsOf(said)];
            expect(spansOf(two)).toHaveLength(2);
          }
    });
  });

  it("forget everything needs the word", () => {
    expect(bench.post("/forget", { form: bench.form, sure: "yes" }).status).toBe(422);
    expect(bench.orders).toEqual([]);
    expect(bench.post("/forget", { form: bench.form, sure: "forget" }).status).toBe(200);
    expect(bench.orders).toEqual(["forget"]);
  });

  it("refuse what is no form, too long, or another method", () => {
    expect(bench.request("POST", "/order", "%E0%A4%A").status).toBe(400);
    expect(bench.request("POST", "/order", "a=".repeat(3000)).status).toBe(413);
    expect(bench.request("DELETE", "/").status).toBe(405);
    expect(bench.get("/nothing").status).toBe(404);
  });
});

describe("setup", () => {
  const good = {
    ...{ ssid: "home", passphrase: "long enough", protocol: "openadr3", url: "https://vtn.example/openadr3" },
    ...{ name: "client-7", secret: "s3cret of the utility", id: "grid", region: "au", zone: "AEST-10" },
  };

  it("of a new module is open for ten minutes, and hands over what was typed, secrets apart", () => {
    const fresh = new Bench({ fresh: true, config: { upstreams: [] } });
    fresh.web.openSetup("new", { ms: fresh.nowMs, utcMs: UTC });
    expect(fresh.get("/").body).toContain("Set up your module");
    fresh.login();
    const form = /name="form" value="(\w+)"/.exec(fresh.get("/").body)![1]!;
    expect(fresh.post("/setup", { form, ...good, url: "http//x" }).body).toContain(
      "The address must begin with https://",
    );
    expect(fresh.post("/setup", { form, ...good, passphrase: "short" }).body).toContain("8 to 63");
    expect(fresh.post("/setup", { form, ...good }).status).toBe(200);
    expect(fresh.setups).toEqual([
      {
        document: {
          upstreams: [
            {
              ...{ id: "grid", protocol: "openadr3", url: "https://vtn.example/openadr3" },
              ...{ venName: "client-7", clientId: "client-7", clientSecretFile: "grid.secret" },
            },
          ],
          ...{ region: "au", timeZone: "AEST-10" },
        },
        wifi: { ssid: "home", passphrase: "long enough" },
        secret: "s3cret of the utility",
      },
    ]);
    expect(JSON.stringify(fresh.setups[0]!.document)).not.toContain("s3cret");
    fresh.nowMs += SETUP_MS;
    expect(fresh.post("/setup", { form, ...good }).status).toBe(200);
    expect(fresh.setups).toHaveLength(1);
  });

  it.each(["8 chars!", "x".repeat(63), "0123456789abcdef".repeat(4), "0123456789ABCDEF".repeat(4)])(
    "takes the passphrase or the key %s as it is",
    (passphrase) => {
      const fresh = new Bench({ fresh: true, config: { upstreams: [] } });
      fresh.web.openSetup("new", { ms: fresh.nowMs, utcMs: UTC });
      fresh.login();
      const page = fresh.get("/").body;
      const form = /name="form" value="(\w+)"/.exec(page)![1]!;
      const most = Number(/name="passphrase"[^>]* maxlength="(\d+)"/.exec(page)![1]);
      expect(passphrase.length).toBeLessThanOrEqual(most);
      expect(fresh.post("/setup", { form, ...good, passphrase }).status).toBe(200);
      expect(fresh.setups).toMatchObject([{ wifi: { ssid: "home", passphrase } }]);
    },
  );

  it.each([
    ["no network in a new module", { ssid: "" }, "Wi-Fi network is missing"],
    ["a network name of more than 32 bytes", { ssid: "Gästezimmer überm Hühnerstall öö" }, "at most 32"],
    ["a password that WPA2 does not know", { passphrase: "Kühlschrank" }, "without accents"],
    ["64 characters that are no key", { passphrase: `${"0123456789abcde".repeat(4)}fghi` }, "A key has 64"],
    ["a key with spaces", { passphrase: `${"01 ".repeat(21)}0` }, "A key has 64"],
    ["65 hex digits", { passphrase: "a".repeat(65) }, "A key has 64"],
    ["an address without TLS", { url: "http://vtn.example/openadr3" }, "must begin with https://"],
    ["a platform without TLS", { protocol: "ocpp16", url: "ws://csms.example/a" }, "must begin with wss://"],
    [
      "no name for OpenADR 2.0b",
      { protocol: "openadr2b", name: "" },
      "The name that it has given you is missing",
    ],
    ["no place", { region: "" }, "Choose where you are"],
    ["no time zone", { zone: "" }, "Choose where you are"],
  ])("says in the owner's words: %s", (_, wrong, words) => {
    const fresh = new Bench({ fresh: true, config: { upstreams: [] } });
    fresh.web.openSetup("new", { ms: fresh.nowMs, utcMs: UTC });
    fresh.login();
    const page = fresh.get("/").body;
    const form = /name="form" value="(\w+)"/.exec(page)![1]!;
    const { status, body } = fresh.post("/setup", { form, ...good, ...wrong });
    expect(status).toBe(422);
    const told = /role="alert"><p class="w">([^<]*)</.exec(body)![1]!;
    expect(told).toContain(words);
    expect(told).not.toMatch(/upstreams|venName|timeZone/);
    expect(fresh.setups).toEqual([]);
  });

  it("and pages: the end of what is in force is rounded as its reason is", () => {
    bench.login();
    expect(bench.get("/").body).toMatch(/Until Mon 1 Jun 14:00\./);
  });

  it("and settings: model and version of the firmware, what is under way, and one button to look for another", () => {
    bench.login();
    expect(bench.get("/settings").body).not.toContain("Firmware");
    const update = { version: "1.2.0", board: "b<oard", phase: "idle", target: "", percent: 0 };
    const shown = (more: object): string =>
      settingsPage({ ...facts, update: { ...update, ...more } }, "f", "", true);
    expect(shown({})).toContain("Version 1.2.0 for b&lt;oard.");
    expect(shown({})).toContain("Look for an update");
    const going = shown({ phase: "downloading", target: "1.3.0", percent: 41.7 });
    expect(going).toContain("Version 1.3.0 is under way (41 %, downloading).");
    expect(going).not.toContain("Look for an update");
    bench.post("/order", { form: bench.form, do: "look" });
    expect(bench.orders).toEqual(["look"]);
  });

  it("of a new module presets no place; afterwards a password alone is not lost silently", () => {
    const fresh = new Bench({ fresh: true, config: { upstreams: [] } });
    fresh.web.openSetup("new", { ms: fresh.nowMs, utcMs: UTC });
    fresh.login();
    const page = fresh.get("/").body;
    const places = /<select id="region"[\s\S]*$/.exec(page)![0];
    expect(places).not.toMatch(/<option value="[^"]+" selected/);
    bench.login();
    const { body } = bench.post("/setup", { form: bench.form, ...good, ssid: "" });
    expect(body).toContain("Wi-Fi network is missing");
    expect(bench.setups).toEqual([]);
    expect(bench.post("/setup", { form: bench.form, ...good, ssid: "", passphrase: "" }).status).toBe(200);
  });

  it("never shows a secret that was typed", () => {
    bench.login();
    const { body } = bench.post("/setup", { form: bench.form, ...good, url: "x" });
    expect(body).not.toContain("s3cret");
    expect(body).not.toContain("long enough");
    expect(body).toContain("client-7");
  });
});

describe("full by", () => {
  const zone = parsePosixTz("GMT0BST,M3.5.0/1,M10.5.0");
  const at = (text: string): { ms: number; utcMs: number } => ({
    ms: Date.parse(text) - UTC,
    utcMs: Date.parse(text),
  });

  it("begins so many hours before, once a day, also after a restart", () => {
    const store = memory();
    const ready = new ReadyBy(store, zone);
    expect(ready.set({ minute: 7 * 60, hours: 4 })).toBe(true);
    expect(ready.poll(at("2026-06-02T01:59:00Z"))).toBe(0);
    expect(ready.nextMs(at("2026-06-02T01:30:00Z")) - at("2026-06-02T01:30:00Z").ms).toBe(30 * 60_000);
    expect(ready.poll(at("2026-06-02T02:00:00Z"))).toBe(4 * 3_600_000);
    expect(ready.poll(at("2026-06-02T02:00:01Z"))).toBe(0);
    const again = new ReadyBy(store, zone);
    expect(again.time).toEqual({ minute: 420, hours: 4 });
    expect(again.poll(at("2026-06-02T05:00:00Z"))).toBe(0);
    expect(again.poll(at("2026-06-03T03:00:00Z"))).toBe(3 * 3_600_000);
  });

  it("lets a power cut that leaves the charger off hold back nothing, as often as it comes", () => {
    const ready = new ReadyBy(memory(), zone);
    ready.set({ minute: 420, hours: 4 });
    expect(ready.poll(at("2026-06-02T01:00:00Z"), true)).toBe(0);
    expect(ready.poll(at("2026-06-02T02:00:00Z"), true)).toBe(4 * 3_600_000);
    expect(ready.poll(at("2026-06-02T04:00:00Z"), false)).toBe(0);
    expect(ready.poll(at("2026-06-02T04:00:00Z"), true)).toBe(2 * 3_600_000);
    expect(ready.poll(at("2026-06-02T06:00:00Z"), true)).toBe(0);
  });

  it("knows midnight and summer time", () => {
    const ready = new ReadyBy(memory(), zone);
    ready.set({ minute: 60, hours: 3 });
    expect(ready.poll(at("2026-12-01T22:00:00Z"))).toBe(3 * 3_600_000);
    expect(ready.poll(at("2026-12-02T00:30:00Z"))).toBe(0);
    ready.set({ minute: 420, hours: 4 });
    expect(ready.poll(at("2026-12-02T02:59:00Z"))).toBe(0);
    expect(ready.poll(at("2026-12-02T03:00:00Z"))).toBe(4 * 3_600_000);
  });

  it("gives the hours that were asked for over a change of the clock, and ends at the time that it shows", () => {
    const spring = new ReadyBy(memory(), zone);
    spring.set({ minute: 420, hours: 10 });
    // 29 March, 01:00 UTC: 7:00 on the clock is 6:00 UTC.
    expect(spring.poll(at("2026-03-28T19:59:00Z"))).toBe(0);
    expect(spring.poll(at("2026-03-28T20:00:00Z"))).toBe(10 * 3_600_000);
    expect(spring.poll(at("2026-03-29T05:59:00Z"))).toBe(0);
    const autumn = new ReadyBy(memory(), zone);
    autumn.set({ minute: 420, hours: 10 });
    // 25 October, 01:00 UTC: 7:00 on the clock is 7:00 UTC.
    expect(autumn.poll(at("2026-10-24T20:59:00Z"))).toBe(0);
    expect(autumn.poll(at("2026-10-24T21:00:00Z"))).toBe(10 * 3_600_000);
    expect(autumn.poll(at("2026-10-25T06:59:00Z"))).toBe(0);
  });

  it("serves a day once and never wants to be polled at once, through both nights of change and every time", () => {
    for (const first of ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"])
      for (let minute = 0; minute < 1440; minute += 30) {
        const ready = new ReadyBy(memory(), zone);
        ready.set({ minute, hours: 3 });
        const begin = at(first);
        let served = 0;
        let polls = 0;
        for (let t = 0; t < 48 * 3_600_000; polls++) {
          const now = { ms: begin.ms + t, utcMs: begin.utcMs + t };
          const ms = ready.poll(now);
          if (ms > 0) served++;
          expect(ms).toBeLessThanOrEqual(3 * 3_600_000);
          t += ready.nextMs(now) - now.ms;
        }
        expect(served, `${first} ${minute}`).toBeGreaterThanOrEqual(2);
        expect(served, `${first} ${minute}`).toBeLessThanOrEqual(3);
        expect(polls).toBeLessThan(150);
      }
  });

  it("does nothing without a clock, and refuses what is no time", () => {
    const ready = new ReadyBy(memory(), zone);
    for (const time of [
      { minute: -1, hours: 4 },
      { minute: 1440, hours: 4 },
      { minute: 1, hours: 13 },
      { minute: NaN, hours: 1 },
    ])
      expect(ready.set(time)).toBe(false);
    ready.set({ minute: 420, hours: 12 });
    expect(ready.poll({ ms: 5, utcMs: undefined })).toBe(0);
    expect(ready.nextMs({ ms: 5, utcMs: undefined })).toBe(Infinity);
  });
});

describe("HTTP of the chip", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const whole =
    "POST /order HTTP/1.1\r\nHost: 192.168.4.1\r\nOrigin: http://192.168.4.1\r\nCookie: ucm=1\r\nContent-Length: 9\r\n\r\ndo=resume";

  it("reads a request in whatever pieces it comes", () => {
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new RequestReader();
      const first = reader.push(bytes(whole.slice(0, cut)));
      const result = first ?? reader.push(bytes(whole.slice(cut)));
      expect(result, String(cut)).toMatchObject({
        method: "POST",
        target: "/order",
        cookie: "ucm=1",
        body: "do=resume",
      });
    }
  });

  it.each([
    ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
    ["GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400],
    ["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411],
    ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", 413],
    ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400],
    [`GET /${"a".repeat(3000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ["hello\r\n\r\n", 400],
  ])("refuses %j", (text, status) => {
    expect(new RequestReader().push(bytes(text))).toBe(status);
  });

  it("takes the longest request that it promises, byte by byte, and not one byte more", () => {
    const head = (size: number): string => {
      const fixed = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\nx: ";
      return `${fixed}${"y".repeat(size - fixed.length)}\r\n\r\n`;
    };
    const read = (text: string): unknown => {
      const reader = new RequestReader();
      for (const byte of bytes(text)) {
        const result = reader.push(Uint8Array.of(byte));
        if (result !== undefined) return typeof result === "object" ? result.body.length : result;
      }
      return undefined;
    };
    expect(read(`${head(2048)}${"b".repeat(4096)}`)).toBe(4096);
    expect(read(head(2049))).toBe(431);
    expect(read(`${head(2048)}${"b".repeat(4095)}`)).toBeUndefined();
    expect(new RequestReader().push(bytes(`${head(2048)}${"b".repeat(20_000)}`))).toMatchObject({
      body: "b".repeat(4096),
    });
  });

  it("never throws and never holds more than its bounds, whatever comes", () => {
    const random = seededRandom(11);
    for (let i = 0; i < 100_000; i++) {
      const raw = bytes(whole);
      for (let n = random.uint32() % 8; n > 0; n--) raw[random.uint32() % raw.length] = random.uint32() & 255;
      const reader = new RequestReader();
      for (let at = 0; at < raw.length;) {
        const size = 1 + (random.uint32() % 60);
        const result = reader.push(raw.subarray(at, at + size));
        at += size;
        if (result !== undefined) {
          if (typeof result === "object") bench.web.handle({ id: 1, ...result }, { ms: 1, utcMs: undefined });
          break;
        }
      }
    }
  });

  it("writes an answer with its length in bytes", () => {
    const text = new TextDecoder().decode(writeResponse({ status: 200, headers: [["a", "b"]], body: "½" }));
    expect(text).toBe("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\na: b\r\n\r\n½");
  });
});
