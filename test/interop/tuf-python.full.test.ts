// The reference implementation, python-tuf (PyPI), and our client judge the same repositories.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeNeeding } from "../support/needs.js";
import { tufCases } from "../support/tuf-cases.js";
import { ourVerdict, serveCases, type Verdict } from "../support/tuf-judges.js";

const folder = fileURLToPath(new URL("../../build/venv-tuf", import.meta.url));

/** Python with python-tuf, made on first use in build/. */
function tufPython(): string {
  const python = `${folder}/bin/python`;
  const works = (): boolean =>
    existsSync(python) && spawnSync(python, ["-c", "import tuf.ngclient, cryptography"]).status === 0;
  if (works()) return python;
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", folder]],
    [
      python,
      ["-m", "pip", "install", "-q", "--disable-pip-version-check", "tuf", "securesystemslib[crypto]"],
    ],
  ];
  for (const [command, args] of steps) {
    const run = spawnSync(command, args, { encoding: "utf8", timeout: 240_000 });
    if (run.status !== 0)
      throw new Error(`${command} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr}`);
  }
  return python;
}

describeNeeding(["python3"], "python-tuf and the module's client", () => {
  it("accept and reject the same repositories", { timeout: 600_000 }, async () => {
    const cases = tufCases(150);
    const server = await serveCases(cases);
    const asked = cases.map(({ root, steps, target }, index) => ({
      index,
      root,
      steps: steps.length,
      target,
    }));
    const child = spawn(tufPython(), [fileURLToPath(new URL("tuf_judge.py", import.meta.url))]);
    let out = "";
    let wrong = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (wrong += chunk.toString()));
    child.stdin.end(JSON.stringify({ url: server.url, cases: asked }));
    await new Promise((resolve) => child.on("close", resolve));
    server.close();
    const theirs = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Verdict);
    expect(theirs.length, wrong).toBe(cases.length);
    const differ = cases.flatMap((one, i) => {
      const ours = ourVerdict(one);
      return ours.accepted === theirs[i]!.accepted
        ? []
        : [
            `${one.name}: ours ${ours.accepted} ${ours.why}, python-tuf ${theirs[i]!.accepted} ${theirs[i]!.why}`,
          ];
    });
    expect(differ).toEqual([]);
    expect(theirs.filter(({ accepted }) => accepted).length).toBeGreaterThanOrEqual(10);
  });
});
