// `npm run build`: without --board everything that runs on this computer, with it the firmware of a board (tools/build.ts).
import { spawnSync } from "node:child_process";

const args = process.argv.slice(2);
const steps = args.includes("--board")
  ? [[process.execPath, ["--no-warnings", "--loader", "ts-node/esm", "tools/build.ts", ...args]]]
  : ["build:ts", "build:page", "build:xs"].map((name) => ["npm", ["run", "--silent", name]]);
if (args.length > 0 && !args.includes("--board")) {
  console.error("usage: npm run build [-- --board NAME [--link]]");
  process.exit(2);
}
for (const [program, rest] of steps) {
  const run = spawnSync(program, rest, {
    stdio: "inherit",
    shell: process.platform === "win32" && program === "npm",
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
}
