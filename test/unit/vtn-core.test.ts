import { describe, expect, it } from "vitest";
import { VtnCore } from "../../host-sim/vtn/core.js";
import type { VtnEvent } from "../../host-sim/vtn/event.js";
import type { VtnChange } from "../../host-sim/vtn/state.js";
import { type XmlNode, child, childrenOf, descendant, parseXml, textAt } from "../../host-sim/vtn/xml.js";
import * as say from "./vtn-messages.js";

const T0 = Date.UTC(2026, 5, 1, 12, 0, 0);
const FP = "00:11:22:33:44:55:66:77:88:99";

/** A VTN with a client that speaks to it at a time of its own. */
function setUp(options: ConstructorParameters<typeof VtnCore>[0] = {}) {
  const core = new VtnCore(options);
  const changes: VtnChange[] = [];
  core.onChange((change) => changes.push(change));
  const at = { utcMs: T0 };
  const raw = (service: string, body: string, fingerprint: string | undefined = FP) =>
    core.handle(service, body, fingerprint, at);
  const send = (service: string, body: string, fingerprint?: string): XmlNode => {
    const reply = raw(service, body, fingerprint);
    expect(reply.status).toBe(200);
    const root = parseXml(reply.body);
    if ("refused" in root) throw new Error(root.refused);
    return child(root, "oadrSignedObject")!.children[0]!;
  };
  const enrol = (venName = "module"): string =>
    textAt(send("EiRegisterParty", say.register(venName)), "venID") ?? "(none)";
  return { core, changes, at, raw, send, enrol };
}

const code = (message: XmlNode): string => textAt(descendant(message, "eiResponse"), "responseCode") ?? "";
const eventIds = (message: XmlNode): string[] =>
  childrenOf(message, "oadrEvent").map((e) => descendant(e, "eventID")!.text);

function made(event: unknown): VtnEvent {
  expect(event).toHaveProperty("id");
  return event as VtnEvent;
}

describe("VTN core: registration", () => {
  it("answers a query with profile, transport and poll period, without ids", () => {
    const { send } = setUp({ pollSeconds: 2 });
    const reply = send("EiRegisterParty", say.query);
    expect(reply.name).toBe("oadrCreatedPartyRegistration");
    expect(code(reply)).toBe("200");
    expect(textAt(reply, "venID")).toBeUndefined();
    expect(textAt(reply, "oadrRequestedOadrPollFreq", "duration")).toBe("PT2S");
    expect(textAt(reply, "oadrProfiles", "oadrProfile", "oadrProfileName")).toBe("2.0b");
  });

  it("gives ids, and the same ones to the same certificate and name", () => {
    const { send, enrol, core } = setUp();
    const venId = enrol();
    const again = send("EiRegisterParty", say.register("module"));
    expect(textAt(again, "venID")).toBe(venId);
    expect(core.vens()).toHaveLength(1);
    expect(core.vens()[0]!.registrations).toBe(2);
    expect(enrol("another")).not.toBe(venId);
  });

  it("refuses another certificate with 463, on every service", () => {
    const { send, enrol } = setUp();
    const venId = enrol();
    const other = "FF:11:22:33:44:55:66:77:88:99";
    expect(code(send("OadrPoll", say.poll(venId), other))).toBe("463");
    expect(code(send("EiEvent", say.requestEvent(venId), other))).toBe("463");
    expect(code(send("EiReport", say.registerReport(venId), other))).toBe("463");
    expect(code(send("EiRegisterParty", say.register("module", { venId }), other))).toBe("463");
  });

  it("asks an unknown VEN that polls to register again; strict about unknown ids when told to be", () => {
    const lax = setUp();
    expect(lax.send("OadrPoll", say.poll("gone")).name).toBe("oadrRequestReregistration");
    expect(code(lax.send("EiRegisterParty", say.register("m", { venId: "gone", registrationId: "x" })))).toBe(
      "200",
    );
    const strict = setUp({ strictIds: true });
    expect(
      code(strict.send("EiRegisterParty", say.register("m", { venId: "gone", registrationId: "x" }))),
    ).toBe("452");
  });

  it("cancels a registration asked for by either side", () => {
    const { send, enrol, core } = setUp();
    const venId = enrol();
    const registrationId = core.vens()[0]!.registrationId;
    core.cancelRegistration(venId);
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrCancelPartyRegistration");
    const reply = send("EiRegisterParty", say.cancelRegistration(registrationId));
    expect(reply.name).toBe("oadrCanceledPartyRegistration");
    expect(code(reply)).toBe("200");
    expect(core.vens()).toHaveLength(0);
    expect(code(send("EiRegisterParty", say.cancelRegistration(registrationId)))).toBe("452");
  });

  it("refuses signatures, and messages without one when it demands them", () => {
    const { send, core } = setUp();
    expect(code(send("EiRegisterParty", say.register("m", { signs: true })))).toBe("459");
    core.misbehave("require-signatures");
    const reply = send("EiRegisterParty", say.register("m"));
    expect(code(reply)).toBe("459");
    expect(textAt(reply, "eiResponse", "responseDescription")).toContain("signatures");
  });
});

describe("VTN core: events", () => {
  it("sends a change once, then oadrResponse until the next change", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrResponse");
    const event = made(
      core.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 5, durationSeconds: 60 }, at),
    );
    const list = send("OadrPoll", say.poll(venId));
    expect(list.name).toBe("oadrDistributeEvent");
    expect(eventIds(list)).toEqual([event.id]);
    expect(descendant(list, "date-time")!.text).toBe("2026-06-01T12:00:05Z");
    expect(descendant(list, "eventStatus")!.text).toBe("far");
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrResponse");
    expect(code(send("EiEvent", say.createdEvent(venId, event.id, 0)))).toBe("200");
    at.utcMs += 3_600_000;
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrResponse");
    expect(core.vens()[0]!.answers.get(event.id)).toMatchObject({ optType: "optIn", code: "200" });
  });

  it("sends again when the answer that it asked for does not come", () => {
    const { core, send, enrol, at } = setUp({ pollSeconds: 2 });
    const venId = enrol();
    core.createEvent({ level: 2, durationSeconds: 600 }, at);
    send("OadrPoll", say.poll(venId));
    at.utcMs += 9_000;
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrResponse");
    at.utcMs += 2_000;
    expect(send("OadrPoll", say.poll(venId)).name).toBe("oadrDistributeEvent");
  });

  it("counts modifications up, keeps fields that were not given, and keeps a cancelled event until it is answered", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    const { id } = made(
      core.createEvent({ level: 1, durationSeconds: 60, priority: 3, comment: "a < b & c" }, at),
    );
    send("OadrPoll", say.poll(venId));
    const changed = made(core.modifyEvent(id, { level: 2, durationSeconds: 120 }, at));
    expect(changed.modification).toBe(1);
    expect(changed.content).toMatchObject({ priority: 3, comment: "a < b & c", durationMs: 120_000 });
    const list = send("OadrPoll", say.poll(venId));
    expect(descendant(list, "modificationNumber")!.text).toBe("1");
    expect(descendant(list, "vtnComment")!.text).toBe("a < b & c");
    core.cancelEvent(id, at);
    const cancelled = send("OadrPoll", say.poll(venId));
    expect(descendant(cancelled, "eventStatus")!.text).toBe("cancelled");
    expect(descendant(cancelled, "modificationNumber")!.text).toBe("2");
    expect(eventIds(send("EiEvent", say.requestEvent(venId)))).toEqual([id]);
    send("EiEvent", say.createdEvent(venId, id, 2));
    expect(eventIds(send("EiEvent", say.requestEvent(venId)))).toEqual([]);
    expect(core.modifyEvent(id, { level: 1 }, at)).toHaveProperty("error");
  });

  it("holds all events of the VEN and no others, active first", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    const later = made(core.createEvent({ level: 1, startInSeconds: 100, durationSeconds: 60 }, at)).id;
    const low = made(core.createEvent({ level: 1, durationSeconds: 60 }, at)).id;
    const high = made(core.createEvent({ level: 1, durationSeconds: 60, priority: 1 }, at)).id;
    core.createEvent({ level: 1, durationSeconds: 60, targets: { venIds: ["somebody-else"] } }, at);
    const list = send("EiEvent", say.requestEvent(venId));
    expect(eventIds(list)).toEqual([high, low, later]);
    at.utcMs += 61_000;
    expect(eventIds(send("EiEvent", say.requestEvent(venId)))).toEqual([later]);
  });

  it("withdraws an event without a word", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    const { id } = made(core.createEvent({ level: 1, durationSeconds: 60 }, at));
    send("OadrPoll", say.poll(venId));
    core.withdrawEvent(id);
    const list = send("OadrPoll", say.poll(venId));
    expect(list.name).toBe("oadrDistributeEvent");
    expect(eventIds(list)).toEqual([]);
  });

  it("says current value, status, tolerance, ramp, notification, test and open end", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    core.createEvent(
      {
        signals: [
          { signal: "SIMPLE", level: 2 },
          { signal: "LOAD_DISPATCH", type: "setpoint", value: 3.5, unit: "kW" },
        ],
        openEnded: true,
        startAfterSeconds: 300,
        rampUpSeconds: 60,
        notificationSeconds: 3600,
        recoverySeconds: -30,
        testEvent: true,
        responseRequired: "never",
        marketContext: "http://utility.example/programme",
      },
      at,
    );
    at.utcMs += 10_000;
    const list = send("EiEvent", say.requestEvent(venId));
    const period = descendant(list, "properties")!;
    expect(textAt(period, "duration", "duration")).toBe("PT0S");
    expect(textAt(period, "tolerance", "tolerate", "startafter")).toBe("PT5M");
    expect(textAt(period, "x-eiNotification", "duration")).toBe("PT1H");
    expect(textAt(period, "x-eiRampUp", "duration")).toBe("PT1M");
    expect(textAt(period, "x-eiRecovery", "duration")).toBe("-PT30S");
    expect(descendant(list, "eventStatus")!.text).toBe("active");
    expect(descendant(list, "testEvent")!.text).toBe("true");
    expect(descendant(list, "oadrResponseRequired")!.text).toBe("never");
    const signals = childrenOf(descendant(list, "eiEventSignals"), "eiEventSignal");
    expect(signals.map((s) => textAt(s, "currentValue", "payloadFloat", "value"))).toEqual(["2", "3.5"]);
    expect(descendant(signals[1]!, "siScaleCode")!.text).toBe("k");
  });

  it("forgets the oldest events that are over, and none that is not", () => {
    const { core, at } = setUp();
    const open = made(core.createEvent({ level: 1, openEnded: true }, at)).id;
    const old = made(core.createEvent({ level: 1, durationSeconds: 60 }, at)).id;
    at.utcMs += 61_000;
    for (let i = 0; i < 1000; i++) core.createEvent({ level: 1, durationSeconds: 60 }, at);
    expect(core.state.events.get(old)).toBeUndefined();
    expect(core.state.events.get(open)).toBeDefined();
    expect(core.state.events.list().length).toBe(1001);
  });

  it("refuses an answer for an event or modification that does not exist", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    const { id } = made(core.createEvent({ level: 1, durationSeconds: 60 }, at));
    expect(code(send("EiEvent", say.createdEvent(venId, "nothing", 0)))).toBe("452");
    expect(code(send("EiEvent", say.createdEvent(venId, id, 7)))).toBe("450");
  });

  it.each([
    [{ signal: "SIMPLE", level: 4 }, "level"],
    [{ signal: "NOISE", level: 1 }, "signal"],
    [{ level: 1, durationSeconds: -1 }, "durationSeconds"],
    [{ level: 1, durationSeconds: 1.5 }, "durationSeconds"],
    [{ level: 1, startInSeconds: "soon" }, "startInSeconds"],
    [{ level: 1, start: "yesterday" }, "start"],
    [{ level: 1, duration: 60 }, "duration"],
    [{ durationSeconds: 60 }, "value"],
    [{ signal: "LOAD_CONTROL", type: "level", value: 1 }, "type"],
    [{ level: 1, durationSeconds: 60, intervals: [{ durationSeconds: 60, value: 1 }] }, "level"],
    [{ durationSeconds: 60, intervals: [{ durationSeconds: 50, value: 1 }] }, "intervals"],
    [{ intervals: [{ durationSeconds: 50, value: 9 }] }, "intervals[0].value"],
    [{ signals: [{ level: 1 }, { level: 7 }] }, "signals[1].level"],
    [{ level: 1, responseRequired: "sometimes" }, "responseRequired"],
    [{ level: 1, targets: { venIds: "all" } }, "targets.venIds"],
    [[], ""],
  ])("refuses %j by naming the field", (input, field) => {
    const { core, at } = setUp();
    expect(core.createEvent(input, at)).toMatchObject({ field });
  });
});

describe("VTN core: reports and opt", () => {
  it("asks for what is offered and takes what comes, with warnings for what was not asked", () => {
    const { core, send, enrol } = setUp({ reportSeconds: 10 });
    const venId = enrol();
    const registered = send("EiReport", say.registerReport(venId));
    const request = child(registered, "oadrReportRequest")!;
    expect(textAt(request, "reportSpecifier", "granularity", "duration")).toBe("PT10S");
    const requestId = textAt(request, "reportRequestID")!;
    expect(core.vens()[0]!.offers[0]).toMatchObject({ name: "TELEMETRY_USAGE", specifierId: "TU" });
    expect(core.vens()[0]!.offers[0]!.points.map((p) => p.unit)).toEqual(["W", "kWh"]);
    expect(code(send("EiReport", say.updateReport(venId, requestId, { power: 7200, energy: 1.5 })))).toBe(
      "200",
    );
    expect(core.state.reports[0]).toMatchObject({ requestId, warnings: [] });
    expect(core.state.reports[0]!.values.map((v) => v.value)).toEqual([7200, 1.5]);
    expect(core.state.reports[0]!.values[0]).toMatchObject({
      startUtcMs: Date.UTC(2026, 5, 1),
      durationMs: 60_000,
    });
    send("EiReport", say.updateReport(venId, requestId, { power: 1, other: 2 }));
    expect(core.state.reports[1]!.warnings).toEqual(["rID not asked for: other", "rID missing: energy"]);
  });

  it("asks for a report by poll and cancels it", () => {
    const { core, send, enrol } = setUp({ requestReports: "none" });
    const venId = enrol();
    expect(child(send("EiReport", say.registerReport(venId)), "oadrReportRequest")).toBeUndefined();
    const how = { granularityMs: 0, reportBackMs: 0 };
    const made = core.requestReports(venId, [
      { name: "TELEMETRY_USAGE", ...how },
      { name: "TU", ...how, rIds: ["power"] },
    ]);
    const asked = send("OadrPoll", say.poll(venId));
    expect(asked.name).toBe("oadrCreateReport");
    expect(childrenOf(asked, "oadrReportRequest")).toHaveLength(2);
    core.cancelReport(venId, made[0]!.id, true);
    const cancel = send("OadrPoll", say.poll(venId));
    expect(cancel.name).toBe("oadrCancelReport");
    expect(textAt(cancel, "reportToFollow")).toBe("true");
  });

  it("reads TELEMETRY_STATUS", () => {
    const { core, send, enrol } = setUp();
    const venId = enrol();
    send("EiReport", say.updateStatus(venId, "unasked"));
    const report = core.state.reports[0]!;
    expect(report.values[0]!.status).toEqual({
      online: true,
      manualOverride: false,
      loadControl: { capacity: { max: 1, current: 0.5 } },
    });
    expect(report.warnings).toHaveLength(1);
  });

  it("keeps and cancels an opt", () => {
    const { core, send, enrol, at } = setUp();
    const venId = enrol();
    const { id } = made(core.createEvent({ level: 1, durationSeconds: 60 }, at));
    const reply = send("EiOpt", say.createOpt(venId, "o1", id));
    expect(reply.name).toBe("oadrCreatedOpt");
    expect(code(reply)).toBe("200");
    expect(core.vens()[0]!.opts.get("o1")).toMatchObject({
      optType: "optOut",
      reason: "overrideStatus",
      eventId: id,
    });
    expect(code(send("EiOpt", say.createOpt(venId, "o2", "nothing")))).toBe("452");
    expect(code(send("EiOpt", say.cancelOpt(venId, "o1")))).toBe("200");
    expect(core.vens()[0]!.opts.size).toBe(0);
    expect(code(send("EiOpt", say.cancelOpt(venId, "o1")))).toBe("452");
  });
});

describe("VTN core: bad input and misbehaviour", () => {
  it("answers nonsense with a status and never throws", () => {
    const { raw, send } = setUp();
    expect(raw("EiNothing", say.query).status).toBe(404);
    for (const body of [
      "",
      "x",
      "<a>",
      "<a></b>",
      '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
      "\u0000",
      "<oadrSignedObject/>",
    ]) {
      expect(raw("OadrPoll", body).status).toBe(400);
    }
    expect(code(send("OadrPoll", say.query))).toBe("459");
    expect(raw("toString", say.query).status).toBe(404);
  });

  it("misbehaves by name, for as many answers as told", () => {
    const { core, raw, send, enrol, at } = setUp();
    const venId = enrol();
    const a = made(core.createEvent({ level: 1, durationSeconds: 60 }, at)).id;
    const b = made(core.createEvent({ level: 2, startInSeconds: 100, durationSeconds: 60 }, at)).id;
    core.misbehave("http-500", 1);
    expect(raw("OadrPoll", say.poll(venId)).status).toBe(500);
    core.misbehave("duplicate-events", 1);
    expect(eventIds(send("OadrPoll", say.poll(venId)))).toEqual([a, b, a, b]);
    core.misbehave("absent-event", 1);
    expect(eventIds(send("OadrPoll", say.poll(venId)))).toEqual([a]);
    core.misbehave("unknown-signal", 1);
    expect(descendant(send("OadrPoll", say.poll(venId)), "signalName")!.text).toMatch(/^x-/);
    core.misbehave("wrong-order", 1);
    expect(descendant(send("OadrPoll", say.poll(venId)), "eventDescriptor")!.children[0]!.name).toBe(
      "testEvent",
    );
    core.misbehave("huge-answer", 1);
    expect(raw("OadrPoll", say.poll(venId)).body.length).toBe(1_048_576);
    core.misbehave("truncated-body", 1);
    expect(parseXml(raw("OadrPoll", say.poll(venId)).body)).toHaveProperty("refused");
    core.misbehave("invalid-xml", 1);
    expect(parseXml(raw("OadrPoll", say.poll(venId)).body)).toHaveProperty("refused");
    core.misbehave("empty-body", 1);
    expect(raw("OadrPoll", say.poll(venId)).body).toBe("");
    expect(core.misbehaviours.names()).toEqual([]);
    expect(eventIds(send("EiEvent", say.requestEvent(venId)))).toEqual([a, b]);
  });
});
