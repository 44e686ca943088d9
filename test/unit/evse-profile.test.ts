import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { DEFAULT_PROFILE, informationOf, readProfile } from "../../host-sim/sgd/profile-model.js";
import { PROFILE_OPS, profileSpec } from "../../host-sim/sgd/profile-spec.js";
import { loadProfile, profileNames } from "../../host-sim/sgd/profile.js";
import { isFault } from "../../src/base/fault.js";
import { jsonSchemaOf } from "../../src/setup/spec.js";
import { BasicOp } from "../../src/wire/message.js";

const folder = new URL("../../host-sim/sgd/profiles/", import.meta.url);
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), "utf8"));

function faultsOf(change: object): string[] {
  const result = readProfile({ name: "x", title: "x", kind: "evse", ...change });
  return Array.isArray(result) ? result.filter(isFault).map((one) => `${one.fault}: ${one.text}`) : [];
}

describe("profiles", () => {
  it("come with all that the bench promises, the default first", () => {
    expect(profileNames()[0]).toBe("evse-level2-32a");
    expect([...profileNames()].sort()).toEqual(
      [
        "evse-22a5",
        "evse-chatty",
        "evse-level1",
        "evse-level2-32a",
        "evse-level2-40a",
        "evse-level2-40a-at-20a",
        "evse-level2-40a-at-20a-installed",
        "evse-level2-48a",
        "evse-no-commodity",
        "evse-override-12h",
        "evse-refuses-power-level",
        "evse-shed-only",
        "evse-sleepy-car",
        "evse-slow",
        "evse-three-phase-11kw",
        "evse-three-phase-22kw",
        "water-heater-heat-pump",
      ].sort(),
    );
  });

  it("each fits the published schema, and is named like its file", () => {
    const validate = new Ajv2020({ strict: false }).compile(read("schema.json") as object);
    for (const name of profileNames()) {
      expect([name, validate(read(`${name}.json`)), validate.errors]).toEqual([name, true, null]);
      expect(loadProfile(name).name).toBe(name);
    }
    expect(validate({ name: "x", title: "x", kind: "toaster" })).toBe(false);
  });

  it("have a schema that says what the check says", () => {
    expect(read("schema.json")).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "OpenUCM appliance profile",
      ...jsonSchemaOf(profileSpec),
    });
  });

  it("the default file is the default of the code", () => {
    expect(loadProfile("evse-level2-32a")).toEqual({
      ...DEFAULT_PROFILE,
      title: loadProfile("evse-level2-32a").title,
    });
  });

  it("name wrong and unknown fields", () => {
    expect(faultsOf({})).toEqual([]);
    expect(faultsOf({ charger: { rated: 5 } })[0]).toContain("unknown-field: charger.rated");
    expect(faultsOf({ charger: { ratedA: 5 } })[0]).toContain("bad-field: charger.ratedA");
    expect(faultsOf({ charger: { ratedA: 20 } })[0]).toContain("installerMaxA");
    expect(faultsOf({ identity: { deviceType: "11x2" } })[0]).toContain("four hex digits");
    expect(faultsOf({ identity: { firmware: "1.0" } })[0]).toContain("YYYY-MM-DD");
    expect(faultsOf({ answers: { refusedOps: ["Sched"] } })[0]).toContain("answers.refusedOps[0]");
    expect(faultsOf({ answers: { replyDelayMs: 500 } })[0]).toContain("replyDelayMaxMs");
    expect(() => loadProfile("no-such-profile")).toThrow(
      /neither a name nor a file; names are evse-level2-32a/,
    );
    expect(() => loadProfile(new URL("evse-profile.test.ts", import.meta.url).pathname)).toThrow(
      /is not JSON/,
    );
  });

  it("know every opcode by the codec's name, and cut the information to length", () => {
    for (const name of PROFILE_OPS) expect(BasicOp[name]).toBeGreaterThan(0);
    expect(informationOf(loadProfile("evse-shed-only"))).not.toHaveProperty("model");
    expect(informationOf(loadProfile("evse-level1"))).toMatchObject({
      deviceType: 0x1101,
      capabilities: 16,
      firmware: { year: 26, month: 0, day: 15, major: 1, minor: 0 },
    });
  });
});
