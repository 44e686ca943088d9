import { chromium, type Browser } from "playwright-core";
import { programPath } from "../support/program-path.js";

/** The system's Chromium, which asks nobody anything by itself. */
export async function launchChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: programPath("chromium")!,
    timeout: 200_000,
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
}
