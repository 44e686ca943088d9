/** The charging platform's panel in Chromium: limits seen in the charger's current, a stop and a start from afar, what it knows. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { expectAccessible, openPage, type PageRig, untilAmperes } from "./page-rig.js";

describeNeeding(["chromium"], "the charging platform on the page", () => {
  let rig: PageRig;
  let page: Page;

  beforeAll(async () => {
    rig = await openPage(["--seed", "4"]);
    page = rig.page;
  }, 600_000);
  afterAll(() => rig?.close());

  const text = (selector: string, timeout = 200_000) =>
    expect.poll(() => page.locator(selector).textContent(), { timeout });
  const limit = async (value: string, unit: "A" | "W"): Promise<void> => {
    await page.locator("#ocpp-limit").fill(value);
    await page.getByLabel("Unit of the limit").selectOption(unit);
    await page.getByRole("button", { name: "Set limit" }).click();
  };

  it("knows the charge point, its transaction and its meter", async () => {
    await untilAmperes(page, 31, 32.5, 200_000);
    await text("#ocpp-status").toBe("Charging");
    await text("#ocpp-transaction").toMatch(/^\d+ \(\S+\)$/);
  }, 600_000);

  it("limits in amperes and in watts, and clears", async () => {
    await limit("16", "A");
    await untilAmperes(page, 15.5, 16.1, 200_000);
    await limit("2400", "W");
    await untilAmperes(page, 9.3, 10.1, 200_000);
    await text("#reason").toMatch(/at most 2\.4 kW/);
    await page.getByRole("button", { name: "Clear limits" }).click();
    await untilAmperes(page, 31, 32.5, 200_000);
  }, 600_000);

  it("stops from afar: the transaction ends; starts from afar: another begins", async () => {
    const before = await page.locator("#ocpp-transaction").textContent();
    await page.getByRole("button", { name: "Remote stop" }).click();
    // The measured charger clamps level 0 to its least current; the transaction ends all the same.
    await untilAmperes(page, 0, 6.1, 200_000);
    await text("#ocpp-transaction", 200_000).toBe("none");
    await page.getByRole("button", { name: "Remote start" }).click();
    await text("#ocpp-transaction", 200_000).toMatch(/\(BENCH\)$/);
    await text("#ocpp-transaction").not.toBe(before);
    await untilAmperes(page, 31, 32.5, 200_000);
  }, 600_000);

  it("works by keyboard, refuses what is no number, is accessible, and asks nobody else", async () => {
    await page.locator("#ocpp-limit").focus();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("20");
    await page.getByLabel("Unit of the limit").selectOption("A");
    await page.locator("#ocpp-limit").press("Enter");
    await untilAmperes(page, 19.3, 20.1, 200_000);
    await limit("-5", "A");
    await page.waitForTimeout(2000);
    await untilAmperes(page, 19.3, 20.1, 1000);
    await page.getByRole("button", { name: "Clear limits" }).click();
    await expectAccessible(page);
    expect(rig.elsewhere).toEqual([]);
    expect(rig.errors).toEqual([]);
  }, 600_000);
});
