/** The VTN's HTTP API: events, VENs, reports, misbehaviour. JSON; a wrong field is refused by name with 400. */
import { type Handler, RequestError } from "../control/local-server.js";
import { type FieldError, type VtnEvent, isFieldError } from "./event.js";
import { MISBEHAVIOURS, type Misbehaviour } from "./misbehaviour.js";
import type { Vtn } from "./vtn.js";

type Raw = Readonly<Record<string, unknown>>;

/** Answers the API's paths for a VTN. */
export function vtnApi(vtn: Omit<Vtn, "api" | "close">): Handler {
  return async (method, path, body) => {
    const [, resource, id, part, partId] = path.split("/").map(decode);
    switch (resource) {
      case "events":
        return events(vtn, method, id, part, body);
      case "vens":
        if (id === undefined) return method === "GET" ? vtn.vens() : undefined;
        return ven(vtn, method, id, part, partId, body);
      case "reports":
        return method === "GET" && id === undefined ? vtn.reports() : undefined;
      case "misbehave":
        return id === undefined ? misbehave(vtn, method, body) : undefined;
      default:
        return undefined;
    }
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RequestError(400, `the path has a broken escape: ${segment}`);
  }
}

function events(
  vtn: Omit<Vtn, "api" | "close">,
  method: string,
  id: string | undefined,
  part: string | undefined,
  body: unknown,
): unknown {
  if (id === undefined) {
    if (method === "GET") return vtn.listEvents();
    if (method === "POST") return { id: done(vtn.createEvent(body ?? {})).id };
    return undefined;
  }
  const view = (): unknown => vtn.listEvents().find((event) => event.id === id);
  if (part === "withdraw" && method === "POST") {
    done(vtn.withdrawEvent(id));
    return view();
  }
  if (part !== undefined) return undefined;
  if (method === "GET") {
    const found = view();
    if (found === undefined) throw new RequestError(404, `there is no event ${id}`);
    return found;
  }
  if (method === "PATCH") {
    done(vtn.modifyEvent(id, body ?? {}));
    return view();
  }
  if (method === "DELETE") {
    done(vtn.cancelEvent(id));
    return view();
  }
  return undefined;
}

/** The event, or the refusal as a status: 404 for an id that is not there, 400 for a field. */
function done(result: VtnEvent | FieldError): VtnEvent {
  if (!isFieldError(result)) return result;
  if (result.field === "id")
    throw new RequestError(result.error.startsWith("there is no") ? 404 : 409, result.error);
  throw new RequestError(
    400,
    result.field === "" ? `the body ${result.error}` : `${result.field}: ${result.error}`,
  );
}

function ven(
  vtn: Omit<Vtn, "api" | "close">,
  method: string,
  venId: string,
  part: string | undefined,
  partId: string | undefined,
  body: unknown,
): unknown {
  const { core } = vtn;
  const found = vtn.vens().find((v) => v.venId === venId);
  if (found === undefined) throw new RequestError(404, `there is no VEN ${venId}`);
  if (method === "GET" && part === undefined) return found;
  const raw = objectOf(body);
  if (method === "DELETE" && part === undefined) return { queued: core.cancelRegistration(venId) };
  if (method === "POST" && part === "reregister") return { queued: core.requestReregistration(venId) };
  if (method === "POST" && part === "metadata") return { queued: core.requestMetadata(venId) };
  if (part !== "reports") return undefined;
  if (method === "DELETE" && partId !== undefined) {
    return { queued: core.cancelReport(venId, partId, raw["reportToFollow"] === true) };
  }
  if (method !== "POST") return undefined;
  const name = raw["name"];
  if (typeof name !== "string" || !found.offers.some((o) => o.name === name || o.specifierId === name)) {
    const offers = found.offers.map((o) => o.name).join(", ");
    throw new RequestError(
      400,
      `name: must be a report that the VEN offers (${offers === "" ? "it offers none" : offers})`,
    );
  }
  const rIds = raw["rIds"];
  if (rIds !== undefined && (!Array.isArray(rIds) || rIds.some((r) => typeof r !== "string"))) {
    throw new RequestError(400, "rIds: must be a list of strings");
  }
  const withInterval = raw["startInSeconds"] !== undefined || raw["durationSeconds"] !== undefined;
  return core.requestReports(venId, [
    {
      name,
      granularityMs: seconds(raw, "granularitySeconds", 60) * 1000,
      reportBackMs: seconds(raw, "reportBackSeconds", 60) * 1000,
      rIds: rIds as string[] | undefined,
      interval: withInterval
        ? {
            startUtcMs: Date.now() + seconds(raw, "startInSeconds", 0) * 1000,
            durationMs: seconds(raw, "durationSeconds", 0) * 1000,
          }
        : undefined,
    },
  ]);
}

async function misbehave(vtn: Omit<Vtn, "api" | "close">, method: string, body: unknown): Promise<unknown> {
  const list = (): unknown => ({ on: vtn.core.misbehaviours.names(), known: MISBEHAVIOURS });
  if (method === "GET") return list();
  if (method !== "POST") return undefined;
  const raw = objectOf(body);
  const { name, times } = raw;
  if (name === "none") {
    await vtn.behave();
    return list();
  }
  if (typeof name !== "string" || !(MISBEHAVIOURS as readonly string[]).includes(name)) {
    throw new RequestError(400, `name: must be one of ${MISBEHAVIOURS.join(", ")}, or none`);
  }
  if (times !== undefined && (typeof times !== "number" || !Number.isInteger(times) || times < 0)) {
    throw new RequestError(400, "times: must be a whole number; 0 switches it off");
  }
  if (times === 0) await vtn.behave(name as Misbehaviour);
  else await vtn.misbehave(name as Misbehaviour, times);
  return list();
}

function objectOf(body: unknown): Raw {
  if (body === undefined) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new RequestError(400, "the body must be a JSON object");
  }
  return body as Raw;
}

function seconds(raw: Raw, field: string, fallback: number): number {
  const value = raw[field] ?? fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new RequestError(400, `${field}: must be a whole number of seconds`);
  }
  return value;
}
