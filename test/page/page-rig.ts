import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { CliProcess, repoRoot } from "../support/process.js";
import { launchChromium } from "./chromium.js";

/** A running bench and its page in Chromium. What the page asks of others, and its errors, are kept. */
export interface PageRig {
  readonly bench: CliProcess;
  readonly page: Page;
  readonly url: string;
  readonly elsewhere: readonly string[];
  readonly errors: readonly string[];
  close(): Promise<void>;
}

export async function openPage(options: readonly string[] = []): Promise<PageRig> {
  const data = mkdtempSync(join(tmpdir(), "openucm-page-"));
  const bench = new CliProcess(["bench", "--no-demo", "--port", "0", "--json", "--data", data, ...options]);
  const ready = await bench.line("ready", (line) => line["event"] === "ready", 200_000);
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1440, height: 1120 } });
  page.setDefaultTimeout(200_000);
  const elsewhere: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    if (!/^(http|ws):\/\/127\.0\.0\.1:|^data:|^blob:/.test(request.url())) elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  const url = String(ready["url"]);
  await page.goto(url);
  return {
    ...{ bench, page, url, elsewhere, errors },
    close: async () => {
      await browser.close();
      await bench.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export async function untilAmperes(page: Page, from: number, to: number, timeout: number): Promise<void> {
  await expect
    .poll(async () => Number(await page.locator("#amperes").textContent()), { timeout, interval: 100 })
    .toSatisfy((a: number) => a >= from && a <= to);
}

/** Nothing serious in light and in dark, by axe. */
export async function expectAccessible(page: Page): Promise<void> {
  // Not a script tag: the page's own policy forbids strangers.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  for (const theme of ["light", "dark"] as const) {
    await page.getByLabel("Colours").selectOption(theme);
    const found = (await page.evaluate(
      "axe.run().then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 90))]))",
    )) as [string, string, string[]][];
    expect(found.filter(([impact]) => impact === "serious" || impact === "critical")).toEqual([]);
  }
  await page.getByLabel("Colours").selectOption("auto");
}

/**
 * Keeps a picture of the page: in build/screenshots, or where the documents have theirs with OPENUCM_PICTURES=1, which
 * is how docs/images comes about. `part`: of this element alone.
 */
export async function keepPicture(page: Page, name: string, part?: string): Promise<void> {
  const folder = join(
    repoRoot,
    process.env["OPENUCM_PICTURES"] === "1" ? "docs/images" : "build/screenshots",
  );
  mkdirSync(folder, { recursive: true });
  await page.mouse.move(0, 0);
  await page.evaluate("scrollTo(0, 0)");
  const path = join(folder, `${name}.png`);
  if (part === undefined) await page.screenshot({ path });
  else await page.locator(part).screenshot({ path });
}
