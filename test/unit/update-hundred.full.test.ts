// A hundred bad images and cut updates, by the name of what is wrong with them.
import { expect, it } from "vitest";
import { BAD_KINDS, badImageCases } from "../support/update-campaign.js";

const cases = badImageCases();

it("are a hundred", () => {
  expect(cases.length).toBeGreaterThanOrEqual(100);
});

it.each(BAD_KINDS)(
  "%s: no brick, and well again within the trial's ten minutes",
  { timeout: 600_000 },
  (kind) => {
    const all = cases.filter((one) => one.kind === kind).map(({ run }) => run());
    expect(all.length).toBeGreaterThanOrEqual(10);
    expect(all.filter(({ brick }) => brick !== "")).toEqual([]);
    // Ten minutes on trial, and two boots.
    expect(Math.max(...all.map(({ recoverMs }) => recoverMs))).toBeLessThan(11 * 60_000);
  },
);
