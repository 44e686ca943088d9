/** The hand-written readers against the official schemas: they take and refuse the same payloads. */
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaFault } from "../../host-sim/csms/schemas.js";
import { seededRandom, uniformInt } from "../../src/base/random.js";
import { readRequest } from "../../src/ocpp16/requests.js";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const require = createRequire(import.meta.url);
const schemas = require("ocpp-rpc/lib/schemas/ocpp1_6.json") as readonly (Schema & {
  readonly $id: string;
})[];

/** What the platform may send of OCPP 1.6, built in here. */
const ACTIONS = [
  "ChangeAvailability",
  "ChangeConfiguration",
  "ClearCache",
  "ClearChargingProfile",
  "DataTransfer",
  "GetCompositeSchedule",
  "GetConfiguration",
  "GetDiagnostics",
  "RemoteStartTransaction",
  "RemoteStopTransaction",
  "Reset",
  "SetChargingProfile",
  "TriggerMessage",
  "UnlockConnector",
  "UpdateFirmware",
  "CertificateSigned",
  "ExtendedTriggerMessage",
  "GetLog",
];

function schemaOf(action: string): Schema {
  return schemas.find((one) => one.$id === `urn:${action}.req`)!;
}

/** Values that fit a schema. */
function fitting(schema: Schema, root: Schema): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(root.definitions![schema.$ref.split("/").pop()!]!, root);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "integer":
      return fc.integer({ min: -10, max: 100_000 });
    case "number":
      return fc.integer({ min: -10, max: 1000 }).map((tenths) => tenths / 10);
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(fitting(schema.items!, root), { maxLength: 3 });
    case "object": {
      const parts: Record<string, fc.Arbitrary<unknown>> = {};
      for (const [name, part] of Object.entries(schema.properties ?? {})) parts[name] = fitting(part, root);
      return fc.record(parts, { requiredKeys: [...(schema.required ?? [])] });
    }
    default:
      if (schema.format === "date-time") {
        return fc
          .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
          .map((date) => date.toISOString());
      }
      if (schema.format === "uri") return fc.constantFrom("https://x.test/fw", "ftp://u@x.test/a");
      return fc.string({ maxLength: Math.min(schema.maxLength ?? 60, 60) });
  }
}

/** 0 … count − 1. */
type Draw = (count: number) => number;

/** The same with one thing changed somewhere: taken out, of another type, too long, unknown. */
function spoilt(value: unknown, random: Draw): unknown {
  const other = (): unknown => ["", "x".repeat(20_001), 5, 0.5, true, null, [], {}, "Nonsense"][random(9)];
  if (typeof value !== "object" || value === null) return other();
  const copy = structuredClone(value) as Record<string, unknown>;
  const names = Object.keys(copy);
  if (names.length === 0 || random(6) === 0) return Array.isArray(copy) ? other() : copy;
  const name = names[random(names.length)]!;
  const how = random(4);
  if (how === 0) delete copy[name];
  else if (how === 1) copy[name] = other();
  else copy[name] = spoilt(copy[name], random);
  return copy;
}

const taken = (action: string, payload: unknown): boolean =>
  !("refused" in readRequest(action, payload as Readonly<Record<string, unknown>>));

/** Where the schema alone is stricter, on purpose (docs/ocpp16.md): unknown fields, fine limits, lax dates, any location. */
function onlySchemaObjects(action: string, payload: unknown): boolean {
  return /additional properties|multiple of|multipleOf|must match format/.test(
    schemaFault(action, "req", payload),
  );
}

describe.each(ACTIONS)("%s", (action) => {
  const schema = schemaOf(action);

  it("takes what the schema takes", () => {
    fc.assert(
      fc.property(fitting(schema, schema), (payload) => {
        if (schemaFault(action, "req", payload) !== "") return;
        expect(readRequest(action, payload as never)).not.toHaveProperty("refused");
      }),
      { numRuns: 150 },
    );
  });

  it("refuses what the schema refuses", () => {
    fc.assert(
      fc.property(fitting(schema, schema), fc.nat(), (payload, seed) => {
        const source = seededRandom(seed);
        const bad = spoilt(payload, (count) => uniformInt(source, count - 1));
        if (typeof bad !== "object" || bad === null || Array.isArray(bad)) return;
        if (onlySchemaObjects(action, bad)) return;
        expect(taken(action, bad), JSON.stringify(bad).slice(0, 300)).toBe(
          schemaFault(action, "req", bad) === "",
        );
      }),
      { numRuns: 300 },
    );
  });
});
