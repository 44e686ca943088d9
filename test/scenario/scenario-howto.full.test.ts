/** Every openucm command in the how-to pages, README of the dissectors included, uses subcommands and options that exist. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cliPath } from "../support/process.js";

const folder = new URL("../../docs/how-to/", import.meta.url);
const commands = readdirSync(folder).flatMap((page) =>
  [...readFileSync(new URL(page, folder), "utf8").matchAll(/npx openucm ([^`\n#]+)/g)].map(
    (match) => [page, match[1]!.trim()] as const,
  ),
);

describe("docs/how-to", () => {
  const help = new Map<string, string>();
  const helpOf = (words: readonly string[]): string => {
    const key = words.join(" ");
    if (!help.has(key)) {
      const run = spawnSync(process.execPath, [cliPath, ...words, "--help"], { encoding: "utf8" });
      help.set(key, run.status === 0 ? run.stdout : "");
    }
    return help.get(key)!;
  };

  it("has commands", () => {
    expect(commands.length).toBeGreaterThan(15);
  });

  it.each(commands)("%s: openucm %s", (_, command) => {
    const [name, second] = command.split(/\s+/) as [string, string];
    // An option belongs to the command's own command where it has such.
    const words = helpOf([name]).includes("[command]") ? [name, second] : [name];
    const text = helpOf(words);
    expect(text).toContain(`Usage: openucm ${words.join(" ")}`);
    for (const [option] of command.matchAll(/--[a-z0-9-]+/g)) expect(text, option).toContain(option);
  });
});
