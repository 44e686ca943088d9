// Reports as the laboratories ask for them: one-shot, periodic, delayed, open, on change, cancelled, many.
import { describe, expect, it } from "vitest";
import { formatDateTime } from "../../src/base/iso8601.js";
import {
  Bench,
  createReport,
  event,
  distribute,
  message,
  nothing,
  reportRequest,
  response,
  values,
  T0,
  type ReportSpec,
} from "./openadr2-harness.js";

/** What comes out in so many seconds while polls are answered "nothing new": time in s since now, payload, body. */
function run(bench: Bench, seconds: number): [at: number, payload: string, body: string][] {
  const out: [number, string, string][] = [];
  const start = bench.ms;
  for (let s = 0; s <= seconds; s++) {
    for (let guard = 0; bench.waiting !== undefined && guard < 20; guard++) {
      const { asked, body } = bench;
      if (asked !== "oadrPoll") out.push([(bench.ms - start) / 1000, asked, body]);
      bench.reply(asked === "oadrUpdateReport" ? message("oadrUpdatedReport", response()) : nothing);
    }
    bench.advance(1000);
  }
  return out;
}

function ask(...specs: ReportSpec[]): Bench {
  const bench = new Bench().register(10).sgd({});
  bench.poll(createReport(...specs.map(reportRequest))).expect("oadrCreatedReport");
  return bench;
}

const updates = (out: [number, string, string][]) =>
  out
    .filter(([, payload]) => payload === "oadrUpdateReport")
    .map(([at, , body]) => ({ at, values: values(body), body }));
const pending = (body: string) =>
  [
    ...(/oadrPendingReports>(.*?)<\/oadr:oadrPendingReports/.exec(body)?.[1] ?? "").matchAll(/ID>([^<]+)</g),
  ].map((m) => m[1]);
const both = ["power 7200", "energy 1234"];

describe("OpenADR 2.0b reports", () => {
  it("one-shot: granularity and back duration zero, no interval: one report at once", () => {
    const bench = ask({});
    expect(bench.body).toContain("<ei:responseCode>200</ei:responseCode>");
    expect(bench.body).toContain("<pyld:requestID>create-1</pyld:requestID>");
    const sent = updates(run(bench, 300));
    expect(sent.map((u) => u.values)).toEqual([both]);
    expect(sent[0]!.body).toContain("<ei:reportName>TELEMETRY_USAGE</ei:reportName>");
    expect(sent[0]!.body).toContain("<ei:reportRequestID>rr-1</ei:reportRequestID>");
    expect(sent[0]!.body).toContain(
      "<oadr:oadrDataQuality>Quality Good - Non Specific</oadr:oadrDataQuality>",
    );
  });

  it("periodic: samples each granularity, sent each back duration", () => {
    const sent = updates(run(ask({ granularity: "PT1M", back: "PT2M" }), 500));
    expect(sent.map((u) => u.at)).toEqual([120, 240, 360, 480]);
    for (const update of sent) expect(update.values).toEqual([...both, ...both]);
    expect(sent[0]!.body).toContain("<xcal:dtstart><xcal:date-time>");
    expect(sent[0]!.body).toContain(
      "<xcal:duration><xcal:duration>PT2M</xcal:duration></xcal:duration><strm:intervals>",
    );
  });

  it("an interval of 5 minutes that begins in 15 seconds: five samples, then it is over", () => {
    const bench = new Bench().register(10).sgd({});
    bench.advance(10_000);
    const start = formatDateTime(bench.utc + 15_000);
    bench.reply(createReport(reportRequest({ granularity: "PT1M", back: "PT1M", start, duration: "PT5M" })));
    const sent = updates(run(bench, 600));
    expect(sent.map((u) => u.at)).toEqual([75, 135, 195, 255, 315]);
    expect(sent.every((u) => u.values.length === 2)).toBe(true);
  });

  it("an interval of length zero: until cancelled, the last with what was gathered", () => {
    const bench = ask({ granularity: "PT1M", back: "PT2M", start: formatDateTime(T0), duration: "PT0S" });
    expect(pending(bench.body)).toEqual(["rr-1"]);
    expect(updates(run(bench, 1000)).length).toBeGreaterThan(6);
    bench.poll(
      message(
        "oadrCancelReport",
        "<pyld:requestID>x</pyld:requestID><ei:reportRequestID>rr-1</ei:reportRequestID><pyld:reportToFollow>true</pyld:reportToFollow><ei:venID>ven-1</ei:venID>",
      ),
    );
    expect(pending(bench.expect("oadrCanceledReport").body)).toEqual([]);
    const rest = run(bench, 300);
    expect(updates(rest)).toHaveLength(1);
  });

  it("cancelled without a report to follow: nothing more", () => {
    const bench = ask({ granularity: "PT1M", back: "PT1M" });
    run(bench, 90);
    bench.poll(
      message(
        "oadrCancelReport",
        "<pyld:requestID>x</pyld:requestID><ei:reportRequestID>rr-1</ei:reportRequestID><pyld:reportToFollow>false</pyld:reportToFollow>",
      ),
    );
    bench.expect("oadrCanceledReport");
    expect(updates(run(bench, 300))).toEqual([]);
  });

  it("cancelled inside the answer to an update", () => {
    const bench = ask({ granularity: "PT1M", back: "PT1M" });
    for (let i = 0; i < 100 && bench.asked !== "oadrUpdateReport"; i++) {
      if (bench.waiting !== undefined) bench.reply(nothing);
      else bench.advance(1000);
    }
    bench.reply(
      message(
        "oadrUpdatedReport",
        `${response()}<oadr:oadrCancelReport><pyld:requestID>x</pyld:requestID><ei:reportRequestID>rr-1</ei:reportRequestID><pyld:reportToFollow>false</pyld:reportToFollow></oadr:oadrCancelReport>`,
      ),
    );
    expect(pending(bench.expect("oadrCanceledReport").body)).toEqual([]);
    expect(updates(run(bench, 200))).toEqual([]);
  });

  it("says 452 to the cancellation of what it does not know, and keeps the rest", () => {
    const bench = ask({ granularity: "PT1M", back: "PT1M" }).reply(nothing);
    bench.poll(
      message(
        "oadrCancelReport",
        "<pyld:requestID>x</pyld:requestID><ei:reportRequestID>no</ei:reportRequestID>",
      ),
    );
    bench.expect("oadrCanceledReport");
    expect(bench.body).toContain("<ei:responseCode>452</ei:responseCode>");
    expect(pending(bench.body)).toEqual(["rr-1"]);
  });

  it("two requests in one message, sent together where both are due", () => {
    const bench = ask(
      { id: "a", granularity: "PT1M", back: "PT1M", rids: ["power"] },
      { id: "b", granularity: "PT1M", back: "PT1M", rids: ["energy"] },
    );
    expect(pending(bench.body)).toEqual(["a", "b"]);
    expect(updates(run(bench, 70)).map((u) => u.values)).toEqual([["power 7200", "energy 1234"]]);
  });

  it("answers exactly the rIDs asked for, in that order, also without a value", () => {
    const bench = new Bench().register().sgd({ powerW: undefined });
    bench.poll(createReport(reportRequest({ rids: ["energy", "power"] })));
    const [sent] = updates(run(bench, 5));
    expect(sent!.values).toEqual(["energy 1234", "power 0"]);
    expect(sent!.body).toContain("<ei:confidence>0</ei:confidence>");
    expect(sent!.body).toContain("No Quality - No Value");
  });

  it("tells what is estimated, and that there is no value while the appliance is away", () => {
    const bench = new Bench().register().sgd({ measured: false });
    bench.poll(createReport(reportRequest({ rids: ["power"] })));
    expect(updates(run(bench, 5))[0]!.body).toContain("Quality Uncertain");
    bench.sgd({ link: "absent" }).poll(createReport(reportRequest({ rids: ["power"] })));
    expect(updates(run(bench, 5))[0]!.body).toContain("No Quality - No Value");
  });

  it("status once: online, override, capacity in use", () => {
    const bench = ask({ specifier: "telemetry-status", rids: ["status"] });
    const [sent] = updates(run(bench, 60));
    expect(sent!.body).toContain(
      "<oadr:oadrOnline>true</oadr:oadrOnline><oadr:oadrManualOverride>false</oadr:oadrManualOverride>",
    );
    expect(sent!.body).toContain("<oadr:oadrCurrent>0.938</oadr:oadrCurrent>");
  });

  it("status on change: granularity zero with an interval: at first and at each change", () => {
    const bench = ask({
      specifier: "telemetry-status",
      rids: ["status"],
      start: formatDateTime(T0),
      duration: "PT0S",
    });
    expect(updates(run(bench, 60))).toHaveLength(1);
    bench.sgd({ override: true });
    const changed = updates(run(bench, 60));
    expect(changed).toHaveLength(1);
    expect(changed[0]!.body).toContain("<oadr:oadrManualOverride>true</oadr:oadrManualOverride>");
    bench.sgd({ opState: 5 });
    expect(updates(run(bench, 10))[0]!.body).toContain("<oadr:oadrOnline>false</oadr:oadrOnline>");
  });

  it("metadata on request, once and periodic", () => {
    const once = run(ask({ specifier: "METADATA", rids: [] }), 300).filter(
      ([, p]) => p === "oadrRegisterReport",
    );
    expect(once).toHaveLength(1);
    expect(once[0]![2]).toContain(
      "<ei:reportRequestID>rr-1</ei:reportRequestID><ei:reportSpecifierID>telemetry-usage",
    );
    const often = run(ask({ specifier: "METADATA", rids: [], back: "PT1M" }), 190).filter(
      ([, p]) => p === "oadrRegisterReport",
    );
    expect(often.length).toBe(4);
  });

  it("history, where the module keeps one; 461 where not", () => {
    const history = {
      read: (_: string, fromUtcMs: number, toUtcMs: number, stepMs: number) => {
        const points = [];
        for (let t = fromUtcMs; t < toUtcMs; t += stepMs)
          points.push({ startUtcMs: t, durationMs: stepMs, value: 5 });
        return points;
      },
    };
    const bench = new Bench({}, undefined, history).register();
    expect(bench.requests.some((r) => r.body?.includes("METADATA_HISTORY_USAGE"))).toBe(true);
    const spec = {
      specifier: "history-usage",
      rids: ["power-history", "energy-history"],
      granularity: "PT10M",
    };
    bench.poll(
      createReport(reportRequest({ ...spec, start: formatDateTime(T0 - 1_800_000), duration: "PT30M" })),
    );
    const [sent] = updates(run(bench, 5));
    expect(sent!.values).toEqual([...Array(3).fill("power-history 5"), ...Array(3).fill("energy-history 5")]);
    expect(ask({ ...spec }).body).toContain("<ei:responseCode>461</ei:responseCode>");
  });

  it.each<[string, ReportSpec, string]>([
    ["an unknown report", { specifier: "x" }, "461"],
    ["an unknown rID", { rids: ["power", "x"] }, "452"],
    ["no rID", { rids: [] }, "454"],
    ["a wrong duration", { granularity: "often" }, "454"],
    ["a wrong start", { start: "noon" }, "454"],
  ])("refuses %s and takes none of the message", (_, spec, code) => {
    const bench = ask({ id: "good", granularity: "PT1M", back: "PT1M" }, spec);
    expect(bench.body).toContain(`<ei:responseCode>${code}</ei:responseCode>`);
    expect(pending(bench.body)).toEqual([]);
    expect(updates(run(bench, 130))).toEqual([]);
  });

  it("makes eight reports at once and refuses the ninth with 469", () => {
    const specs = Array.from({ length: 8 }, (_, i) => ({
      id: `r${String(i)}`,
      granularity: "PT1H",
      back: "PT1H",
    }));
    const bench = ask(...specs);
    expect(pending(bench.body)).toHaveLength(8);
    bench.reply(nothing).poll(createReport(reportRequest({ id: "r8", granularity: "PT1H", back: "PT1H" })));
    expect(bench.expect("oadrCreatedReport").body).toContain("<ei:responseCode>469</ei:responseCode>");
  });

  it("answers requests that come with the registration of its reports", () => {
    const bench = new Bench().start();
    bench
      .reply(nothing)
      .reply(
        message(
          "oadrCreatedPartyRegistration",
          `${response()}<ei:registrationID>r</ei:registrationID><ei:venID>ven-1</ei:venID><ei:vtnID>vtn-1</ei:vtnID>`,
        ),
      );
    bench.expect("oadrRegisterReport");
    bench.reply(
      message("oadrRegisteredReport", response() + reportRequest({ granularity: "PT1M", back: "PT1M" })),
    );
    expect(pending(bench.expect("oadrCreatedReport").body)).toEqual(["rr-1"]);
    bench.reply(nothing).expect("oadrRequestEvent");
  });

  it("refuses requests meant for another VEN", () => {
    const bench = new Bench().register().poll(createReport(reportRequest()).replace("ven-1", "ven-2"));
    expect(bench.expect("oadrCreatedReport").body).toContain("<ei:responseCode>452</ei:responseCode>");
  });

  it("keeps bounded telemetry while the server is away, and sends it afterwards", () => {
    const bench = ask({ granularity: "PT1S", back: "PT1S" }).reply(nothing);
    for (let i = 0; i < 20; i++) {
      if (bench.waiting !== undefined) bench.fail();
      bench.advance(60_000);
    }
    const sizes: number[] = [];
    for (let i = 0; i < 30; i++) {
      while (bench.waiting === undefined) bench.advance(10_000);
      sizes.push(bench.body.length);
      bench.reply(nothing);
    }
    expect(Math.max(...sizes)).toBeLessThan(25_000);
    expect(bench.ven.status().state).toBe("online");
  });

  it("goes on without telemetry where the server fails on it", () => {
    const bench = ask({}).reply(nothing);
    bench.expect("oadrUpdateReport").reply("", 500);
    expect(bench.ven.status().state).toBe("online");
    bench.poll(distribute(event())).expect("oadrCreatedEvent");
  });
});
