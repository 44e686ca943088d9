/**
 * No secret leaves the programs: each is run as a user runs it, with secrets that are known here, and everything that it
 * says, writes, records and serves is searched, byte by byte. Files that may hold one are named, with their modes.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { cliPath, CliProcess } from "../support/process.js";
import { qemuMissing } from "../../host-sim/runtime/qemu.js";
import { startVtn } from "../../host-sim/vtn/server.js";
import { describeWith } from "../support/needs.js";
import { filesWithSecrets, type Secret, secretKey, secretsIn, secretText } from "../support/secret-search.js";

const folder = mkdtempSync(join(tmpdir(), "openucm-leaks-"));
const at = (...names: string[]): string => join(folder, ...names);
const secrets: Secret[] = [];
/** What the programs gave to somebody, by who and how. */
const given = new Map<string, Buffer[]>();
const give = (name: string, ...bytes: (string | Buffer)[]): void => {
  given.set(name, [...(given.get(name) ?? []), ...bytes.map((one) => Buffer.from(one as string))]);
};
const running: CliProcess[] = [];

const AUTHORIZATION = "planted-AuthorizationKey-7f3a";
const PASSPHRASE = "planted wifi/phrase+2";
const TYPED_WRONG = "PLANTED-WRONG-GUESS-1";
const KEY_PASSPHRASE = "planted-key-passphrase-5";

function plant(name: string, text: string): string {
  secrets.push(secretText(name, text));
  return text;
}
const read = (...names: string[]): string => readFileSync(at(...names), "utf8").trim();
/** Private keys as they stand in a folder. */
function plantKeys(dir: string, passphrase?: string): void {
  for (const path of readdirSync(at(dir), { recursive: true, encoding: "utf8" })) {
    if (!/\.(key|pem)$/.test(path)) continue;
    const text = read(dir, path);
    if (text.includes("PRIVATE KEY")) secrets.push(secretKey(`${dir}/${path}`, text, passphrase));
  }
}

function start(...args: string[]): CliProcess {
  const one = new CliProcess(args);
  const name = `openucm ${args[0]!}`;
  one.child.stdout!.on("data", (bytes: Buffer) => give(name, bytes));
  one.child.stderr!.on("data", (bytes: Buffer) => give(name, bytes));
  running.push(one);
  return one;
}

/** Runs a command to its end; its exit code. What it says is searched. */
function openucm(...args: string[]): number | null {
  const done = spawnSync(process.execPath, [cliPath, ...args], { encoding: "buffer", timeout: 240_000 });
  give(`openucm ${args.slice(0, 2).join(" ")}`, done.stdout, done.stderr);
  return done.status;
}

async function ask(name: string, url: string | URL, init: RequestInit = {}): Promise<[Response, string]> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const text = await response.text();
  const headers = [...response.headers].filter(([header]) => header !== "set-cookie");
  give(name, JSON.stringify(headers), text);
  return [response, text];
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const isOnline = (id: string) => (line: Record<string, unknown>) =>
  line["event"] === "upstream" && line["state"] === "online" && line["id"] === id;
const eventIs = (name: string) => (line: Record<string, unknown>) => line["event"] === name;

async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.stop()));
}

/** No file but these may hold a secret. */
const PRIVATE = [
  /^(vtn|mqtt|bench\/bench)\/openadr3-(clients\.json|module\.secret)$/,
  /^(vtn|csms|fleet|mqtt|bench\/bench)\/pki\/[\w.-]+\.key$/,
  /^csms\/[\w.-]*password[\w.-]*$/,
  /^(new|bench)\/([\w-]+\/)?owner-secret\.txt$/,
  /^new\/\w+\.secret$/,
  /^(broken|three[\w-]*)\/passwords\.json$/,
  /^batch\/[\w-]+\/(secret\.txt|label\.(svg|nvs\.csv|nvs\.bin)|device\.key)$/,
  /^est\.csv$/,
  /^planted\//,
];

afterAll(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

describe("the search", () => {
  it("finds a secret in each form, and wherever it begins", () => {
    const text = plant("search", "a search's own/secret+7?");
    const bytes = Buffer.from(text);
    for (const before of ["", "u", "us", "user:"]) {
      const coded = Buffer.from(`${before}${text} and more`).toString("base64");
      for (const form of [
        coded,
        coded.replaceAll("+", "-").replaceAll("/", "_"),
        coded.replace(/(.{7})/g, "$1\r\n"),
      ])
        expect(secretsIn(`before ${form} after`, secrets)).toEqual(["search"]);
    }
    const forms = [
      encodeURIComponent(text),
      text.replaceAll(" ", "+"),
      bytes.toString("hex"),
      JSON.stringify(text),
    ];
    for (const form of [...forms, text]) expect(secretsIn(`<${form}>`, secrets), form).toEqual(["search"]);
    expect(secretsIn(Buffer.concat([Buffer.from([0, 255]), bytes, Buffer.from([254])]), secrets)).toEqual([
      "search",
    ]);
    expect(secretsIn("a search's own secret", secrets)).toEqual([]);
    secrets.length = 0;
  });
});

describe("openucm", { timeout: 400_000 }, () => {
  let vtn: Record<string, unknown>;
  let csms: Record<string, unknown>;
  let utility: CliProcess;
  const url3 = (): string => (vtn["urls"] as Record<string, string>)["openadr3"]!;

  beforeAll(async () => {
    mkdirSync(at("planted"), { mode: 0o700 });
    plant("wrong guess", TYPED_WRONG);
    plant("Wi-Fi passphrase", PASSPHRASE);
    plant("AuthorizationKey", AUTHORIZATION);
    plant("passphrase of release keys", KEY_PASSPHRASE);
    utility = start("vtn", "--json", "--data", at("vtn"), "--poll-seconds", "1");
    const platform = start("csms", "--json", "--data", at("csms"));
    vtn = await utility.line("listening", eventIs("listening"));
    csms = await platform.line("listening", eventIs("listening"));
    const clients = JSON.parse(read("vtn", "openadr3-clients.json")) as Record<
      string,
      { clientSecret: string }
    >;
    for (const [name, { clientSecret }] of Object.entries(clients)) plant(`OAuth2 of ${name}`, clientSecret);
    plant("first password of the platform", readFileSync(String(csms["passwordFile"]), "utf8").trim());
    plantKeys("vtn");
    plantKeys("csms");
  }, 600_000);

  it("ucm: a module that its page sets up, with captures and pages", async () => {
    const charger = start(
      "sgd",
      "--serial",
      "pty",
      "--json",
      "--control",
      "0",
      "--capture",
      at("sgd.pcapng"),
    );
    const { path } = await charger.line("serial", eventIs("serial"));
    const control = await charger.line("control", eventIs("control"));
    const tap = start(
      "capture",
      "--between",
      "pty",
      String(path),
      ...["--out", at("x.pcapng"), "--vcd", at("x.vcd"), "--json"],
    );
    const side = await tap.line("serial", eventIs("serial"));
    const ucm = start(
      "ucm",
      "--serial",
      String(side["path"]),
      "--setup-port",
      "0",
      ...["--json", "--data", at("new"), "--capture", at("ucm.pcapng")],
    );
    const base = new URL(String((await ucm.line("setup", eventIs("setup")))["url"]));
    const owner = plant("owner's secret", read("new", "owner-secret.txt"));
    const page = (target: string, body?: string, cookie = ""): Promise<[Response, string]> =>
      ask("owner's page", new URL(target, base), {
        method: body === undefined ? "GET" : "POST",
        ...(body === undefined ? {} : { body }),
        headers: {
          ...(body === undefined
            ? {}
            : { "content-type": "application/x-www-form-urlencoded", origin: base.origin }),
          ...(cookie === "" ? {} : { cookie }),
        },
      });
    expect((await page("/login", `secret=${TYPED_WRONG}`))[0].status).not.toBe(303);
    await page(`/login?secret=${TYPED_WRONG}`);
    await pause(1500);
    const login = (await page("/login", `secret=${owner}`))[0];
    expect(login.status).toBe(303);
    const cookie = login.headers.get("set-cookie")!.split(";")[0]!;
    plant("session of the owner", cookie.slice(cookie.indexOf("=") + 1));
    const form = /name="form" value="(\w+)"/.exec((await page("/setup", undefined, cookie))[1])![1]!;
    const clients = JSON.parse(read("vtn", "openadr3-clients.json")) as {
      module: { clientId: string; clientSecret: string };
    };
    const fields = (url: string): string =>
      new URLSearchParams({
        ...{ form, ssid: "home", passphrase: PASSPHRASE, secret: clients.module.clientSecret, url },
        ...{ protocol: "openadr3", name: clients.module.clientId, id: "grid", region: "us", zone: "MST7" },
      }).toString();
    expect((await page("/setup", fields("nonsense"), cookie))[1]).toContain('value="nonsense"');
    expect((await page("/setup", fields(url3()), cookie))[1]).toContain("Saved");
    // The authority of the bench is not known to this computer: the secret is kept and tried, and refused.
    await ucm.line("a try", (line) => line["event"] === "upstream" && line["id"] === "grid", 200_000);
    await pause(3000);
    for (const one of ["/", "/history", "/settings", "/setup", "/nowhere"])
      await page(one, undefined, cookie);
    await ask("control", `${String(control["url"])}/state`);
    await ucm.stop();
    await charger.stop();
    await tap.stop();
    for (const what of ["security", "events", "sessions", "energy"])
      expect(openucm("journal", "--what", what, "--data", at("new"), "--format", "json")).toBe(0);
    // It was really there: kept for the next start.
    expect(read("new", "grid.secret")).toBe(clients.module.clientSecret);
    for (const name of ["x.pcapng", "x.vcd", "ucm.pcapng", "sgd.pcapng"])
      expect(readFileSync(at(name)).length, name).toBeGreaterThan(500);
  });

  const threeUtilities = async (json: readonly string[]): Promise<void> => {
    const charger = start("sgd", "--serial", "pty", "--json");
    const { path } = await charger.line("serial", eventIs("serial"));
    const engine = json.at(-1) ?? "words";
    const point = `CP-${engine.replace("--", "")}`;
    const data = json.length > 1 ? `three-${engine}` : "three";
    const urls = vtn["urls"] as Record<string, string>;
    const common = { ca: vtn["ca"] };
    const platform = {
      id: "platform",
      protocol: "ocpp16",
      url: csms["url"],
      chargePointId: point,
      ca: csms["ca"],
    };
    writeFileSync(
      at("three.json"),
      JSON.stringify({
        upstreams: [
          {
            ...common,
            id: "two",
            protocol: "openadr2b",
            url: urls["openadr2b"],
            venName: "m",
            cert: vtn["clientCert"],
            key: vtn["clientKey"],
          },
          {
            ...common,
            id: "drei",
            protocol: "openadr3",
            url: url3(),
            venName: "m",
            clientId: vtn["clientId"],
            clientSecretFile: vtn["clientSecretFile"],
          },
          { ...platform, passwordFile: csms["passwordFile"] },
        ],
      }),
    );
    const ucm = start(
      "ucm",
      "--serial",
      String(path),
      "--config",
      at("three.json"),
      "--data",
      at(data),
      ...json,
    );
    const api = String(csms["api"]);
    if (json.length > 0)
      for (const id of ["two", "drei", "platform"]) await ucm.line(id, isOnline(id), 200_000);
    for (let i = 0; i < 600 && !(await ask("csms", `${api}/points`))[1].includes(point); i++)
      await pause(100);
    const call = (action: string, payload: object): Promise<[Response, string]> =>
      ask("csms", `${api}/call`, { method: "POST", body: JSON.stringify({ action, payload }) });
    if (json.length > 0) {
      const answer = await call("ChangeConfiguration", { key: "AuthorizationKey", value: AUTHORIZATION });
      expect(answer[1]).toContain("Accepted");
      await pause(4000);
    }
    await call("GetConfiguration", {});
    await ask("vtn", `${String(vtn["api"])}/vens`);
    await ask("vtn", `${String(vtn["api"])}/reports`);
    await ucm.stop();
    await charger.stop();
    // The chip's memory has no room for a flash beside it: no journal there.
    if (json.length !== 1) return;
    for (const what of ["security", "events"])
      expect(openucm("journal", "--what", what, "--data", at(data))).toBe(0);
  };
  it.each([[["--json"]], [[]], [["--json", "--runtime", "xs"]]])(
    "ucm: three utilities at once, and a password that the platform sets (%s)",
    threeUtilities,
  );
  describeWith(qemuMissing(), "on the emulated microcontroller", () => {
    it("ucm: three utilities at once, and a password that the platform sets", () =>
      threeUtilities(["--json", "--runtime", "qemu"]));
  });

  it.each(["node", "xs"])(
    "ucm: the password for a broker of MQTT, refused and taken (%s)",
    async (engine) => {
      const server = await startVtn({ dataDir: at("mqtt"), openadr3: { mqttLogin: "token" } });
      try {
        plantKeys("mqtt");
        for (const { clientId, clientSecret } of Object.values(server.clients))
          plant(`OAuth2 of ${clientId} (MQTT, ${engine})`, clientSecret);
        // The broker asks this of each login: the first is turned away, which is told in words.
        const logins: [string | undefined, string | undefined][] = [];
        const admits = server.core3.admitsMqtt.bind(server.core3);
        server.core3.admitsMqtt = (username, password, now) => {
          logins.push([username, password]);
          return logins.length > 1 && admits(username, password, now);
        };
        const { clientId, clientSecret } = server.clients.module;
        writeFileSync(at("planted", "mqtt.secret"), `${clientSecret}\n`, { mode: 0o600 });
        const files = { ca: server.ca, clientSecretFile: at("planted", "mqtt.secret") };
        const upstream = {
          id: "grid",
          protocol: "openadr3",
          url: server.urls.openadr3,
          venName: "m",
          clientId,
        };
        writeFileSync(at("mqtt.json"), JSON.stringify({ upstreams: [{ ...upstream, ...files }] }));
        const charger = start("sgd", "--serial", "pty", "--json");
        const { path } = await charger.line("serial", eventIs("serial"));
        const ucm = start(
          ...["ucm", "--serial", String(path), "--config", at("mqtt.json"), "--data", at(`mqtt-${engine}`)],
          ...["--json", "--runtime", engine, "--capture", at(`mqtt-${engine}.pcapng`)],
        );
        await ucm.line("refused", (line) => String(line["text"]).includes("cannot be used"), 200_000);
        await expect.poll(() => logins.length, { timeout: 200_000 }).toBeGreaterThan(1);
        for (const [username, password] of logins) {
          expect(username).toBe(clientId);
          plant(`MQTT password (${engine})`, password!);
        }
        await pause(1500);
        await ucm.stop();
        await charger.stop();
      } finally {
        await server.close();
      }
    },
  );

  it("bench: its page, what the page loads, and what it is told", async () => {
    const bench = start(
      "bench",
      "--json",
      "--data",
      at("bench"),
      "--port",
      "0",
      "--capture",
      at("bench.pcapng"),
    );
    const ready = new URL(String((await bench.line("ready", eventIs("ready"), 200_000))["url"]));
    const [, html] = await ask("bench page", ready);
    const parts = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]!);
    for (const part of parts) await ask("bench page", new URL(part, ready));
    const told: string[] = [];
    const socket = new WebSocket(new URL("/live", ready).href.replace("http", "ws"), {
      origin: ready.origin,
    });
    let failure: unknown;
    socket.on("message", (data: Buffer) => told.push(data.toString("utf8")));
    socket.on("error", (error) => (failure = error));
    await pause(8000);
    await expect.poll(() => told.length > 5 && told.join("").includes('"ownerSecretFile":"')).toBe(true);
    expect(failure).toBeUndefined();
    socket.close();
    give("bench page", ...told);
    expect([parts.length > 0, told.length > 5]).toEqual([true, true]);
    await bench.stop();
    const secretFile = /"ownerSecretFile":"([^"]+)"/.exec(told.join(""))![1]!;
    plant("owner's secret of the bench", readFileSync(secretFile, "utf8").trim());
    plantKeys("bench");
  });

  it("fleet: many modules with certificates of their own, and what it reports", () => {
    const where = ["--data", at("fleet"), "--csv", at("fleet.csv"), "--capture", at("fleet.pcapng")];
    const run = ["fleet", "--count", "3", "--ramp", "1", "--shed-after", "3", "--seconds", "10", ...where];
    expect(openucm(...run, "--json")).toBe(0);
    expect(openucm(...run)).toBe(0);
    const urls = vtn["urls"] as Record<string, string>;
    const theirs = ["--vtn", urls["openadr2b"]!, "--pki", at("vtn", "pki"), "--json"];
    openucm("fleet", "--count", "2", "--ramp", "1", "--seconds", "5", ...where, ...theirs);
    // A key where a certificate belongs.
    const key = String(vtn["clientKey"]);
    const wrong = ["--vtn", urls["openadr2b"]!, "--ca", String(vtn["ca"]), "--cert", key, "--key", key];
    expect(openucm("fleet", "--count", "1", "--seconds", "2", ...wrong)).not.toBe(0);
    expect(readFileSync(at("fleet.pcapng")).length).toBeGreaterThan(500);
    plantKeys("fleet");
    plantKeys("vtn");
  });

  it("provision: what a utility and an authority get, and mistakes", () => {
    expect(
      openucm(
        "provision",
        "new",
        "--out",
        at("batch"),
        ...["--count", "2", "--prefix", "UCM", "--csv", at("enrol.csv"), "--json"],
        ...["--est-csv", at("est.csv")],
      ),
    ).toBe(0);
    const devices = readdirSync(at("batch")).filter((name) => name.startsWith("UCM"));
    for (const name of devices) plant(`secret of ${name}`, read("batch", name, "secret.txt"));
    read("est.csv")
      .split("\r\n")
      .slice(1)
      .forEach((line) => plant(`EST secret of ${line.split(",")[0]}`, line.split(",")[1]!));
    plantKeys("batch");
    expect(devices).toHaveLength(2);
    const device = at("batch", devices[0]!);
    // The key in the place of the certificate, twice over.
    expect(openucm("provision", "import", "--device", device, "--cert", join(device, "device.key"))).not.toBe(
      0,
    );
    expect(openucm("provision", "import", "--device", device, "--cert", join(device, "secret.txt"))).not.toBe(
      0,
    );
    expect(openucm("provision", "list", "--out", at("batch"), "--csv", at("list.csv"))).toBe(0);
  });

  it("release: what is published, and mistakes", () => {
    const phrase = at("planted", "phrase.txt");
    writeFileSync(phrase, `${KEY_PASSPHRASE}\n`, { mode: 0o600 });
    writeFileSync(at("planted", "wrong.txt"), `${TYPED_WRONG}\n`, { mode: 0o600 });
    writeFileSync(at("image.bin"), Buffer.alloc(10_000, 7));
    const place = ["--repo", at("release"), "--keys", at("release-keys")];
    const open = [...place, "--passphrase-file", phrase];
    expect(openucm("release", "init", ...open)).toBe(0);
    plantKeys("release-keys", KEY_PASSPHRASE);
    expect(statSync(at("release-keys")).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(at("release-keys")))
      expect(statSync(at("release-keys", name)).mode & 0o777, name).toBe(0o600);
    const image = ["release", "add", at("image.bin"), "--board", "bench", "--set-version", "9.0.0"];
    expect(openucm(...image, ...place)).not.toBe(0);
    expect(openucm(...image, ...place, "--passphrase-file", at("planted", "wrong.txt"))).not.toBe(0);
    expect(openucm(...image, ...place, "--passphrase-file", at("nowhere"))).not.toBe(0);
    expect(openucm(...image, ...open)).toBe(0);
    expect(openucm("release", "publish", "--repo", at("release"), "--to", at("www"))).toBe(0);
    expect(openucm("release", "verify", at("release-keys", "root-1.pem"))).not.toBe(0);
  });

  it("mistakes: a secret in a place where none belongs is not shown back", () => {
    const json = at("planted", "secret.json");
    const try_ = (text: string): void => {
      writeFileSync(json, text, { mode: 0o600 });
      expect(openucm("ucm", "--serial", "pty", "--config", json, "--data", at("mistakes")), text).not.toBe(0);
    };
    const upstream = { id: "a", protocol: "openadr3", url: "https://vtn.example/", venName: "m" };
    // The wrong file; a broken one; a field that is not, an address with a password.
    try_(AUTHORIZATION);
    try_(`{"upstreams": ${AUTHORIZATION}}`);
    try_(`{"password": "${AUTHORIZATION}"`);
    try_(JSON.stringify({ upstreams: [{ ...upstream, clientSecret: AUTHORIZATION }] }));
    try_(JSON.stringify({ upstreams: [{ ...upstream, url: `https://m:${AUTHORIZATION}@vtn.example/` }] }));
    try_(JSON.stringify({ upstreams: [{ ...upstream, url: `http://m:${AUTHORIZATION}@vtn.example/` }] }));
    const key = join(
      folder,
      "vtn/pki",
      readdirSync(at("vtn/pki")).find((name) => name.endsWith(".key"))!,
    );
    try_(JSON.stringify({ upstreams: [{ ...upstream, protocol: "openadr2b", cert: key, key, ca: key }] }));
    // What a platform has set, damaged: half a line, as a full disk leaves it.
    mkdirSync(at("broken"), { mode: 0o700 });
    for (const text of [`{"a":"${AUTHORIZATION}`, AUTHORIZATION, `"${AUTHORIZATION}" "`]) {
      writeFileSync(at("broken", "passwords.json"), text, { mode: 0o600 });
      writeFileSync(at("none.json"), JSON.stringify({ upstreams: [] }));
      expect(openucm("ucm", "--serial", "pty", "--config", at("none.json"), "--data", at("broken"))).not.toBe(
        0,
      );
    }
  });

  it("said, wrote, recorded and served no secret, but into the private files", async () => {
    await stopAll();
    expect(secrets.length).toBeGreaterThan(20);
    expect(secrets.filter(({ name }) => name.startsWith("MQTT password")).length).toBeGreaterThan(1);
    expect([...given.keys()]).toEqual(
      expect.arrayContaining(["openucm vtn", "owner's page", "bench page", "csms"]),
    );
    const leaks = [...given].flatMap(([name, pieces]) =>
      secretsIn(Buffer.concat(pieces), secrets).map((secret) => `${secret} in ${name}`),
    );
    expect(leaks).toEqual([]);
    // Access tokens are not known here, but they are announced.
    for (const [name, pieces] of given)
      expect(/bearer\s+[\w.~+/-]{8,}/i.exec(Buffer.concat(pieces).toString("latin1")), name).toBeNull();
    const files = filesWithSecrets(folder, secrets);
    expect(files.filter(({ path }) => !PRIVATE.some((rule) => rule.test(path)))).toEqual([]);
    expect(files.filter(({ mode, folderMode }) => mode !== 0o600 || folderMode !== 0o700)).toEqual([]);
    // Every kind of private file was really there.
    const unused = PRIVATE.filter((rule) => !files.some(({ path }) => rule.test(path)));
    expect(unused).toEqual([]);
  });

  it("would have been caught: a secret that is planted into each kind of output is found", () => {
    for (const [name, pieces] of given) {
      const one = secrets[name.length % secrets.length]!;
      const whole = Buffer.concat([...pieces, Buffer.from(` ${one.bytes.toString("base64")} `)]);
      expect(secretsIn(whole, secrets), name).toContain(one.name);
    }
    const { bytes, name } = secrets.at(-1)!;
    for (const file of ["ucm.pcapng", "x.vcd", "enrol.csv", "www/metadata/timestamp.json"]) {
      const before = readFileSync(at(file));
      writeFileSync(at(file), Buffer.concat([before, bytes]));
      expect(filesWithSecrets(folder, secrets).filter(({ path }) => path === file)).toMatchObject([
        { secrets: [name] },
      ]);
      writeFileSync(at(file), before);
    }
  });
});
