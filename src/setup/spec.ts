/**
 * Configuration: what a module is told before it works. This folder guarantees that a wrong or unknown field
 * is refused by name, and that the published JSON Schema (docs/config.schema.json) says the same as the check,
 * because both come from the one table in `fields.ts`.
 */
import { fault, type Fault } from "../base/fault.js";

/** A small description language for JSON documents: what the configuration needs and no more. */
export type Spec =
  | {
      readonly type: "string";
      readonly about: string;
      readonly oneOf?: readonly string[];
      readonly maxLength?: number;
      readonly minLength?: number;
      /** A prefix of which one must fit, e.g. `https://`. */
      readonly prefixes?: readonly string[];
    }
  | {
      readonly type: "number";
      readonly about: string;
      readonly min: number;
      readonly max: number;
      readonly integer?: boolean;
      readonly oneOf?: readonly number[];
    }
  | { readonly type: "boolean"; readonly about: string }
  | {
      readonly type: "array";
      readonly about: string;
      readonly items: Spec;
      readonly maxItems: number;
      readonly minItems?: number;
    }
  | {
      readonly type: "object";
      readonly about: string;
      readonly fields: Readonly<Record<string, Spec>>;
      readonly required: readonly string[];
    };

function wrong(path: string, must: string): Fault {
  return fault("configuration", "bad-field", `${path || "the configuration"} must be ${must}`);
}

function checkString(spec: Spec & { type: "string" }, value: unknown, path: string): Fault | undefined {
  if (typeof value !== "string") return wrong(path, "a text");
  if (spec.oneOf && !spec.oneOf.includes(value)) {
    return wrong(path, `one of ${spec.oneOf.map((one) => `"${one}"`).join(", ")}; it is "${value}"`);
  }
  const least = spec.minLength ?? 0;
  if (value === "" && least > 0) return wrong(path, "a text that is not empty");
  if (value.length > (spec.maxLength ?? 256))
    return wrong(path, `at most ${spec.maxLength ?? 256} characters long`);
  if (spec.prefixes && !spec.prefixes.some((prefix) => value.startsWith(prefix))) {
    return wrong(path, `an address that starts with ${spec.prefixes.join(" or ")}; it is "${value}"`);
  }
  if (value.length < least) return wrong(path, `at least ${least} characters long`);
  return undefined;
}

function checkNumber(spec: Spec & { type: "number" }, value: unknown, path: string): Fault | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return wrong(path, "a number");
  if (spec.integer && !Number.isInteger(value)) return wrong(path, "a whole number");
  if (spec.oneOf && !spec.oneOf.includes(value)) return wrong(path, `one of ${spec.oneOf.join(", ")}`);
  if (value < spec.min || value > spec.max)
    return wrong(path, `from ${spec.min} to ${spec.max}; it is ${value}`);
  return undefined;
}

function checkObject(spec: Spec & { type: "object" }, value: unknown, path: string, faults: Fault[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    faults.push(wrong(path, "an object { … }"));
    return;
  }
  const dot = path === "" ? "" : `${path}.`;
  for (const name of spec.required) {
    if (Object.hasOwn(value, name)) continue;
    // On the device, whose build leaves these texts out, it is empty.
    const { about } = spec.fields[name]!;
    faults.push(fault("configuration", "missing-field", `${dot}${name} is missing${about && `: ${about}`}`));
  }
  for (const name of Object.keys(value)) {
    const field = Object.hasOwn(spec.fields, name) ? spec.fields[name] : undefined;
    if (field) check(field, (value as Record<string, unknown>)[name], dot + name, faults);
    else {
      faults.push(
        fault(
          "configuration",
          "unknown-field",
          `${dot}${name} is not a field; known are ${Object.keys(spec.fields).join(", ")}`,
        ),
      );
    }
  }
}

/** Checks `value` against `spec`; every fault names the field by its path, e.g. `upstreams[0].url`. */
export function check(spec: Spec, value: unknown, path: string, faults: Fault[]): void {
  let one: Fault | undefined;
  switch (spec.type) {
    case "string":
      one = checkString(spec, value, path);
      break;
    case "number":
      one = checkNumber(spec, value, path);
      break;
    case "boolean":
      if (typeof value !== "boolean") one = wrong(path, "true or false");
      break;
    case "array":
      if (!Array.isArray(value)) one = wrong(path, "a list [ … ]");
      else if (value.length > spec.maxItems) one = wrong(path, `a list of at most ${spec.maxItems}`);
      else if (value.length < (spec.minItems ?? 0)) one = wrong(path, `a list of at least ${spec.minItems}`);
      else value.forEach((item, i) => check(spec.items, item, `${path}[${i}]`, faults));
      break;
    case "object":
      checkObject(spec, value, path, faults);
      break;
  }
  if (one) faults.push(one);
}

/** The same as JSON Schema (draft 2020-12), for editors and for others' validators. */
export function jsonSchemaOf(spec: Spec): Record<string, unknown> {
  const { about: description } = spec;
  switch (spec.type) {
    case "string":
      return {
        type: "string",
        description,
        ...(spec.oneOf
          ? { enum: [...spec.oneOf] }
          : { minLength: spec.minLength ?? 0, maxLength: spec.maxLength ?? 256 }),
        ...(spec.prefixes
          ? { pattern: `^(${spec.prefixes.map((p) => p.replaceAll("/", "\\/")).join("|")})` }
          : {}),
      };
    case "number":
      return {
        type: spec.integer ? "integer" : "number",
        description,
        ...(spec.oneOf ? { enum: [...spec.oneOf] } : { minimum: spec.min, maximum: spec.max }),
      };
    case "boolean":
      return { type: "boolean", description };
    case "array":
      return {
        type: "array",
        description,
        items: jsonSchemaOf(spec.items),
        minItems: spec.minItems ?? 0,
        maxItems: spec.maxItems,
      };
    case "object": {
      const properties: Record<string, unknown> = {};
      for (const name of Object.keys(spec.fields)) properties[name] = jsonSchemaOf(spec.fields[name]!);
      return {
        type: "object",
        description,
        properties,
        required: [...spec.required],
        additionalProperties: false,
      };
    }
  }
}
