import { describe, expect, it } from "vitest";
import { VtnCore } from "../../host-sim/vtn/core.js";
import type { VtnEvent } from "../../host-sim/vtn/event.js";
import { Vtn3Core, type Vtn3Options } from "../../host-sim/vtn/openadr3-core.js";
import type { Notification3 } from "../../host-sim/vtn/openadr3-notify.js";
import { SIGNALS } from "../../host-sim/vtn/signals.js";

const T0 = Date.UTC(2026, 5, 1, 12, 0, 0);
const CLIENTS = [
  { clientId: "module", clientSecret: "s1", role: "ven" },
  { clientId: "other", clientSecret: "s2", role: "ven" },
  { clientId: "utility", clientSecret: "s3", role: "bl" },
] as const;

type Json = Record<string, unknown>;

/** A VTN with clients that speak to it at a time of its own. */
function setUp(options: Vtn3Options = {}) {
  const core = new VtnCore();
  const vtn = new Vtn3Core(core.state, core.misbehaviours, { clients: CLIENTS, ...options });
  const at = { utcMs: T0 };
  const told: Notification3[] = [];
  vtn.onNotification((n) => told.push(n));
  const raw = (method: string, path: string, body: string, authorization?: string) =>
    vtn.handle({ method, path, body, authorization }, at);
  const login = (clientId: string): string => {
    const { clientSecret } = CLIENTS.find((c) => c.clientId === clientId)!;
    const form = `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}`;
    const reply = raw("POST", "/auth/token", form);
    expect(reply.status).toBe(200);
    return `Bearer ${(JSON.parse(reply.body) as { access_token: string }).access_token}`;
  };
  const call = (
    as: string | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): { status: number; json: Json } => {
    const reply = raw(method, path, body === undefined ? "" : JSON.stringify(body), as);
    return { status: reply.status, json: JSON.parse(reply.body) as Json };
  };
  const list = (as: string | undefined, path: string): Json[] => {
    const { status, json } = call(as, "GET", path);
    expect(status).toBe(200);
    return json as unknown as Json[];
  };
  const create = (input: unknown): VtnEvent => {
    const event = core.createEvent(input, at);
    expect(event).toHaveProperty("id");
    return event as VtnEvent;
  };
  return { core, vtn, at, told, raw, login, call, list, create };
}

describe("OpenADR 3.1 VTN: who may do what", () => {
  it("gives a token for the right secret and for nothing else", () => {
    const { raw, vtn, call } = setUp();
    vtn.baseUrl = "https://127.0.0.1:1/x";
    expect(call(undefined, "GET", "/auth/server").json).toEqual({
      tokenURL: "https://127.0.0.1:1/x/auth/token",
    });
    const ask = (form: string, authorization?: string): Json => {
      const reply = raw("POST", "/auth/token", form, authorization);
      return { status: reply.status, ...(JSON.parse(reply.body) as Json) };
    };
    const grant = "grant_type=client_credentials";
    expect(ask(`${grant}&client_id=module&client_secret=s1`)).toMatchObject({
      token_type: "Bearer",
      expires_in: 3600,
    });
    const basic = `Basic ${Buffer.from("module:s1").toString("base64")}`;
    expect(ask(grant, basic)).toMatchObject({ status: 200, token_type: "Bearer" });
    expect(ask(`${grant}&client_id=module&client_secret=wrong`)).toMatchObject({
      status: 401,
      error: "invalid_client",
    });
    expect(ask("client_id=module&client_secret=s1")).toMatchObject({
      status: 400,
      error: "unsupported_grant_type",
    });
    expect(ask(`${grant}&client_id=module`)).toMatchObject({ status: 400, error: "invalid_request" });
    expect(ask(grant, "Basic %%%")).toMatchObject({ status: 400 });
    expect(ask(`${grant}&client_id=module&client_secret=s1&scope=write_events`)).toMatchObject({
      error: "invalid_scope",
    });
  });

  it("takes a token until it expires or is revoked", () => {
    const { login, call, at, core } = setUp({ tokenSeconds: 60 });
    const as = login("module");
    expect(call(as, "GET", "/vens").status).toBe(200);
    expect(call("Bearer nonsense", "GET", "/vens").status).toBe(401);
    at.utcMs += 60_000;
    expect(call(as, "GET", "/vens")).toMatchObject({
      status: 401,
      json: { status: 401, title: "Unauthorized" },
    });
    const fresh = login("module");
    core.misbehave("revoke-tokens", 1);
    expect(call(fresh, "GET", "/vens").status).toBe(401);
    expect(call(login("module"), "GET", "/vens").status).toBe(200);
  });

  it("lets anybody read tariffs if told so, and nobody else write", () => {
    const open = setUp();
    open.create({ signal: "ELECTRICITY_PRICE", value: 0.2, durationSeconds: 3600 });
    expect(open.list(undefined, "/events")).toHaveLength(1);
    expect(open.list(undefined, "/programs")).toHaveLength(1);
    expect(open.call(undefined, "GET", "/vens").status).toBe(401);
    expect(open.call(undefined, "POST", "/reports", {}).status).toBe(401);
    expect(setUp({ anonymousRead: false }).call(undefined, "GET", "/events").status).toBe(401);
    const as = open.login("module");
    expect(open.call(as, "POST", "/events", { programID: "p" }).status).toBe(403);
    expect(open.call(as, "POST", "/programs", { programName: "p" }).status).toBe(403);
    expect(open.call(open.login("utility"), "POST", "/reports", {}).status).toBe(403);
  });

  it("takes a client certificate of the bench's CA for a login", () => {
    const { vtn, at } = setUp();
    const reply = vtn.handle(
      {
        method: "POST",
        path: "/vens",
        body: JSON.stringify({ objectType: "VEN_VEN_REQUEST", venName: "v" }),
        certificateName: "module",
      },
      at,
    );
    expect(JSON.parse(reply.body)).toMatchObject({ clientID: "cert-module" });
  });
});

describe("OpenADR 3.1 VTN: events", () => {
  it("says an event of the bench's API: default period, payload, priority, targets", () => {
    const { create, list } = setUp();
    const { id } = create({
      level: 2,
      startInSeconds: 60,
      durationSeconds: 600,
      priority: 1,
      startAfterSeconds: 30,
    });
    expect(list(undefined, "/events")[0]).toMatchObject({
      id,
      objectType: "EVENT",
      priority: 1,
      targets: null,
      createdDateTime: "2026-06-01T12:00:00Z",
      intervalPeriod: { start: "2026-06-01T12:01:00Z", duration: "PT10M", randomizeStart: "PT30S" },
      intervals: [{ id: 0, payloads: [{ type: "SIMPLE", values: [2] }] }],
    });
  });

  it("says intervals of one length by the event's default, others each with their own, open ends as P9999Y", () => {
    const { create, list } = setUp();
    const prices = [0.1, 0.2, 0.3].map((value) => ({ value, durationSeconds: 3600 }));
    create({ signal: "ELECTRICITY_PRICE", intervals: prices, unit: "EUR" });
    create({
      signals: [
        {
          signal: "SIMPLE",
          intervals: [
            { level: 1, durationSeconds: 60 },
            { level: 2, durationSeconds: 120 },
          ],
        },
        { signal: "LOAD_DISPATCH", value: 3500 },
      ],
      durationSeconds: 180,
    });
    create({ signal: "IMPORT_CAPACITY_LIMIT", value: 3.5, unit: "KW", openEnded: true });
    const [price, mixed, open] = list(undefined, "/events");
    expect(price).toMatchObject({
      intervalPeriod: { duration: "PT1H" },
      payloadDescriptors: [{ payloadType: "PRICE", units: "KWH", currency: "EUR" }],
    });
    expect((price!["intervals"] as Json[])[2]).toEqual({
      id: 2,
      payloads: [{ type: "PRICE", values: [0.3] }],
    });
    expect(mixed!["intervals"]).toEqual([
      {
        id: 0,
        intervalPeriod: { start: "2026-06-01T12:00:00Z", duration: "PT1M" },
        payloads: [
          { type: "SIMPLE", values: [1] },
          { type: "DISPATCH_SETPOINT", values: [3.5] },
        ],
      },
      {
        id: 1,
        intervalPeriod: { start: "2026-06-01T12:01:00Z", duration: "PT2M" },
        payloads: [
          { type: "SIMPLE", values: [2] },
          { type: "DISPATCH_SETPOINT", values: [3.5] },
        ],
      },
    ]);
    expect(open).toMatchObject({
      intervalPeriod: { duration: "P9999Y" },
      payloadDescriptors: [{ payloadType: "IMPORT_CAPACITY_LIMIT", units: "KW" }],
    });
  });

  it("changes, cancels and withdraws: a cancelled event is gone", () => {
    const { core, create, list, call, at, told } = setUp();
    const { id } = create({ level: 1, durationSeconds: 60 });
    at.utcMs += 1000;
    core.modifyEvent(id, { level: 3 }, at);
    expect(list(undefined, "/events")[0]).toMatchObject({ modificationDateTime: "2026-06-01T12:00:01Z" });
    core.cancelEvent(id, at);
    expect(list(undefined, "/events")).toEqual([]);
    expect(call(undefined, "GET", `/events/${id}`).status).toBe(404);
    const other = create({ level: 1, durationSeconds: 60 });
    core.withdrawEvent(other.id);
    expect(list(undefined, "/events")).toEqual([]);
    expect(told.map((n) => n.operation)).toEqual(["CREATE", "UPDATE", "DELETE", "CREATE", "DELETE"]);
  });

  it("leaves out what 3.1 has no word for, and 2.0b leaves out what it has none for", () => {
    const { core, create, list, at } = setUp();
    for (const [signal, kind] of Object.entries(SIGNALS)) {
      for (const type of kind.types) create({ signal, type, value: 1, durationSeconds: 60 });
    }
    const types = list(undefined, "/events").map(
      (e) => ((e["intervals"] as Json[])[0]!["payloads"] as Json[])[0]!["type"],
    );
    expect(new Set(types)).toEqual(
      new Set([
        "SIMPLE",
        "CONTROL_SETPOINT",
        "CONTROL_LEVEL_OFFSET",
        "CONTROL_LEVEL_OFFSET_PERCENT",
        "DISPATCH_SETPOINT",
        "DISPATCH_SETPOINT_RELATIVE",
        "DISPATCH_INSTRUCTION",
        "CHARGE_STATE_SETPOINT",
        "PRICE",
      ]),
    );
    const ghg = create({ signal: "GHG", value: 400, durationSeconds: 60 });
    expect(list(undefined, "/events").at(-1)!["id"]).toBe(ghg.id);
    create({ level: 1, durationSeconds: 60, testEvent: true });
    expect(list(undefined, "/events").at(-1)!["id"]).toBe(ghg.id);
    expect(core.state.events.current(at.utcMs).length).toBeGreaterThan(0);
  });

  it("pages, filters by program, time and target", () => {
    const { create, list, call, at } = setUp();
    for (let i = 0; i < 60; i++) create({ level: 1, durationSeconds: 60 + i });
    expect(list(undefined, "/events")).toHaveLength(50);
    expect(list(undefined, "/events?skip=50")).toHaveLength(10);
    expect(list(undefined, "/events?skip=58&limit=1")).toHaveLength(1);
    const other = create({ level: 1, durationSeconds: 6000, marketContext: "http://b.example" });
    const program = list(undefined, "/programs").find((p) => p["programName"] === "http://b.example")!;
    expect(list(undefined, `/events?programID=${String(program["id"])}`).map((e) => e["id"])).toEqual([
      other.id,
    ]);
    at.utcMs += 200_000;
    expect(list(undefined, "/events?active=true").map((e) => e["id"])).toEqual([other.id]);
    for (const bad of ["limit=51", "limit=x", "skip=-1", "active=yes"]) {
      expect(call(undefined, "GET", `/events?${bad}`).status).toBe(400);
    }
  });

  it("shows an event with targets to VENs with one of them", () => {
    const { create, list, call, login } = setUp();
    const [mine, utility, other] = [login("module"), login("utility"), login("other")];
    const { json } = call(mine, "POST", "/vens", { objectType: "VEN_VEN_REQUEST", venName: "v1" });
    create({ level: 1, durationSeconds: 60, targets: { groupIds: ["feeder-7"] } });
    expect(list(mine, "/events")).toHaveLength(0);
    const venRequest = {
      objectType: "BL_VEN_REQUEST",
      venName: "v1",
      clientID: "module",
      targets: ["feeder-7"],
    };
    expect(call(utility, "PUT", `/vens/${String(json["id"])}`, venRequest).json).toMatchObject({
      targets: ["feeder-7"],
    });
    expect(list(mine, "/events")).toHaveLength(1);
    expect(list(other, "/events")).toHaveLength(0);
    expect(list(undefined, "/events")).toHaveLength(0);
    expect(list(mine, "/events?targets=feeder-7")).toHaveLength(1);
    expect(list(mine, "/events?targets=feeder-8")).toHaveLength(0);
    // A VEN that writes itself keeps the targets that the utility gave it.
    const rename = { objectType: "VEN_VEN_REQUEST", venName: "v2", targets: ["feeder-9"] };
    expect(call(mine, "PUT", `/vens/${String(json["id"])}`, rename).json).toMatchObject({
      targets: ["feeder-7"],
    });
  });

  it("keeps an event that business logic posts as it is", () => {
    const { call, login, list } = setUp();
    const utility = login("utility");
    const program = call(utility, "POST", "/programs", { programName: "loops" });
    expect(program.status).toBe(201);
    const event = {
      programID: program.json["id"],
      duration: "PT24H",
      intervalPeriod: { start: "0001-01-01T00:00:00Z", duration: "PT1H" },
      intervals: [{ id: 0, payloads: [{ type: "PRICE", values: [0.1, 0.2] }] }],
    };
    const made = call(utility, "POST", "/events", event);
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject(event);
    const path = `/events/${String(made.json["id"])}`;
    expect(call(utility, "PUT", path, { ...event, priority: 0 }).json).toMatchObject({ priority: 0 });
    expect(list(undefined, "/events")).toHaveLength(1);
    expect(call(utility, "DELETE", path).status).toBe(200);
    expect(list(undefined, "/events")).toEqual([]);
    expect(call(utility, "POST", "/events", { ...event, programID: "none" }).status).toBe(409);
    expect(call(utility, "POST", "/programs", { programName: "loops" }).status).toBe(409);
  });
});

describe("OpenADR 3.1 VTN: what VENs write", () => {
  it("keeps VENs and resources to their client", () => {
    const { call, login, list } = setUp();
    const [mine, other] = [login("module"), login("other")];
    const ven = call(mine, "POST", "/vens", { objectType: "VEN_VEN_REQUEST", venName: "v1" });
    expect(ven).toMatchObject({
      status: 201,
      json: { clientID: "module", venName: "v1", objectType: "VEN" },
    });
    const resource = { objectType: "VEN_RESOURCE_REQUEST", resourceName: "evse", venID: ven.json["id"] };
    expect(call(mine, "POST", "/resources", resource).status).toBe(201);
    expect(call(mine, "POST", "/resources", resource).status).toBe(409);
    expect(call(other, "POST", "/resources", resource).status).toBe(404);
    expect(call(other, "POST", "/vens", { objectType: "VEN_VEN_REQUEST", venName: "v1" }).status).toBe(409);
    const bl = { objectType: "BL_VEN_REQUEST", venName: "v", clientID: "other" };
    expect(call(mine, "POST", "/vens", bl).status).toBe(403);
    expect(list(other, "/vens")).toEqual([]);
    expect(list(mine, "/vens?venName=v1")).toHaveLength(1);
    expect(list(mine, "/vens?venName=v2")).toHaveLength(0);
    expect(call(other, "DELETE", `/vens/${String(ven.json["id"])}`).status).toBe(404);
    expect(call(mine, "DELETE", `/vens/${String(ven.json["id"])}`).status).toBe(200);
    expect(list(mine, "/resources")).toEqual([]);
  });

  it("takes reports, and lists their values beside those of 2.0b", () => {
    const { call, login, core, create } = setUp();
    const mine = login("module");
    const { id } = create({ level: 1, durationSeconds: 60 });
    const report = {
      eventID: id,
      clientName: "module",
      reportName: "telemetry",
      resources: [
        {
          resourceName: "evse",
          intervalPeriod: { start: "2026-06-01T12:00:00Z", duration: "PT1M" },
          intervals: [
            {
              id: 0,
              payloads: [
                { type: "DEMAND", values: [7.2] },
                { type: "OPERATING_STATE", values: ["RUNNING_CURTAILED"] },
              ],
            },
          ],
        },
      ],
    };
    const made = call(mine, "POST", "/reports", report);
    expect(made).toMatchObject({ status: 201, json: { clientID: "module", eventID: id } });
    expect(core.state.reports[0]).toMatchObject({ protocol: "openadr3", name: "telemetry", requestId: id });
    expect(core.state.reports[0]!.values).toMatchObject([
      { rId: "evse/DEMAND", value: 7.2, startUtcMs: T0 },
      { rId: "evse/OPERATING_STATE", value: undefined, text: "RUNNING_CURTAILED" },
    ]);
    expect(call(mine, "PUT", `/reports/${String(made.json["id"])}`, report).status).toBe(200);
    expect(call(mine, "POST", "/reports", { ...report, eventID: "none" }).status).toBe(409);
  });

  it("asks for reports: the VTN's usual ones, or those of the event", () => {
    const usual = [{ payloadType: "USAGE", frequency: 1, repeat: -1 }];
    const { create, list, core, at } = setUp({ reportDescriptors: usual });
    create({ level: 1, durationSeconds: 60 });
    create({ level: 1, durationSeconds: 60, reportDescriptors: [{ payloadType: "DEMAND" }] });
    expect(list(undefined, "/events").map((e) => e["reportDescriptors"])).toEqual([
      usual,
      [{ payloadType: "DEMAND" }],
    ]);
    expect(core.createEvent({ level: 1, reportDescriptors: [{}] }, at)).toMatchObject({
      field: "reportDescriptors",
    });
  });

  it("notifies subscribers by webhook and topic", () => {
    const { call, login, create, told, vtn } = setUp();
    const mine = login("module");
    const ven = call(mine, "POST", "/vens", { objectType: "VEN_VEN_REQUEST", venName: "v1" }).json;
    const subscription = {
      clientName: "module",
      objectOperations: [
        {
          objects: ["EVENT"],
          operations: ["CREATE", "DELETE"],
          callbackUrl: "https://module.example/hook",
          bearerToken: "t",
        },
      ],
    };
    expect(call(mine, "POST", "/subscriptions", subscription).status).toBe(201);
    create({ level: 1, durationSeconds: 60 });
    const last = told.at(-1)!;
    expect(last.webhooks).toEqual([{ url: "https://module.example/hook", bearerToken: "t" }]);
    expect(last.body).toMatchObject({ objectType: "EVENT", operation: "CREATE" });
    expect(last.topics).toContain("openadr3/events/create");
    expect(last.topics).toContain(`openadr3/vens/${String(ven["id"])}/events/create`);
    create({ level: 1, durationSeconds: 60, targets: { groupIds: ["elsewhere"] } });
    expect(told.at(-1)!.webhooks).toEqual([]);
    expect(call(mine, "GET", "/notifiers").json).toEqual({ WEBHOOK: true });
    expect(call(mine, "GET", "/notifiers/mqtt/topics/events").status).toBe(404);
    vtn.mqttUri = "mqtts://127.0.0.1:1";
    expect(call(mine, "GET", "/notifiers").json).toMatchObject({
      MQTT: { URIS: ["mqtts://127.0.0.1:1"], serialization: "JSON" },
    });
    expect(call(mine, "GET", `/notifiers/mqtt/topics/vens/${String(ven["id"])}/events`).json).toEqual({
      topics: {
        CREATE: `openadr3/vens/${String(ven["id"])}/events/create`,
        UPDATE: `openadr3/vens/${String(ven["id"])}/events/update`,
        DELETE: `openadr3/vens/${String(ven["id"])}/events/delete`,
        ALL: `openadr3/vens/${String(ven["id"])}/events/+`,
      },
    });
    expect(call(mine, "GET", "/notifiers/mqtt/topics/nothing").status).toBe(404);
  });

  it.each([
    ["/vens", { venName: "v" }, "objectType is missing"],
    ["/vens", { objectType: "VEN_VEN_REQUEST" }, "venName is missing"],
    ["/reports", { clientName: "c", resources: [] }, "eventID is missing"],
    ["/reports", { eventID: "e e", clientName: "c", resources: [] }, "eventID must be"],
    [
      "/reports",
      {
        eventID: "e",
        clientName: "c",
        resources: [{ resourceName: "r", intervals: [{ id: 0, payloads: [{ type: "X" }] }] }],
      },
      "resources[0].intervals[0].payloads[0].values is missing",
    ],
    [
      "/reports",
      {
        eventID: "e",
        clientName: "c",
        resources: [{ resourceName: "r", intervalPeriod: { start: "2026-06-01 12:00:00" }, intervals: [] }],
      },
      "resources[0].intervalPeriod.start must be an RFC 3339 date-time",
    ],
    [
      "/subscriptions",
      { clientName: "c", objectOperations: [{ objects: ["CAR"] }] },
      "objectOperations[0].objects[0]",
    ],
  ])("refuses %s %j with 400", (path, body, text) => {
    const { call, login } = setUp();
    const reply = call(login("module"), "POST", path, body);
    expect(reply.status).toBe(400);
    expect(reply.json["detail"]).toContain(text);
  });

  it("answers nonsense with a problem, and misbehaves by name", () => {
    const { raw, call, login, core, create, list } = setUp();
    const mine = login("module");
    expect(call(mine, "GET", "/nothing").status).toBe(404);
    expect(call(mine, "GET", "/events/a/b").status).toBe(404);
    expect(call(mine, "PATCH", "/vens").status).toBe(405);
    expect(JSON.parse(raw("POST", "/vens", "{", mine).body)).toMatchObject({
      status: 400,
      detail: "the body is not JSON",
    });
    create({ level: 1, durationSeconds: 60 });
    create({ level: 1, durationSeconds: 60 });
    core.misbehave("http-500", 1);
    expect(call(mine, "GET", "/events").status).toBe(500);
    core.misbehave("absent-event", 1);
    expect(list(mine, "/events")).toHaveLength(1);
    core.misbehave("duplicate-events", 1);
    expect(list(mine, "/events")).toHaveLength(4);
    core.misbehave("unknown-signal", 1);
    expect(JSON.stringify(list(mine, "/events"))).toContain("OPENUCM_NOBODY_KNOWS_THIS");
    core.misbehave("huge-answer", 1);
    expect(raw("GET", "/events", "", mine).body).toHaveLength(1_048_576);
    for (const name of ["truncated-body", "invalid-xml", "empty-body"] as const) {
      core.misbehave(name, 1);
      expect(() => JSON.parse(raw("GET", "/events", "", mine).body) as unknown).toThrow();
    }
    expect(list(mine, "/events")).toHaveLength(2);
  });
});
