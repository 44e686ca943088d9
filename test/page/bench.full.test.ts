/** The page in a real browser, driven as a person would: send an event, see the amperes fall and return, press override. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { expectAccessible, keepPicture, openPage, untilAmperes, type PageRig } from "./page-rig.js";

describeNeeding(["chromium"], "bench page in Chromium", () => {
  let rig: PageRig;
  let page: Page;

  beforeAll(async () => {
    rig = await openPage(["--seed", "9"]);
    page = rig.page;
  }, 600_000);
  afterAll(() => rig?.close());

  const text = (selector: string, timeout = 200_000) =>
    expect.poll(() => page.locator(selector).textContent(), { timeout });
  const openTab = (name: string): Promise<void> => page.getByRole("tab", { name }).click();

  it("shows a charging car, and the way of the data whole", async () => {
    await untilAmperes(page, 31, 32.5, 200_000);
    await text("[role=status]").toBe("live");
    for (const name of ["Utility", "Charging platform", "Module", "Owner", "Line", "Charger", "Car"])
      expect(await page.getByRole("heading", { name, exact: true }).count()).toBe(1);
    await expect
      .poll(() => page.getByRole("img", { name: "RS-485: online" }).count(), { timeout: 200_000 })
      .toBe(1);
    await expect
      .poll(() => page.getByRole("img", { name: /TLS: 2 of 2/ }).count(), { timeout: 200_000 })
      .toBe(1);
  }, 600_000);

  it("sends an event: 16 A, verified, and back to 32 A when it is cancelled", async () => {
    await page.getByLabel("Level").selectOption("1");
    await page.getByLabel("Lasts, s").fill("600");
    await page.getByRole("button", { name: "Send event" }).click();
    await untilAmperes(page, 15.5, 16.1, 200_000);
    await text("#command", 200_000).toBe("Shed: verified");
    await text("#reason").toMatch(/reduce/i);
    await page.waitForTimeout(4000);
    await keepPicture(page, "bench");
    await page.getByRole("button", { name: "Cancel" }).click();
    await untilAmperes(page, 31, 32.5, 200_000);
  }, 600_000);

  it("shows the customer's override, and the car that leaves and returns", async () => {
    await page.getByRole("button", { name: "Customer override" }).click();
    await expect.poll(() => page.locator("#override").getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Override is on" }).click();
    await expect.poll(() => page.locator("#override").getAttribute("aria-pressed")).toBe("false");
    await page.getByRole("button", { name: "Unplug", exact: true }).click();
    await untilAmperes(page, 0, 0, 200_000);
    await page.getByRole("button", { name: "Plug in", exact: true }).click();
    await untilAmperes(page, 31, 32.5, 200_000);
  }, 600_000);

  it("traces bytes and meaning, finds a frame, shows its fields, pauses, and steps by keys", async () => {
    const find = page.getByLabel("Find in the trace");
    await find.fill("shed for");
    const row = page.locator("tr.module").first();
    await expect
      .poll(() => row.locator(".hex").textContent(), { timeout: 200_000 })
      .toMatch(/^08 01 00 02 01 /);
    await row.getByRole("button").click();
    const detail = page.getByLabel("The chosen frame");
    await expect.poll(() => detail.textContent()).toMatch(/durationSeconds\d+/);
    await page.getByRole("button", { name: "Pause" }).click();
    await find.fill("");
    // What was on its way when the button was pressed may still come.
    const lines = async (): Promise<string> =>
      (await page.locator(".trace .sub").textContent())!.split(" ")[0]!;
    let paused: string;
    do {
      paused = await lines();
      await page.waitForTimeout(700);
    } while ((await lines()) !== paused);
    await page.waitForTimeout(4000);
    expect(await lines()).toBe(paused);
    const before = await detail.textContent();
    await page.getByRole("log").press("ArrowDown");
    await expect.poll(() => detail.textContent()).not.toBe(before);
    await page.getByLabel("Columns").selectOption("bytes");
    await expect.poll(() => page.getByRole("columnheader", { name: "Meaning" }).count()).toBe(0);
    await page.getByLabel("Columns").selectOption("both");
    await page.getByLabel("Sender").selectOption("charger");
    await expect.poll(() => page.locator("tr.module").count()).toBe(0);
    await page.getByLabel("Sender").selectOption("both");
    await page.getByRole("button", { name: "Follow" }).click();
    await page.getByRole("button", { name: "Close" }).click();
  }, 600_000);

  it("exports what the trace shows", async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export" }).click(),
    ]);
    const lines = readFileSync((await download.path())!, "utf8")
      .trim()
      .split("\n");
    expect(JSON.parse(lines[0]!)).toMatchObject({
      hex: expect.any(String) as string,
      fields: expect.any(Object) as object,
    });
  });

  it("shows gaps against their limits, and counts", async () => {
    await openTab("Timing");
    await expect
      .poll(() => page.getByRole("img", { name: /module: to ACK: \d+ gaps, 0 outside/ }).count())
      .toBe(1);
    await keepPicture(page, "bench-timing", "#work");
    await openTab("Counters");
    await text(".counters").toMatch(/frames received\d+/);
  });

  it("plays faults of the line by name: a late ACK is seen, counted and ended; noise makes wrong bytes", async () => {
    await openTab("Timing");
    const outside = async (): Promise<number> => {
      const name = await page.getByRole("img", { name: /charger: to ACK/ }).getAttribute("aria-label");
      return Number(/(\d+) outside/.exec(name!)![1]);
    };
    const before = await outside();
    await page.getByRole("button", { name: "late-ack", exact: true }).click();
    await expect
      .poll(() => page.getByRole("button", { name: "late-ack", exact: true }).getAttribute("aria-pressed"))
      .toBe("true");
    await expect.poll(outside, { timeout: 200_000 }).toBeGreaterThan(before);
    await page.getByRole("button", { name: "End all faults" }).click();
    await expect.poll(() => page.locator("[aria-pressed=true]").count()).toBe(0);
    await page.getByLabel("Noise").selectOption({ label: "1 bit in 1,000" });
    await openTab("Counters");
    await text(".counters", 200_000).toMatch(/(checksum errors|bytes discarded)[1-9]/);
    await page.getByLabel("Noise").selectOption({ label: "none" });
  }, 600_000);

  it("pulls the module out while the car charges; put back it starts anew", async () => {
    await page.getByRole("button", { name: "Pull it out" }).click();
    await text("#reason").toBe("The module has no power.");
    await expect.poll(() => page.getByRole("img", { name: "plug: pulled out" }).count()).toBe(1);
    await page.getByRole("button", { name: "Put it back" }).click();
    await text("#command", 200_000).toBe("EndShed: verified");
    await expect
      .poll(() => page.getByRole("img", { name: /TLS: 2 of 2/ }).count(), { timeout: 200_000 })
      .toBe(1);
  }, 600_000);

  it("takes the owner's word: override, and back", async () => {
    await page.getByRole("button", { name: "Override", exact: true }).click();
    await text("#owner-word").toMatch(/^override, \d+ (h|min)/);
    await text("#source").toBe("owner");
    await page.getByRole("button", { name: "Back to normal" }).click();
    await text("#owner-word").toBe("none");
  }, 600_000);

  it("links to the module's own page, which wants the secret of its label", async () => {
    const link = page.getByRole("link", { name: "the module’s own page" });
    const url = (await link.getAttribute("href"))!;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+/);
    expect(await link.getAttribute("title")).toMatch(/owner-secret\.txt/);
    const answer = await fetch(url);
    expect(await answer.text()).toMatch(/secret|password/i);
  });

  it("reads journal and security log", async () => {
    await openTab("Journal");
    await text(".journal").toMatch(/The appliance is there/);
    await page.getByLabel("Part").selectOption("security");
    await text(".journal tbody").toMatch(/power-cycle/);
    await keepPicture(page, "bench-journal", "#work");
  }, 600_000);

  it("runs a shipped scenario in virtual time, and ticks its steps; one with mistakes is refused by line", async () => {
    await openTab("Scenarios");
    await page.getByLabel("Find a scenario").fill("epri");
    await page.getByRole("button", { name: /epri-2017-22a5/ }).click();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await text("#scenario-state", 200_000).toBe("passed");
    await expect.poll(() => page.locator(".run li:not(.passed)").count()).toBe(0);
    expect(await page.locator(".run li.passed").count()).toBeGreaterThan(0);
    await page.getByLabel("Find a scenario").fill("");
    await expect.poll(() => page.getByRole("note").count(), { timeout: 200_000 }).toBe(0);
    await page.locator("h1").click();
    await keepPicture(page, "bench-scenario", "#work");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the report" }).click(),
    ]);
    expect(readFileSync((await download.path())!, "utf8")).toMatch(/^<!doctype html>/);
    await page.getByLabel("Your own file").setInputFiles({
      name: "mine.yaml",
      mimeType: "application/yaml",
      buffer: Buffer.from("title: t\nwhy: w\nsteps:\n  - waitSecond: 3\n"),
    });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await text("[role=alert]").toMatch(/mine\.yaml:4:\d+: .*waitSecond/);
    await page.getByRole("button", { name: "Dismiss" }).click();
  }, 600_000);

  it("runs a scenario of the user's by the clock, with live progress, and stops it", async () => {
    await page.getByLabel("Your own file").setInputFiles({
      name: "slow.yaml",
      mimeType: "application/yaml",
      buffer: Buffer.from(
        "title: slow\nwhy: to be stopped\nbench: { settle: false }\nsteps:\n  - waitSeconds: 1\n  - waitSeconds: 600\n",
      ),
    });
    await page.getByLabel("Time").selectOption({ label: "real: by the clock" });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await text(".run li.passed", 200_000).toMatch(/wait 1 s/);
    await text(".run li.running").toMatch(/wait 600 s/);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await text("#scenario-state").toBe("stopped");
  }, 600_000);

  it("has no serious accessibility violation in any tab, in light and in dark", async () => {
    for (const tab of ["Bus trace", "Timing", "Counters", "Journal", "Scenarios"]) {
      await openTab(tab);
      await expectAccessible(page);
    }
  }, 600_000);

  it("is dark when asked, and remembers it", async () => {
    await openTab("Bus trace");
    await page.getByLabel("Colours").selectOption("dark");
    await page.reload();
    await untilAmperes(page, 6, 33, 200_000);
    await expect.poll(() => page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
    await page.waitForTimeout(1500);
    await keepPicture(page, "bench-dark");
    await page.getByLabel("Colours").selectOption("auto");
  }, 600_000);

  it("works with the keyboard and on a phone, and asks nobody else", async () => {
    await page.getByRole("tab", { name: "Bus trace" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect
      .poll(() => page.getByRole("tab", { name: "Timing" }).getAttribute("aria-selected"))
      .toBe("true");
    await page.keyboard.press("Home");
    await expect
      .poll(() => page.getByRole("tab", { name: "Bus trace" }).getAttribute("aria-selected"))
      .toBe("true");
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await keepPicture(page, "bench-phone");
    await page.locator("body").press("Tab");
    await expect.poll(() => page.evaluate("document.activeElement !== document.body")).toBe(true);
    expect(rig.elsewhere).toEqual([]);
    expect(rig.errors).toEqual([]);
  });
});
