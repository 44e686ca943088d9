/**
 * The OpenAPI document of OpenADR 3.1.0 as a judge of exchanges. It is not part of this project: the environment
 * variable OPENUCM_OPENADR3_SPEC names the folder that holds `openadr3.yaml` and the enumerations beside it.
 *
 * Known defects of the document, and what is done about them here:
 * - `ven` and `resource`: `objectType` has two enumerations that exclude each other (that of objectMetadata and that of
 *   the business-logic request), so no object is valid. The one of the request is left out of answers.
 * - `notification`: the discriminator names `objectType` inside `object` without mapping, and the bodies overlap; it
 *   is not judged. No message of a polling VEN contains one.
 * - OpenAPI 3.0 writes `exclusiveMaximum: true`; JSON Schema wants the number.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { parse } from "yaml";
import { describe } from "vitest";

type Tree = { [key: string]: unknown };

const variable = "OPENUCM_OPENADR3_SPEC";
const folder = process.env[variable];

/** A suite that needs the document; skipped by name where it is not there. */
export function describeWithSpec(name: string, suite: () => void): void {
  if (folder !== undefined && existsSync(join(folder, "openadr3.yaml"))) {
    describe(name, suite);
    return;
  }
  const reason = `${name}: needs the OpenADR 3.1.0 YAML; set ${variable} to its folder`;
  console.warn(`skipped: ${reason}`);
  describe.skip(reason, suite);
}

/** A YAML file of the specification. */
export function specFile(name: string): Tree {
  return parse(readFileSync(join(folder!, name), "utf8")) as Tree;
}

/** JSON Schema of OpenAPI's dialect, in place; `repair` also mends the known defects. */
function convert(node: unknown): void {
  if (typeof node !== "object" || node === null) return;
  const tree = node as Tree;
  if (tree["exclusiveMaximum"] === true) {
    tree["exclusiveMaximum"] = tree["maximum"];
    delete tree["maximum"];
  }
  delete tree["discriminator"];
  for (const child of Object.values(tree)) convert(child);
}

export interface Judged {
  readonly method: string;
  /** Below the base URL, with the query. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
  readonly status: number;
  readonly answer: string;
}

export class Spec {
  readonly #document: Tree;
  readonly #ajv: Ajv;
  /** Operations that were judged, `GET /events 200`. */
  readonly seen = new Set<string>();

  constructor(repaired = true) {
    this.#document = specFile("openadr3.yaml");
    convert(this.#document);
    const schemas = (this.#document["components"] as Tree)["schemas"] as Tree;
    if (repaired) {
      for (const [name, request] of [
        ["ven", "BlVenRequest"],
        ["resource", "BlResourceRequest"],
      ] as const) {
        const copy = structuredClone(schemas[request]) as Tree;
        copy["required"] = (copy["required"] as string[]).filter((one) => one !== "objectType");
        delete (copy["properties"] as Tree)["objectType"];
        (schemas[name] as Tree)["allOf"] = [{ $ref: "#/components/schemas/objectMetadata" }, copy];
      }
    }
    this.#ajv = new Ajv({ strict: false, allErrors: true });
    formats.default(this.#ajv);
    this.#ajv.addSchema({ ...this.#document, $id: "openadr3" }, "openadr3");
  }

  /** Everything in which an exchange differs from the document. */
  judge(exchange: Judged): string[] {
    const [path = "", query = ""] = exchange.path.split("?");
    const paths = this.#document["paths"] as Record<string, Tree>;
    const template = Object.keys(paths).find((one) =>
      new RegExp(`^${one.replace(/\{\w+\}/g, "[^/]+")}$`).test(path),
    );
    if (template === undefined) return [`there is no path ${path}`];
    const operation = paths[template]![exchange.method.toLowerCase()] as Tree | undefined;
    if (operation === undefined) return [`${template} has no ${exchange.method}`];
    this.seen.add(`${exchange.method} ${template} ${exchange.status}`);
    return [
      ...this.#query(operation, query),
      ...this.#request(operation, exchange),
      ...this.#answer(operation, exchange),
    ].map((fault) => `${exchange.method} ${exchange.path} ${exchange.status}: ${fault}`);
  }

  /** Faults of a value by a schema, given by its pointer or itself. */
  validate(schema: Tree | string, value: unknown): string[] {
    const wanted = typeof schema === "string" ? { $ref: `openadr3${schema}` } : absolute(schema);
    const valid = this.#ajv.validate(wanted, value);
    return valid ? [] : (this.#ajv.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ""}`);
  }

  #query(operation: Tree, query: string): string[] {
    const known = (operation["parameters"] ?? []) as { name: string; in: string; schema: Tree }[];
    const given = new URLSearchParams(query);
    return [...new Set(given.keys())].flatMap((name) => {
      const parameter = known.find((one) => one.in === "query" && one.name === name);
      if (parameter === undefined) return [`there is no parameter ${name}`];
      const { type } = parameter.schema;
      const values = given.getAll(name);
      const text = values[0]!;
      const value =
        type === "array"
          ? values
          : type === "integer"
            ? Number(text)
            : type === "boolean"
              ? text === "true"
              : text;
      return this.validate(parameter.schema, value).map((fault) => `parameter ${name}${fault}`);
    });
  }

  #request(operation: Tree, { body, contentType }: Judged): string[] {
    const content = ((operation["requestBody"] as Tree | undefined)?.["content"] ?? {}) as Record<
      string,
      Tree
    >;
    const types = Object.keys(content);
    if (types.length === 0) return body === undefined ? [] : ["no body is wanted"];
    if (body === undefined || contentType === undefined) return ["a body is wanted"];
    const found = content[contentType];
    if (found === undefined) return [`content type ${contentType}, not ${types.join()}`];
    const value: unknown = contentType.includes("json")
      ? JSON.parse(body)
      : Object.fromEntries(new URLSearchParams(body));
    return this.validate(found["schema"] as Tree, value).map((fault) => `request ${fault}`);
  }

  #answer(operation: Tree, { status, answer }: Judged): string[] {
    const responses = operation["responses"] as Record<string, Tree>;
    let response = responses[String(status)];
    if (response === undefined) return [`status ${status} is not foreseen`];
    if (typeof response["$ref"] === "string") {
      const name = response["$ref"].split("/").at(-1)!;
      response = ((this.#document["components"] as Tree)["responses"] as Record<string, Tree>)[name]!;
    }
    const json = (response["content"] as Record<string, Tree> | undefined)?.["application/json"];
    if (json === undefined) return [];
    return this.validate(json["schema"] as Tree, JSON.parse(answer)).map((fault) => `answer ${fault}`);
  }
}

/** References of a part of the document, so that they are found from outside of it. */
function absolute(schema: Tree): Tree {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openadr3#/')) as Tree;
}
