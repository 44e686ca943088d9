/**
 * The device's MQTT subscriber (src/mqtt) over its TLS driver, in XS on this computer, put together as on the chip
 * (drivers/device/streams.ts), against mosquitto with client certificates and logins. The program tells what happens line by
 * line; each step waits for the line it needs.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { connect } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { makeCertificate } from "../../host-sim/pki/certificates.js";
import { openPki } from "../../host-sim/pki/pki.js";
import { withEachMbedTls } from "../support/each-mbedtls.js";
import { buildTls, type CredentialWish, type Library } from "../support/tls-rig.js";
import { mosquittoProgram, startMosquitto } from "./openleadr-rs.js";

const root = resolve(import.meta.dirname, "../..");
const DAY_MS = 86_400_000;
/** Longer than any wait of the program's own; who waits for a line that does not come is told which. */
const PATIENCE_MS = 200_000;

/** The program, and what it has told. */
class Told {
  readonly lines: string[] = [];
  errors = "";
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  #seen = 0;
  #wake: () => void = () => undefined;
  #gone = false;

  constructor(folder: string, argument: object) {
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    this.#child = spawn(join(folder, "xs-tls"), [join(folder, "device-mqtt.js"), JSON.stringify(argument)], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.#child.stderr!.on("data", (data: Buffer) => (this.errors += data.toString()));
    this.ended = new Promise((done) => this.#child.on("close", done));
    void this.ended.then(() => {
      this.#gone = true;
      this.#wake();
    });
  }

  /** The next line from where the last one was found, with what lies between passed over. */
  async next(part: string): Promise<string> {
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      while (this.#seen < this.lines.length) {
        const line = this.lines[this.#seen++]!;
        if (line.includes(part)) return line;
      }
      const leftMs = untilMs - performance.now();
      // Not when the process has ended: its last words may still be on their way.
      if (leftMs <= 0 || this.#gone)
        throw new Error(`never told ${part}:\n${this.lines.join("\n")}\n${this.errors}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

function cases(of: Library): void {
  const ours: Library = { ...of, name: `device-mqtt-${of.name}` };
  const folder = join(root, "build/tls", ours.name);
  const home = mkdtempSync(join(tmpdir(), "openucm-mqtt-"));
  const nowMs = Date.now();
  const ends: (() => Promise<void> | void)[] = [];
  let files: { ca: string; cert: string; key: string };
  let good: Required<Pick<CredentialWish, "ca" | "cert" | "key">>;
  let stranger: string;
  /** Where the module finds the broker: the address stays while brokers come and go. */
  let front: net.Server;
  let uri: string;
  let live: Awaited<ReturnType<typeof startMosquitto>> | undefined;

  const startBroker = async (): Promise<void> => {
    live = await startMosquitto(mosquittoProgram()!, home, files, [
      "allow_anonymous false",
      "require_certificate true",
      `password_file ${join(home, "passwords")}`,
    ]);
  };
  const stopBroker = async (): Promise<void> => {
    const { child } = live!;
    live = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, "exit");
    }
  };
  const publish = async (topic: string, qos: 0 | 1): Promise<void> => {
    const publisher = connect(`mqtts://127.0.0.1:${String(live!.port)}`, {
      ...good,
      username: "vtn",
      password: "right",
      protocolVersion: 4,
    });
    try {
      await new Promise((done, fail) => publisher.once("connect", done).once("error", fail));
      await publisher.publishAsync(topic, "x".repeat(20_000), { qos });
    } finally {
      await publisher.endAsync();
    }
  };

  beforeAll(async () => {
    buildTls(ours);
    const bundled = await build({
      entryPoints: [join(import.meta.dirname, "device-mqtt.xs.js")],
      ...{ bundle: true, format: "iife", target: "es2022", write: false, logLevel: "silent" },
    });
    const driver = readFileSync(join(root, "drivers/tls/tls.js"), "utf8").replace(/^export default .*$/m, "");
    const natives = `const Native = () => class { constructor() { return Object.setPrototypeOf(newHost(), new.target.prototype); } };\n`;
    writeFileSync(join(folder, "device-mqtt.js"), natives + driver + bundled.outputFiles[0]!.text);
    const pki = await openPki(home);
    const client = await pki.client("module");
    files = { ca: pki.ca.certPath, cert: pki.server.certPath, key: pki.server.keyPath };
    good = {
      ca: pki.ca.cert,
      cert: readFileSync(client.certPath, "utf8"),
      key: readFileSync(client.keyPath, "utf8"),
    };
    const wish = { notBeforeUtcMs: nowMs - DAY_MS, notAfterUtcMs: nowMs + DAY_MS };
    stranger = (await makeCertificate({ ...wish, commonName: "Other CA", role: "ca" })).cert;
    const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/bin:/usr/local/bin` };
    for (const [i, user] of ["module", "vtn"].entries()) {
      const args = [...(i === 0 ? ["-c"] : []), "-b", join(home, "passwords"), user, "right"];
      expect(spawnSync("mosquitto_passwd", args, { env }).status).toBe(0);
    }
    front = net.createServer((below) => {
      // Whoever comes while there is no broker is turned away.
      if (live === undefined) {
        below.destroy();
        return;
      }
      const above = net.connect(live.port, "127.0.0.1");
      for (const [one, other] of [
        [below, above],
        [above, below],
      ] as const) {
        one.on("error", () => undefined);
        one.on("close", () => other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((done) => front.listen(0, "127.0.0.1", done));
    uri = `mqtts://127.0.0.1:${String((front.address() as net.AddressInfo).port)}`;
    await startBroker();
  }, 300_000);
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    if (live !== undefined) await stopBroker();
    front.close();
    rmSync(home, { recursive: true, force: true });
  });

  const start = (
    sets: Readonly<Record<string, CredentialWish>>,
    subscription: { readonly credentials: string; readonly password?: string; readonly uri?: string },
    url = "https://127.0.0.1:1/",
  ): Told => {
    const one = {
      ...{ id: 5, uri, topics: ["ask/+", "stop/#"], username: "module", password: "right" },
      ...subscription,
    };
    const told = new Told(folder, { credentials: sets, utcMs: nowMs, subscriptions: [one], url });
    ends.push(() => told.kill());
    return told;
  };

  it("hears, asks by HTTP beside it, and is there again after the broker was restarted", async () => {
    const seen: string[] = [];
    const pair = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
    const server = createServer(pair, (request, response) => {
      seen.push(request.url!);
      response.end("what is new");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://127.0.0.1:${String((server.address() as net.AddressInfo).port)}/events`;
    const told = start({ good }, { credentials: "good" }, url);
    await told.next(`{"id":5,"ev":"up"}`);
    await publish("other/1", 1);
    await publish("ask/1", 1);
    // Of no other topic: what was published first would have come first.
    expect(await told.next(`"ev":"message"`)).toContain(`"topic":"ask/1"`);
    await told.next(`"status":200`);
    await told.next(`{"http":1,"end":"end"}`);
    await publish("ask/2", 0);
    expect(await told.next(`"ev":"message"`)).toContain(`"topic":"ask/2"`);
    await told.next(`{"http":2,"end":"end"}`);
    expect(seen).toEqual(["/events", "/events"]);
    for (let round = 0; round < 2; round++) {
      await stopBroker();
      await told.next(`{"id":5,"ev":"down"}`);
      // It tries in vain, and is told so, before there is a broker again.
      await told.next(`"ev":"failed"`);
      await startBroker();
      await told.next(`{"id":5,"ev":"up"}`);
    }
    await publish("ask/3", 1);
    expect(await told.next(`"ev":"message"`)).toContain(`"topic":"ask/3"`);
    await told.next(`{"http":3,"end":"end"}`);
    await publish("stop/now", 1);
    await told.next(`{"end":true}`);
    expect(await told.ended).toBe(0);
    expect(told.errors).toBe("");
  }, 600_000);

  it.each([
    ["of another authority", { ca: "stranger" }, "right", /unknown-root/, false],
    // A broker that ends the connection over bytes it has not read may take its own alert with it.
    [
      "without a client certificate",
      { ca: "good" },
      "right",
      /client-certificate-needed|: closed/,
      undefined,
    ],
    ["with another's password", { ca: "good", own: true }, "wrong", /it refuses our login/, true],
  ] as const)(
    "says why it is not let in, and goes on trying: %s",
    async (_, shown, password, why, opens) => {
      const set: CredentialWish = {
        ca: shown.ca === "good" ? good.ca : stranger,
        ...("own" in shown ? { cert: good.cert, key: good.key } : {}),
      };
      const told = start({ c: set }, { credentials: "c", password });
      expect(await told.next(`"log":`)).toMatch(why);
      // The second attempt ends as the first did.
      await told.next(opens === true ? `"ev":"open"` : `"ev":"failed"`);
      if (opens === false) expect(told.lines.join("\n")).not.toContain(`"ev":"open"`);
      expect(told.lines.join("\n")).not.toContain(`"ev":"up"`);
      expect(told.errors).toBe("");
    },
    600_000,
  );

  it("refuses a broker under another name", async () => {
    const told = start({ good }, { credentials: "good", uri: uri.replace("127.0.0.1", "a.b.localhost") });
    expect(await told.next(`"log":`)).toContain("host-name");
    expect(told.lines.join("\n")).not.toContain(`"ev":"open"`);
  }, 60_000);
}

withEachMbedTls(
  "MQTT of the device over its TLS",
  cases,
  mosquittoProgram() === undefined ? ["mosquitto"] : [],
);
