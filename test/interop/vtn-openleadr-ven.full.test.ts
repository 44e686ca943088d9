// Our VTN judged by programs that we did not write: OpenLEADR's VEN over mutual TLS, in real time, and the 2.0b
// schema that ships with it, on everything that our VTN can say.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { VtnCore } from "../../host-sim/vtn/core.js";
import type { VtnEvent } from "../../host-sim/vtn/event.js";
import { type Vtn, startVtn } from "../../host-sim/vtn/server.js";
import { SIGNALS } from "../../host-sim/vtn/signals.js";
import { describeNeeding } from "../support/needs.js";
import * as say from "../unit/vtn-messages.js";
import { interopFile, openleadrPython } from "./openleadr-venv.js";

type Line = Record<string, unknown> & { event: string };

describeNeeding(["python3"], "our VTN and OpenLEADR's VEN", () => {
  let dir = "";
  let vtn: Vtn;
  let ven: ChildProcess;
  let errors = "";
  const lines: Line[] = [];

  const wait = async <T>(what: string, find: () => T | undefined, ms = 200_000): Promise<T> => {
    for (const end = Date.now() + ms; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
      const found = find();
      if (found !== undefined) return found;
    }
    throw new Error(`no ${what}: ${JSON.stringify(lines.slice(-5))}\n${errors.slice(-2000)}`);
  };
  const line = (event: string, id?: string): Promise<Line> =>
    wait(event, () => lines.find((l) => l.event === event && (id === undefined || l["id"] === id)));

  beforeAll(async () => {
    const python = openleadrPython();
    dir = await mkdtemp(join(tmpdir(), "openucm-vtn-openleadr-"));
    vtn = await startVtn({ dataDir: dir, pollSeconds: 1, reportSeconds: 1 });
    const at = { url: vtn.urls.openadr2b, ca: vtn.ca, cert: vtn.clientCert, key: vtn.clientKey };
    ven = spawn(python, [interopFile("vtn_openleadr_ven.py"), JSON.stringify(at)]);
    createInterface({ input: ven.stdout! }).on("line", (text) => {
      if (text.startsWith("{")) lines.push(JSON.parse(text) as Line);
    });
    ven.stderr!.on("data", (data) => (errors += String(data)));
    await line("running");
  }, 600_000);
  afterAll(async () => {
    ven?.kill();
    await vtn?.close();
    await rm(dir, { recursive: true, force: true });
  });

  it("registers it, with its certificate and its report", async () => {
    const client = await vtn.pki.client("module");
    const record = await wait("offer", () => vtn.vens().find((v) => v.offers.length > 0));
    expect(record).toMatchObject({ venName: "openleadr", fingerprint: client.fingerprint, registrations: 1 });
    expect(record.offers[0]).toMatchObject({
      name: "TELEMETRY_USAGE",
      points: [{ unit: "kW", resourceId: "evse" }],
    });
    await wait("accepted request", () =>
      [...vtn.core.vens()[0]!.requests.values()].find((r) => r.state === "accepted"),
    );
  });

  it("gets its telemetry", async () => {
    const report = await wait("report", () => vtn.reports().find((r) => r.values.length > 0));
    expect(report).toMatchObject({ name: "TELEMETRY_USAGE", warnings: [] });
    expect(report.values[0]!.value).toBeCloseTo(7.2);
  });

  it("sends it an event, a change and the cancellation, and has its answers", async () => {
    const made = vtn.createEvent({
      signals: [
        {
          signal: "SIMPLE",
          intervals: [
            { level: 1, durationSeconds: 30 },
            { level: 2, durationSeconds: 30 },
          ],
        },
        { signal: "ELECTRICITY_PRICE", value: 0.31 },
      ],
      startInSeconds: 30,
      durationSeconds: 60,
      startAfterSeconds: 10,
      rampUpSeconds: 5,
      notificationSeconds: 60,
      priority: 2,
      comment: "peak <1> & 'two'",
    }) as VtnEvent;
    expect(await line("event", made.id)).toMatchObject({
      modification: 0,
      status: "far",
      signals: ["SIMPLE", "ELECTRICITY_PRICE"],
      values: [1, 2],
      seconds: 60,
    });
    const answered = (modification: number): Promise<string> =>
      wait("answer", () => {
        const answer = vtn.listEvents()[0]!.answers[0];
        return answer?.modification === modification ? answer.optType : undefined;
      });
    expect(await answered(0)).toBe("optIn");
    vtn.modifyEvent(made.id, { durationSeconds: 120 });
    expect(await answered(1)).toBe("optOut");
    expect(await line("update", made.id)).toMatchObject({ modification: 1, seconds: 120 });
    vtn.cancelEvent(made.id);
    await answered(2);
    await wait("the end", () => lines.find((l) => l["id"] === made.id && l["status"] === "cancelled"));
  });

  it("has it register again when asked", async () => {
    vtn.core.requestReregistration(vtn.core.vens()[0]!.venId);
    await wait("registration", () => (vtn.core.vens()[0]!.registrations > 1 ? true : undefined));
  });

  it("says nothing that the 2.0b schema forbids", () => {
    const documents = everything();
    const run = spawnSync(openleadrPython(), [interopFile("vtn_validate.py")], {
      input: JSON.stringify(documents),
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    expect(run.stderr).toBe("");
    const verdicts = JSON.parse(run.stdout) as string[];
    expect(verdicts).toHaveLength(documents.length);
    expect(verdicts.filter((v) => v !== "")).toEqual([]);
  });
});

/** Every kind of answer of the core, and the test's own requests. */
function everything(): string[] {
  const core = new VtnCore();
  const now = { utcMs: Date.UTC(2026, 5, 1) };
  const documents: string[] = [];
  const go = (service: string, body: string): void => {
    documents.push(body, core.handle(service, body, "aa", now).body);
  };
  const polls = (count: number): void => {
    for (let i = 0; i < count; i++) go("OadrPoll", say.poll(core.vens()[0]!.venId));
  };
  go("EiRegisterParty", say.query);
  go("EiRegisterParty", say.register("m"));
  const { venId, registrationId } = core.vens()[0]!;
  go("EiReport", say.registerReport(venId));
  const request = [...core.vens()[0]!.requests.keys()][0]!;
  go("EiReport", say.updateReport(venId, request, { power: 1, energy: 2 }));
  go("EiReport", say.updateStatus(venId, request));
  for (const [signal, kind] of Object.entries(SIGNALS)) {
    for (const type of kind.types) {
      for (const unit of ["", "kW", "MWh", "EUR"]) {
        const extras = {
          startAfterSeconds: 5,
          rampUpSeconds: -60,
          recoverySeconds: 7,
          notificationSeconds: 86_400,
        };
        expect(core.createEvent({ signal, type, value: 1, unit, ...extras }, now)).toHaveProperty("id");
      }
    }
  }
  const targets = {
    venIds: [venId],
    groupIds: ["g"],
    resourceIds: ["r"],
    partyIds: ["p"],
    groupNames: ["n"],
  };
  const odd = { signal: "x-odd", type: "level", value: 1e-9, openEnded: true, comment: "<&\u0001>", targets };
  const { id } = core.createEvent(odd, now) as VtnEvent;
  core.modifyEvent(id, { priority: 2, testEvent: true, responseRequired: "never" }, now);
  polls(2);
  go("EiEvent", say.requestEvent(venId));
  go("EiEvent", say.createdEvent(venId, id, 1, "optOut", 460));
  go("EiEvent", say.createdEvent(venId, "unknown", 1));
  core.cancelEvent(id, now);
  polls(1);
  go("EiOpt", say.createOpt(venId, "o", id));
  go("EiOpt", say.cancelOpt(venId, "o"));
  go("EiOpt", say.cancelOpt(venId, "o"));
  const interval = { startUtcMs: now.utcMs, durationMs: 0 };
  core.requestReports(venId, [
    { name: "TU", granularityMs: 0, reportBackMs: 0, interval },
    { name: "TU", granularityMs: 60_000, reportBackMs: 60_000 },
  ]);
  core.requestMetadata(venId);
  core.cancelReport(venId, request, true);
  core.requestReregistration(venId);
  core.cancelRegistration(venId);
  polls(6);
  go("OadrPoll", say.poll("stranger"));
  go("EiReport", say.registerReport("stranger"));
  go("EiReport", say.updateReport("stranger", "r", { a: 1 }));
  go("EiOpt", say.createOpt("stranger", "o", "e"));
  go("EiOpt", say.cancelOpt("stranger", "o"));
  go("EiRegisterParty", say.cancelRegistration("unknown"));
  go("EiRegisterParty", say.cancelRegistration(registrationId));
  return documents;
}
