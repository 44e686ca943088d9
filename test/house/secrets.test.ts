/**
 * No secret appears where it should not: known ones are planted, the module is used, and everything that it gives away
 * is searched. Each test also shows that its secret was really in use, so that an empty search proves nothing by chance.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PasswordFile } from "../../host-sim/net/passwords.js";
import { enrolmentCsv, provision } from "../../host-sim/provision/batch.js";
import { FileFlash } from "../../host-sim/runtime/file-flash.js";
import { nodeEngine } from "../../host-sim/runtime/node-engine.js";
import { keepSetup, ownerSecret } from "../../host-sim/runtime/setup-files.js";
import { VirtualBench } from "../../host-sim/virtual/virtual-bench.js";
import type { Input, Output } from "../../src/runtime.js";
import { readConfig, type UcmConfig } from "../../src/setup/config.js";
import { ask, ocppBench, online } from "../support/ocpp-bench.js";
import { repoRoot } from "../support/process.js";

const OWNER = "7KQ2-M9XV-4T8B-D3NH-P";
const TYPED_WRONG = "planted-wrong-guess-1";
const PHRASE = "planted-wifi-phrase-2";
const UPSTREAM = "planted-upstream-secret-3";
const AUTHORIZATION = "0123456789abcdef0123456789abcdef";
/** What the virtual bench gives its module for OpenADR 3.1. */
const OAUTH = "of the virtual bench alone";

const folder = mkdtempSync(join(tmpdir(), "openucm-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The forms in which a secret can stand in a text: as it is, as a form writes it, as base 64, as hex. */
function standsIn(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret);
  const forms = [secret, secret.replaceAll("-", ""), secret.replaceAll(" ", "+"), encodeURIComponent(secret)];
  return [...forms, bytes.toString("base64").replace(/=*$/, ""), bytes.toString("hex")].some((form) =>
    text.includes(form),
  );
}

const flashText = (flash: FileFlash): string =>
  [...flash.pieces()].map(({ bytes }) => Buffer.from(bytes).toString("latin1")).join("");

async function journalOf(bench: VirtualBench): Promise<string> {
  let text = "";
  for (const what of ["security", "events", "sessions", "energy"] as const)
    text += JSON.stringify(await bench.ask({ k: "journal", what, role: "owner", format: "json" }, "journal"));
  return text;
}

/** What no tracked file may hold (POSIX extended), and something of each kind, put together here so that it is not found. */
const FORBIDDEN: readonly (readonly [pattern: string, example: string])[] = [
  ["^(MIG|MHc|MII)[A-Za-z0-9+/]{50,}={0,2}$", `MIG${"A".repeat(61)}`],
  // A header alone is a program's; with a key after it, or a line end, it is not.
  ["BEGIN [A-Z ]*PRIVATE KEY-----$", ["-----BEGIN EC", "PRIVATE", "KEY-----"].join(" ")],
  [
    "BEGIN [A-Z ]*PRIVATE KEY-----[^A-Za-z]*n?[A-Za-z0-9+/]{20}",
    `-----BEGIN ${"PRIVATE"} KEY-----\\nMIGHAgEAMBMGByqGSM49Ag`,
  ],
  ["(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[0-9]{8})", `ghp${"_"}${"a".repeat(36)}`],
  [
    "(sk-[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|AIza[0-9A-Za-z_-]{35}|glpat-[0-9A-Za-z_-]{20})",
    `npm${"_"}${"a".repeat(36)}`,
  ],
  ["eyJ[A-Za-z0-9_-]{15,}[.][A-Za-z0-9_-]{10,}", `eyJ${"a".repeat(20)}${"."}${"b".repeat(20)}`],
  ["[Bb]earer [A-Za-z0-9._~+/-]{24,}", `Bearer${" "}${"a".repeat(30)}`],
  // Folders of somebody's machine.
  ["(^|[^A-Za-z0-9.])([/]root/|[/]Users/[A-Za-z]+/|[A-Z]:.{1,2}Users.)", `see ${"/root"}/x`],
];

describe("the repository", () => {
  const search = (pattern: string): string =>
    spawnSync("git", ["grep", "-IlE", "-e", pattern], { cwd: repoRoot, encoding: "utf8" }).stdout;

  it("is searched: this file is found by what it says of itself", () => {
    expect(search("No secret appears where it should not")).toContain("test/house/secrets.test.ts");
  });

  it.each(FORBIDDEN)("holds no private key, token or folder of a machine: %s", (pattern, example) => {
    // The pattern does find what it is for.
    expect(spawnSync("grep", ["-qE", "-e", pattern], { input: example }).status).toBe(0);
    expect(search(pattern)).toBe("");
  });
});

describe("the module", () => {
  it("keeps passwords that are typed, right and wrong, out of pages, events, state, store and journal", async () => {
    const config = readConfig({
      upstreams: [{ id: "utility", protocol: "openadr2b", url: "https://vtn.example/", venName: "m" }],
    }) as UcmConfig;
    const engine = nodeEngine();
    const seen: Output[] = [];
    let nowMs = 0;
    const step = async (input: Input): Promise<readonly Output[]> => {
      const { out } = await engine.step({ nowMs: (nowMs += 5000), utcMs: 1_780_315_200_000, in: [input] });
      seen.push(...out);
      return out;
    };
    const ask = async (target: string, body: string, cookie = "") => {
      const request = { id: nowMs, method: body === "" ? "GET" : "POST", target, body, cookie };
      const more = { host: "192.168.4.1", origin: "", site: "" };
      const out = await step({ k: "web", request: { ...request, ...more } });
      return out.flatMap((one) => (one.k === "web" ? [one.response] : []))[0]!;
    };
    const web = { ownerSecret: OWNER, fresh: true, settable: true };
    const network = { builtUtcMs: 1_780_000_000_000 };
    const boot = { config, store: {}, seed: [1, 2, 3, 4], web, network };
    const { sectors } = FileFlash.blank();
    await step({ k: "boot", ...boot, flashSectors: sectors });
    expect((await ask("/login", `secret=${TYPED_WRONG}`)).status).not.toBe(303);
    const login = await ask("/login", `secret=${OWNER}`);
    const cookie = login.headers.find(([name]) => name === "set-cookie")![1].split(";")[0]!;
    const page = await ask("/setup", "", cookie);
    const form = /name="form" value="(\w+)"/.exec(page.body)![1]!;
    const fields = `form=${form}&ssid=home&passphrase=${PHRASE}&secret=${UPSTREAM}&protocol=openadr3&name=m&id=utility&region=us&zone=MST7`;
    // Refused, and shown again with what was typed; then taken.
    expect((await ask("/setup", `${fields}&url=nonsense`, cookie)).body).toContain('value="nonsense"');
    await ask("/setup", `${fields}&url=${encodeURIComponent("https://vtn3.example/")}`, cookie);
    for (const path of ["/", "/history", "/settings", "/setup"]) await ask(path, "", cookie);
    await step({ k: "state" });
    for (const what of ["security", "events"] as const)
      await step({ k: "journal", what, role: "owner", format: "json" });
    engine.close();

    const handed = seen.filter(({ k }) => k === "configure");
    expect(standsIn(JSON.stringify(handed), PHRASE)).toBe(true);
    expect(standsIn(JSON.stringify(handed), UPSTREAM)).toBe(true);
    // Besides what the world is to keep, and the call that joins the network.
    const told = seen.filter(({ k }) => k !== "configure" && k !== "net");
    expect(told.map(({ k }) => k)).toEqual(expect.arrayContaining(["web", "state", "journal", "flash"]));
    for (const secret of [OWNER, TYPED_WRONG, PHRASE, UPSTREAM])
      expect(told.filter((one) => standsIn(JSON.stringify(one), secret))).toEqual([]);
  });

  it("keeps an OAuth2 client secret out of events, state, store, flash and journal", async () => {
    const flash = FileFlash.blank();
    const bench = new VirtualBench({ engine: nodeEngine(), protocol: "openadr3", flash });
    let used = 0;
    const { network } = bench;
    bench.network = (request, utcMs) => {
      if (standsIn(request.body ?? "", OAUTH)) used++;
      return network(request, utcMs);
    };
    await bench.until("registered", () => bench.last("upstream")?.state === "online", 60_000);
    expect(used).toBeGreaterThan(0);
    const { state } = await bench.ask({ k: "state" }, "state");
    const given = [
      JSON.stringify([bench.told, state, bench.store]),
      await journalOf(bench),
      flashText(flash),
    ];
    for (const text of given) expect(standsIn(text, OAUTH)).toBe(false);
  });

  it("keeps an AuthorizationKey out of events, state, flash, journal, and GetConfiguration", async () => {
    const flash = FileFlash.blank();
    const bench = ocppBench({ flash });
    await online(bench);
    const payload = { key: "AuthorizationKey", value: AUTHORIZATION };
    bench.csms.ask({ action: "ChangeConfiguration", payload });
    await bench.until("the new one is proven", () => bench.csms.closes.length > 0, 60_000);
    await bench.until("back", () => bench.csms.isConnected, 60_000);
    const list = await ask(bench, "GetConfiguration");
    expect(JSON.stringify(list)).toContain("AuthorizationKey");
    const { state } = await bench.ask({ k: "state" }, "state");
    const journal = await journalOf(bench);
    // That it was changed is in the log; what it is, is not.
    expect(journal).toContain("AuthorizationKey");
    const given = [JSON.stringify([bench.told, state, bench.store, list]), journal, flashText(flash)];
    for (const text of given) expect(standsIn(text, AUTHORIZATION)).toBe(false);
  });
});

describe("files on a computer", () => {
  /** Every file below a folder, with the rights that others than its owner have. */
  const openFiles = (dir: string): string[] =>
    readdirSync(dir, { recursive: true, encoding: "utf8" }).filter(
      (path) => (statSync(join(dir, path)).mode & 0o077) !== 0,
    );

  it("of a setup are private, and its configuration names secrets only by file", () => {
    const { path, secret } = ownerSecret(folder, undefined);
    expect(secret).toHaveLength(21);
    keepSetup(folder, {
      document: {
        upstreams: [{ id: "utility", protocol: "openadr3", url: "https://vtn.example/", venName: "m" }],
        region: "us",
        timeZone: "MST7",
      },
      wifi: { ssid: "", passphrase: "" },
      secret: UPSTREAM,
    });
    new PasswordFile(join(folder, "passwords.json")).keep("platform", AUTHORIZATION);
    expect(readFileSync(join(folder, "utility.secret"), "utf8")).toContain(UPSTREAM);
    const config = readFileSync(join(folder, "module.json"), "utf8");
    for (const one of [UPSTREAM, secret, AUTHORIZATION]) expect(standsIn(config, one)).toBe(false);
    expect(path).toContain(folder);
    expect(openFiles(folder)).toEqual([]);
  });

  it("of provisioned modules are private, and what a utility and an authority get holds no secret", async () => {
    const out = join(folder, "batch");
    const wish = { out, count: 2, prefix: "UCM", venName: "{serial}", ledger: join(out, "ledger.txt") };
    for await (const { serial, dir } of provision(wish)) {
      const secret = readFileSync(join(dir, "secret.txt"), "utf8").trim();
      const key = readFileSync(join(dir, "device.key"), "utf8").split("\n")[1]!;
      expect([secret.length, key.length, serial]).toEqual([21, 64, serial]);
      const given = [join(dir, "device.csr"), join(dir, "device.json"), wish.ledger].map((path) =>
        readFileSync(path, "utf8"),
      );
      for (const text of [...given, enrolmentCsv(out)])
        for (const one of [secret, key]) expect(standsIn(text, one)).toBe(false);
    }
    expect(openFiles(out)).toEqual([]);
  });
});
