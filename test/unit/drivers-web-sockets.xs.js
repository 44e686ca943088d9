// Runs in XS on this computer: the chip's pages over its own sockets, put together as the chip's program does. Answers every
// request with what it was asked; "/end" ends it. Nothing of the module is behind it.
/* global print, sleep, realNow, collect */
import { webSdk } from "../../drivers/web/sdk.js";
import { DeviceWeb } from "../../drivers/web/server.js";

const sdk = webSdk();
let ends = false;
const web = new DeviceWeb({
  sdk: { listen: (_port, accept) => print(`port ${sdk.listen(0, accept)}`), poll: () => sdk.poll() },
  nowMs: () => realNow(),
  log: (text) => print(`log ${text}`),
});
web.listen();
const answer = ({ id, target, body: sent }) => {
  const [, kind, count] = target.split("/");
  if (kind === "end") ends = true;
  const body = kind === "big" ? "x".repeat(Number(count)) : `${target} ${sent.length}`;
  web.respond({ id, status: 200, headers: [], body });
};
for (let turn = 0; !ends || web.open > 0; turn++) {
  // While the machine is busy with something else, connections come, are reset, and come again.
  if (!web.turn(realNow(), answer)) sleep(turn % 50 === 49 ? 30 : 1);
  if (turn % 500 === 0) collect();
}
print("web ok");
