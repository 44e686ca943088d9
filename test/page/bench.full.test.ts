/** The page in a real browser, driven as a person would: send an event, see the amperes fall and return, press override. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding, programPath } from "../support/needs.js";
import { CliProcess } from "../support/process.js";

describeNeeding(["chromium"], "bench page in Chromium", () => {
  const data = mkdtempSync(join(tmpdir(), "openucm-page-"));
  let bench: CliProcess;
  let browser: Browser;
  let page: Page;
  const elsewhere: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    bench = new CliProcess(["bench", "--no-demo", "--port", "0", "--json", "--data", data]);
    const ready = await bench.line("ready", (line) => line["event"] === "ready", 30_000);
    browser = await chromium.launch({
      executablePath: programPath("chromium")!,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on("request", (request) => {
      if (!/^(http|ws):\/\/127\.0\.0\.1:|^data:/.test(request.url())) elsewhere.push(request.url());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(String(ready["url"]));
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await bench?.stop();
    rmSync(data, { recursive: true, force: true });
  });

  const amperes = async (): Promise<number> => Number(await page.locator("#amperes").textContent());
  const untilAmperes = (from: number, to: number, timeout: number): Promise<void> =>
    expect.poll(amperes, { timeout, interval: 100 }).toSatisfy((a: number) => a >= from && a <= to);

  it("shows a charging car", async () => {
    await untilAmperes(31, 32.5, 30_000);
    await expect.poll(() => page.locator("[role=status]").textContent()).toBe("live");
  }, 40_000);

  it("sends an event: 16 A within 10 s, verified, and back to 32 A when it is cancelled", async () => {
    await page.getByLabel("Level").selectOption("1");
    await page.getByLabel("Lasts").fill("120");
    await page.getByRole("button", { name: "Send event" }).click();
    await untilAmperes(15.5, 16.1, 10_000);
    await expect
      .poll(() => page.locator("#command").textContent(), { timeout: 15_000 })
      .toBe("Shed: verified");
    await expect.poll(() => page.locator("#reason").textContent()).toMatch(/reduce/i);
    await page.getByRole("button", { name: "Cancel" }).click();
    await untilAmperes(31, 32.5, 15_000);
  }, 60_000);

  it("shows the customer's override", async () => {
    await page.getByRole("button", { name: "Customer override" }).click();
    await expect.poll(() => page.locator("#override").getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Override is on" }).click();
    await expect.poll(() => page.locator("#override").getAttribute("aria-pressed")).toBe("false");
  });

  it("traces bytes and meaning, finds a frame, and shows its fields", async () => {
    const find = page.getByLabel("Find in the trace");
    await find.fill("shed for");
    const row = page.locator("tr.module").first();
    await expect.poll(() => row.locator(".hex").textContent(), { timeout: 5000 }).toMatch(/^08 01 00 02 01 /);
    await row.getByRole("button").click();
    const detail = page.getByLabel("The chosen frame");
    await expect.poll(() => detail.textContent()).toMatch(/durationSeconds\d+/);
    await page.getByRole("button", { name: "Pause" }).click();
    await find.fill("");
    const lines = await page.locator(".trace .sub").textContent();
    await page.waitForTimeout(4000);
    expect(await page.locator(".trace .sub").textContent()).toBe(lines);
    await page.getByRole("button", { name: "Follow" }).click();
    await page.getByRole("button", { name: "Close" }).click();
  });

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
    await expect
      .poll(() => page.getByRole("img", { name: /module: to ACK: \d+ gaps, 0 outside/ }).count())
      .toBe(1);
    await expect.poll(() => page.locator(".counters").textContent()).toMatch(/frames received\d+/);
  });

  it("has no serious accessibility violation, in light and in dark", async () => {
    // Not a script tag: the page's own policy forbids strangers.
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const found = (await page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 90))]))",
      )) as [string, string, string[]][];
      expect(found.filter(([impact]) => impact === "serious" || impact === "critical")).toEqual([]);
    }
  });

  it("works with the keyboard and on a phone, and asks nobody else", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.locator("body").press("Tab");
    expect(await page.evaluate("document.activeElement !== document.body")).toBe(true);
    expect(elsewhere).toEqual([]);
    expect(errors).toEqual([]);
  });
});
