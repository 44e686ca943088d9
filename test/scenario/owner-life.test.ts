// A module's life in its owner's hands, in virtual time: from the box to the factory reset, all by its own pages.
import { beforeAll, describe, expect, it } from "vitest";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import { OwnerPages } from "../../host-sim/virtual/owner-pages.js";
import { csmsUpstream, VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { VtnCore } from "../../host-sim/vtn/core.js";

import { ask } from "../support/ocpp-bench.js";

const SECRET = "7KQ2-M9XV-4T8B-D3NH-P";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LONDON = "GMT0BST,M3.5.0/1,M10.5.0";
const north = "https://north.example/OpenADR2/Simple/2.0b";
const south = "https://south.example/OpenADR2/Simple/2.0b";
/** Monday, half past six in the morning in London. */
const MONDAY = Date.UTC(2026, 5, 1, 5, 30);

const standard = loadProfile("evse-level2-32a");
/** A battery that is not full before these two days are over. */
const profile = { ...standard, car: { ...standard.car, capacityWh: 500_000, soc: 0.01 } };

describe("full by seven", () => {
  it("lifts 'off after a power cut', also when it comes in the middle; a stop from elsewhere holds", async () => {
    const bench = new VirtualBench({
      engine: nodeEngine(),
      flash: FileFlash.blank(),
      web: { ownerSecret: SECRET },
      utcMs: Date.UTC(2026, 5, 2, 1),
      profile: { ...profile, charger: { ...profile.charger, powerLevelFloor: "stop" } },
      csms: {},
      config: {
        upstreams: [csmsUpstream],
        region: "uk",
        timeZone: LONDON,
        afterPowerCut: "off",
        offPeak: [],
      },
    });
    const pages = new OwnerPages((request) => bench.page(request));
    bench.sgd.plug();
    await bench.until("charges", () => bench.sgd.state().currentA > 31, 20 * MINUTE);
    await pages.open("/settings");
    await pages.logIn(SECRET);
    await pages.press("Set", { at: "07:00", hours: "4" });
    for (const afterMs of [10 * MINUTE, 90 * MINUTE]) {
      await bench.darkness(afterMs);
      bench.boot();
      const early = bench.utcMs < Date.UTC(2026, 5, 2, 2);
      await bench.run(5 * MINUTE);
      if (early) {
        expect(bench.sgd.state().currentA).toBe(0);
        await bench.run(Date.UTC(2026, 5, 2, 2, 5) - bench.utcMs);
      }
      expect(bench.sgd.state().currentA).toBeGreaterThan(31);
    }
    const transactionId = bench.csms.point.running?.id;
    expect(await ask(bench, "RemoteStopTransaction", { transactionId })).toEqual({ status: "Accepted" });
    await bench.until("stopped", () => bench.sgd.state().currentA === 0, 5 * MINUTE);
    await bench.run(30 * MINUTE);
    expect(bench.sgd.state().currentA).toBe(0);
  });
});

class Home {
  readonly bench: VirtualBench;
  readonly pages: OwnerPages;
  readonly other = new VtnCore({ pollSeconds: 10 });

  constructor() {
    this.bench = new VirtualBench({
      engine: nodeEngine(),
      home: true,
      flash: FileFlash.blank(),
      web: { ownerSecret: SECRET, fresh: true },
      utcMs: MONDAY,
      profile,
      config: {
        timeServers: ["time-a.test", "time-b.test"],
        polling: { stateSeconds: 60, commoditySeconds: 60 },
        randomDelay: { enabled: false, maxSeconds: 0 },
      },
    });
    const { bench } = this;
    const through = bench.network;
    bench.network = (request, utcMs) => {
      if (!request.url.startsWith(south)) return through(request, utcMs);
      const service = request.url.slice(request.url.lastIndexOf("/") + 1);
      return this.other.handle(service, request.body ?? "", "00:11:22:33:44:55:66:77:88:99", { utcMs });
    };
    this.pages = new OwnerPages((request) => bench.page(request));
  }

  /** Opens a page, with the secret where it is asked for. */
  async open(path: string): Promise<string> {
    const { pages } = this;
    await pages.open(path);
    if (pages.asksSecret) await pages.logIn(SECRET);
    return pages.text;
  }

  async press(path: string, label: string, fill: Record<string, string> = {}, of?: string): Promise<string> {
    await this.open(path);
    await this.pages.press(label, fill, of);
    return this.pages.text;
  }

  get currentA(): number {
    return this.bench.sgd.state().currentA;
  }

  async current(what: string, wantedA: (currentA: number) => boolean, limitMs: number): Promise<void> {
    await this.bench.until(what, () => wantedA(this.currentA), limitMs);
  }

  async online(id: string, limitMs = 5 * MINUTE): Promise<void> {
    const seen = (): boolean => {
      const told = this.bench.last("upstream");
      return told?.id === id && told.state === "online";
    };
    await this.bench.until(`${id} online`, seen, limitMs);
  }

  /** Lets time pass until that hour of London's summer. */
  async at(hour: number, minute = 0): Promise<void> {
    const nowMin = Math.floor(((this.bench.utcMs + HOUR) % (24 * HOUR)) / MINUTE);
    const waitMin = (hour * 60 + minute - nowMin + 1440) % 1440;
    await this.bench.run(waitMin * MINUTE);
  }

  securityLog(): string {
    return this.bench.told.map(({ event }) => (event.event === "log" ? event.text : "")).join("\n");
  }
}

async function settledHome(): Promise<Home> {
  const home = new Home();
  home.bench.sgd.plug();
  await home.bench.run(5000);
  await home.press("/", "Save and start", setupForm());
  await home.online("north");
  await home.current("it charges", (currentA) => currentA > 31, 5 * MINUTE);
  return home;
}

function setupForm(more: Record<string, string> = {}): Record<string, string> {
  return {
    ...{ ssid: "home", passphrase: "of the virtual home", protocol: "openadr2b", url: north },
    ...{ name: "module", id: "north", region: "uk", zone: LONDON, ...more },
  };
}

describe("a new module", () => {
  it("opens setup, knows no network, and takes the form in its own access point", async () => {
    const home = new Home();
    const { bench, pages } = home;
    bench.sgd.plug();
    await bench.run(5000);
    expect(bench.lamp).toBe("setup");
    expect(bench.home!.passes).toBe(false);
    expect(await home.open("/")).toContain("Set up your module");
    await pages.press("Save and start", setupForm());
    expect(pages.text).toContain("Saved");
    await home.online("north");
    expect(bench.lamp).not.toBe("setup");
    expect(Math.abs(bench.moduleClock.offsetMs)).toBeLessThan(50);
    expect(bench.setups).toHaveLength(1);
    await home.current("it charges", (currentA) => currentA > 31, 2 * MINUTE);
    await bench.run(MINUTE);
    expect(await home.open("/")).toContain("Charging with 7.");
  });

  it("closes setup after ten minutes; the button opens it for ten more, and no longer", async () => {
    const home = new Home();
    const { bench, pages } = home;
    await bench.run(10 * MINUTE + 1000);
    expect(bench.lamp).not.toBe("setup");
    await expect(pages.open("/")).rejects.toThrow("nobody answers");
    await bench.button(500);
    expect(bench.lamp).not.toBe("setup");
    await bench.button(2000);
    expect(bench.lamp).toBe("setup");
    await home.open("/");
    await bench.run(10 * MINUTE + 1000);
    expect(bench.lamp).not.toBe("setup");
    await bench.button(2000);
    await home.press("/", "Save and start", setupForm());
    await home.online("north");
  });

  it("with a wrong Wi-Fi password is set up again by way of the button", async () => {
    const home = new Home();
    const { bench } = home;
    await bench.run(5000);
    await home.press("/", "Save and start", setupForm({ passphrase: "not the right one" }));
    await bench.run(5 * MINUTE);
    expect(bench.home!.passes).toBe(false);
    expect(bench.lamp).toBe("no-network");
    await bench.button(2000);
    await home.press("/setup", "Save and start", setupForm());
    await home.online("north");
  });
});

describe("a day with the owner's page", () => {
  let home: Home;
  let bench: VirtualBench;
  beforeAll(async () => {
    home = await settledHome();
    bench = home.bench;
  });

  it("an event holds back; the owner overrides on the page, the current goes up; back to normal, it comes down", async () => {
    const made = bench.vtn.createEvent(
      { signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 3000 },
      bench,
    );
    expect(made).toHaveProperty("id");
    await home.current("held back", (currentA) => currentA <= 16, 2 * MINUTE);
    expect(await home.open("/")).toContain("In control: Your utility (north)");
    expect(await home.press("/", "Charge now")).toContain("Your utility (north)");
    expect(home.currentA).toBeLessThanOrEqual(16);
    await home.press("/", "Back to normal");
    expect(await home.press("/", "Charge now, whatever the utility asks")).toContain("In control: You");
    await home.current("up again", (currentA) => currentA > 31, 2 * MINUTE);
    await home.press("/", "Back to normal");
    await home.current("held back again", (currentA) => currentA <= 16, 2 * MINUTE);
    await home.current("over", (currentA) => currentA > 31, HOUR);
  });

  it("the off-peak default is offered and holds until it is said otherwise: accepted, changed, removed", async () => {
    expect(await home.open("/")).toContain("Your region suggests no charging Mon to Fri 08:00 to 11:00");
    await home.at(8, 5);
    expect(home.currentA).toBeLessThan(7);
    expect(await home.press("/", "Accept")).not.toContain("suggests");
    expect(await home.open("/settings")).toContain("(accepted)");
    expect(home.currentA).toBeLessThan(7);
    expect(
      await home.press("/settings", "Use these hours", { days: "127", from: "09:00", to: "10:00" }),
    ).toContain("No charging every day 09:00 to 10:00 (changed)");
    await home.current("charges before nine", (currentA) => currentA > 31, 5 * MINUTE);
    const region = "No charging Mon to Fri 08:00 to 11:00; Mon to Fri 16:00 to 22:00 (accepted)";
    expect(await home.press("/settings", "Use the region's hours")).toContain(region);
    await home.current("held back by them again", (currentA) => currentA < 7, 5 * MINUTE);
    const one = { days: "127", from: "09:00", to: "10:00", instead: "62-480-660" };
    const both = "No charging every day 09:00 to 10:00; Mon to Fri 16:00 to 22:00 (changed)";
    expect(await home.press("/settings", "Use these hours", one)).toContain(both);
    await home.current("charges before nine again", (currentA) => currentA > 31, 5 * MINUTE);
    expect(await home.press("/settings", "Remove Mon to Fri 16:00 to 22:00")).toContain(
      "No charging every day 09:00 to 10:00 (changed)",
    );
    await home.at(9, 5);
    expect(home.currentA).toBeLessThan(7);
    expect(await home.press("/", "Charge now")).toContain("In control: You");
    await home.current("charges now", (currentA) => currentA > 31, 5 * MINUTE);
    await home.press("/", "Back to normal");
    await home.current("pauses again", (currentA) => currentA < 7, 5 * MINUTE);
    const removed = await home.press("/settings", "Remove");
    expect(removed).toContain("None: it charges at any hour");
    await home.current("charges at any hour", (currentA) => currentA > 31, 5 * MINUTE);
    expect(await home.press("/settings", "Use the region's hours")).toContain("(accepted)");
  });

  it("full by seven: its own pauses yield in time, a utility's event does not", async () => {
    await home.press("/settings", "Use these hours", { days: "127", from: "00:00", to: "06:30" });
    expect(await home.press("/settings", "Set", { at: "07:00", hours: "4" })).toContain("Full at 07:00, 4 h");
    await home.at(2, 55);
    expect(home.currentA).toBeLessThan(7);
    await home.at(3, 5);
    expect(home.currentA).toBeGreaterThan(31);
    bench.vtn.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 600 }, bench);
    await home.current("the utility holds", (currentA) => currentA <= 16, 2 * MINUTE);
    await home.current("and lets go", (currentA) => currentA > 31, 15 * MINUTE);
    expect(await home.press("/settings", "Forget the time")).toContain("No time is set");
    await home.press("/settings", "Remove");
  });

  it("pauses a utility, dismisses it, admits it", async () => {
    const shed = (): unknown =>
      bench.vtn.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 300 }, bench);
    expect(await home.press("/settings", "Pause", {}, "north")).toContain("north is paused");
    shed();
    await bench.run(4 * MINUTE);
    expect(home.currentA).toBeGreaterThan(31);
    expect(await home.press("/settings", "Dismiss", {}, "north")).toContain("north is dismissed");
    await bench.run(10 * MINUTE);
    shed();
    await bench.run(4 * MINUTE);
    expect(home.currentA).toBeGreaterThan(31);
    await bench.run(10 * MINUTE);
    expect(await home.press("/settings", "Admit", {}, "north")).toContain("north may hold back");
    await bench.run(MINUTE);
    shed();
    await home.current("admitted again", (currentA) => currentA <= 16, 2 * MINUTE);
    await home.current("over", (currentA) => currentA > 31, 10 * MINUTE);
  });

  it("changes to another utility without a visit; the Wi-Fi stays, the choices stay", async () => {
    await home.press(
      "/setup",
      "Save and start",
      setupForm({ ssid: "", passphrase: "", url: south, id: "south" }),
    );
    await home.online("south");
    expect(bench.home!.known.ssid).toBe("home");
    home.other.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 300 }, bench);
    await home.current("the second utility's event", (currentA) => currentA <= 16, 2 * MINUTE);
    expect(await home.open("/settings")).toContain("None: it charges at any hour");
    const before = bench.vtn.state.vens.size;
    await bench.run(10 * MINUTE);
    expect(bench.vtn.state.vens.size).toBe(before);
    expect(await home.open("/history")).toContain("Charging sessions");
  });

  it("factory reset by the page: history, choices, utility and Wi-Fi are gone; the security log is not", async () => {
    const text = (): string =>
      Buffer.concat([...bench.flash!.pieces()].map(({ bytes }) => bytes)).toString("latin1");
    expect(text()).toContain("south");
    await home.open("/settings");
    expect(await home.press("/settings", "Forget everything", { sure: "yes" })).toContain(
      "Nothing was forgotten",
    );
    expect(await home.press("/settings", "Forget everything", { sure: "forget" })).toContain(
      "forgets everything",
    );
    await bench.until("setup is open again", () => bench.lamp === "setup", MINUTE);
    expect(bench.home!.known.ssid).toBe("");
    const { lines } = await bench.ask(
      { k: "journal", what: "security", role: "owner", format: "json" },
      "journal",
    );
    const kept = lines.join("");
    expect(kept).toContain("factory-reset");
    // The law of this region wants the security log kept, in which his choices stand by their names; nowhere else they do.
    for (const word of ["north", "south", "module"])
      expect(text().split(word).length - 1, word).toBe(kept.split(word).length - 1);
    for (const word of ["grid.owner", "setup.ready", "example"]) expect(text()).not.toContain(word);
    const { state } = await bench.ask({ k: "state" }, "state");
    expect(state["owner"]).toMatchObject({ consent: [], schedule: "offered", windows: [] });
    const sessions = await bench.ask(
      { k: "journal", what: "sessions", role: "owner", format: "json" },
      "journal",
    );
    expect(JSON.parse(sessions.lines.join(""))).toEqual([]);
    expect(await home.open("/")).toContain("Set up your module");
    // Again, before anybody has said where it is: a second reset is no way to be rid of the log.
    await bench.button(10_000);
    await bench.run(MINUTE);
    const after = await bench.ask(
      { k: "journal", what: "security", role: "owner", format: "json" },
      "journal",
    );
    const resets = (log: string): number => log.split("factory-reset").length - 1;
    expect(resets(after.lines.join(""))).toBe(2 * resets(kept));
  });
});
