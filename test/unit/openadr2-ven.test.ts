import { describe, expect, it } from "vitest";
import {
  answers,
  Bench,
  createReport,
  distribute,
  event,
  message,
  nothing,
  registered,
  reportRequest,
  response,
  values,
} from "./openadr2-harness.js";

describe("OpenADR 2.0b VEN: registration and polling", () => {
  it("queries, registers, tells its reports, asks for events, then polls", () => {
    const bench = new Bench({ url: "https://vtn.test/OpenADR2/Simple/2.0b/" }).start();
    expect(bench.ven.status().state).toBe("connecting");
    bench.expect("oadrQueryRegistration").reply(registered(""));
    expect(bench.service).toBe("EiRegisterParty");
    expect(bench.body).toContain("<oadr:oadrHttpPullModel>true</oadr:oadrHttpPullModel>");
    expect(bench.body).not.toContain("venID");
    bench.expect("oadrCreatePartyRegistration").reply(registered("reg-1", 60));
    expect(bench.ven.status().state).toBe("registering");
    expect(bench.body).toContain("METADATA_TELEMETRY_USAGE");
    expect(bench.body).toContain("<ei:reportRequestID>0</ei:reportRequestID>");
    bench.expect("oadrRegisterReport").reply(message("oadrRegisteredReport", response()));
    bench.expect("oadrRequestEvent").reply(nothing);
    expect(bench.ven.status().state).toBe("online");
    expect(bench.waiting).toBeUndefined();
    bench.advance(59_000);
    expect(bench.waiting).toBeUndefined();
    bench.advance(1000).expect("oadrPoll");
    expect(bench.service).toBe("OadrPoll");
    expect(bench.clocks.length).toBeGreaterThan(0);
  });

  it("takes an event, answers it before the next poll, and hands it to the core", () => {
    const bench = new Bench().register();
    bench.poll(distribute(event({ seconds: 600 })));
    expect(bench.held).toHaveLength(1);
    expect(bench.held[0]).toMatchObject({
      id: "event-1",
      start: bench.utc - bench.ms + 60_000,
      intervals: [{ offsetMs: 0, durationMs: 600_000, ask: { ask: "shed" } }],
    });
    bench.expect("oadrCreatedEvent");
    expect(answers(bench.body)).toEqual(["event-1 0 200 optIn"]);
    bench.reply(nothing);
    // The answer held something: one more poll at once.
    bench.expect("oadrPoll").reply(nothing);
    expect(bench.waiting).toBeUndefined();
  });

  it("sends telemetry as asked", () => {
    const bench = new Bench().register().sgd({});
    bench.poll(createReport(reportRequest({ granularity: "PT1M", back: "PT2M" })));
    bench.expect("oadrCreatedReport");
    expect(bench.body).toContain("<oadr:oadrPendingReports><ei:reportRequestID>rr-1</ei:reportRequestID>");
    bench.reply(nothing).expect("oadrPoll").reply(nothing);
    bench.sgd({ powerW: 3600, energyWh: 1300 });
    let update = "";
    for (let i = 0; i < 200 && update === ""; i++) {
      bench.advance(1000);
      if (bench.asked === "oadrUpdateReport") update = bench.body;
      else if (bench.waiting !== undefined) bench.reply(nothing);
    }
    expect(values(update)).toEqual(["power 3600", "energy 1300", "power 3600", "energy 1300"]);
  });
});
