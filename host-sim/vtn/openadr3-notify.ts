/** Who is to be told of a change in OpenADR 3.1: webhooks by subscription, and the MQTT topics. */
import type { Caller } from "./openadr3-auth.js";
import { type Collection, type JsonObject, type Operation, type Stored, strings } from "./openadr3-types.js";

/** A change as it goes out. */
export interface Notification3 {
  readonly collection: Collection;
  readonly operation: Operation;
  readonly object: Stored;
  /** Webhooks that asked for it. */
  readonly webhooks: readonly { readonly url: string; readonly bearerToken: string | undefined }[];
  /** MQTT topics on which it is published. */
  readonly topics: readonly string[];
  /** openadr3.yaml `notification`. */
  readonly body: JsonObject;
}

/** What the matching has to know of the VTN. */
export interface Audience {
  readonly subscriptions: readonly Stored[];
  readonly vens: readonly Stored[];
  /** May the client of that id see the object? */
  readonly sees: (caller: Caller, object: Stored) => boolean;
}

export function notification(
  collection: Collection,
  operation: Operation,
  object: Stored,
  audience: Audience,
): Notification3 {
  const body: JsonObject = {
    objectType: object.objectType,
    operation,
    object: object as unknown as JsonObject,
    targets: strings(object["targets"]).length === 0 ? null : strings(object["targets"]),
  };
  return {
    collection,
    operation,
    object,
    body,
    webhooks: webhooks(operation, object, audience),
    topics: topicsFor(collection, operation, object, audience),
  };
}

function webhooks(operation: Operation, object: Stored, audience: Audience): Notification3["webhooks"] {
  const found: { url: string; bearerToken: string | undefined }[] = [];
  for (const subscription of audience.subscriptions) {
    const caller: Caller = { clientId: String(subscription["clientID"]), role: "ven" };
    const { programID } = subscription;
    if (typeof programID === "string" && programID !== (object["programID"] ?? object.id)) continue;
    const wanted = strings(subscription["targets"]);
    if (wanted.length > 0 && !strings(object["targets"]).some((t) => wanted.includes(t))) continue;
    if (!audience.sees(caller, object)) continue;
    for (const one of (subscription["objectOperations"] ?? []) as readonly JsonObject[]) {
      if (
        !strings(one["objects"]).includes(object.objectType) ||
        !strings(one["operations"]).includes(operation)
      )
        continue;
      const { callbackUrl, bearerToken } = one;
      found.push({
        url: String(callbackUrl),
        bearerToken: typeof bearerToken === "string" ? bearerToken : undefined,
      });
    }
  }
  return found;
}

/** Topic names are the VTN's own; a client learns them from /notifiers/mqtt/topics. */
const ROOT = "openadr3";

function topicsFor(
  collection: Collection,
  operation: Operation,
  object: Stored,
  audience: Audience,
): string[] {
  const verb = operation.toLowerCase();
  const topics = [`${ROOT}/${collection}/${verb}`];
  if (collection === "programs" || collection === "vens")
    topics.push(`${ROOT}/${collection}/${object.id}/${verb}`);
  if (collection === "events") topics.push(`${ROOT}/programs/${String(object["programID"])}/events/${verb}`);
  if (collection === "resources") topics.push(`${ROOT}/vens/${String(object["venID"])}/resources/${verb}`);
  if (collection === "events" || collection === "programs") {
    for (const ven of audience.vens) {
      const caller: Caller = { clientId: String(ven["clientID"]), role: "ven" };
      if (audience.sees(caller, object)) topics.push(`${ROOT}/vens/${ven.id}/${collection}/${verb}`);
    }
  }
  return topics;
}

const TOPIC_PATHS = [
  /^(programs|events|reports|subscriptions|vens|resources)$/,
  /^programs\/[\w-]+$/,
  /^programs\/[\w-]+\/events$/,
  /^vens\/[\w-]+$/,
  /^vens\/[\w-]+\/(events|programs|resources)$/,
];

/** The answer of /notifiers/mqtt/topics/`path`, or undefined where there is no such list. */
export function topicsOf(path: string): JsonObject | undefined {
  if (!TOPIC_PATHS.some((p) => p.test(path))) return undefined;
  const base = `${ROOT}/${path}`;
  const single = /^(programs|vens)\/[\w-]+$/.test(path);
  return {
    topics: {
      ...(single ? {} : { CREATE: `${base}/create` }),
      UPDATE: `${base}/update`,
      DELETE: `${base}/delete`,
      ...(single ? {} : { ALL: `${base}/+` }),
    },
  };
}
