/** Each fault of the charger, seen from the module's side: it does what its table says, and ends. */
import { describe, expect, it } from "vitest";
import { ACTIONS, ANSWER_FAULTS, APPLIANCE_FAULTS, FAULTS, faultNames } from "../../host-sim/sgd/faults.js";
import { LINE_FAULTS } from "../../host-sim/line/fault-names.js";
import { getInformation } from "../../src/wire/information.js";
import { BasicOp } from "../../src/wire/message.js";
import { setPrice } from "../../src/wire/price.js";
import { said, SgdRig } from "../scenario/evse-rig.js";

const tested = new Set<string>(["none"]);

function charging(): SgdRig {
  const rig = new SgdRig("evse-level2-32a");
  rig.sgd.plug();
  rig.run(20_000);
  return rig;
}

/** A charging rig with the fault on; afterwards the fault is ended and a Shed must work. */
function withFault(name: string, check: (rig: SgdRig) => void): void {
  it(name, () => {
    const rig = charging();
    expect(rig.sgd.fault(name)).toBe(true);
    check(rig);
    rig.sgd.fault("none");
    rig.run(10_000);
    expect(rig.basic(BasicOp.Shed, 0)).toEqual([3, 1]);
    expect(rig.query()).toBe(2);
  });
  tested.add(name.split(":")[0]!);
}

/** Gap between the end of the module's frame and the charger's link answer, ms. */
function ackGap(rig: SgdRig): number {
  rig.taps.length = 0;
  rig.basic(BasicOp.QueryState);
  const question = rig.taps.find(({ from }) => from === "module")!;
  const answer = rig.taps.find(({ from, bytes }) => from === "charger" && bytes[0] === 6)!;
  return answer.atMs - question.atMs;
}

describe("faults of the line", () => {
  withFault("wrong-checksum", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toBe("no-reply");
    expect(rig.module.counters.checksumErrors).toBeGreaterThan(0);
  });
  withFault("wrong-length", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toBe("no-reply");
    const answers = rig.taps.filter(({ from, bytes }) => from === "module" && bytes[0] === 0x15);
    expect(answers.length).toBeGreaterThan(0);
  });
  withFault("no-ack", (rig) => {
    rig.taps.length = 0;
    rig.basic(BasicOp.Shed);
    expect(rig.taps.filter(({ from, bytes }) => from === "charger" && bytes.length === 2)).toEqual([]);
  });
  withFault("late-ack", (rig) => {
    rig.taps.length = 0;
    rig.basic(BasicOp.QueryState);
    rig.run(2000);
    const question = rig.taps.find(({ from }) => from === "module")!;
    const answer = rig.taps.find(({ from, bytes }) => from === "charger" && bytes.length === 2)!;
    expect(answer.atMs - question.atMs).toBeGreaterThan(250);
  });
  withFault("early-ack", (rig) => {
    expect(ackGap(rig)).toBeLessThan(10);
    expect(rig.module.counters.earlyAcks).toBeGreaterThan(0);
  });
  withFault("collision:2", (rig) => {
    const before = rig.line.collisions;
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    expect(rig.line.collisions).toBeGreaterThan(before);
  });
  withFault("slow-bytes", (rig) => {
    rig.taps.length = 0;
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    const answer = rig.taps.filter(({ from, bytes }) => from === "charger" && bytes.length === 1);
    expect(answer.length).toBeGreaterThanOrEqual(8);
    expect(answer[1]!.atMs - answer[0]!.atMs).toBeGreaterThanOrEqual(5);
  });
  withFault("break:1", (rig) => {
    rig.taps.length = 0;
    rig.run(100);
    // Held at space: a 00 on the line, and nothing is heard of what is said meanwhile.
    const held = rig.taps.filter(({ from }) => from === "charger");
    expect(held.map(({ bytes }) => [...bytes])).toEqual([[0]]);
    rig.run(200);
    expect(rig.basic(BasicOp.QueryState)).toEqual([0x13, 1]);
    expect(rig.sgd.view().fault).toBe("");
  });
  withFault("unplugged", (rig) => {
    rig.taps.length = 0;
    rig.basic(BasicOp.Shed);
    expect(rig.taps.filter(({ from }) => from === "charger")).toEqual([]);
    expect(rig.sgd.state().opState).toBe(1);
  });
  withFault("coalesced-ack", (rig) => {
    rig.taps.length = 0;
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    const burst = rig.taps.find(({ from }) => from === "charger")!;
    expect([...burst.bytes.subarray(0, 4)]).toEqual([6, 0, 8, 1]);
    const frames = rig.events.flatMap((event) => (event.event === "frame" ? [event.hex] : []));
    expect(frames).toContain("08 01 00 02 03 01 04 42");
  });
  withFault("duplicate-ack", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    expect(rig.module.counters.strayAnswers).toBeGreaterThan(0);
  });
  withFault("duplicate-frame", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    rig.run(3000);
    expect(rig.module.counters.duplicateReplies + rig.module.counters.duplicateFrames).toBeGreaterThan(0);
  });
  withFault("nak-03", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toBe("nak 3");
    expect(rig.module.counters.naksReceived[3]).toBe(3);
  });
  withFault("nak-07", (rig) => expect(rig.basic(BasicOp.Shed)).toBe("nak 7"));
  withFault("reset-mid-frame:1", (rig) => {
    rig.asked.length = 0;
    expect(rig.basic(BasicOp.Shed)).toBe("no-reply");
    rig.run(10_000);
    expect(rig.asked.length).toBe(3);
    expect(rig.sgd.state().opState).toBe(1);
  });
  withFault("babble", (rig) => {
    rig.run(5000);
    expect(rig.module.counters.bytesDiscarded).toBeGreaterThan(500);
  });
  withFault("deaf", (rig) => expect(rig.basic(BasicOp.Shed)).toBe("no-ack"));
  withFault("mute", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toBe("no-ack");
    // It has heard the command all the same.
    expect(rig.sgd.state().opState).toBe(2);
    rig.sgd.appliance.events.end();
  });
  withFault("echo", (rig) => {
    rig.run(1000);
    rig.basic(BasicOp.QueryState);
    rig.run(1000);
    const heard = rig.events.filter((event) => event.event === "frame" && event.dir === "rx");
    expect(heard.length).toBeGreaterThan(0);
  });
  for (const name of ["bit-flips", "lost-bytes", "duplicated-bytes"]) {
    withFault(name, (rig) => {
      for (let i = 0; i < 40; i++) rig.basic(BasicOp.QueryState);
      const { resyncs, checksumErrors, bytesDiscarded } = rig.sgd.counters;
      expect(resyncs + checksumErrors + bytesDiscarded).toBeGreaterThan(0);
      rig.run(5000);
    });
  }
});

describe("faults of the application", () => {
  withFault("never-replies", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toBe("no-reply");
    expect(rig.basic(BasicOp.QueryState)).toBe("no-reply");
  });
  withFault("late-reply", (rig) => {
    expect(rig.basic(BasicOp.QueryState)).toBe("no-reply");
    rig.run(8000);
    expect(rig.module.counters.lateReplies).toBe(1);
  });
  withFault("wrong-reply", (rig) => {
    rig.negotiate();
    expect(rig.basic(BasicOp.Shed)).toBe("no-reply");
    expect(rig.ask(getInformation()).outcome).toBe("no-reply");
  });
  withFault("duplicate-state", (rig) => {
    rig.taps.length = 0;
    rig.basic(BasicOp.QueryState);
    rig.run(2000);
    const states = rig.taps.filter(({ bytes }) => bytes[4] === BasicOp.State && bytes.length === 8);
    expect(states.length).toBe(2);
  });
  withFault("app-nak-busy:2", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([4, 3]);
    expect(rig.basic(BasicOp.CriticalPeak)).toEqual([4, 3]);
    expect(rig.basic(BasicOp.CriticalPeak)).toEqual([3, 10]);
    rig.basic(BasicOp.EndShed);
  });
  withFault("app-nak-refused", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([4, 1]);
    expect(rig.query()).toBe(1);
  });
  withFault("ack-only", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    rig.run(5000);
    expect(rig.query()).toBe(1);
    expect(rig.sgd.state().currentA).toBe(32);
  });
  withFault("stuck-state", (rig) => {
    expect(rig.basic(BasicOp.Shed)).toEqual([3, 1]);
    rig.run(5000);
    expect(rig.query()).toBe(1);
    expect(rig.sgd.state().currentA).toBe(16);
  });
  withFault("overstates-payload", (rig) => {
    rig.negotiate();
    const price = setPrice({ price: 12, currency: 840, digits: 2 });
    expect(rig.ask(price)).toMatchObject({ outcome: "nak", nak: 2 });
  });
});

describe("faults of charger and car", () => {
  for (const name of ["ground-fault", "pilot-short"]) {
    withFault(name, (rig) => {
      rig.run(1000);
      expect(rig.sgd.state()).toMatchObject({ opState: 5, currentA: 0, contactor: "open" });
      expect(said(rig, BasicOp.State).at(-1)).toBe(5);
    });
  }
  withFault("contactor-welded", (rig) => {
    rig.basic(BasicOp.GridEmergency);
    rig.run(6000);
    expect(rig.sgd.state()).toMatchObject({ opState: 5, contactor: "closed" });
    rig.basic(BasicOp.EndShed);
  });
  withFault("car-ignores-pilot", (rig) => {
    rig.basic(BasicOp.Shed);
    rig.run(10_000);
    expect(rig.sgd.state()).toMatchObject({ currentA: 32, limitA: 16, opState: 2 });
    rig.basic(BasicOp.PowerLevel, 64);
    expect(rig.query()).toBe(10);
    rig.basic(BasicOp.EndShed);
  });
  withFault("meter-stuck", (rig) => {
    rig.basic(BasicOp.Shed);
    rig.run(10_000);
    expect(rig.sgd.state()).toMatchObject({ currentA: 16, powerW: 7680 });
    rig.basic(BasicOp.EndShed);
  });
  withFault("car-asleep", (rig) => {
    rig.run(5000);
    expect(rig.sgd.state()).toMatchObject({ currentA: 0, opState: 0, contactor: "open" });
    rig.sgd.fault("wake-car");
    rig.run(20_000);
    expect(rig.sgd.state()).toMatchObject({ currentA: 32, opState: 1 });
  });
  tested.add("wake-car");
});

describe("things that happen once", () => {
  withFault("reboot", (rig) => {
    rig.asked.length = 0;
    rig.run(10_000);
    expect(rig.asked.length).toBe(3);
  });
  withFault("sleep", (rig) => {
    rig.run(2000);
    expect(said(rig, BasicOp.Sleep)).toEqual([0]);
  });
  withFault("wake", (rig) => {
    rig.run(2000);
    expect(said(rig, BasicOp.Wake)).toEqual([0]);
  });
});

describe("the table", () => {
  it("has every fault once, each with a sentence and a test here", () => {
    expect(faultNames()).toEqual([
      ...new Set(
        [ACTIONS, LINE_FAULTS, ANSWER_FAULTS, APPLIANCE_FAULTS].flatMap((table) => Object.keys(table)),
      ),
    ]);
    expect(Object.values(FAULTS).every((text) => text.endsWith("."))).toBe(true);
    expect(faultNames().filter((name) => !tested.has(name))).toEqual([]);
  });
});
