import { describe, expect, it } from "vitest";
import { replanFigures } from "../support/replan.js";

describe("re-planning", () => {
  it("is linear or better in the stored events, in time and heap", () => {
    const [, ten, hundred, thousand] = replanFigures([1, 10, 100, 1000]);
    // Generous: shared machines stutter. Quadratic would be a hundredfold each.
    expect(thousand!.us / hundred!.us).toBeLessThan(30);
    expect(hundred!.us / ten!.us).toBeLessThan(30);
    expect(thousand!.heapB / 1000).toBeLessThan(4000);
    expect(thousand!.grownB).toBeLessThan(200_000);
  });
});
