// docs/security.md says which test shows what: each of them is there.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

it("names only tests and documents that exist", () => {
  const text = readFileSync(`${root}docs/security.md`, "utf8");
  const tests = [...text.matchAll(/`(test\/[\w./-]+\.ts)`/g)].map((match) => match[1]!);
  expect(tests.length).toBeGreaterThan(10);
  expect(tests.filter((path) => !existsSync(`${root}${path}`))).toEqual([]);
  const documents = [...text.matchAll(/\]\(([\w./-]+\.md)\)/g)].map((match) => match[1]!);
  expect(documents.filter((path) => !existsSync(`${root}docs/${path}`))).toEqual([]);
});
