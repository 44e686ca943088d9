import { parseDateTime } from "../base/iso8601.js";
import { type CallErrorCode, isObject, type Json } from "./frames.js";

/** What is wrong with a payload: the first violation found. */
export interface Violation {
  readonly code: CallErrorCode;
  readonly text: string;
}

/** Collects the first violation of a payload and its parts. */
interface Sink {
  violation: Violation | undefined;
}

/**
 * Reads the fields of a payload as the JSON schemas of OCPP 1.6 have them. Unknown fields are passed over: the
 * schemas forbid to send them, and refusing them would cut off platforms that do. A wrong field gives undefined and
 * is noted in `violation`; the caller looks there once, at the end.
 */
export class Reader {
  constructor(
    private readonly from: Json,
    private readonly path = "",
    private readonly sink: Sink = { violation: undefined },
  ) {}

  get violation(): Violation | undefined {
    return this.sink.violation;
  }

  text(name: string, max: number, required = true): string | undefined {
    const value = this.take(name, required);
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.wrong("TypeConstraintViolation", name, "must be a text");
    // Counted as the schemas do, in characters; the device counts UTF-16 units, so leave room for pairs.
    if (value.length > max && [...value].length > max) {
      return this.wrong("PropertyConstraintViolation", name, `is longer than ${String(max)}`);
    }
    return value;
  }

  choice<T extends string>(name: string, of: readonly T[], required = true): T | undefined {
    const value = this.text(name, 100, required);
    if (value === undefined) return undefined;
    if ((of as readonly string[]).includes(value)) return value as T;
    return this.wrong("PropertyConstraintViolation", name, "is none of the known values");
  }

  integer(name: string, required = true): number | undefined {
    const value = this.number(name, required);
    if (value === undefined || Number.isInteger(value)) return value;
    return this.wrong("TypeConstraintViolation", name, "must be a whole number");
  }

  number(name: string, required = true): number | undefined {
    const value = this.take(name, required);
    if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
    return this.wrong("TypeConstraintViolation", name, "must be a number");
  }

  /** UTC ms. */
  date(name: string, required = true): number | undefined {
    const value = this.text(name, 48, required);
    if (value === undefined) return undefined;
    return parseDateTime(value) ?? this.wrong("PropertyConstraintViolation", name, "must be a date and time");
  }

  object(name: string, required = true): Reader | undefined {
    const value = this.take(name, required);
    if (value === undefined) return undefined;
    if (isObject(value)) return new Reader(value, `${this.path}${name}.`, this.sink);
    return this.wrong("TypeConstraintViolation", name, "must be an object");
  }

  /** Every member of a list, which must be objects; undefined where there is none. */
  list(name: string, required = true): readonly Reader[] | undefined {
    const value = this.take(name, required);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.wrong("TypeConstraintViolation", name, "must be a list");
    const members: Reader[] = [];
    for (const member of value as unknown[]) {
      if (!isObject(member)) return this.wrong("TypeConstraintViolation", name, "must hold objects");
      members.push(new Reader(member, `${this.path}${name}.`, this.sink));
    }
    return members;
  }

  texts(name: string, max: number): readonly string[] | undefined {
    const value = this.take(name, false);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.wrong("TypeConstraintViolation", name, "must be a list");
    for (const member of value as unknown[]) {
      if (typeof member !== "string") return this.wrong("TypeConstraintViolation", name, "must hold texts");
      if (member.length > max) {
        return this.wrong("PropertyConstraintViolation", name, `holds one longer than ${String(max)}`);
      }
    }
    return value as string[];
  }

  private take(name: string, required: boolean): unknown {
    if (Object.hasOwn(this.from, name)) return this.from[name];
    if (required) this.wrong("OccurenceConstraintViolation", name, "is missing");
    return undefined;
  }

  private wrong(code: CallErrorCode, name: string, what: string): undefined {
    this.sink.violation ??= { code, text: `${this.path}${name} ${what}` };
    return undefined;
  }
}
