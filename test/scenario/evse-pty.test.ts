/** The charger on a pseudo-terminal in real time, a module's link on the other end through the serial library. */
import { afterEach, expect, it } from "vitest";
import { openLine, type NodeLine } from "../../host-sim/line/node/open-line.js";
import { monotonicMs, WakeUp } from "../../host-sim/runtime/clock.js";
import { loadProfile } from "../../host-sim/sgd/profile.js";
import { SgdSimulator } from "../../host-sim/sgd/simulator.js";
import { seededRandom } from "../../src/base/random.js";
import type { LinkResult } from "../../src/link/messages.js";
import { LinkStack } from "../../src/link/stack.js";
import type { ByteLineEvent } from "../../src/ports/line.js";
import { basic } from "../../src/wire/basic.js";
import { BasicOp } from "../../src/wire/message.js";
import { payloadOf } from "../../src/wire/payload.js";
import { describeWith } from "../support/needs.js";

interface Driven {
  onByteLine(event: ByteLineEvent, nowMs: number): void;
  poll(nowMs: number): void;
  nextMs(): number;
}

const cleanup: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

/** Opens a line and drives what `make` puts on it, in real time. */
async function drive<T extends Driven>(
  spec: string,
  make: (line: NodeLine) => T,
): Promise<{ driven: T; line: NodeLine; kick: () => void }> {
  const now = (): number => Math.floor(monotonicMs());
  const line = await openLine(spec, {
    onEvent: (event) => {
      driven.onByteLine(event, now());
      kick();
    },
  });
  const driven = make(line);
  const wake = new WakeUp(() => kick());
  const kick = (): void => {
    driven.poll(now());
    wake.at(driven.nextMs());
  };
  cleanup.push(async () => {
    wake.stop();
    await line.close();
  });
  kick();
  return { driven, line, kick };
}

describeWith(
  process.platform === "win32" ? "Windows has no pseudo-terminals" : undefined,
  "charger on a pseudo-terminal",
  () => {
    it("answers a module on the other end, in real time", async () => {
      const frames: string[] = [];
      const charger = await drive(
        "pty",
        (line) =>
          new SgdSimulator({
            profile: loadProfile("evse-level2-32a"),
            line,
            random: seededRandom(1),
            emit: (event) => {
              if (event.event === "frame") frames.push(`${event.dir} ${event.hex}`);
            },
          }),
      );
      charger.driven.plug();
      charger.kick();
      const results = new Map<number, LinkResult>();
      const module = await drive(
        charger.line.path!,
        (line) =>
          new LinkStack({
            line,
            random: seededRandom(2),
            emit: (event) => {
              if (event.ev === "result") results.set(event.id, event);
            },
          }),
      );
      const ask = async (id: number, op: number): Promise<readonly number[]> => {
        module.driven.command({ cmd: "request", id, ...payloadOf(basic(op)) }, Math.floor(monotonicMs()));
        module.kick();
        for (let i = 0; i < 6000 && !results.has(id); i++) await new Promise((done) => setTimeout(done, 10));
        return [...(results.get(id)?.reply ?? [])];
      };
      expect(await ask(1, BasicOp.Shed)).toEqual([3, 1]);
      expect((await ask(2, BasicOp.QueryState))[0]).toBe(BasicOp.State);
      expect(charger.driven.state().limitA).toBe(16);
      expect(frames).toContain("rx 08 01 00 02 01 00 0C 3D");
      expect(frames).toContain("tx 08 01 00 02 03 01 04 42");
      expect(module.driven.counters.checksumErrors + module.driven.counters.bytesDiscarded).toBe(0);
    });
  },
);
