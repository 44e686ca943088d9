/** The written plan and the code are the same plan: every row of one is in the other, word for word. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { brokenPeers } from "../../host-sim/conformance/broken-peers.js";
import { allTests } from "../../host-sim/conformance/tests/all.js";
import { DEFAULT_PROFILE } from "../../host-sim/sgd/profile-model.js";

const text = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8");
const facts = readFileSync(new URL("../../docs/protocol/cta2045.md", import.meta.url), "utf8");

/** Cells of the rows of the table under a heading. */
function rows(heading: string): string[][] {
  const from = text.indexOf(`\n## ${heading}\n`);
  expect(from, heading).toBeGreaterThan(0);
  const section = text.slice(from + 1).split(/\n## /)[0]!;
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("docs/conformance.md", () => {
  it("has every test of the code with its parts, requirement, source and confidence, and no other", () => {
    const inCode = allTests.map(({ id, roles, requirement, section, mark, optional }) => [
      `\`${id}\``,
      roles.join(", "),
      optional === undefined ? requirement : `${requirement} (${optional})`,
      section,
      mark,
    ]);
    expect(rows("The plan")).toEqual(inCode);
  });

  it("has every broken peer with what finds it, and no other", () => {
    const inCode = brokenPeers(DEFAULT_PROFILE).map(({ name, role, text: what, caughtBy, isAdvice }) => [
      `\`${name}\``,
      role,
      what,
      `${caughtBy.map((id) => `\`${id}\``).join(", ")}${isAdvice === true ? " (advice)" : ""}`,
    ]);
    expect(rows("Broken peers")).toEqual(inCode);
  });
});

describe("the plan", () => {
  it("names each test once", () => {
    expect(new Set(allTests.map(({ id }) => id)).size).toBe(allTests.length);
  });

  it("names sections that exist", () => {
    for (const { id, section } of allTests) {
      for (const number of section.split(", ")) {
        expect(facts, `${id}: ${number}`).toMatch(new RegExp(`^##+ ${number.replace(".", "\\.")}[. ]`, "m"));
      }
    }
  });

  it("knows what finds each broken peer, of the right part", () => {
    for (const { name, role, caughtBy } of brokenPeers(DEFAULT_PROFILE)) {
      for (const id of caughtBy) {
        expect(allTests.find((test) => test.id === id)?.roles, `${name}: ${id}`).toContain(role);
      }
    }
  });
});
