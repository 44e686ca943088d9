/** Scenario files on Node: those that come with the bench, by name, and the user's, by path. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { whyNot } from "../runtime/why-not.js";
import type { Scenario } from "./model.js";
import { readScenario } from "./read.js";

const folder = new URL("./shipped/", import.meta.url);

/** Names of the scenarios that come with the bench. */
export function shippedNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
}

/** The text of one that comes with the bench: written to be read. */
export function shippedText(name: string): string {
  return readFileSync(new URL(`${name}.yaml`, folder), "utf8");
}

/** A scenario, or sentences that name file, line, column and what is wrong. */
export function loadScenario(nameOrPath: string): Scenario | readonly string[] {
  const isShipped = shippedNames().includes(nameOrPath);
  const path = isShipped ? fileURLToPath(new URL(`${nameOrPath}.yaml`, folder)) : nameOrPath;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "neither a shipped scenario nor a file" : whyNot(error);
    return [`${nameOrPath}: ${why}; \`openucm scenario list\` names those that come with the bench`];
  }
  return scenarioOf(text, path);
}

/** The same of a text; `path` names it, and what it refers to is looked for beside it. */
export function scenarioOf(text: string, path: string): Scenario | readonly string[] {
  const scenario = readScenario(text, path);
  if ("steps" in scenario) return scenario;
  return scenario.map((one) => `${path}:${one.line}:${one.column}: ${one.text}`);
}
