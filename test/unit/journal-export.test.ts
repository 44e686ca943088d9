import { describe, expect, it } from "vitest";
import { exportLines, type ExportFormat } from "../../src/journal/export.js";
import type { JournalPart } from "../../src/journal/access.js";
import { Journal, JOURNAL_SECTORS } from "../../src/journal/journal.js";
import { FlashSim } from "../support/flash-sim.js";
import { HOUR, MINUTE, T0 } from "../support/grid.js";

const now = (ms: number) => ({ ms, utcMs: T0 + ms });

function filled(): Journal {
  const journal = new Journal(new FlashSim(JOURNAL_SECTORS));
  for (let minute = 0; minute <= 120; minute += 5) {
    const at = now(minute * MINUTE);
    if (minute === 30) journal.onIntent({ ask: "shed", level: 0.5, source: "dno" }, at);
    const powerW = minute <= 60 ? 3000 : 0;
    journal.onSgd(
      {
        ...{ link: "online", identity: undefined, opState: 1, opStateAtMs: 0, override: false, powerW },
        energyWh: 1000 + Math.min(60, minute) * 50,
        ...{ meteredAtMs: 0, measured: true, ratedW: undefined, storageTotalWh: undefined },
        ...{ storagePresentWh: undefined, load: undefined },
      },
      at,
    );
  }
  journal.addEvent("warning", 'Utility "dno": failed, over', now(HOUR));
  journal.addEvent("info", "=HYPERLINK(1)", now(HOUR));
  journal.addSecurity("start", "", { ms: 0, utcMs: undefined });
  return journal;
}

const text = (part: JournalPart, format: ExportFormat): string =>
  [...exportLines(filled(), part, format, ["dno"])].join("\n");

describe("the journal as text", () => {
  it("is CSV with a head and quotes where they are needed, and nothing that a spreadsheet would run", () => {
    expect(text("energy", "csv").split("\n").slice(0, 3)).toEqual([
      "start_utc,energy_wh",
      "2026-11-23T00:00:00Z,1500",
      "2026-11-23T00:30:00Z,1500",
    ]);
    expect(text("sessions", "csv")).toContain("shed 50% dno");
    expect(text("events", "csv").split("\n")).toEqual([
      "utc,level,text",
      '2026-11-23T01:00:00Z,warning,"Utility ""dno"": failed, over"',
      "2026-11-23T01:00:00Z,info,'=HYPERLINK(1)",
    ]);
    expect(text("security", "csv")).toMatch(/^utc,code,text,chain\n,start,,[0-9a-f]{32}$/);
  });

  it("is one JSON array, empty or not", () => {
    expect(JSON.parse(text("energy", "json"))).toContainEqual({
      start_utc: "2026-11-23T00:30:00Z",
      energy_wh: 1500,
    });
    expect(JSON.parse(text("sessions", "json"))).toMatchObject([
      { energy_wh: 3000, end_guessed: false, changes: [{ ask: "shed", percent: 50, source: "dno" }] },
    ]);
    expect(JSON.parse(text("events", "json"))).toHaveLength(2);
    expect(JSON.parse(text("security", "json"))).toMatchObject([{ utc: null, code: "start" }]);
    const empty = new Journal(new FlashSim(JOURNAL_SECTORS));
    expect([...exportLines(empty, "energy", "json")]).toEqual(["[]"]);
  });
});
