/** A scenario file with a mistake gets a sentence that names line and field; the published schema says the same. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { shippedNames } from "../../host-sim/scenario/files.js";
import { readScenario } from "../../host-sim/scenario/read.js";
import { scenarioSchema } from "../../host-sim/scenario/spec.js";

const good = `title: A title
why: A reason
bench:
  profile: evse-level2-32a
steps:
  - utility: { create: { name: shed, level: 1, durationSeconds: 60 } }
  - expect: { currentA: 16, withinSeconds: 30 }
  - waitSeconds: 10
`;

/** Mistake → file, line, field, part of the sentence. */
const mistakes: readonly (readonly [string, string, number, string, RegExp])[] = [
  ["no YAML: a bracket stays open", good.replace("30 }", "30"), 8, "", /not YAML/],
  ["a tab as indentation", good.replace("  profile", "\tprofile"), 4, "", /not YAML: .*tab/i],
  ["a field twice", good.replace("why: A reason", "why: A\nwhy: B"), 3, "", /not YAML: .*unique/],
  ["an empty file", "", 1, "", /the scenario must be an object/],
  ["a list in place of a scenario", "- 1\n- 2\n", 1, "", /the scenario must be an object/],
  ["no title", good.replace("title: A title\n", ""), 1, "title", /title is missing/],
  ["an unknown field at the top", `${good}stepps: []\n`, 9, "stepps", /not a field; known are .*steps/],
  ["no steps", "title: a\nwhy: b\nsteps: []\n", 3, "steps", /at least 1/],
  ["a step that is a word", good.replace("waitSeconds: 10", "wait"), 8, "steps[2]", /must be an object/],
  [
    "an unknown step",
    good.replace("waitSeconds: 10", "sleep: 10"),
    8,
    "steps[2].sleep",
    /known are .*waitSeconds/,
  ],
  [
    "a step without action",
    good.replace("waitSeconds: 10", "note: x"),
    8,
    "steps[2]",
    /exactly one of .*none/,
  ],
  [
    "a step with two actions",
    good.replace("waitSeconds: 10", "waitSeconds: 10\n    car: plug"),
    8,
    "steps[2]",
    /exactly one of .*waitSeconds and car/,
  ],
  [
    "a text where a number belongs",
    good.replace("Seconds: 10", "Seconds: soon"),
    8,
    "steps[2].waitSeconds",
    /number/,
  ],
  ["a negative time", good.replace("Seconds: 10", "Seconds: -1"), 8, "steps[2].waitSeconds", /from 0 to/],
  [
    "an unknown word",
    good.replace("waitSeconds: 10", "car: drive"),
    8,
    "steps[2].car",
    /"plug", "unplug".*"drive"/,
  ],
  [
    "an unknown fault",
    good.replace("waitSeconds: 10", "fault: no-akc"),
    8,
    "steps[2].fault",
    /"no-akc" is none of/,
  ],
  [
    "a fault with a wrong count",
    good.replace("waitSeconds: 10", "fault: no-ack:0"),
    8,
    "steps[2].fault",
    /NAME:TIMES/,
  ],
  [
    "an unknown profile",
    good.replace("level2-32a", "level9"),
    4,
    "bench.profile",
    /neither a name nor a file/,
  ],
  [
    "a profile that makes no sense",
    good.replace("profile: evse-level2-32a", "profileChanges:\n    charger: { ratedA: 10 }"),
    5,
    "bench.profileChanges.charger.installerMaxA",
    /must not exceed/,
  ],
  [
    "a wrong setting of the module",
    good.replace("profile: evse-level2-32a", "module: { timeZone: Berlin }"),
    4,
    "bench.module.timeZone",
    /POSIX TZ/,
  ],
  [
    "a date that is none",
    good.replace("profile: evse-level2-32a", "start: soon"),
    4,
    "bench.start",
    /date and time/,
  ],
  [
    "a level that SIMPLE has not",
    good.replace("level: 1", "level: 7"),
    6,
    "steps[0].utility.create.level",
    /0, 1, 2 or 3/,
  ],
  [
    "a signal that is none",
    good.replace("level: 1", "signal: SHED, level: 1"),
    6,
    "steps[0].utility.create.signal",
    /unknown; known are SIMPLE/,
  ],
  [
    "intervals that do not fill the event",
    good.replace("level: 1", "intervals: [{ level: 1, durationSeconds: 5 }]"),
    6,
    "steps[0].utility.create.intervals",
    /5 s together/,
  ],
  [
    "an event that nobody created",
    good.replace("waitSeconds: 10", "utility: { cancel: peak }"),
    8,
    "steps[2].utility.cancel",
    /"peak", which no step before has created; created are shed/,
  ],
  [
    "an event of a name that is used",
    good.replace("waitSeconds: 10", "utility: { create: { name: shed, level: 2 } }"),
    8,
    "steps[2].utility.create.name",
    /used twice/,
  ],
  [
    "two things that the utility does",
    good.replace("waitSeconds: 10", "utility: { cancel: shed, network: ok }"),
    8,
    "steps[2].utility",
    /exactly one of/,
  ],
  [
    "an expectation of nothing",
    good.replace("currentA: 16, ", ""),
    7,
    "steps[1].expect",
    /must expect something/,
  ],
  [
    "a name that no frame has",
    good.replace("currentA: 16", "frame: { name: Shedd }"),
    7,
    "steps[1].expect.frame.name",
    /"Shedd"/,
  ],
  [
    "bounds the wrong way round",
    good.replace("currentA: 16", "currentMinA: 9, currentMaxA: 8"),
    7,
    "steps[1].expect.currentMaxA",
    /must not be under currentMinA/,
  ],
  [
    "pages that are not there",
    good.replace("waitSeconds: 10", "page: { open: now }"),
    8,
    "steps[2]",
    /needs a module with its own pages: bench: \{ page: set-up \}/,
  ],
  [
    "typing without a button",
    good
      .replace("waitSeconds: 10", "page: { open: now, fill: { at: x } }")
      .replace("  profile", "  page: set-up\n  profile"),
    9,
    "steps[2].page.fill",
    /belongs to a button/,
  ],
  [
    "a platform that is not there",
    good.replace("waitSeconds: 10", "platform: { stop: true }"),
    8,
    "steps[2]",
    /needs a charging platform: bench: \{ platform: true \}/,
  ],
  [
    "two things that the platform does",
    good.replace("waitSeconds: 10", "platform: { stop: true, clear: all }"),
    8,
    "steps[2].platform",
    /exactly one of limit, clear/,
  ],
  [
    "a boost without an end",
    good.replace("waitSeconds: 10", "owner: { verb: boost }"),
    8,
    "steps[2].owner.durationSeconds",
    /is missing/,
  ],
  [
    "a mistake in the report",
    good.replace("currentA: 16", "report: { rId: power, min: 0 }"),
    7,
    "steps[1].expect.report.min",
    /from 1 to/,
  ],
];

describe("a scenario file", () => {
  it("is tried with as many kinds of mistakes as the document says", () => {
    const document = readFileSync(new URL("../../docs/how-to/write-a-scenario.md", import.meta.url), "utf8");
    expect(new Set(mistakes.map(([name]) => name)).size).toBe(mistakes.length);
    expect(mistakes.length).toBe(Number(/(\d+) kinds of mistakes/.exec(document)?.[1]));
  });

  it("without mistake is read", () => {
    expect(readScenario(good, "dir/my.yaml")).toMatchObject({
      name: "my",
      title: "A title",
      pollSeconds: 10,
      seed: 1,
      lines: [6, 7, 8],
    });
  });

  it("may be JSON", () => {
    expect(readScenario(JSON.stringify(parse(good), null, 2), "my.json")).toMatchObject({ name: "my" });
  });

  it.each(mistakes)("with %s", (_, text, line, field, words) => {
    const found = readScenario(text, "my.yaml");
    expect(Array.isArray(found)).toBe(true);
    const [first] = found as readonly { line: number; column: number; field: string; text: string }[];
    expect(first).toMatchObject({ line, field });
    expect(first!.text).toMatch(words);
    expect(first!.column).toBeGreaterThan(0);
    if (field !== "") expect(first!.text.startsWith(field)).toBe(true);
  });

  it("with several mistakes names them all", () => {
    const text = good.replace("Seconds: 10", "Seconds: soon").replace("currentA: 16", "curentA: 16");
    const found = readScenario(text, "my.yaml") as readonly { line: number }[];
    expect(found.map((one) => one.line)).toEqual([7, 8]);
  });

  it("does not explode", () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${["b", "c", "d", "e", "f", "g", "h"]
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[i]}`).join(",")}]`)
      .join("\n")}\n`;
    expect(readScenario(bomb, "bomb.yaml")).toMatchObject([{ text: expect.any(String) as string }]);
  });
});

describe("docs/scenario.schema.json", () => {
  const schema = JSON.parse(
    readFileSync(new URL("../../docs/scenario.schema.json", import.meta.url), "utf8"),
  ) as object;
  const validate = new Ajv2020({ strict: false }).compile(schema);

  it("is what the tables say (npm run schema)", () => {
    expect(schema).toEqual(scenarioSchema());
  });

  it("takes every scenario that comes with the bench", () => {
    for (const name of shippedNames()) {
      const url = new URL(`../../host-sim/scenario/shipped/${name}.yaml`, import.meta.url);
      expect(validate(parse(readFileSync(url, "utf8"))), `${name}: ${JSON.stringify(validate.errors)}`).toBe(
        true,
      );
    }
  });

  it("refuses what is wrong by its form", () => {
    const byForm = /unknown|negative|text where|no title|two|without action|no steps|list in place/;
    const cases = mistakes.filter(([name]) => byForm.test(name) && !/fault|profile|signal|twice/.test(name));
    expect(cases.length).toBeGreaterThan(8);
    for (const [name, text] of cases) expect(validate(parse(text)), name).toBe(false);
  });
});
