// The Python environment with mobilityhouse's `ocpp`, made on first use in build/ (needs python3-venv and a package index).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../build/venv-ocpp", import.meta.url));

/** Path of the environment's Python. Throws with the commands that help where it cannot be made. */
export function ocppPython(): string {
  const python = `${folder}/bin/python`;
  const works = (): boolean =>
    existsSync(python) && spawnSync(python, ["-c", "import ocpp.v16, websockets"]).status === 0;
  if (works()) return python;
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", folder]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "ocpp", "websockets"]],
  ];
  for (const [command, args] of steps) {
    const run = spawnSync(command, args, { encoding: "utf8", timeout: 240_000 });
    if (run.status !== 0) {
      const why = run.error?.message ?? run.stderr;
      throw new Error(
        `${command} ${args.join(" ")} failed: ${why}\nInstall python3 and python3-venv, and allow pip its index.`,
      );
    }
  }
  if (!works()) throw new Error(`ocpp does not import in ${folder}; remove that folder and try again.`);
  return python;
}
