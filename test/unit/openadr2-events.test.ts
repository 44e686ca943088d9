// Events: what they ask for, how they are answered, and what the customer's override does.
import { describe, expect, it } from "vitest";
import type { SgdStatus } from "../../src/ports/sgd-status.js";
import {
  answers,
  Bench,
  distribute,
  event,
  message,
  nothing,
  response,
  T0,
  type EventSpec,
  type SignalSpec,
} from "./openadr2-harness.js";
import type { OpenAdr2Config } from "../../src/openadr2/ven.js";

/** What one event leads to: the asks, and its answer. */
function outcome(spec: EventSpec, config: Partial<OpenAdr2Config> = {}) {
  const bench = new Bench(config).register().poll(distribute(event(spec)));
  return {
    bench,
    held: bench.held,
    asks: bench.held.flatMap((e) => e.intervals.map((i) => i.ask)),
    answer:
      bench.asked === "oadrCreatedEvent" ? answers(bench.body)[0]?.replace("event-1 0 ", "") : undefined,
  };
}

const one = (signal: SignalSpec, value: number | string): EventSpec => ({
  signals: [{ ...signal, intervals: [[3600, value]] }],
});

const power = (scale: string, item = "powerReal") =>
  `<power:${item}><power:itemDescription>x</power:itemDescription><power:itemUnits>W</power:itemUnits><scale:siScaleCode>${scale}</scale:siScaleCode>` +
  `<power:powerAttributes><power:hertz>50</power:hertz><power:voltage>230</power:voltage><power:ac>true</power:ac></power:powerAttributes></power:${item}>`;
const current = (scale: string) =>
  `<oadr:current><oadr:itemDescription>Current</oadr:itemDescription><oadr:itemUnits>A</oadr:itemUnits><scale:siScaleCode>${scale}</scale:siScaleCode></oadr:current>`;
const money = (scale = "none") =>
  `<oadr:currencyPerKWh><oadr:itemDescription>currencyPerKWh</oadr:itemDescription><oadr:itemUnits>EUR</oadr:itemUnits><scale:siScaleCode>${scale}</scale:siScaleCode></oadr:currencyPerKWh>`;

const control = (kind: string): SignalSpec => ({ name: "LOAD_CONTROL", type: `x-loadControl${kind}` });
const dispatch = (type: string, item?: string): SignalSpec => ({
  name: "LOAD_DISPATCH",
  type,
  ...(item ? { item } : {}),
});
const limit = (unit: string, value: number, reference = "rated") => ({
  ask: "limit",
  unit,
  value,
  reference,
});

describe("OpenADR 2.0b signals", () => {
  it.each<[string, SignalSpec, number | string, object, Partial<OpenAdr2Config>?]>([
    ["SIMPLE 0", {}, 0, { ask: "normal" }],
    ["SIMPLE 1", {}, 1, { ask: "shed" }],
    ["SIMPLE 2", {}, "2.0", { ask: "critical-peak" }],
    ["SIMPLE 3", {}, 3, { ask: "critical-peak" }],
    ["SIMPLE 3, permitted", {}, 3, { ask: "emergency" }, { emergency: true }],
    ["SIMPLE 3, permitted here", {}, 3, { ask: "emergency" }, { emergency: ["http://context"] }],
    ["SIMPLE 3, permitted elsewhere", {}, 3, { ask: "critical-peak" }, { emergency: ["http://other"] }],
    ["simple", { name: "simple" }, 1, { ask: "shed" }],
    ["capacity 0.5", control("Capacity"), 0.5, limit("fraction", 0.5)],
    ["capacity 0", control("Capacity"), 0, limit("fraction", 0)],
    ["capacity 1", control("Capacity"), 1, { ask: "normal" }],
    [
      "capacity of the installer",
      control("Capacity"),
      0.5,
      limit("fraction", 0.5, "installer"),
      { capacityReference: "installer" },
    ],
    ["percent -0.25", control("PercentOffset"), -0.25, limit("fraction", 0.75)],
    ["percent 0", control("PercentOffset"), 0, { ask: "normal" }],
    ["percent 0.1", control("PercentOffset"), 0.1, { ask: "load-up" }],
    ["level offset 0", control("LevelOffset"), 0, { ask: "normal" }],
    ["level offset 3", control("LevelOffset"), 3, { ask: "shed" }],
    ["level offset 6", control("LevelOffset"), 6, { ask: "critical-peak" }],
    ["level offset 7", control("LevelOffset"), 7, limit("fraction", 0)],
    ["level offset -1", control("LevelOffset"), -1, { ask: "load-up" }],
    ["set-point by programme", control("Setpoint"), 16, limit("A", 16), { setpointUnit: "A" }],
    ["set-point by its unit", { ...control("Setpoint"), item: current("none") }, 10, limit("A", 10)],
    ["dispatch W", dispatch("setpoint", power("none")), 1500, limit("W", 1500)],
    ["dispatch kW", dispatch("setpoint", power("k")), 3.6, limit("W", 3600)],
    ["dispatch VA", dispatch("setpoint", power("none", "powerApparent")), 1500, limit("W", 1500)],
    ["dispatch mA", dispatch("setpoint", current("m")), 6000, limit("A", 6)],
    ["dispatch delta", dispatch("delta", power("k")), -1.5, limit("change-W", -1500, "dynamic")],
    ["dispatch multiplier", dispatch("multiplier"), 0.4, limit("fraction", 0.4, "dynamic")],
    ["dispatch level", dispatch("level"), 5, { ask: "critical-peak" }],
    [
      "price",
      { name: "ELECTRICITY_PRICE", type: "price", item: money() },
      0.3,
      { ask: "price", relative: undefined, absolute: 0.3, currency: "EUR" },
    ],
    [
      "price in cents against the usual",
      { name: "ENERGY_PRICE", type: "price", item: money("c") },
      30,
      { ask: "price", relative: 1.5, absolute: 0.3, currency: "EUR" },
      { normalPrice: 0.2 },
    ],
    [
      "price multiplier",
      { name: "ELECTRICITY_PRICE", type: "priceMultiplier" },
      2,
      { ask: "price", relative: 2, absolute: undefined, currency: "" },
    ],
    [
      "price difference",
      { name: "ELECTRICITY_PRICE", type: "priceRelative", item: money() },
      0.1,
      { ask: "price", relative: 1.5, absolute: 0.3, currency: "EUR" },
      { normalPrice: 0.2 },
    ],
  ])("%s", (_, signal, value, ask, config) => {
    const { asks, answer } = outcome(one(signal, value), config);
    expect(asks).toEqual([ask]);
    expect(answer).toBe("200 optIn");
  });

  it("says once that a price that is only an amount cannot be told to the appliance", () => {
    const priced = one({ name: "ELECTRICITY_PRICE", type: "price", item: money() }, 0.3);
    const { bench } = outcome(priced);
    bench.reply(nothing).poll(distribute(event({ ...priced, mod: 1 })));
    expect(bench.logs.filter((text) => text.includes("normalPrice"))).toHaveLength(1);
  });

  it.each<[string, SignalSpec, number | string, string]>([
    ["CHARGE_STATE", { name: "CHARGE_STATE", type: "setpoint" }, 50, "460"],
    ["BID_PRICE", { name: "BID_PRICE", type: "price" }, 1, "460"],
    ["BID_LOAD", { name: "BID_LOAD", type: "setpoint" }, 1, "460"],
    ["BID_ENERGY", { name: "BID_ENERGY", type: "setpoint" }, 1, "460"],
    ["an extension", { name: "x-own", type: "level" }, 1, "460"],
    ["SIMPLE of another type", { type: "delta" }, 1, "460"],
    ["SIMPLE 4", {}, 4, "454"],
    ["SIMPLE 1.5", {}, 1.5, "454"],
    ["a value that is none", {}, "high", "454"],
    ["an endless value", {}, "INF", "454"],
    ["capacity 1.1", control("Capacity"), 1.1, "454"],
    ["percent -2", control("PercentOffset"), -2, "454"],
    ["level offset 2.5", control("LevelOffset"), 2.5, "454"],
    ["level offset 11", control("LevelOffset"), 11, "454"],
    ["set-point without unit", control("Setpoint"), 5, "460"],
    ["dispatch without unit", dispatch("setpoint"), 5, "460"],
    ["dispatch of reactive power", dispatch("setpoint", power("none", "powerReactive")), 5, "460"],
    ["negative dispatch", dispatch("setpoint", power("none")), -5, "454"],
    ["dispatch in an unknown scale", dispatch("setpoint", power("z")), 5, "454"],
    ["dispatch delta in amperes", dispatch("delta", current("none")), -10, "460"],
    ["dispatch delta without unit", dispatch("delta"), -10, "460"],
    ["dispatch delta in an unknown scale", dispatch("delta", power("z")), -10, "454"],
    ["price difference without a usual price", { name: "ENERGY_PRICE", type: "priceRelative" }, 0.1, "460"],
    ["negative multiplier", { name: "ENERGY_PRICE", type: "priceMultiplier" }, -1, "454"],
  ])("refuses %s", (_, signal, value, code) => {
    const { held, answer } = outcome(one(signal, value));
    expect(held).toEqual([]);
    expect(answer).toBe(`${code} optOut`);
  });

  it("accepts a demand charge as information that asks for nothing", () => {
    const { held, answer } = outcome(one({ name: "DEMAND_CHARGE", type: "price" }, 4));
    expect(held).toEqual([]);
    expect(answer).toBe("200 optIn");
  });

  it("obeys SIMPLE beside a signal that it does not know", () => {
    const { asks, answer } = outcome({
      signals: [{ name: "x-own" }, {}, { name: "BID_LOAD", type: "setpoint" }],
    });
    expect(asks).toEqual([{ ask: "shed" }]);
    expect(answer).toBe("200 optIn");
  });

  it("prefers the finer of two load signals, and keeps a price beside", () => {
    const { held } = outcome({
      signals: [
        { intervals: [[3600, 2]] },
        { ...control("Capacity"), intervals: [[3600, 0.5]] },
        {
          name: "ELECTRICITY_PRICE",
          type: "priceMultiplier",
          intervals: [
            [1800, 2],
            [1800, 1],
          ],
        },
      ],
      startAfterSeconds: 60,
    });
    expect(held.map((e) => e.id)).toEqual(["event-1", "event-1~price"]);
    expect(held[0]).toMatchObject({
      randomise: { windowMs: 60_000, law: "after" },
      intervals: [{ ask: limit("fraction", 0.5) }],
    });
    expect(held[1]!.randomise).toBeUndefined();
    expect(held[1]!.intervals.map((i) => [i.offsetMs, i.durationMs])).toEqual([
      [0, 1_800_000],
      [1_800_000, 1_800_000],
    ]);
  });

  it("applies nothing of an event of which one known signal is wrong", () => {
    const { held, answer } = outcome({ signals: [{}, { ...control("Capacity"), intervals: [[3600, 7]] }] });
    expect(held).toEqual([]);
    expect(answer).toBe("454 optOut");
  });

  it("passes over signals for other device classes, and refuses an event that has no other", () => {
    const fits = outcome({
      signals: [{ device: "Water_Heater", intervals: [[3600, 2]] }, { device: "Electric Vehicle" }],
    });
    expect(fits.asks).toEqual([{ ask: "shed" }]);
    expect(outcome({ signals: [{ device: "Water_Heater" }] }).answer).toBe("462 optOut");
  });
});

describe("OpenADR 2.0b events", () => {
  it("maps start, intervals, ramp, notification, tolerance, priority, context and test", () => {
    const { held } = outcome({
      priority: 3,
      test: "yes",
      seconds: 900,
      startAfterSeconds: 300,
      signals: [
        {
          intervals: [
            [300, 1],
            [600, 2],
          ],
        },
      ],
      extra:
        "<ei:x-eiNotification><xcal:duration>PT1H</xcal:duration></ei:x-eiNotification>" +
        "<ei:x-eiRampUp><xcal:duration>-PT5M</xcal:duration></ei:x-eiRampUp>" +
        "<ei:x-eiRecovery><xcal:duration>PT10M</xcal:duration></ei:x-eiRecovery>",
    });
    expect(held).toEqual([
      {
        id: "event-1",
        revision: 0,
        source: "utility",
        programme: "http://context",
        rank: 999_998,
        test: true,
        start: T0 + 60_000,
        intervals: [
          { offsetMs: 0, durationMs: 300_000, ask: { ask: "shed" } },
          { offsetMs: 300_000, durationMs: 600_000, ask: { ask: "critical-peak" } },
        ],
        randomise: { windowMs: 300_000, law: "after" },
        rampUpMs: -300_000,
        notificationMs: 3_600_000,
        emergencyPermitted: false,
        createdUtcMs: T0,
        cancelled: false,
        delayApplied: false,
      },
    ]);
  });

  it("turns priorities round: 0 or none is lowest, 1 highest", () => {
    const rank = (priority?: number) => outcome(priority === undefined ? {} : { priority }).held[0]!.rank;
    expect(rank()).toBe(0);
    expect(rank(0)).toBe(0);
    expect(rank(1)).toBe(1_000_000);
    expect(rank(2)).toBeLessThan(rank(1));
    expect(rank(4_294_967_295)).toBe(1);
  });

  it("runs an event without duration until it is cancelled", () => {
    const { held } = outcome({
      seconds: 0,
      signals: [
        {
          intervals: [
            [600, 2],
            [0, 1],
          ],
        },
      ],
    });
    expect(held[0]!.intervals.map((i) => i.durationMs)).toEqual([600_000, Infinity]);
  });

  it.each(["false", "FALSE", ""])("is no test event with testEvent %j", (test) => {
    expect(outcome({ test }).held[0]!.test).toBe(false);
  });

  it.each<[string, EventSpec]>([
    ["intervals that do not fill the event", { signals: [{ intervals: [[60, 1]] }] }],
    [
      "an inner interval without duration",
      {
        signals: [
          {
            intervals: [
              [0, 1],
              [3600, 1],
            ],
          },
        ],
      },
    ],
    ["no intervals", { signals: [{ intervals: [] }] }],
  ])("refuses %s", (_, spec) => {
    expect(outcome(spec).answer).toBe("454 optOut");
  });

  it.each<[string, (xml: string) => string]>([
    ["uids out of step", (xml) => xml.replace("<xcal:text>0</xcal:text>", "<xcal:text>1</xcal:text>")],
    ["a wrong start", (xml) => xml.replace(/<xcal:date-time>[^<]*/, "<xcal:date-time>tomorrow")],
    ["a wrong duration", (xml) => xml.replace("PT3600S", "an hour")],
    ["a wrong modification number", (xml) => xml.replace(/(modificationNumber>)0/, "$1-1")],
    ["no start", (xml) => xml.replace(/<xcal:dtstart>.*?<\/xcal:dtstart>/, "")],
  ])("refuses %s and applies the other event of the message", (_, spoil) => {
    const bench = new Bench().register();
    bench.poll(distribute(spoil(event({ id: "bad" })) + event({ id: "good" })));
    expect(bench.held.map((e) => e.id)).toEqual(["good"]);
    expect(answers(bench.body).map((a) => a.split(" ")[2])).toEqual(["454", "200"]);
  });

  it("reads a start without Z as UTC, and elements by namespace whatever the prefixes", () => {
    const xml = distribute(event())
      .replaceAll("xmlns:oadr=", "xmlns:ns7=")
      .replaceAll("oadr:", "ns7:")
      .replaceAll("xmlns:ei=", "xmlns:p1=")
      .replaceAll("ei:", "p1:")
      .replaceAll(/(date-time>[^<]*)Z</g, "$1<");
    const bench = new Bench().register().poll(xml);
    expect(bench.held[0]!.start).toBe(T0 + 60_000);
  });

  it("takes a bare root as well as the wrapper", () => {
    const xml = distribute(event());
    const spaces = /<oadr:oadrPayload ([^>]*)>/.exec(xml)![1]!;
    const bare = xml
      .replace(/<\/?oadr:oadrPayload[^>]*>/g, "")
      .replace(/<\/?oadr:oadrSignedObject>/g, "")
      .replace("<oadr:oadrDistributeEvent", `<oadr:oadrDistributeEvent ${spaces}`);
    expect(new Bench().register().poll(bare).held).toHaveLength(1);
  });

  it("does not take a payload for one that merely contains it", () => {
    const xml = message("oadrResponse", `${response()}<x>${event()}</x>`);
    expect(new Bench().register().poll(xml).held).toEqual([]);
  });

  it("takes only events of the market contexts that it takes part in", () => {
    expect(outcome({}, { marketContexts: ["http://context"] }).answer).toBe("200 optIn");
    expect(outcome({}, { marketContexts: ["http://other"] }).answer).toBe("462 optOut");
  });

  it.each<[string, string, string[], string]>([
    ["its venID", "<ei:venID>ven-1</ei:venID>", [], "200"],
    ["its venID among others", "<ei:venID>x</ei:venID><ei:venID>ven-1</ei:venID>", [], "200"],
    ["another venID", "<ei:venID>x</ei:venID>", [], "462"],
    ["nobody", "", [], "200"],
    ["a group, own groups unknown", "<ei:groupID>g</ei:groupID>", [], "200"],
    ["its group", "<ei:groupID>g</ei:groupID>", ["groupID:g"], "200"],
    ["another group", "<ei:groupID>h</ei:groupID>", ["groupID:g"], "462"],
    ["its resource", "<ei:resourceID>r</ei:resourceID>", ["resourceID:r"], "200"],
    ["another VEN or its group", "<ei:groupID>g</ei:groupID><ei:venID>x</ei:venID>", ["groupID:g"], "200"],
  ])("an event for %s", (_, target, targets, code) => {
    expect(outcome({ target }, { targets }).answer?.slice(0, 3)).toBe(code);
  });

  it("answers an event once a modification; a lower one is out of sequence and changes nothing", () => {
    const bench = new Bench().register().poll(distribute(event({ mod: 1 })));
    bench.expect("oadrCreatedEvent").reply(nothing).expect("oadrPoll");
    bench.reply(distribute(event({ mod: 1 }))).expect("oadrPoll");
    bench.reply(distribute(event({ mod: 2, seconds: 60 })));
    expect(answers(bench.body)).toEqual(["event-1 2 200 optIn"]);
    bench.reply(nothing).poll(distribute(event({ mod: 1 })));
    expect(answers(bench.body)).toEqual(["event-1 1 450 optOut"]);
    bench.reply(nothing).poll(distribute(event({ mod: 2, seconds: 60 })));
    expect(bench.asked).not.toBe("oadrCreatedEvent");
  });

  it("acts on an event that wants no answer, and does not answer it", () => {
    const { held, answer } = outcome({ answer: "never" });
    expect(held).toHaveLength(1);
    expect(answer).toBeUndefined();
  });

  it("cancels what an event list leaves out, but nothing at an oadrResponse", () => {
    const bench = new Bench().register().poll(distribute(event({ id: "a" }) + event({ id: "b" })));
    expect(bench.held).toHaveLength(2);
    bench.reply(nothing).reply(nothing);
    const replaced = bench.replaced;
    bench.poll(nothing);
    expect(bench.replaced).toBe(replaced);
    bench.poll(distribute(event({ id: "b" })));
    expect(bench.held.map((e) => e.id)).toEqual(["b"]);
    bench.reply(distribute(""));
    expect(bench.held).toEqual([]);
  });

  it("takes an event list that is an error for no list", () => {
    const bench = new Bench().register().poll(distribute(event()));
    bench
      .reply(nothing)
      .poll(message("oadrDistributeEvent", `${response("500")}<pyld:requestID>r</pyld:requestID>`));
    expect(bench.held).toHaveLength(1);
  });

  it("passes a cancelled event on as cancelled, and a never seen one too: both are fine", () => {
    const { held, answer } = outcome({ status: "cancelled" });
    expect(held[0]!.cancelled).toBe(true);
    expect(answer).toBe("200 optIn");
  });

  it("believes a server that an event is completed although the clock says that it runs", () => {
    expect(outcome({ status: "completed" }).held[0]!.cancelled).toBe(true);
    expect(outcome({ status: "completed", seconds: 0 }).held[0]!.cancelled).toBe(true);
    // Over by our own clock, or nearly: a random delay may still shift its end.
    expect(outcome({ status: "completed", startUtcMs: T0 - 3_600_000 }).held[0]!.cancelled).toBe(false);
  });

  it("refuses events of another server than that of the registration", () => {
    const bench = new Bench().register().poll(distribute(event(), "vtn-2"));
    expect(bench.held).toEqual([]);
    expect(answers(bench.body)).toEqual(["event-1 0 452 optOut"]);
  });

  it("answers 469 to what is over its bounds and keeps running", () => {
    const many = Array.from({ length: 10 }, (_, i) => event({ id: `e${String(i)}` })).join("");
    const bench = new Bench().register().poll(distribute(many));
    expect(bench.held).toHaveLength(8);
    expect(answers(bench.body).filter((a) => a.includes(" 469 "))).toEqual([
      "e8 0 469 optOut",
      "e9 0 469 optOut",
    ]);
    const intervals = Array.from({ length: 97 }, () => [60, 1] as const);
    expect(outcome({ seconds: 97 * 60, signals: [{ intervals }] }).answer).toBe("469 optOut");
    expect(outcome({ seconds: 96 * 60, signals: [{ intervals: intervals.slice(1) }] }).answer).toBe(
      "200 optIn",
    );
    expect(outcome({ signals: [{}, {}, {}, {}, {}] }).answer).toBe("469 optOut");
  });

  it.each([
    ["too-many-intervals", "469"],
    ["too-many-events", "469"],
    ["bad-interval", "454"],
    ["dismissed", "451"],
  ])("answers the core's refusal %s with %s", (why, code) => {
    const bench = new Bench().register();
    bench.verdict = () => ({ verdict: "refused", why });
    bench.poll(distribute(event()));
    expect(answers(bench.body)).toEqual([`event-1 0 ${code} optOut`]);
  });
});

describe("OpenADR 2.0b opting", () => {
  const running = (config: Partial<OpenAdr2Config> = {}, spec: EventSpec = {}) =>
    new Bench(config)
      .register()
      .sgd({})
      .poll(distribute(event(spec)))
      .reply(nothing)
      .reply(nothing);

  it("tells the customer's override by EiOpt, and its end", () => {
    const bench = running().sgd({ override: true });
    bench.expect("oadrCreateOpt");
    expect(bench.service).toBe("EiOpt");
    expect(bench.body).toContain(
      "<ei:optType>optOut</ei:optType><ei:optReason>overrideStatus</ei:optReason>",
    );
    expect(bench.body).toContain(
      "<ei:qualifiedEventID><ei:eventID>event-1</ei:eventID><ei:modificationNumber>0</ei:modificationNumber></ei:qualifiedEventID>",
    );
    bench.reply(message("oadrCreatedOpt", `${response()}<ei:optID>o</ei:optID>`));
    bench.sgd({ override: true });
    expect(bench.waiting).toBeUndefined();
    bench.sgd({}).expect("oadrCreateOpt");
    expect(bench.body).toContain("<ei:optType>optIn</ei:optType><ei:optReason>participating</ei:optReason>");
  });

  it("counts an override for events of the next 12 hours, and opts out when one comes nearer", () => {
    const bench = running({}, { startUtcMs: T0 + 13 * 3_600_000 }).sgd({ override: true });
    expect(bench.waiting).toBeUndefined();
    let said = "";
    for (let i = 0; i < 1000 && said === ""; i++) {
      bench.advance(10_000);
      if (bench.asked === "oadrCreateOpt") said = bench.body;
      else if (bench.waiting !== undefined) bench.reply(nothing);
    }
    expect(said).toContain("optOut");
    expect(bench.ms).toBeGreaterThanOrEqual(3_600_000);
  });

  it("answers a new event by optOut while the customer overrides", () => {
    const bench = new Bench().register().sgd({ override: true }).poll(distribute(event()));
    expect(answers(bench.body)).toEqual(["event-1 0 200 optOut"]);
    bench.reply(nothing).expect("oadrPoll");
  });

  it("falls back to a second oadrCreatedEvent where the server has no EiOpt", () => {
    const bench = running().sgd({ override: true });
    bench.expect("oadrCreateOpt").reply("", 404);
    expect(answers(bench.expect("oadrCreatedEvent").body)).toEqual(["event-1 0 200 optOut"]);
    bench.reply(nothing).sgd({});
    expect(answers(bench.expect("oadrCreatedEvent").body)).toEqual(["event-1 0 200 optIn"]);
  });

  it("opts by oadrCreatedEvent or not at all where it is configured so", () => {
    expect(answers(running({ opt: "createdEvent" }).sgd({ override: true }).body)).toEqual([
      "event-1 0 200 optOut",
    ]);
    expect(running({ opt: "off" }).sgd({ override: true }).waiting).toBeUndefined();
  });

  it("tells once with 469 that the appliance refuses every command of a running event", () => {
    const load: SgdStatus["load"] = {
      command: "Shed",
      arg: 0,
      result: "refused",
      step: 1,
      wish: "event-1",
      sinceMs: 0,
      text: "",
    };
    const bench = running({}, { startUtcMs: T0 - 1000 }).sgd({ load });
    expect(answers(bench.expect("oadrCreatedEvent").body)).toEqual(["event-1 0 469 optOut"]);
    bench.reply(nothing).sgd({ load });
    expect(bench.waiting).toBeUndefined();
  });

  it("opts for a span of time, and takes it back", () => {
    const bench = new Bench().register();
    const id = bench.ven.optSchedule(false, T0 + 3_600_000, 7_200_000, bench.now, "http://context")!;
    bench.expect("oadrCreateOpt");
    expect(bench.body).toContain("<ei:optReason>x-schedule</ei:optReason>");
    expect(bench.body).toContain("<xcal:date-time>2026-11-21T13:00:00Z</xcal:date-time>");
    expect(bench.body).toContain("<xcal:duration>PT2H</xcal:duration>");
    bench.reply(message("oadrCreatedOpt", `${response()}<ei:optID>${id}</ei:optID>`));
    bench.ven.cancelOpt(id, bench.now);
    expect(bench.expect("oadrCancelOpt").body).toContain(`<ei:optID>${id}</ei:optID>`);
    bench.reply(message("oadrCanceledOpt", `${response()}<ei:optID>${id}</ei:optID>`));
    expect(bench.ven.status().state).toBe("online");
  });
});
