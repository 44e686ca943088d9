// What the compiler leaves to do: the program's executable bit, so that `npx openucm` runs from a checkout too,
// and the files that are no code.
import { chmodSync, cpSync, rmSync } from "node:fs";

const dist = new URL("../dist/", import.meta.url);
chmodSync(new URL("host-sim/cli/main.js", dist), 0o755);

const shipped = new URL("host-sim/scenario/shipped/", dist);
rmSync(shipped, { recursive: true, force: true });
cpSync(new URL("../host-sim/scenario/shipped/", import.meta.url), shipped, { recursive: true });
