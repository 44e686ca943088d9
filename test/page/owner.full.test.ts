/** The module's own pages in a real browser: a new module is set up, and its owner sees and decides. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { CliProcess, repoRoot } from "../support/process.js";
import { launchChromium } from "./chromium.js";

type Line = Record<string, unknown>;
const event = (name: string) => (line: Line) => line["event"] === name;

describeNeeding(["chromium"], "the module's own pages in Chromium", () => {
  const data = mkdtempSync(join(tmpdir(), "openucm-owner-"));
  let vtn: CliProcess;
  let sgd: CliProcess;
  let ucm: CliProcess;
  let listening: Line;
  let browser: Browser;
  let page: Page;
  let url: string;
  const errors: string[] = [];

  beforeAll(async () => {
    vtn = new CliProcess(["vtn", "--json", "--data", join(data, "vtn"), "--poll-seconds", "1"]);
    listening = await vtn.line("listening", event("listening"));
    sgd = new CliProcess(["sgd", "--serial", "pty", "--json"]);
    const serial = await sgd.line("serial", event("serial"));
    ucm = new CliProcess(
      [
        ...["ucm", "--serial", String(serial["path"]), "--setup-port", "0", "--json"],
        ...["--data", join(data, "ucm")],
      ],
      // The page names no certificates: a module has its roots from the factory, this one from Node.
      { env: { NODE_EXTRA_CA_CERTS: String(listening["ca"]) } },
    );
    url = String((await ucm.line("setup", event("setup")))["url"]);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    page.setDefaultTimeout(200_000);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([ucm?.stop(), sgd?.stop(), vtn?.stop()]);
    rmSync(data, { recursive: true, force: true });
  });

  async function accessible(): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // The page's own policy forbids scripts; the test's world is not the page's.
      await page.evaluate(
        readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
      );
      const found = (await page.evaluate(
        "axe.run().then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 90))]))",
      )) as [string, string, string[]][];
      expect(found.filter(([impact]) => impact === "serious" || impact === "critical")).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: "light" });
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  }

  async function keep(name: string): Promise<void> {
    const folder = join(
      repoRoot,
      process.env["OPENUCM_PICTURES"] === "1" ? "docs/images" : "build/screenshots",
    );
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = join(repoRoot, "build/screenshots");
    mkdirSync(dark, { recursive: true });
    await page.screenshot({ path: join(dark, `${name}-dark.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
  }

  /** Charging with all that the car takes, from the line `from` on: what the region's random delay holds back is skipped. */
  async function fullCurrent(from: number): Promise<void> {
    const full = (line: Line): boolean => line["event"] === "state" && Number(line["currentA"]) > 31;
    for (const end = Date.now() + 120_000; !sgd.lines.slice(from).some(full);) {
      if (Date.now() > end) throw new Error("never 32 A");
      await page.goto(url);
      // It may end, and so be gone, while it is looked for.
      const skip = page.getByRole("button", { name: "Skip this delay" });
      if ((await skip.count()) > 0) await skip.click({ timeout: 5000 }).catch(() => undefined);
      await page.waitForTimeout(1000);
    }
  }

  const secret = (): string => readFileSync(join(data, "ucm/owner-secret.txt"), "utf8").trim();

  it("lets nobody in without the label's secret, which is in no output", async () => {
    await page.goto(url);
    await page.getByLabel("Secret").fill("0000-0000-0000-0000-0");
    await page.getByRole("button", { name: "Go on" }).click();
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("That was not it");
    await accessible();
    expect(statSync(join(data, "ucm/owner-secret.txt")).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(ucm.lines)).not.toContain(secret());
  }, 600_000);

  it("sets a new module up: what is wrong is said, what is right begins", async () => {
    await page.waitForTimeout(1500);
    await page.getByLabel("Secret").fill(secret().toLowerCase().replaceAll("-", " "));
    await page.getByRole("button", { name: "Go on" }).click();
    const { module } = JSON.parse(readFileSync(join(data, "vtn/openadr3-clients.json"), "utf8")) as {
      module: { clientId: string; clientSecret: string };
    };
    await page.getByLabel("It speaks").selectOption("OpenADR 3.1");
    await page.getByLabel("Address").fill("vtn.example");
    await page.getByLabel("Name that it has given you").fill(module.clientId);
    await page.getByLabel("Password that it has given you").fill(module.clientSecret);
    await page.getByLabel("Short name").fill("grid");
    await page.getByLabel("Rules of").selectOption("United Kingdom");
    await page.getByLabel("Time zone").selectOption("United Kingdom");
    await keep("owner-setup");
    await page.getByRole("button", { name: "Save" }).click();
    await expect
      .poll(() => page.getByRole("alert").textContent())
      .toContain("The address must begin with https://");
    await accessible();
    await page.getByLabel("Address").fill(String((listening["urls"] as Line)["openadr3"]));
    await page.getByLabel("Password that it has given you").fill(module.clientSecret);
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("Saved");
    await ucm.line("online", (line) => line["event"] === "upstream" && line["state"] === "online", 200_000);
    expect(readFileSync(join(data, "ucm/module.json"), "utf8")).not.toContain(module.clientSecret);
    expect(statSync(join(data, "ucm/grid.secret")).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(ucm.lines)).not.toContain(module.clientSecret);
  }, 600_000);

  it("shows who is in control and why, and what the owner decides counts", async () => {
    await page.goto(url);
    await page.getByLabel("Secret").fill(secret());
    await page.getByRole("button", { name: "Go on" }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("Your region suggests no charging");
    await page.getByRole("button", { name: "Remove" }).click();
    await expect
      .poll(() => page.locator("main").textContent())
      .not.toContain("Your region suggests no charging");
    const amperes = (from: number, to: number, at: number) =>
      sgd.line(
        `${from} to ${to} A`,
        (line) =>
          line["event"] === "state" && Number(line["currentA"]) >= from && Number(line["currentA"]) <= to,
        200_000,
        at,
      );
    await fullCurrent(0);
    const before = sgd.lines.length;
    await fetch(`${String(listening["api"])}/events`, {
      method: "POST",
      body: JSON.stringify({ signal: "SIMPLE", level: 1, startInSeconds: 0, durationSeconds: 900 }),
    });
    await amperes(15, 17, before);
    await page.goto(url);
    await expect.poll(() => page.locator("main").textContent()).toContain("Your utility (grid)");
    await accessible();
    await keep("owner-now");
    const overridden = sgd.lines.length;
    await page.getByRole("button", { name: "whatever the utility asks" }).click();
    await expect.poll(() => page.getByRole("button", { name: "Back to normal" }).count()).toBe(1);
    await amperes(31, 33, overridden);
    const normal = sgd.lines.length;
    await page.getByRole("button", { name: "Back to normal" }).click();
    await amperes(15, 17, normal);
  }, 600_000);

  it("pauses a utility, sets a time, shows history, and forgets when told", async () => {
    await page.getByRole("link", { name: "Settings" }).click();
    await accessible();
    await keep("owner-settings");
    await page.getByLabel("Time", { exact: true }).fill("06:30");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("Full at 06:30");
    const says = (text: string) => expect.poll(() => page.locator("main").textContent()).toContain(text);
    await page.getByRole("button", { name: "Use the region's hours" }).click();
    await says("No charging Mon to Fri 08:00 to 11:00; Mon to Fri 16:00 to 22:00 (accepted)");
    await page.getByLabel("Other hours without charging").selectOption("Every day");
    await page.getByLabel("From").fill("23:30");
    await page.getByLabel("To", { exact: true }).fill("06:00");
    await page.getByLabel("They hold").selectOption("Instead of Mon to Fri 08:00 to 11:00");
    await page.getByRole("button", { name: "Use these hours" }).click();
    await says("No charging every day 23:30 to 06:00; Mon to Fri 16:00 to 22:00 (changed)");
    await accessible();
    await page.getByRole("button", { name: "Remove Mon to Fri 16:00 to 22:00" }).click();
    await says("No charging every day 23:30 to 06:00 (changed)");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await says("None: it charges at any hour");
    const paused = sgd.lines.length;
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("is paused");
    await fullCurrent(paused);
    await page.getByRole("link", { name: "History" }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("Charging sessions");
    await accessible();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Type forget").fill("forget");
    await page.getByRole("button", { name: "Forget everything" }).click();
    await expect.poll(() => page.locator("main").textContent()).toContain("forgets everything");
    expect(errors.filter((text) => !/429|422|403/.test(text))).toEqual([]);
  }, 600_000);
});
