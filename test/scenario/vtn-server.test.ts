/** The VTN on real sockets: mutual TLS, the HTTP API, and misbehaviour that only a network can have. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NodeHttp } from "../../host-sim/net/node-http.js";
import { type Vtn, startVtn } from "../../host-sim/vtn/server.js";
import { descendant, parseXml, textAt } from "../../host-sim/vtn/xml.js";
import type { HttpEvent } from "../../src/ports/http.js";
import * as say from "../unit/vtn-messages.js";

let dir = "";
let vtn: Vtn;
let port: NodeHttp;
let nextId = 1;
const waiting = new Map<number, (event: HttpEvent) => void>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "openucm-vtn-"));
  vtn = await startVtn({ dataDir: dir, pollSeconds: 2 });
  const [ca, cert, key] = await Promise.all(
    [vtn.ca, vtn.clientCert, vtn.clientKey].map((p) => readFile(p, "utf8")),
  );
  port = new NodeHttp({
    credentials: new Map([
      ["module", { ca, cert, key }],
      ["nobody", { ca }],
    ]),
    deliver: (event) => waiting.get(event.id)?.(event),
  });
});
afterEach(() => vtn.behave());
afterAll(async () => {
  port.close();
  await vtn.close();
  await rm(dir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly failed: string;
}

/** One exchange as the module makes it. */
function exchange(
  service: string,
  body: string,
  credentials = "module",
  timeoutMs = 60_000,
): Promise<Answer> {
  const id = nextId++;
  const answer = { status: 0, headers: new Map<string, string>(), body: "", failed: "" };
  return new Promise((resolve) => {
    waiting.set(id, (event) => {
      if (event.ev === "head")
        Object.assign(answer, { status: event.status, headers: new Map(event.headers) });
      if (event.ev === "data") answer.body += Buffer.from(event.bytes).toString();
      if (event.ev === "failed") answer.failed = event.reason;
      if (event.ev === "end" || event.ev === "failed") resolve(answer);
    });
    port.request({
      id,
      method: "POST",
      url: `${vtn.urls.openadr2b}/${service}`,
      headers: [["Content-Type", "application/xml"]],
      body,
      credentials,
      timeoutMs,
      maxBodyBytes: 65_536,
    });
  });
}

async function register(): Promise<string> {
  const { body } = await exchange("EiRegisterParty", say.register("module"));
  const root = parseXml(body);
  if ("refused" in root) throw new Error(root.refused);
  return textAt(descendant(root, "oadrCreatedPartyRegistration"), "venID")!;
}

/** One call of the API. */
async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const init =
    body === undefined
      ? { method }
      : { method, body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await fetch(vtn.api + path, init);
  return { status: response.status, json: await response.json() };
}

describe("VTN on the network", () => {
  it("takes an event by its API and gives it to a module that registered over mutual TLS", async () => {
    const venId = await register();
    expect(venId).toMatch(/^ven-/);
    const { json } = await call("POST", "/events", {
      signal: "SIMPLE",
      level: 1,
      startInSeconds: 5,
      durationSeconds: 60,
    });
    const { id } = json as { id: string };
    const list = await exchange("OadrPoll", say.poll(venId));
    expect(list.status).toBe(200);
    expect(list.headers.get("content-type")).toBe("application/xml");
    expect(list.body).toContain(id);
    await exchange("EiEvent", say.createdEvent(venId, id, 0));
    expect((await call("GET", `/events/${id}`)).json).toMatchObject({
      response: "optIn",
      status: "far",
      level: 1,
    });
    expect((await call("PATCH", `/events/${id}`, { level: 2 })).json).toMatchObject({
      modification: 1,
      level: 2,
    });
    expect((await call("DELETE", `/events/${id}`)).json).toMatchObject({
      status: "cancelled",
      modification: 2,
    });
    expect((await exchange("OadrPoll", say.poll(venId))).body).toContain("<ei:eventStatus>cancelled<");
    await exchange("EiEvent", say.createdEvent(venId, id, 2));
  });

  it("shows VENs, offers and reports", async () => {
    const venId = await register();
    await exchange("EiReport", say.registerReport(venId));
    const vens = (await call("GET", "/vens")).json as {
      venId: string;
      fingerprint: string;
      requests: { id: string }[];
    }[];
    const own = vens.find((v) => v.venId === venId)!;
    expect(own.fingerprint).toBe((await vtn.pki.client("module")).fingerprint);
    await exchange("EiReport", say.updateReport(venId, own.requests[0]!.id, { power: 7200, energy: 1 }));
    const reports = (await call("GET", "/reports")).json as { values: { rId: string; value: number }[] }[];
    expect(reports.at(-1)).toMatchObject({ venId, name: "TELEMETRY_USAGE", warnings: [] });
    expect(reports.at(-1)!.values[0]).toMatchObject({ rId: "power", value: 7200 });
    expect((await call("POST", `/vens/${venId}/reports`, { name: "TELEMETRY_USAGE" })).status).toBe(200);
    expect((await exchange("OadrPoll", say.poll(venId))).body).toContain("oadrCreateReport");
    expect((await call("POST", `/vens/${venId}/reports`, { name: "NONE" })).status).toBe(400);
    expect((await call("POST", `/vens/${venId}/reregister`)).json).toEqual({ queued: true });
    expect((await exchange("OadrPoll", say.poll(venId))).body).toContain("oadrRequestReregistration");
  });

  it.each([
    ["POST", "/events", { level: 9 }, 400, "level"],
    ["POST", "/events", "{", 400, "JSON"],
    ["POST", "/events", [], 400, "object"],
    ["POST", "/events", undefined, 400, "value"],
    ["PATCH", "/events/nothing", { level: 1 }, 404, "nothing"],
    ["DELETE", "/events/nothing", undefined, 404, "nothing"],
    ["POST", "/misbehave", { name: "badly" }, 400, "name"],
    ["GET", "/nothing", undefined, 404, "nothing"],
    ["GET", "/vens/nobody", undefined, 404, "nobody"],
    ["GET", "/events/%ff", undefined, 400, "escape"],
  ])("%s %s %j is refused with %i", async (method, path, body, status, text) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(status);
    expect((answer.json as { error: string }).error).toContain(text);
  });

  it("answers its API to this computer's own pages alone", async () => {
    const status = (headers: http.OutgoingHttpHeaders): Promise<number> =>
      new Promise((resolve, reject) => {
        http.get(`${vtn.api}/vens`, { headers }, (r) => resolve(r.resume().statusCode!)).on("error", reject);
      });
    expect(await status({ host: "evil.example" })).toBe(403);
    expect(await status({ origin: "http://evil.example" })).toBe(403);
    expect(await status({})).toBe(200);
  });

  it("lets nobody in without a client certificate, and names wrong paths", async () => {
    expect((await exchange("OadrPoll", say.poll("x"), "nobody")).failed).toBe("tls-client-certificate");
    expect((await exchange("EiNothing", say.query)).status).toBe(404);
    expect((await exchange("OadrPoll", "nonsense")).status).toBe(400);
    expect((await exchange("OadrPoll", "x".repeat(1_100_000))).status).toBe(413);
  });

  it.each([
    ["expired-certificate", "tls-expired"],
    ["not-yet-valid-certificate", "tls-not-yet-valid"],
    ["wrong-host", "tls-host-name"],
    ["forged-chain", "tls-untrusted"],
    ["self-signed", "tls-untrusted"],
  ])("shows %s until told to stop", async (name, reason) => {
    expect((await exchange("EiRegisterParty", say.query)).failed).toBe("");
    expect((await call("POST", "/misbehave", { name })).json).toMatchObject({ on: [name] });
    expect((await exchange("EiRegisterParty", say.query)).failed).toBe(reason);
    expect((await call("POST", "/misbehave", { name: "none" })).json).toMatchObject({ on: [] });
    expect((await exchange("EiRegisterParty", say.query)).failed).toBe("");
  });

  it("resets, hangs, dribbles, lies about the time, and sends too much", async () => {
    const ask = (timeoutMs = 60_000): Promise<Answer> =>
      exchange("EiRegisterParty", say.query, "module", timeoutMs);
    await ask();
    await vtn.misbehave("no-answer", 1);
    expect((await ask(200)).failed).toBe("timeout");
    await vtn.misbehave("slow-bytes", 1);
    expect((await ask(300)).failed).toBe("timeout");
    await vtn.misbehave("huge-answer", 1);
    expect((await ask()).failed).toBe("too-large");
    await vtn.misbehave("clock-off", 1);
    const off = Date.parse((await ask()).headers.get("date")!) - Date.now();
    expect(off).toBeGreaterThan(86_400_000);
    // Twice: a module tries once more when a kept connection dies under it.
    await vtn.misbehave("reset", 2);
    expect((await ask()).failed).toBe("closed");
    await vtn.behave();
    expect((await ask()).status).toBe(200);
  });

  it("says which port is taken", async () => {
    const taken = Number(new URL(vtn.urls.openadr2b).port);
    await expect(startVtn({ dataDir: dir, port: taken })).rejects.toThrow(/in use/);
    await expect(startVtn({ dataDir: dir, apiPort: Number(new URL(vtn.api).port) })).rejects.toThrow(
      /in use/,
    );
  });
});
