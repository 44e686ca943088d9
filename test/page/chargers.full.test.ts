/** Several chargers at once on one page, each a real pair; and the rules of a region that has a random delay. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { expectAccessible, keepPicture, openPage, untilAmperes, type PageRig } from "./page-rig.js";

describeNeeding(["chromium"], "several chargers on the page", () => {
  let rig: PageRig;
  beforeAll(async () => {
    rig = await openPage(["--chargers", "5", "--profile", "evse-level2-32a", "--profile", "evse-level2-48a"]);
  }, 600_000);
  afterAll(() => rig?.close());

  it("lists them; the chosen one stands below in detail", async () => {
    const { page } = rig;
    const list = page.getByRole("navigation", { name: "Chargers" });
    await expect.poll(() => list.getByRole("button").count()).toBe(5);
    await untilAmperes(page, 31, 32.5, 200_000);
    await list.getByRole("button", { name: /Charger 2/ }).click();
    await expect.poll(() => page.locator(".panel.charger .sub").textContent()).toBe("evse-level2-48a");
    await untilAmperes(page, 47, 48.5, 200_000);
    await expect
      .poll(() => page.getByRole("img", { name: /TLS: 2 of 2/ }).count(), { timeout: 200_000 })
      .toBe(1);
  }, 600_000);

  it("each is one of its own: a plug pulled here is not pulled there, an event is for all, a limit for one", async () => {
    const { page } = rig;
    const list = page.getByRole("navigation", { name: "Chargers" });
    await page.locator("#ocpp-limit").fill("10");
    await page.getByRole("button", { name: "Set limit" }).click();
    await untilAmperes(page, 9.5, 10.1, 200_000);
    await expect.poll(() => list.getByRole("button", { name: /Charger 1/ }).textContent()).toMatch(/32\.0 A/);
    await page.getByRole("button", { name: "Send event" }).click();
    await expect
      .poll(() => list.getByRole("button", { name: /Charger [1345]/ }).allTextContents(), {
        timeout: 200_000,
      })
      .toSatisfy((all: string[]) => all.every((one) => /shed · utility/.test(one)));
    await page.waitForTimeout(3000);
    await keepPicture(page, "bench-chargers");
    await expectAccessible(page);
  }, 600_000);

  it("comes back to the chosen charger after an interruption, and nothing was asked elsewhere", async () => {
    const { page } = rig;
    await page.context().setOffline(true);
    await page.context().setOffline(false);
    await expect.poll(() => page.locator(".panel.charger .sub").textContent()).toBe("evse-level2-48a");
    expect(rig.elsewhere).toEqual([]);
    expect(rig.errors).toEqual([]);
  });
});

describeNeeding(["chromium"], "the owner's panel by British rules", () => {
  let rig: PageRig;
  beforeAll(async () => {
    rig = await openPage(["--region", "uk"]);
  }, 600_000);
  afterAll(() => rig?.close());

  describe("off-peak hours", () => {
    it("are offered, and gone when the owner removes them", async () => {
      const { page } = rig;
      await expect
        .poll(() => page.locator("#off-peak").textContent(), { timeout: 200_000 })
        .toMatch(/08:00–11:00/);
      await expectAccessible(page);
      await page.getByRole("button", { name: "Remove the hours" }).click();
      await expect.poll(() => page.locator("#off-peak").textContent()).toBe("–");
    }, 600_000);
  });

  it("counts the random delay down after a power cut; the owner may skip it", async () => {
    const { page } = rig;
    await untilAmperes(page, 6, 33, 200_000);
    await page.getByRole("button", { name: "Power cut" }).click();
    const countdown = page.getByRole("timer", { name: "Random delay" });
    await expect.poll(() => countdown.count(), { timeout: 200_000 }).toBe(1);
    await page.getByRole("button", { name: "Skip it" }).click();
    await expect.poll(() => countdown.count(), { timeout: 200_000 }).toBe(0);
  }, 600_000);
});
