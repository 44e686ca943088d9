// What a module keeps of its setup on this computer: changed again and again it still starts, and a reset leaves nothing.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "../../host-sim/cli/config-file.js";
import { PasswordFile } from "../../host-sim/net/passwords.js";
import { forgetSetup, keepSetup, keptConfig, ownerSecret } from "../../host-sim/runtime/setup-files.js";
import { readSetup, type Setup } from "../../src/setup/setup-form.js";

let dir = "";
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "openucm-setup-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function setup(fields: Readonly<Record<string, string>>): Setup {
  const base = {
    id: "utility",
    protocol: "openadr3",
    url: "https://vtn.example/",
    region: "us",
    zone: "UTC0",
  };
  const read = readSetup(new Map(Object.entries({ ...base, ...fields })), false);
  if (typeof read === "string") throw new Error(read);
  return read;
}

it("a name that is changed without the secret keeps the client of that secret, and the module starts", () => {
  keepSetup(dir, setup({ name: "client-7", secret: "of client-7" }));
  keepSetup(dir, setup({ name: "garage" }));
  const { config } = loadConfig(keptConfig(dir)!);
  expect(config.upstreams[0]).toMatchObject({
    clientId: "client-7",
    clientSecret: "of client-7",
    venName: "garage",
  });
});

it("what could not be read at the next start is refused, and the present setup stays", () => {
  keepSetup(dir, setup({ name: "client-7", secret: "of client-7" }));
  const before = readFileSync(keptConfig(dir)!, "utf8");
  const broken = setup({ name: "garage" });
  const document = { ...broken.document, upstreams: [{ ...broken.document.upstreams[0], url: "nowhere" }] };
  expect(() => keepSetup(dir, { ...broken, document, secret: "other" })).toThrow(/does not fit/);
  expect(readFileSync(keptConfig(dir)!, "utf8")).toBe(before);
  expect(readFileSync(join(dir, "utility.secret"), "utf8")).toBe("of client-7\n");
});

it("a password that one platform has set is not sent to another, nor before one that was typed", () => {
  const kept = (): string | undefined =>
    new PasswordFile(join(dir, "passwords.json")).over(new Map()).get("utility")?.password;
  const platform = { protocol: "ocpp16", name: "cp1" };
  keepSetup(dir, setup({ ...platform, url: "wss://a.example/", secret: "first-password" }));
  new PasswordFile(join(dir, "passwords.json")).keep("utility", "set by a.example");
  keepSetup(dir, setup({ ...platform, url: "wss://a.example/" }));
  expect(kept()).toBe("set by a.example");
  keepSetup(dir, setup({ ...platform, url: "wss://b.example/" }));
  expect(kept()).toBeUndefined();
  new PasswordFile(join(dir, "passwords.json")).keep("utility", "set by b.example");
  keepSetup(dir, setup({ ...platform, url: "wss://b.example/", secret: "typed-anew" }));
  expect(kept()).toBeUndefined();
});

it("a factory reset leaves the label's secret, wherever it lies, and nothing of the owner's", () => {
  const own = join(dir, "mine.secret");
  writeFileSync(own, "7KQ2-M9XV-4T8B-D3NH\n");
  ownerSecret(dir, undefined);
  keepSetup(dir, setup({ name: "client-7", secret: "of client-7" }));
  new PasswordFile(join(dir, "passwords.json")).keep("utility", "x");
  forgetSetup(dir, own);
  expect(keptConfig(dir)).toBeUndefined();
  expect(readdirSync(dir).sort()).toEqual(["mine.secret", "owner-secret.txt"]);
  expect(existsSync(own)).toBe(true);
});
