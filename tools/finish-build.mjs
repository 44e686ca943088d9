// What the compiler leaves to do: data files beside the code that reads them, and the program's executable bit, so
// that `npx openucm` runs from a checkout too.
import { chmodSync, cpSync } from "node:fs";

const root = new URL("../", import.meta.url);
cpSync(new URL("host-sim/sgd/profiles/", root), new URL("dist/host-sim/sgd/profiles/", root), {
  recursive: true,
});
chmodSync(new URL("dist/host-sim/cli/main.js", root), 0o755);
