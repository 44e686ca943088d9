/** The tables inside the dissectors are those of src/wire. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GENERATED, regenerated } from "../../tools/dissectors/generate.js";

describe("generated tables", () => {
  it.each(GENERATED)("of %s are up to date (tools/dissectors/README.md says how)", (path, language) => {
    const text = readFileSync(new URL(`../../tools/dissectors/${path}`, import.meta.url), "utf8");
    expect(regenerated(text, language) === text).toBe(true);
  });
});
