// Every request of our 3.1 VEN and every answer of our VTN, by the OpenAPI document of OpenADR 3.1.0.
import { expect, it } from "vitest";
import type { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { MisbehaviourSet } from "../../host-sim/vtn/misbehaviour.js";
import { Vtn3Core } from "../../host-sim/vtn/openadr3-core.js";
import { VtnState } from "../../host-sim/vtn/state.js";
import { PAYLOAD_TYPES } from "../../src/openadr3/payload-types.js";
import { measureOf, operatingState } from "../../src/openadr3/readings.js";
import { openadr3Job } from "../support/openadr3-job.js";
import { describeWithSpec, Spec, specFile, type Judged } from "../support/openadr3-spec.js";
import { at, BASE, Bench, event, object, online, SECRET } from "../unit/openadr3-harness.js";

type Tree = Readonly<Record<string, unknown>>;

const REPORT_TYPES = [
  "READING",
  "USAGE",
  "DEMAND",
  "SETPOINT",
  "OPERATING_STATE",
  "SIMPLE_LEVEL",
  "LOAD_SHED_DELTA_AVAILABLE",
  "STORAGE_USABLE_CAPACITY",
  "STORAGE_CHARGE_LEVEL",
  "STORAGE_MAX_CHARGE_POWER",
  "DATA_QUALITY",
];

function judged(bench: Bench): Judged[] {
  return bench.exchanges.map(({ request, status, answer }) => ({
    method: request.method,
    path: request.url.replace(BASE, ""),
    contentType: request.headers.find(([name]) => name === "content-type")?.[1],
    body: request.body,
    status,
    answer,
  }));
}

function typeOf(report: Tree): string {
  const [resource] = report["resources"] as { intervals: { payloads: { type: string }[] }[] }[];
  return resource!.intervals[0]!.payloads[0]!.type;
}

/** Asks for every report there is, and answers the resulting bodies. */
function reporting(): Bench {
  const bench = new Bench();
  bench.events = [
    event("e-1", {
      intervalPeriod: { start: at(60), duration: "PT10M" },
      reportDescriptors: REPORT_TYPES.slice(0, 6).map((payloadType) => ({ payloadType })),
    }),
    event("e-2", {
      intervalPeriod: { start: at(60), duration: "PT10M" },
      reportDescriptors: REPORT_TYPES.slice(6).map((payloadType) => ({ payloadType })),
    }),
  ];
  bench.start();
  const load = {
    command: "Shed",
    arg: 0,
    result: "verified",
    step: 0,
    wish: "",
    sinceMs: 0,
    text: "",
  } as const;
  for (let i = 0; i < 30; i++)
    bench.sgd({ load, storageTotalWh: 60_000, storagePresentWh: 9000 }).run(30_000);
  return bench;
}

describeWithSpec("OpenADR 3.1 by its OpenAPI document", () => {
  it("the whole way against our VTN: every request and every answer", async () => {
    const spec = new Spec();
    const faults: string[] = [];
    const watch = (bench: VirtualBench): void => {
      const serve = bench.network;
      bench.network = (request, utcMs) => {
        const answer = serve(request, utcMs);
        if (typeof answer === "string") return answer;
        const { method, url, body, headers } = request;
        const contentType = headers.find(([name]) => name === "content-type")?.[1];
        const path = url.slice(bench.vtn3.baseUrl.length);
        faults.push(
          ...spec.judge({ method, path, contentType, body, status: answer.status, answer: answer.body }),
        );
        return answer;
      };
    };
    await openadr3Job(nodeEngine(), watch);
    expect(faults).toEqual([]);
    expect([...spec.seen].sort()).toEqual([
      "GET /auth/server 200",
      "GET /events 200",
      "GET /notifiers 200",
      "GET /programs 200",
      "GET /resources 200",
      "GET /vens 200",
      "POST /auth/token 200",
      "POST /reports 201",
      "POST /resources 201",
      "POST /vens 201",
    ]);
  });

  it("notifiers, lists of topics, and subscription objects made and deleted", () => {
    const state = new VtnState({});
    const vtn = new Vtn3Core(state, new MisbehaviourSet(), {
      clients: [{ clientId: "client-1", clientSecret: SECRET, role: "ven" }],
    });
    vtn.baseUrl = BASE;
    vtn.mqttUri = "mqtts://broker.test:8883";
    const spec = new Spec();
    const faults: string[] = [];
    const callback = { callbackUrl: "https://here.test/hook", callbackToken: "token-of-this-life" };
    const bench = new Bench({ programs: [], ...callback }, { mqtt: true });
    bench.instead = ({ method, url, body, headers }) => {
      const header = (name: string): string | undefined => headers.find(([one]) => one === name)?.[1];
      const path = url.slice(BASE.length);
      const request = { method, path, body: body ?? "", authorization: header("authorization") };
      const answer = vtn.handle(request, { utcMs: bench.utc });
      const told = {
        method,
        path,
        contentType: header("content-type"),
        body,
        status: answer.status,
        answer: answer.body,
      };
      faults.push(...spec.judge(told));
      return { status: answer.status, body: answer.body };
    };
    bench.start();
    expect(bench.subscribed?.uri).toBe("mqtts://broker.test:8883");
    bench.ven.deregister(bench.now);
    bench.run(5000);
    expect(faults).toEqual([]);
    expect([...spec.seen]).toEqual(
      expect.arrayContaining([
        "GET /notifiers 200",
        "GET /notifiers/mqtt/topics/vens/{venID}/events 200",
        "GET /subscriptions 200",
        "POST /subscriptions 201",
        "DELETE /subscriptions/{subscriptionID} 200",
      ]),
    );
  });

  it("every kind of report, targeted questions, refusals and leaving", () => {
    const spec = new Spec();
    const targeted = new Bench({ programs: ["tou"] });
    targeted.vens = [
      object("VEN", "v-7", { venName: "module-1", clientID: "client-1", targets: ["street 5"] }),
    ];
    targeted.start();
    targeted.goodToken = "token-2";
    targeted.run(61_000);
    targeted.ven.deregister(targeted.now);
    targeted.run(1000);
    const bench = reporting();
    expect(new Set(bench.reports.map((one) => typeOf(one)))).toEqual(new Set(REPORT_TYPES));
    const faults = [...judged(bench), ...judged(targeted)].flatMap((one) => spec.judge(one));
    expect(faults).toEqual([]);
    expect([...spec.seen]).toEqual(
      expect.arrayContaining([
        "DELETE /vens/{venID} 200",
        "DELETE /resources/{resourceID} 200",
        "GET /events 401",
      ]),
    );
  });

  it("would be found out: what is wrong is seen", () => {
    const spec = new Spec();
    const good = judged(reporting()).find((one) => one.path === "/reports")!;
    expect(spec.judge(good)).toEqual([]);
    const broken = (change: (body: Record<string, unknown>) => void): string[] => {
      const body = JSON.parse(good.body!) as Record<string, unknown>;
      change(body);
      return spec.judge({ ...good, body: JSON.stringify(body) });
    };
    expect(broken((body) => delete body["eventID"])).not.toEqual([]);
    expect(broken((body) => (body["resources"] = [{ resourceName: "x" }]))).not.toEqual([]);
    expect(spec.judge({ ...good, path: "/reports?limit=51" })).not.toEqual([]);
    expect(spec.judge({ ...good, path: "/report" })).not.toEqual([]);
  });

  it("the document still has the defects that are mended for the check", () => {
    const asWritten = new Spec(false);
    const ven = (objectType: string) =>
      object("VEN", "v-1", { objectType, venName: "a", clientID: "b", targets: [], attributes: [] });
    for (const objectType of ["VEN", "BL_VEN_REQUEST"]) {
      expect(asWritten.validate("#/components/schemas/ven", ven(objectType))).not.toEqual([]);
    }
    expect(new Spec().validate("#/components/schemas/ven", ven("VEN"))).toEqual([]);
  });

  it("the table of payload types is the enumeration, neither more nor less", () => {
    const { definitions } = specFile("event-interval-payloads.schema.yaml") as { definitions: Tree };
    expect(PAYLOAD_TYPES.map((type) => type.name).sort()).toEqual(Object.keys(definitions).sort());
    expect(PAYLOAD_TYPES).toHaveLength(38);
  });

  it("report types, units, reading types and values are of the enumerations", () => {
    const { definitions } = specFile("report-payloads.schema.yaml") as { definitions: Record<string, Tree> };
    const units = (specFile("units.schema.yaml") as { enum: string[] }).enum;
    const readings = (specFile("reading-types.schema.yaml") as { enum: string[] }).enum;
    for (const type of REPORT_TYPES) {
      const measure = measureOf(type)!;
      expect(Object.keys(definitions)).toContain(type);
      if (measure.units !== "") expect(units).toContain(measure.units);
      if (measure.readingType !== "") expect(readings).toContain(measure.readingType);
    }
    const spec = new Spec();
    for (const report of reporting().reports) {
      const [resource] = report["resources"] as {
        intervals: { payloads: { type: string; values: unknown[] }[] }[];
      }[];
      for (const { type, values } of resource!.intervals.flatMap((one) => one.payloads)) {
        const { $id: _, ...schema } = definitions[type]!;
        expect(spec.validate(schema, values), `${type} ${JSON.stringify(values)}`).toEqual([]);
      }
    }
    const states = (definitions["OPERATING_STATE"]!["items"] as { enum: string[] }).enum;
    for (let opState = 0; opState < 16; opState++) {
      for (const override of [false, true])
        expect(states).toContain(operatingState({ ...online, opState, override }));
    }
  });
});
