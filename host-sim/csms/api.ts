/** The platform's HTTP API: limits, starts and stops, triggers, any call. JSON; a wrong field is refused with 400. */
import { type Handler, RequestError } from "../control/local-server.js";
import type { CsmsPoint } from "./core.js";
import type { LimitWish, Order } from "./requests.js";
import type { Csms } from "./platform.js";

type Json = Readonly<Record<string, unknown>>;

/** Answers the API's paths for a platform. */
export function csmsApi(csms: Omit<Csms, "api" | "close">): Handler {
  return async (method, path, body) => {
    const [, resource, id] = path.split("/").map((part) => decodeURIComponent(part));
    if (method === "GET" && resource === "points") {
      const views = [...csms.core.points.values()].map(pointView);
      return id === undefined ? views : views.find((one) => one.id === id);
    }
    if (method === "GET" && resource === "transactions") {
      return [...csms.core.points.values()].flatMap((point) =>
        point.transactions.map((one) => ({ point: point.id, ...one })),
      );
    }
    if (method !== "POST") return undefined;
    const from = fields(body);
    const point = optionalText(from, "point");
    const ask = async (action: string, payload: Json): Promise<Json> => {
      try {
        return await csms.ask({ action, payload }, point);
      } catch (error) {
        throw new RequestError(409, (error as Error).message);
      }
    };
    switch (resource) {
      case "limit": {
        if (typeof from["limit"] !== "number" || !(from["limit"] >= 0))
          throw new RequestError(400, "limit must be a number of amperes or watts, not negative");
        const { point: _, ...wish } = from;
        return csms.setLimit(wish as unknown as LimitWish, point).catch((error: unknown) => {
          throw new RequestError(409, (error as Error).message);
        });
      }
      case "clear":
        return ask("ClearChargingProfile", purposeOf(from));
      case "start":
        return ask("RemoteStartTransaction", { connectorId: 1, idTag: text(from, "idTag", "BENCH") });
      case "stop": {
        const running = csms.core.point(point ?? csms.connected()[0] ?? "").running?.id;
        const number = from["transactionId"] ?? running;
        if (typeof number !== "number") throw new RequestError(409, "no transaction runs");
        return ask("RemoteStopTransaction", { transactionId: number });
      }
      case "trigger":
        return ask("TriggerMessage", { requestedMessage: text(from, "message", "StatusNotification") });
      case "call": {
        const order = from as unknown as Order;
        if (typeof order.action !== "string") throw new RequestError(400, "action must be a text");
        return ask(order.action, order.payload ?? {});
      }
      default:
        return undefined;
    }
  };
}

export interface PointView {
  readonly id: string;
  readonly online: boolean;
  readonly status: string;
  readonly boot: Json | null;
  readonly transactionId: number | null;
  readonly idTag: string | null;
  readonly energyWh: number | null;
  readonly powerW: number | null;
  readonly transactions: number;
}

/** One charge point, as the API and the page show it. */
export function pointView(point: CsmsPoint): PointView {
  const running = point.running;
  return {
    id: point.id,
    online: point.online,
    status: point.status,
    boot: point.boot ?? null,
    transactionId: running?.id ?? null,
    idTag: running?.idTag ?? null,
    energyWh: point.latest.get("Energy.Active.Import.Register")?.value ?? null,
    powerW: point.latest.get("Power.Active.Import")?.value ?? null,
    transactions: point.transactions.length,
  };
}

function fields(body: unknown): Json {
  if (body === undefined) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new RequestError(400, "the body must be a JSON object");
  return body as Json;
}

function text(from: Json, name: string, otherwise: string): string {
  return optionalText(from, name) ?? otherwise;
}

function optionalText(from: Json, name: string): string | undefined {
  const value = from[name];
  if (value === undefined || typeof value === "string") return value;
  throw new RequestError(400, `${name} must be a text`);
}

function purposeOf(from: Json): Json {
  const purpose = optionalText(from, "purpose");
  return purpose === undefined ? {} : { chargingProfilePurpose: purpose };
}
