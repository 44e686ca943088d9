import { describe, expect, it } from "vitest";
import { commodityOf, getCommodity } from "../../src/wire/commodity.js";
import { getInformation } from "../../src/wire/information.js";
import { BasicOp, MessageType } from "../../src/wire/message.js";
import { parseMessage } from "../../src/wire/payload.js";
import { getTime, setTime } from "../../src/wire/time.js";
import { said, SgdRig, TYPES } from "./evse-rig.js";

/** A plugged charger that has charged for a while. */
function charging(profile = "evse-level2-32a"): SgdRig {
  const rig = new SgdRig(profile);
  rig.sgd.plug();
  rig.run(20_000);
  return rig;
}

describe("charger on the line", () => {
  it("discovers the module at power-up: its types, then the payload limit", () => {
    const rig = new SgdRig("evse-level2-32a");
    rig.run(10_000);
    expect(rig.asked.map(({ type }) => type)).toEqual(TYPES);
    expect(rig.asked[0]!.atMs).toBeGreaterThanOrEqual(700);
    const texts = rig.events.flatMap((event) =>
      event.event === "frame" ? [`${event.dir} ${event.hex}`] : [],
    );
    expect(texts.slice(0, 2)).toEqual(["tx 08 01 00 00 7E CD", "rx 06 00"]);
    expect(texts).toContain("tx 08 03 00 02 18 00 BA 75");
  });

  it("answers type queries: 08 01 to 08 03 yes, 08 04 and 09 xx NAK 06", () => {
    const rig = charging();
    for (const type of TYPES) expect(rig.ask({ family: "type-query", type }).outcome).toBe("ok");
    for (const type of [MessageType.Commissioning, 0x0901, 0x0907]) {
      expect(rig.ask({ family: "type-query", type })).toMatchObject({ outcome: "nak", nak: 6 });
    }
  });

  it("tells who it is in 53 bytes, and its commodities", () => {
    const rig = charging();
    rig.negotiate();
    const information = rig.ask(getInformation());
    expect(information.reply).toHaveLength(53);
    expect(parseMessage(MessageType.Intermediate, information.reply!)).toMatchObject({
      name: "InformationReply",
      responseCode: 0,
      information: { version: "B", deviceType: 0x1102, serial: "SIM-0001" },
    });
    const all = parseMessage(MessageType.Intermediate, rig.ask(getCommodity()).reply!);
    if (!("name" in all) || all.name !== "CommodityReply") throw new Error("no commodity reply");
    expect(all.records.map((record) => record.code)).toEqual([0, 6, 7, 8]);
    expect(commodityOf(all.records, 0)).toMatchObject({ measured: true, rate: 7680 });
    expect(commodityOf(all.records, 0)!.cumulative).toBeGreaterThan(30);
    expect(commodityOf(all.records, 6)).toMatchObject({ cumulative: 75_000 });
    expect(commodityOf(all.records, 8)).toMatchObject({ rate: 7680 });
    const one = parseMessage(MessageType.Intermediate, rig.ask(getCommodity(8)).reply!);
    expect(one).toMatchObject({ records: [{ code: 8 }] });
    const none = parseMessage(MessageType.Intermediate, rig.ask(getCommodity(5)).reply!);
    expect(none).toMatchObject({ responseCode: 2, records: [] });
  });

  it("cuts its answers to what the module takes", () => {
    for (const [payload, information, records] of [
      [16, 16, 1],
      [32, 32, 2],
      [64, 53, 4],
    ] as const) {
      const rig = new SgdRig("evse-level2-32a", 1, payload);
      rig.run(10_000);
      expect(rig.ask(getInformation()).reply).toHaveLength(information);
      expect(rig.ask(getCommodity()).reply).toHaveLength(3 + 13 * records);
    }
    const tiny = new SgdRig("evse-level2-32a", 1, 8);
    tiny.run(10_000);
    expect([...tiny.ask(getInformation()).reply!]).toEqual([1, 0x81, 4]);
  });

  it("keeps the time it is told", () => {
    const rig = charging();
    rig.negotiate();
    const time = { utcSeconds: 800_000_000, offsetQuarters: -20, dstQuarters: 4 };
    expect([...rig.ask(setTime(time)).reply!]).toEqual([2, 0x80, 0]);
    rig.run(60_000);
    const told = parseMessage(MessageType.Intermediate, rig.ask(getTime()).reply!);
    if (!("name" in told) || told.name !== "TimeReply") throw new Error("no time");
    expect(told.time!.utcSeconds).toBeGreaterThanOrEqual(800_000_060);
    expect(told.time!.utcSeconds).toBeLessThan(800_000_063);
  });

  it("sheds 32 A to 16 A, verified by state and power, and comes back", () => {
    const rig = charging();
    expect(rig.query()).toBe(1);
    expect(rig.basic(BasicOp.Shed, 0x1e)).toEqual([3, 1]);
    expect(rig.query()).toBe(2);
    rig.run(5000);
    expect(rig.sgd.state()).toMatchObject({
      opState: 2,
      currentA: 16,
      limitA: 16,
      contactor: "closed",
      powerW: 3840,
    });
    expect(rig.basic(BasicOp.EndShed)).toEqual([3, 2]);
    rig.run(5000);
    expect(rig.sgd.state()).toMatchObject({ opState: 1, currentA: 32, powerW: 7680 });
    expect(rig.query()).toBe(1);
    const currents = rig.states.map((state) => state.currentA);
    expect(currents).toContain(16);
    expect(Math.max(...currents)).toBe(32);
  });

  it("opens the contactor in a grid emergency, whatever the customer wants", () => {
    const rig = charging();
    rig.sgd.override(true);
    rig.run(3000);
    expect(said(rig, BasicOp.CustomerOverride)).toEqual([1]);
    expect(rig.basic(BasicOp.GridEmergency, 0)).toEqual([3, 0x0b]);
    rig.run(5000);
    expect(rig.sgd.state()).toMatchObject({ opState: 4, currentA: 0, contactor: "open" });
    rig.basic(BasicOp.EndShed);
    rig.run(8000);
    expect(rig.sgd.state()).toMatchObject({ opState: 12, currentA: 32 });
  });

  it("says its override right after acknowledging a load reduction, and goes on at full power", () => {
    const rig = charging();
    rig.sgd.override(true);
    rig.run(3000);
    expect(rig.basic(BasicOp.CriticalPeak, 0)).toEqual([3, 0x0a]);
    const at = rig.nowMs;
    rig.run(2000);
    expect(said(rig, BasicOp.CustomerOverride)).toEqual([1, 1]);
    expect(rig.heard.at(-1)!.atMs - at).toBeLessThan(1000);
    expect(rig.sgd.state()).toMatchObject({ opState: 12, currentA: 32, override: true });
    rig.sgd.override(false);
    rig.run(4000);
    expect(said(rig, BasicOp.CustomerOverride)).toEqual([1, 1, 0]);
    expect(rig.sgd.state()).toMatchObject({ opState: 2, currentA: 8 });
  });

  it("takes an override back from the module, and after 12 h by itself", () => {
    const rig = charging();
    rig.sgd.override(true);
    rig.run(2000);
    expect(rig.basic(BasicOp.CustomerOverride, 0)).toEqual([3, 0x11]);
    expect(rig.sgd.state().override).toBe(false);
    rig.sgd.override(true);
    rig.run(12 * 3_600_000 + 5000);
    expect(rig.sgd.state().override).toBe(false);
    // Told anew to the module after each 15 min of its silence; the end once.
    const told = said(rig, BasicOp.CustomerOverride);
    expect(told.slice(0, -1).every((on) => on === 1)).toBe(true);
    expect(told.at(-1)).toBe(0);
  });

  it("tells a change of state on its own once, and not where the module has asked by then", () => {
    const rig = charging();
    rig.heard.length = 0;
    rig.sgd.unplug();
    rig.run(5000);
    expect(said(rig, BasicOp.State)).toEqual([0]);
    rig.sgd.plug();
    rig.run(100);
    rig.query();
    rig.until("charging again", () => rig.sgd.state().opState === 1);
    rig.run(300);
    rig.query();
    rig.run(10_000);
    expect(said(rig, BasicOp.State)).toEqual([0]);
  });

  it("refuses what Basic DR does not have, and what it cannot do", () => {
    const rig = charging();
    expect(rig.basic(0x05, 0)).toEqual([4, 1]);
    expect(rig.basic(BasicOp.Sleep, 0)).toEqual([4, 1]);
    expect(rig.basic(BasicOp.GridGuidance, 3)).toEqual([4, 2]);
    expect(rig.basic(BasicOp.OutsideComm, 7)).toEqual([4, 2]);
    expect(rig.basic(BasicOp.PowerLevel, 0xc0)).toEqual([4, 2]);
    expect(rig.basic(BasicOp.TimeSync, 0x18)).toEqual([4, 2]);
    expect(rig.basic(BasicOp.TimeSync, 0xd7)).toEqual([3, 0x16]);
    expect(rig.basic(BasicOp.PendingEventType, 0x0c)).toEqual([4, 2]);
    expect(rig.basic(BasicOp.PresentPrice, 0x41)).toEqual([3, 7]);
    rig.negotiate();
    expect(
      rig.ask({ family: "intermediate", name: "Other", opcode1: 0x0c, opcode2: 0, rest: new Uint8Array(0) }),
    ).toMatchObject({ outcome: "nak", nak: 7 });
  });

  it("follows guidance and forgets it with the communication's silence of 300 s", () => {
    const rig = charging();
    expect(rig.basic(BasicOp.OutsideComm, 1)).toEqual([3, 0x0e]);
    expect(rig.basic(BasicOp.GridGuidance, 0)).toEqual([3, 0x0c]);
    expect(rig.basic(BasicOp.Shed, 0)).toEqual([3, 1]);
    rig.run(290_000);
    expect(rig.sgd.state()).toMatchObject({ opState: 2, currentA: 16 });
    rig.run(15_000);
    expect(rig.sgd.state()).toMatchObject({ opState: 1, currentA: 32 });
  });

  it("starts anew after Reboot: the event is over, discovery comes again; factory defaults end the override", () => {
    const rig = charging();
    rig.sgd.override(true);
    rig.basic(BasicOp.GridEmergency, 0);
    rig.run(4000);
    rig.asked.length = 0;
    expect(rig.basic(BasicOp.Reboot, 0)).toEqual([3, 0x1a]);
    rig.run(15_000);
    expect(rig.asked.map(({ type }) => type)).toEqual(TYPES);
    expect(rig.sgd.state()).toMatchObject({ opState: 12, currentA: 32 });
    rig.basic(BasicOp.Reboot, 1);
    rig.run(10_000);
    expect(rig.sgd.state()).toMatchObject({ opState: 1, override: false });
  });

  it("finds a module that is put in later, and one that was pulled in an event keeps the event until it ends", () => {
    const rig = new SgdRig("evse-level2-32a");
    rig.pullModule();
    rig.sgd.plug();
    rig.run(30_000);
    expect(rig.asked).toEqual([]);
    rig.insertModule();
    rig.run(30_000);
    expect(rig.asked.map(({ type }) => type)).toEqual(TYPES);
    rig.basic(BasicOp.Shed, 0x0d);
    rig.pullModule();
    rig.run(330_000);
    expect(rig.sgd.state().opState).toBe(2);
    rig.run(15_000);
    expect(rig.sgd.state().opState).toBe(1);
  });

  it("is silent after 15 min without an answer, and speaks again when spoken to", () => {
    const rig = new SgdRig("evse-level2-32a");
    rig.pullModule();
    rig.run(20 * 60_000);
    rig.insertModule();
    rig.taps.length = 0;
    rig.run(30 * 60_000);
    expect(rig.taps).toEqual([]);
    expect(rig.query()).toBe(0);
    rig.run(10_000);
    expect(rig.asked.map(({ type }) => type)).toEqual(TYPES);
  });

  it("says Sleep and Wake when told to", () => {
    const rig = charging();
    rig.sgd.fault("sleep");
    rig.run(2000);
    rig.sgd.fault("wake");
    rig.run(2000);
    expect(said(rig, BasicOp.Sleep)).toEqual([0]);
    expect(said(rig, BasicOp.Wake)).toEqual([0]);
  });

  it("knows no fault by another name, and shows those that are on", () => {
    const rig = charging();
    expect(rig.sgd.fault("no-such")).toBe(false);
    expect(rig.sgd.fault("no-ack:0")).toBe(false);
    expect(rig.sgd.fault("no-ack")).toBe(true);
    expect(rig.sgd.fault("ground-fault")).toBe(true);
    expect(rig.sgd.view()).toMatchObject({
      fault: "no-ack, ground-fault",
      opStateName: expect.any(String) as string,
    });
    rig.sgd.fault("none");
    expect(rig.sgd.view().fault).toBe("");
  });
});
