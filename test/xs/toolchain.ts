import { describe } from "vitest";

/**
 * `describe` for suites that need tools of the system: where they are missing it says why and skips; in CI (`CI=true`),
 * where the image must have them, it fails instead.
 */
export function describeWith(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else {
    if (process.env["CI"] === "true") throw new Error(missing);
    console.warn(`${name}: not run, ${missing}`);
    describe.skip(`${name} (${missing})`, body);
  }
}
