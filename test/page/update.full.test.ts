/** The update tab in Chromium: an image from a published folder is fetched, tried and confirmed; a forged state of the server is refused by name. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { CliProcess } from "../support/process.js";
import { imageOf } from "../support/update-rig.js";
import { expectAccessible, keepPicture, openPage, type PageRig } from "./page-rig.js";

describeNeeding(["chromium"], "updates on the page", () => {
  const folder = mkdtempSync(join(tmpdir(), "openucm-page-update-"));
  const [repo, keys, www] = ["repo", "keys", "www"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  let rig: PageRig;
  let page: Page;

  async function release(...args: string[]): Promise<void> {
    const process = new CliProcess(["release", ...args, "--repo", repo, "--json"]);
    expect(await process.exited, process.stderr).toBe(0);
  }

  beforeAll(async () => {
    writeFileSync(join(folder, "image.bin"), imageOf(1_700_000));
    await release("init", "--keys", keys);
    await release("publish", "--to", www);
    rig = await openPage(["--seed", "4", "--chargers", "2", "--update", www]);
    page = rig.page;
    await page.getByRole("tab", { name: "Update" }).click();
  }, 600_000);
  afterAll(async () => {
    await rig?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const text = (selector: string, timeout = 200_000) =>
    expect.poll(() => page.locator(selector).textContent(), { timeout });

  it("shows what runs and both slots, and looks for an update by keyboard", async () => {
    await text("#update-slot-a").toMatch(/^A, runs.*confirmed$/);
    await text("#update-slot-b").toContain("empty");
    await text("#update-runs").toMatch(/^\d+\.\d+\.\d+, confirmed$/);
    // Not before: the module looks by itself as well, and would not wait for the page.
    const what = ["--board", "bench", "--set-version", "99.0.0", "--keys", keys];
    await release("add", join(folder, "image.bin"), ...what);
    await release("publish", "--to", www);
    await expect.poll(() => page.locator("#update-check").isEnabled()).toBe(true);
    await page.locator("#update-check").focus();
    await page.keyboard.press("Enter");
    // A quick computer has fetched it between two looks of the page: then the slot alone tells.
    const told = async (): Promise<string> =>
      `${await page.locator("#update-phase").textContent()} ${await page.locator("#update-slot-b").textContent()}`;
    await expect
      .poll(told, { timeout: 200_000, interval: 20 })
      .toMatch(/^Fetches 99\.0\.0: \d+ %.*being written|99\.0\.0.*(boots next|on trial|confirmed)/);
    await keepPicture(page, "bench-update", "#work");
  }, 600_000);

  it("tries the image and confirms it, and shows each module for itself", async () => {
    await text("#update-runs").toBe("99.0.0, confirmed");
    await text("#update-slot-b").toMatch(/^B, runs.*99\.0\.0.*confirmed$/);
    await text("#update-refusal").toBe("none");
    await text("#update-last").toMatch(/99\.0\.0 is installed|nothing newer/);
    await page.getByRole("button", { name: /Charger 2/ }).click();
    await text("#update-slot-a").toMatch(/^A/);
    await page.getByRole("button", { name: /Charger 1/ }).click();
    await text("#update-runs").toBe("99.0.0, confirmed");
  }, 600_000);

  it("says by name what was refused", async () => {
    const timestamp = join(www, "metadata/timestamp.json");
    const good = readFileSync(timestamp, "utf8");
    writeFileSync(timestamp, good.replace(/"version":\d+/, '"version":999'));
    await expect.poll(() => page.locator("#update-check").isEnabled(), { timeout: 200_000 }).toBe(true);
    await page.locator("#update-check").click();
    await text("#update-refusal").toMatch(/^tuf-signature at/);
    await text("#update-last").toContain("tuf-signature");
    writeFileSync(timestamp, good);
  }, 600_000);

  it("shows a module without power, is accessible in light and dark, and asks nobody else", async () => {
    await page.getByRole("button", { name: "Pull it out" }).click();
    await text("#update-phase").toBe("The module has no power.");
    await expectAccessible(page);
    expect(rig.elsewhere).toEqual([]);
    expect(rig.errors).toEqual([]);
  }, 600_000);
});
