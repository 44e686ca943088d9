import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { GridCore } from "../../src/grid/core.js";
import type { Ask, GridEvent } from "../../src/grid/event.js";
import type { Intent } from "../../src/grid/intent.js";
import { DELAY_CAPABILITY_MS, regionOf, type Region, type RegionId } from "../../src/grid/regions.js";
import { gridSettings, type GridSettings } from "../../src/grid/settings.js";
import { event, HOUR, interval, limit, MemoryStore, T0 } from "../support/grid.js";

/** docs/arbitration.md is the specification: its tables are read, and every cell is tried out on the core. */

const regions: readonly RegionId[] = ["us", "au", "uk"];
const page = readFileSync(new URL("../../docs/arbitration.md", import.meta.url), "utf8");
const noon = T0 + 12 * HOUR;
const now = { ms: 12 * HOUR, utcMs: noon };

/** The rows of the table under a heading, cells trimmed, without the line of dashes. */
function tableUnder(heading: string, text = page): string[][] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("|") && !line.includes("---"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What a cell says for a region: "override; au: stop". */
function cellFor(cell: string, region: RegionId): string {
  const parts = cell.split(";").map((part) => part.trim());
  const special = parts.find((part) => part.startsWith(`${region}: `));
  return special?.slice(4) ?? parts[0]!;
}

function askOf(words: string): Ask {
  const number = /^limit (\d+) (%|A|kW)$/.exec(words);
  if (number !== null) {
    const value = Number(number[1]);
    if (number[2] === "%") return limit(value / 100);
    return number[2] === "A" ? limit(value, "A") : limit(value * 1000, "W");
  }
  if (words === "stop") return limit(0);
  if (words === "event") return { ask: "shed" };
  if (words.endsWith("emergency")) return { ask: "emergency" };
  return { ask: words } as Ask;
}

/** "shed, rank 5, made 2, of b" as an event; undefined for a party that is no event. */
function eventOf(words: string, id: string): GridEvent | undefined {
  const [what, ...more] = words.split(",").map((part) => part.trim());
  if (["override", "boost", "off-peak", "nobody"].includes(what!)) return undefined;
  const value = (key: string): string | undefined =>
    more.find((part) => part.startsWith(`${key} `))?.slice(key.length + 1);
  return event({
    id,
    source: value("of") ?? "demo",
    rank: Number(value("rank") ?? 0),
    createdUtcMs: Number(value("made") ?? 0),
    emergencyPermitted: what === "grid emergency",
    start: T0,
    intervals: [interval(askOf(what!), 24 * HOUR)],
  });
}

/** The intent in force with these parties on the scene. */
function inForce(
  parties: readonly string[],
  region: RegionId,
  given: Partial<GridSettings> = {},
  consent?: "admit" | "pause" | "dismiss",
): Intent {
  const core = new GridCore({
    store: new MemoryStore(),
    random: seededRandom(1),
    settings: gridSettings({
      region,
      delayOn: false,
      offPeak: parties.includes("off-peak") ? [{ days: 127, fromMin: 0, toMin: 1440 }] : [],
      site: { installerA: 32, ratedA: 32, phases: 1, voltageV: 240 },
      ...given,
    }),
  });
  if (consent !== undefined) core.setOwner({ verb: consent, source: "demo" }, now);
  const events = parties.map((words, i) => eventOf(words, `e${String(i)}`));
  for (const source of ["demo", "a", "b"]) {
    core.replaceEvents(
      source,
      events.filter((e) => e?.source === source).map((e) => e!),
      now,
    );
  }
  if (parties.includes("override")) core.setOwner({ verb: "override" }, now);
  if (parties.includes("boost")) core.setOwner({ verb: "boost", durationMs: HOUR }, now);
  return core.evaluate(now).intent;
}

/** What an intent must look like for a party to be in force. */
function signOf(words: string): object {
  const what = words.split(",")[0]!;
  if (what === "nobody") return { ask: { ask: "normal" }, source: "none" };
  if (what === "override") return { ask: { ask: "normal" }, source: "owner", eventId: "override" };
  if (what === "boost") return { ask: { ask: "normal" }, source: "owner", eventId: "boost" };
  if (what === "off-peak") return { ask: limit(0), source: "local", eventId: "off-peak" };
  const sign = { ask: askOf(what) };
  return what.endsWith("emergency") ? { ...sign, emergencyPermitted: what === "grid emergency" } : sign;
}

describe("one against the other", () => {
  const [head, ...rows] = tableUnder("One against the other");
  it("is a whole upper triangle", () => {
    expect(rows).toHaveLength(7);
    expect(rows.flatMap((row) => row.slice(1)).filter((cell) => cell !== "")).toHaveLength(28);
  });
  for (const row of rows) {
    row.slice(1).forEach((cell, i) => {
      if (cell === "") return;
      const parties = [row[0]!, head![i + 1]!];
      it.each(regions)(`${parties.join(" and ")}: ${cell} (%s)`, (region) => {
        const sign = signOf(cellFor(cell, region));
        expect(inForce(parties, region)).toMatchObject(sign);
        expect(inForce([...parties].reverse(), region)).toMatchObject(sign);
      });
    });
  }
});

describe("event against event", () => {
  for (const [one, other, winner] of tableUnder("Event against event").slice(1)) {
    it(`${one!} and ${other!}: ${winner!}`, () => {
      for (const parties of [
        [one!, other!],
        [other!, one!],
      ]) {
        const intent = inForce(parties, "us");
        expect(intent).toMatchObject(signOf(winner!));
        expect(intent.eventId).toBe(`e${String(parties.indexOf(winner!))}`);
        expect(intent.source).toBe(eventOf(winner!, "")!.source);
      }
    });
  }
  it("has rows", () => {
    expect(tableUnder("Event against event").length).toBeGreaterThan(15);
  });
});

describe("within the local floor and ceiling", () => {
  for (const [party, floored, capped] of tableUnder("Within the local floor and ceiling").slice(1)) {
    it.each(regions)(`${party!}: ${floored!} and ${capped!} (%s)`, (region) => {
      expect(inForce([party!], region, { floor: 0.4 })).toMatchObject(signOf(cellFor(floored!, region)));
      expect(inForce([party!], region, { ceiling: 0.6 })).toMatchObject(signOf(cellFor(capped!, region)));
    });
  }
});

describe("consent", () => {
  for (const [party, ...cells] of tableUnder("Consent").slice(1)) {
    it.each(regions)(`${party!} (%s)`, (region) => {
      (["admit", "pause", "dismiss"] as const).forEach((verb, i) => {
        expect(inForce([party!], region, {}, verb)).toMatchObject(signOf(cellFor(cells[i]!, region)));
      });
    });
  }
});

describe("docs/regions.md", () => {
  it("says what the data say", () => {
    const text = readFileSync(new URL("../../docs/regions.md", import.meta.url), "utf8");
    const rows = text
      .split("\n")
      .filter((line) => line.startsWith("|") && !line.includes("---"))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const yes = (value: boolean) => (value ? "yes" : "no");
    const clock = (min: number) => `${String(min / 60).padStart(2, "0")}:00`;
    const facts: [string, (r: Region) => string][] = [
      ["", (r) => r.id],
      ["owner may override a stop (DRM 1)", (r) => yes(r.ownerMayOverrideStop)],
      ["owner may override a soft emergency", (r) => yes(r.ownerMayOverrideSoftEmergency)],
      ["owner may skip the random delay", (r) => yes(r.ownerMaySkipDelay)],
      ["random delay by default", (r) => (r.delayOn ? "on" : "off")],
      ["random delay, default maximum (s)", (r) => String(r.delayMaxMs / 1000)],
      ["random delay, greatest maximum (s)", () => String(DELAY_CAPABILITY_MS / 1000)],
      ["plug-in starts without delay", (r) => yes(r.plugInExempt)],
      ["after a power cut", (r) => r.resume],
      ["security log kept over a factory reset", (r) => yes(r.keepSecurityLog)],
      [
        "off-peak schedule: no charging",
        (r) =>
          r.offPeak
            .map((w) => `${w.days === 62 ? "Mon–Fri" : "?"} ${clock(w.fromMin)}–${clock(w.toMin)}`)
            .join(", ") || "none",
      ],
    ];
    expect(rows).toEqual(facts.map(([name, fact]) => [name, ...regions.map((id) => fact(regionOf(id)))]));
  });
});
