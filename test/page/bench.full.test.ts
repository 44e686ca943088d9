/** The page in a real browser, driven as a person would: send an event, see the amperes fall and return, press override. */
import { mkdtempSync, rmSync } from "node:fs";
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

  it("traces bytes and meaning", async () => {
    const row = page.locator("tr.module", { hasText: "Shed" }).first();
    await expect.poll(() => row.count(), { timeout: 5000 }).toBeGreaterThan(0);
    expect(await row.locator(".hex").textContent()).toMatch(/^08 01 00 02 01 /);
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
