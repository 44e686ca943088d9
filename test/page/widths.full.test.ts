/** The page on a tablet and a phone: the picture of the data's way stays one picture; and scenarios read as documents. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { repoRoot } from "../support/process.js";
import { expectAccessible, keepPicture, openPage, untilAmperes, type PageRig } from "./page-rig.js";

describeNeeding(["chromium"], "bench page, narrower", () => {
  let rig: PageRig;
  let page: Page;

  beforeAll(async () => {
    rig = await openPage(["--seed", "9"]);
    page = rig.page;
  }, 300_000);
  afterAll(() => rig?.close());

  /** Where a panel of the picture has nothing for more than the height of a row. */
  const holes = async (on: Page) =>
    (await on.evaluate(`[...document.querySelectorAll(".way .panel")].flatMap((panel) => {
      const row = Math.max(...[...document.querySelectorAll(".way #source")].map((one) => one.getBoundingClientRect().height)) + 8;
      const whole = panel.getBoundingClientRect();
      // Words, controls and wells, from top to bottom.
      const solid = [...panel.querySelectorAll("*")]
        .filter((one) => one.matches("button, select, input, meter, progress, ul.events") || [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
        .map((one) => one.getBoundingClientRect())
        .filter((one) => one.height > 0)
        .sort((a, b) => a.top - b.top);
      let bottom = whole.top;
      const found = [];
      for (const one of [...solid, { top: whole.bottom, bottom: whole.bottom }]) {
        if (one.top - bottom > row) found.push(panel.querySelector("h2, h3").textContent + ": " + Math.round(one.top - bottom) + " of " + Math.round(row) + " px");
        bottom = Math.max(bottom, one.bottom);
      }
      return found;
    })`)) as string[];

  const box = async (selector: string) => (await page.locator(selector).boundingBox())!;

  it.each([
    [1024, "tablet"],
    [390, "phone"],
  ] as const)(
    "%i px wide: what joins the panels lies between them, and nothing is cut off",
    async (width, name) => {
      await untilAmperes(page, 31, 32.5, 60_000);
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      const module = await box("[aria-labelledby=owner-title]");
      const plug = await box("[data-hop=plug]");
      const line = await box("[aria-labelledby=line-title]");
      expect(plug.y).toBeGreaterThanOrEqual(module.y + module.height - 1);
      expect(plug.y).toBeLessThan(line.y);
      expect(await page.locator(".hop span").count()).toBe(3);
      for (const hop of await page.locator(".hop span").all()) expect(await hop.isVisible()).toBe(true);
      // The buttons that go together stay on one line.
      const [pause, save] = await Promise.all(
        ["Pause", "Export"].map((one) => page.getByRole("button", { name: one, exact: true }).boundingBox()),
      );
      expect(Math.abs(pause!.y - save!.y)).toBeLessThan(2);
      await keepPicture(page, `bench-${name}`);
    },
    300_000,
  );

  it.each([1680, 1440, 1280, 1024, 390])(
    "%i px wide: no panel has a hole, with the faults open and closed, in light and dark",
    async (width) => {
      await page.setViewportSize({ width, height: 900 });
      const faults = page.getByRole("button", { name: /Faults$/ });
      for (const open of [false, true]) {
        if ((await faults.getAttribute("aria-expanded")) !== String(open)) await faults.click();
        await expect.poll(() => page.locator(".charger-faults").count()).toBe(open ? 1 : 0);
        expect(await holes(page)).toEqual([]);
      }
      // As high as the columns are, so are their panels together.
      expect(
        await page.evaluate(`[...document.querySelectorAll(".stage")].map((stage) =>
          Math.round(stage.getBoundingClientRect().bottom - stage.lastElementChild.getBoundingClientRect().bottom))`),
      ).toEqual([0, 0, 0, 0]);
      await keepPicture(page, `bench-faults-${width}`);
      await expectAccessible(page);
      await faults.click();
    },
    300_000,
  );

  it("a fault of the charger is played from the page and ended there", async () => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByRole("button", { name: /Faults$/ }).click();
    await page.getByRole("button", { name: "ground-fault", exact: true }).click();
    await expect
      .poll(() => page.locator(".running").textContent(), { timeout: 60_000 })
      .toMatch(/^ground-fault: /);
    await expect.poll(() => page.locator("#pilot").textContent(), { timeout: 60_000 }).toBe("F");
    expect(await holes(page)).toEqual([]);
    await page.getByRole("button", { name: "End all faults" }).click();
    await expect.poll(() => page.locator(".running").count(), { timeout: 60_000 }).toBe(0);
    await page.getByRole("button", { name: /Faults$/ }).click();
    expect(await page.locator(".charger-faults").count()).toBe(0);
  }, 300_000);

  it("on a phone the distribution of gaps has the width of the page", async () => {
    await page.setViewportSize({ width: 390, height: 900 });
    await page.getByRole("tab", { name: "Timing" }).click();
    for (const plot of await page.locator(".timing svg").all())
      expect((await plot.boundingBox())!.width).toBeGreaterThan(300);
    await expectAccessible(page);
  }, 300_000);

  it("a meter is as full over its whole height", async () => {
    const meter = page.getByLabel("The car's battery in percent");
    await expect.poll(() => page.locator("#car").textContent()).toMatch(/^[2-9]\d % full/);
    const png = (await meter.screenshot()).toString("base64");
    const other = await page.context().browser()!.newPage();
    // 6 % of its width is well within what is full: the colour above, in the middle, and below.
    const colours = (await other.evaluate(`(async () => {
      const bytes = Uint8Array.from(atob("${png}"), (one) => one.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
      canvas.drawImage(image, 0, 0);
      return [0.3, 0.5, 0.7].map((y) =>
        [...canvas.getImageData(Math.round(image.width * 0.06), Math.round(image.height * y), 1, 1).data].join(" "));
    })()`)) as string[];
    await other.close();
    expect(new Set(colours).size).toBe(1);
  }, 300_000);

  it("shows a scenario as it is written, and saves a copy", async () => {
    await page.setViewportSize({ width: 1440, height: 1120 });
    await page.getByRole("tab", { name: "Scenarios" }).click();
    await page.getByLabel("Find a scenario").fill("ack-without");
    await page.getByRole("button", { name: /ack-without-deed/ }).click();
    const written = readFileSync(join(repoRoot, "host-sim/scenario/shipped/ack-without-deed.yaml"), "utf8");
    await expect.poll(() => page.locator(".source pre").textContent()).toBe(written);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save a copy" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("ack-without-deed.yaml");
    expect(readFileSync((await download.path())!, "utf8")).toBe(written);
    await expectAccessible(page);
    expect(rig.errors).toEqual([]);
  }, 300_000);
});
