// What the compiler leaves to do: the program's executable bit, so that `npx openucm` runs from a checkout too.
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/host-sim/cli/main.js", import.meta.url), 0o755);
