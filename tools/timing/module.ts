/**
 * The process under measurement: line, link and timers as `openucm ucm` has them, on the serial device of argv[2],
 * asking for the operational state again as soon as it has the reply. `--load`: beside it, two fifths of its time go
 * into other work, 10 ms at a time.
 */
import { openLine, type NodeLine } from "../../host-sim/line/node/open-line.js";
import { monotonicMs, WakeUp } from "../../host-sim/runtime/clock.js";
import { seededRandom } from "../../src/base/random.js";
import { LinkStack } from "../../src/link/stack.js";

const [path, load] = process.argv.slice(2);
if (path === undefined) throw new Error("which serial device?");

const now = (): number => Math.floor(monotonicMs());
const wake = new WakeUp(() => step());
const held: { line: NodeLine | undefined } = { line: undefined };
let id = 0;

const link = new LinkStack({
  line: {
    write: (bytes) => held.line?.write(bytes),
    setBitRate: () => false,
  },
  random: seededRandom(1),
  emit: (event) => {
    if (event.ev === "result") ask();
    else if (event.ev === "message") {
      link.command(
        { cmd: "respond", id: ++id, type: event.type, payload: Uint8Array.of(3, event.payload[0]!) },
        now(),
      );
    }
  },
});

function ask(): void {
  link.command({ cmd: "request", id: ++id, type: 0x0801, payload: Uint8Array.of(0x12, 0) }, now());
}

function step(): void {
  link.poll(now());
  wake.at(link.nextMs());
}

held.line = await openLine(path, {
  onEvent: (event) => {
    link.onByteLine(event, now());
    wake.at(link.nextMs());
  },
});
if (load === "--load") {
  setInterval(() => {
    const endMs = monotonicMs() + 10;
    while (monotonicMs() < endMs) JSON.parse(JSON.stringify({ some: ["work", 1, 2, 3] }));
  }, 25);
}
ask();
step();
