// A hundred bad images and cut updates.
import { expect, it } from "vitest";
import { badImages } from "../support/update-campaign.js";

it("a hundred bad images and cut updates leave no brick", { timeout: 240_000 }, () => {
  const all = badImages();
  expect(all.length).toBeGreaterThanOrEqual(100);
  expect(all.filter(({ brick }) => brick !== "")).toEqual([]);
  // Ten minutes on trial, and two boots.
  expect(Math.max(...all.map(({ recoverMs }) => recoverMs))).toBeLessThan(11 * 60_000);
});
