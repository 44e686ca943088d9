/**
 * The objects of OpenADR 3.1 as the VTN keeps and sends them (openadr3.yaml, version 3.1.0), and the problem
 * that every refusal is told as.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export type ObjectType = "PROGRAM" | "EVENT" | "REPORT" | "SUBSCRIPTION" | "VEN" | "RESOURCE";
export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** Any stored object: the metadata that the VTN adds, and what the client said. */
export interface Stored {
  readonly id: string;
  readonly objectType: ObjectType;
  readonly createdDateTime: string;
  readonly modificationDateTime: string;
  readonly [key: string]: Json | undefined;
}

/** The collections and the type of what is in them. */
export const COLLECTIONS = {
  programs: "PROGRAM",
  events: "EVENT",
  reports: "REPORT",
  subscriptions: "SUBSCRIPTION",
  vens: "VEN",
  resources: "RESOURCE",
} as const satisfies Record<string, ObjectType>;

export type Collection = keyof typeof COLLECTIONS;

/** A refusal with its HTTP status; a value, never thrown out of this folder. */
export class Problem {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {}

  toJson(): JsonObject {
    return {
      type: "about:blank",
      title: TITLES[this.status] ?? "Error",
      status: this.status,
      detail: this.detail,
    };
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  500: "Internal Server Error",
  501: "Not Implemented",
};

/** Strings of a list, of anything. */
export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((v): v is string => typeof v === "string") : [];
}
