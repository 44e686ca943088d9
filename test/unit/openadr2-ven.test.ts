// Registration, polling, faults: what the VEN says to a server and when.
import { describe, expect, it } from "vitest";
import type { HttpFailure } from "../../src/ports/http.js";
import {
  answers,
  Bench,
  distribute,
  event,
  message,
  nothing,
  registered,
  response,
  T0,
} from "./openadr2-harness.js";

const reregister = message("oadrRequestReregistration", "<ei:venID>ven-1</ei:venID>");

describe("OpenADR 2.0b VEN: registration", () => {
  it("queries, registers, tells its reports, asks for events, then polls", () => {
    const bench = new Bench({ url: "https://vtn.test/OpenADR2/Simple/2.0b/" }).start();
    expect(bench.ven.status().state).toBe("connecting");
    bench.expect("oadrQueryRegistration").reply(registered(""));
    expect(bench.service).toBe("EiRegisterParty");
    expect(bench.body).toContain("<oadr:oadrHttpPullModel>true</oadr:oadrHttpPullModel>");
    expect(bench.body).toContain("<oadr:oadrXmlSignature>false</oadr:oadrXmlSignature>");
    expect(bench.body).not.toContain("venID");
    bench.expect("oadrCreatePartyRegistration").reply(registered("reg-1", 60));
    expect(bench.ven.status().state).toBe("registering");
    expect(bench.body).toContain("METADATA_TELEMETRY_USAGE");
    expect(bench.body).toContain("METADATA_TELEMETRY_STATUS");
    expect(bench.body).not.toContain("HISTORY");
    expect(bench.body).toContain("<ei:reportRequestID>0</ei:reportRequestID>");
    bench.expect("oadrRegisterReport").reply(message("oadrRegisteredReport", response()));
    bench.expect("oadrRequestEvent").reply(nothing);
    expect(bench.ven.status()).toMatchObject({ state: "online", fault: "" });
    expect(bench.waiting).toBeUndefined();
    bench.advance(59_000);
    expect(bench.waiting).toBeUndefined();
    bench.advance(1000).expect("oadrPoll");
    expect(bench.service).toBe("OadrPoll");
    expect(bench.clocks).toContain(T0 + 1000);
  });

  it("names no more and no less than the credentials of its own upstream", () => {
    const bench = new Bench().start();
    expect(bench.waiting).toMatchObject({ credentials: "utility", method: "POST", maxBodyBytes: 65_536 });
  });

  it("adds the path of the service to an address that has none", () => {
    const bench = new Bench({ url: "https://vtn.test/prefix" }).start();
    expect(bench.waiting?.url).toBe("https://vtn.test/prefix/OpenADR2/Simple/2.0b/EiRegisterParty");
  });

  it("keeps its registration over a restart and renews it; another address starts anew", () => {
    const first = new Bench().register();
    const again = new Bench({}, first.store).start();
    again.expect("oadrQueryRegistration").reply(registered(""));
    expect(again.body).toContain("<ei:registrationID>reg-1</ei:registrationID><ei:venID>ven-1</ei:venID>");
    const other = new Bench({ url: "https://other.test" }, first.store).start();
    other.expect("oadrQueryRegistration").reply(registered(""));
    expect(other.body).not.toContain("reg-1");
  });

  it("takes the registration that the server remembers at a query", () => {
    const bench = new Bench().start().reply(registered("reg-9"));
    expect(bench.body).toContain("<ei:registrationID>reg-9</ei:registrationID>");
  });

  it("registers without a query where the server does not answer one", () => {
    const bench = new Bench().start().reply("oops", 500);
    bench.expect("oadrCreatePartyRegistration");
  });

  it("does not talk to a server without 2.0b over HTTP", () => {
    const bench = new Bench().start();
    bench.reply(registered("").replace("2.0b</oadr:oadrProfileName>", "2.0a</oadr:oadrProfileName>"));
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "openadr2-profile" });
  });

  it("tries once as a newcomer when its old registration is refused, then fails in words", () => {
    const old = new Bench().register();
    const bench = new Bench({ fingerprint: "AA:BB" }, old.store).start().reply(registered(""));
    const refusal = message(
      "oadrCreatedPartyRegistration",
      `${response("463", "r", "Unknown VEN")}<ei:vtnID>v</ei:vtnID>`,
    );
    bench.expect("oadrCreatePartyRegistration").reply(refusal);
    bench.advance(1000).expect("oadrCreatePartyRegistration");
    expect(bench.body).not.toContain("reg-1");
    bench.reply(refusal);
    const status = bench.ven.status();
    expect(status).toMatchObject({ state: "failing", fault: "openadr2-registration-refused" });
    expect(status.text).toContain("Unknown VEN");
    expect(status.text).toContain("AA:BB");
  });

  it("treats a registration without registrationID as refused", () => {
    const bench = new Bench().start().reply(registered("")).reply(registered(""));
    expect(bench.ven.status().fault).toBe("openadr2-registration-refused");
  });

  it("answers a request to re-register, then registers under its ids, then asks for events again", () => {
    const bench = new Bench().register();
    bench.poll(reregister);
    bench.expect("oadrResponse").reply("");
    bench.expect("oadrCreatePartyRegistration");
    expect(bench.body).toContain("<ei:registrationID>reg-1</ei:registrationID>");
    bench.reply(registered("reg-1")).reply(message("oadrRegisteredReport", response()));
    bench.expect("oadrRequestEvent").reply(nothing);
    expect(bench.ven.status().state).toBe("online");
  });

  it("slows down when a server asks for registration over and over", () => {
    const bench = new Bench().register();
    bench.poll(reregister).reply("").reply(registered("reg-1"));
    bench.reply(message("oadrRegisteredReport", response()));
    bench.expect("oadrRequestEvent").reply(reregister);
    const at = bench.ms;
    bench.advance(999);
    expect(bench.waiting).toBeUndefined();
    for (let i = 0; bench.waiting === undefined && i < 60; i++) bench.advance(1000);
    expect(bench.ms - at).toBeGreaterThanOrEqual(1000);
  });

  it("refuses to re-register for another VEN", () => {
    const bench = new Bench().register().poll(reregister.replace("ven-1", "ven-2"));
    bench.expect("oadrResponse");
    expect(bench.body).toContain("<ei:responseCode>452</ei:responseCode>");
  });

  it("stops when the utility ends the registration, and cancels its events", () => {
    const bench = new Bench().register().poll(distribute(event()));
    bench.reply(nothing);
    expect(bench.held).toHaveLength(1);
    bench.poll(
      message(
        "oadrCancelPartyRegistration",
        "<pyld:requestID>c1</pyld:requestID><ei:registrationID>reg-1</ei:registrationID><ei:venID>ven-1</ei:venID>",
      ),
    );
    bench.expect("oadrCanceledPartyRegistration");
    expect(bench.body).toContain("<pyld:requestID>c1</pyld:requestID>");
    expect(bench.body).toContain("<ei:registrationID>reg-1</ei:registrationID>");
    bench.reply("");
    expect(bench.held).toEqual([]);
    expect(bench.store.size).toBe(0);
    expect(bench.ven.status().state).toBe("stopped");
    expect(bench.ven.nextMs()).toBe(Infinity);
    bench.start().expect("oadrQueryRegistration");
  });

  it("does not let an unknown registration be ended", () => {
    const bench = new Bench().register();
    bench.poll(
      message(
        "oadrCancelPartyRegistration",
        "<pyld:requestID>c</pyld:requestID><ei:registrationID>x</ei:registrationID>",
      ),
    );
    bench.expect("oadrCanceledPartyRegistration");
    expect(bench.body).toContain("<ei:responseCode>452</ei:responseCode>");
    bench.reply("");
    expect(bench.ven.status().state).toBe("online");
  });

  it("ends its registration from its own side", () => {
    const bench = new Bench().register().poll(distribute(event())).reply(nothing);
    bench.ven.deregister(bench.now);
    const last = bench.requests.at(-1)!;
    expect(last.body).toContain("oadrCancelPartyRegistration");
    expect(last.body).toContain("<ei:registrationID>reg-1</ei:registrationID>");
    expect(bench.held).toEqual([]);
    expect(bench.ven.status().state).toBe("stopped");
  });

  it("refuses plain HTTP and security level high at once, in words", () => {
    expect(new Bench({ url: "http://vtn.test" }).start().ven.status()).toMatchObject({
      state: "stopped",
      fault: "openadr2-not-tls",
    });
    const high = new Bench({ security: "high" }).start();
    expect(high.ven.status()).toMatchObject({ state: "stopped", fault: "openadr2-signature" });
    expect(high.requests).toEqual([]);
  });

  it("says clearly when the server signs its messages", () => {
    const bench = new Bench().start();
    bench.reply(
      registered("").replace(
        "<oadr:oadrSignedObject>",
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature><oadr:oadrSignedObject>',
      ),
    );
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "openadr2-signature" });
  });
});

describe("OpenADR 2.0b VEN: polling and faults", () => {
  it("polls once more at once after an answer that holds something, at most four times in a row", () => {
    const bench = new Bench().register();
    const full = distribute(event({ answer: "never" }));
    bench.poll(full);
    for (let i = 0; i < 4; i++) bench.expect("oadrPoll").reply(full);
    expect(bench.waiting).toBeUndefined();
    expect(bench.ven.nextMs()).toBe(bench.ms + 10_000);
  });

  it("never polls more often than the server asks, and may poll less often", () => {
    const often = new Bench({ pollSeconds: 1 }).register(30);
    expect(often.ven.nextMs()).toBe(often.ms + 30_000);
    const seldom = new Bench({ pollSeconds: 300 }).register(30);
    expect(seldom.ven.nextMs()).toBe(seldom.ms + 300_000);
  });

  it("doubles its patience up to 15 minutes, with jitter, and starts afresh after success", () => {
    const bench = new Bench().register();
    const waits: number[] = [];
    bench.advance(10_000);
    for (let i = 0; i < 14; i++) {
      bench.fail("timeout");
      const wait = bench.ven.nextMs() - bench.ms;
      waits.push(wait);
      expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "timeout" });
      bench.advance(wait);
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000);
    for (const [i, wait] of waits.entries())
      expect(wait).toBeLessThanOrEqual(Math.min(900_000, 10_000 * 2 ** i));
    expect(Math.max(...waits)).toBeGreaterThan(200_000);
    expect(new Set(waits).size).toBeGreaterThan(10);
    // What was lost may have been events: all are asked for before the next poll.
    bench.expect("oadrRequestEvent").reply(nothing);
    expect(bench.ven.status()).toMatchObject({ state: "online", fault: "" });
    expect(bench.ven.nextMs()).toBe(bench.ms + 10_000);
  });

  const failures: HttpFailure[] = [
    "dns",
    "refused",
    "unreachable",
    "closed",
    "too-large",
    "tls-untrusted",
    "tls-host-name",
    "tls-expired",
    "tls-not-yet-valid",
    "tls-client-certificate",
    "tls-handshake",
    "protocol",
  ];
  it.each(failures)("fails with code and words on %s, and tries again", (reason) => {
    const bench = new Bench().start().fail(reason);
    const status = bench.ven.status();
    expect(status).toMatchObject({ state: "failing", fault: reason });
    expect(status.text).toMatch(/^[A-Z].*[.?]$/);
    bench.advance(900_000).expect("oadrQueryRegistration");
  });

  it.each([
    [500, "oops", "http-500"],
    [403, "no", "http-403"],
    [200, "<html>", "xml-malformed"],
    [200, "<html/>", "openadr2-no-payload"],
    [200, '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "xml-doctype"],
    [200, `${"<a>".repeat(25)}`, "xml-too-deep"],
    [200, `<a>${" ".repeat(70_000)}</a>`, "xml-document-too-long"],
    [200, "\ufffe", "xml-malformed"],
  ])("a poll answered by HTTP %i %j fails as %s and leaves the events as they were", (status, body, code) => {
    const bench = new Bench().register().poll(distribute(event())).reply(nothing).reply(nothing);
    const before = bench.replaced;
    bench.advance(10_000).expect("oadrPoll").reply(body, status);
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: code });
    expect(bench.held).toHaveLength(1);
    expect(bench.replaced).toBe(before);
  });

  it("shows its certificate's fingerprint where the server does not know it", () => {
    const shown = new Bench({ fingerprint: "AA:BB" })
      .start()
      .fail("tls-client-certificate")
      .ven.status().text;
    expect(shown).toContain("AA:BB");
    const hidden = new Bench({ fingerprint: "AA:BB" }).start().fail("dns").ven.status().text;
    expect(hidden).not.toContain("AA:BB");
  });

  it("gives up on a server that keeps silent although the world forgot to say so", () => {
    const bench = new Bench().start();
    expect(bench.ven.nextMs()).toBe(bench.ms + 45_000);
    bench.ms += 45_000;
    bench.ven.poll(bench.now);
    expect(bench.aborted).toEqual([bench.requests[0]!.id]);
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "timeout" });
  });

  it("ignores answers to requests that are not its own", () => {
    const bench = new Bench().start();
    bench.ven.onHttp({ id: 7, ev: "failed", reason: "refused", text: "" }, bench.now);
    expect(bench.ven.status().state).toBe("connecting");
  });

  it("registers anew when a poll is refused with 463", () => {
    const bench = new Bench().register().poll(message("oadrResponse", response("463", "r", "who?")));
    expect(bench.ven.status()).toMatchObject({ state: "failing", fault: "openadr2-refused" });
    bench.advance(10_000).expect("oadrCreatePartyRegistration");
  });

  it("tries an event answer three times against errors, then goes on polling", () => {
    const bench = new Bench().register().poll(distribute(event()));
    for (let i = 0; i < 3; i++) bench.advance(10_000).expect("oadrCreatedEvent").reply("", 500);
    expect(bench.ven.status().state).toBe("online");
    bench.advance(10_000).expect("oadrPoll");
    expect(bench.logs.some((l) => l.includes("given up"))).toBe(true);
  });

  it("keeps an event answer for as long as the server cannot be reached", () => {
    const bench = new Bench().register().poll(distribute(event()));
    for (let i = 0; i < 8; i++) {
      bench.expect("oadrCreatedEvent").fail();
      bench.advance(900_000);
    }
    expect(answers(bench.body)).toEqual(["event-1 0 200 optIn"]);
  });

  it("works before its own clock is set, by the server's", () => {
    const bench = new Bench();
    bench.clockSet = false;
    bench.register().poll(distribute(event())).expect("oadrCreatedEvent");
    expect(bench.clocks.length).toBeGreaterThan(3);
    const register = bench.requests.find((r) => r.body?.includes("oadrRegisterReport"));
    expect(register?.body).toContain("<ei:createdDateTime>2026-11-21T12:00:0");
  });

  it("takes what the server reports to us, and says so", () => {
    const bench = new Bench().register();
    bench.poll(
      message("oadrRegisterReport", "<pyld:requestID>x1</pyld:requestID><ei:venID>ven-1</ei:venID>"),
    );
    bench.expect("oadrRegisteredReport");
    expect(bench.body).toContain("<pyld:requestID>x1</pyld:requestID>");
    bench.reply(nothing).poll(message("oadrUpdateReport", "<pyld:requestID>x2</pyld:requestID>"));
    bench.expect("oadrUpdatedReport");
    expect(bench.body).toContain("<pyld:requestID>x2</pyld:requestID>");
  });
});
