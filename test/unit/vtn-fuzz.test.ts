/** Whatever comes in, the VTN answers: a test double that dies makes the tests that use it lie. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VtnCore } from "../../host-sim/vtn/core.js";
import { isFieldError } from "../../host-sim/vtn/event.js";
import { Vtn3Core } from "../../host-sim/vtn/openadr3-core.js";
import { parseDuration, parseXml } from "../../host-sim/vtn/xml.js";
import * as say from "./vtn-messages.js";

const NOW = { utcMs: Date.UTC(2026, 5, 1) };
const SERVICES = ["EiRegisterParty", "EiEvent", "EiReport", "EiOpt", "OadrPoll"];

function enrolled(): { core: VtnCore; venId: string; messages: string[] } {
  const core = new VtnCore();
  core.handle("EiRegisterParty", say.register("m"), "aa", NOW);
  const { venId, registrationId } = core.vens()[0]!;
  core.createEvent({ level: 1, durationSeconds: 60 }, NOW);
  const id = core.state.events.list()[0]!.id;
  const messages = [
    say.query,
    say.register("m", { venId, registrationId }),
    say.poll(venId),
    say.requestEvent(venId),
    say.createdEvent(venId, id, 0),
    say.createOpt(venId, "o", id),
    say.cancelOpt(venId, "o"),
    say.registerReport(venId),
    say.updateReport(venId, "r", { power: 1 }),
    say.updateStatus(venId, "r"),
  ];
  return { core, venId, messages };
}

describe("the VTN under nonsense", () => {
  it("answers any mutation of a message with XML or a refusal", () => {
    const { core, messages } = enrolled();
    const message = fc.constantFrom(...messages).chain((text) =>
      fc
        .record({
          at: fc.nat(text.length),
          cut: fc.nat(40),
          put: fc.oneof(fc.string(), fc.constantFrom("<", "&", "]]>", "<a/>")),
        })
        .map(({ at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SERVICES), message, (service, body) => {
        const reply = core.handle(service, body, "aa", NOW);
        expect([200, 400]).toContain(reply.status);
        if (reply.status === 200) expect(parseXml(reply.body)).not.toHaveProperty("refused");
      }),
      { numRuns: 1500 },
    );
  });

  it("answers any event request with an event that both protocols can send, or a field", () => {
    const value = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.boolean(),
    );
    const signal = fc.record(
      {
        signal: fc.constantFrom("SIMPLE", "LOAD_CONTROL", "ELECTRICITY_PRICE", "GHG", "x-a", "toString"),
        type: fc.constantFrom("level", "price", "x-loadControlCapacity"),
        level: value,
        value,
        unit: fc.string(),
        intervals: fc.array(fc.record({ durationSeconds: value, value }, { requiredKeys: [] })),
      },
      { requiredKeys: [] },
    );
    const extra = fc.record(
      {
        startInSeconds: value,
        start: value,
        durationSeconds: value,
        priority: value,
        startAfterSeconds: value,
        openEnded: value,
        comment: value,
        marketContext: value,
        targets: fc.oneof(value, fc.record({ venIds: fc.array(fc.string()) })),
        signals: fc.oneof(value, fc.array(signal)),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(signal, extra, fc.anything(), (a, b, c) => {
        const core = new VtnCore();
        const vtn3 = new Vtn3Core(core.state, core.misbehaviours);
        core.handle("EiRegisterParty", say.register("m"), "aa", NOW);
        for (const input of [{ ...a, ...b }, { value: 1, ...b }, c]) {
          const event = core.createEvent(input, NOW);
          if (isFieldError(event)) continue;
          const again = core.modifyEvent(event.id, b, NOW);
          if (!isFieldError(again)) expect(again.modification).toBe(1);
        }
        const list = core.handle("EiEvent", say.requestEvent(core.vens()[0]!.venId), "aa", NOW);
        expect(parseXml(list.body)).not.toHaveProperty("refused");
        expect(vtn3.handle({ method: "GET", path: "/events", body: "" }, NOW).status).toBe(200);
      }),
      { numRuns: 500 },
    );
  });

  it("answers any 3.1 request with JSON", () => {
    const core = new VtnCore();
    const client = { clientId: "m", clientSecret: "s", role: "ven" } as const;
    const vtn3 = new Vtn3Core(core.state, core.misbehaviours, {
      clients: [client, { ...client, clientId: "b", role: "bl" }],
    });
    const login = (id: string): string => {
      const body = `grant_type=client_credentials&client_id=${id}&client_secret=s`;
      const reply = vtn3.handle({ method: "POST", path: "/auth/token", body }, NOW);
      return `Bearer ${(JSON.parse(reply.body) as { access_token: string }).access_token}`;
    };
    core.createEvent({ level: 1, durationSeconds: 60 }, NOW);
    const eventID = core.state.events.list()[0]!.id;
    const path = fc.oneof(
      fc.constantFrom(
        "/events",
        "/reports",
        "/vens",
        "/resources",
        "/subscriptions",
        "/programs",
        "/auth/token",
        "/notifiers",
      ),
      fc.constantFrom(
        `/events/${eventID}`,
        "/toString",
        "/__proto__",
        "/events/__proto__",
        "/events?limit=1e3",
        "//",
        "",
      ),
      fc.string().map((s) => `/${s}`),
    );
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .json()
        .map(
          (inner) =>
            `{"eventID":"${eventID}","clientName":"c","resources":[{"resourceName":"r","intervals":${inner}}]}`,
        ),
      fc
        .json()
        .map(
          (inner) => `{"programID":"p","objectType":"VEN_VEN_REQUEST","venName":"v","attributes":${inner}}`,
        ),
    );
    const authorization = fc.constantFrom(undefined, "Basic eA==", login("m"), login("b"));
    const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH");
    fc.assert(
      fc.property(method, path, body, authorization, (m, p, text, auth) => {
        const reply = vtn3.handle({ method: m, path: p, body: text, authorization: auth }, NOW);
        expect(reply.status).toBeLessThan(500);
        expect(() => JSON.parse(reply.body) as unknown).not.toThrow();
      }),
      { numRuns: 1500 },
    );
  });

  it("reads durations as the schema has them", () => {
    expect(["P", "PT", "PT0S", "P1D", "PT1H30M", "-PT5M", "5W", "P1M", "+PT1S"].map(parseDuration)).toEqual([
      0, 0, 0, 86_400_000, 5_400_000, -300_000, 3_024_000_000, 2_592_000_000, 1000,
    ]);
    expect(["", "5", "PT5", "P5W", "1H", undefined].map(parseDuration)).toEqual(Array(6).fill(Number.NaN));
  });
});
