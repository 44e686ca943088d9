// openleadr-rs (crates.io `openleadr-vtn`) with what it needs: PostgreSQL, mosquitto over TLS, a place for tokens, and TLS
// before it, because it serves plain HTTP. All of it on 127.0.0.1, in a folder that goes away.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { openPki } from "../../host-sim/pki/pki.js";

/** The programs, or what is missing. `OPENUCM_OPENLEADR_RS`: the VTN's binary. */
export function programs():
  { readonly vtn: string; readonly pg: string; readonly mosquitto: string } | { readonly missing: string } {
  if (process.env["OPENUCM_FULL"] !== "1") return { missing: "part of the full suite" };
  const vtn = [process.env["OPENUCM_OPENLEADR_RS"] ?? "", join(homedir(), ".cargo/bin/openleadr-vtn")].find(
    (path) => path !== "" && existsSync(path),
  );
  if (vtn === undefined) return { missing: "needs openleadr-vtn of crates.io (OPENUCM_OPENLEADR_RS)" };
  // Debian keeps each version in a folder of its own. The VTN's migrations need 16 or later.
  const versions = "/usr/lib/postgresql";
  const kept = existsSync(versions) ? readdirSync(versions).filter((one) => Number(one) >= 16) : [];
  const pg = process.env["OPENUCM_POSTGRESQL"] ?? kept.map((one) => join(versions, one, "bin")).at(-1);
  if (pg === undefined || !existsSync(join(pg, "initdb")))
    return { missing: "needs PostgreSQL 16 or later (OPENUCM_POSTGRESQL: the folder of its programs)" };
  const mosquitto = mosquittoProgram();
  return mosquitto === undefined ? { missing: "needs mosquitto" } : { vtn, pg, mosquitto };
}

export function mosquittoProgram(): string | undefined {
  return ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].find((path) =>
    existsSync(path),
  );
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => probe.once("listening", done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

/** mosquitto with TLS on 127.0.0.1; with `passwords` a login is asked for. */
export async function startMosquitto(
  program: string,
  folder: string,
  files: { readonly ca: string; readonly cert: string; readonly key: string },
  more: readonly string[] = ["allow_anonymous true"],
): Promise<{ readonly port: number; readonly child: ChildProcess; log(): string }> {
  const port = await freePort();
  const config = join(folder, `mosquitto-${port}.conf`);
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${files.ca}`,
    `certfile ${files.cert}`,
    `keyfile ${files.key}`,
    "tls_version tlsv1.2",
    ...more,
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  // Started by root it would become a user of its own, who may not read the key.
  const root = process.getuid?.() === 0;
  if (root) writeFileSync(config, `user root\n${lines.join("\n")}\n`);
  const child = spawn(program, ["-c", config, "-v"]);
  let log = "";
  child.stdout.on("data", (data) => (log += String(data)));
  child.stderr.on("data", (data) => (log += String(data)));
  for (let i = 0; i < 8000 && !log.includes("running"); i++)
    await new Promise((done) => setTimeout(done, 25));
  if (!log.includes("running")) throw new Error(`mosquitto does not start: ${log}`);
  return { port, child, log: () => log };
}

export class OpenleadrRs {
  readonly folder = mkdtempSync(join(tmpdir(), "openleadr-rs-"));
  /** Base URL over TLS. */
  url = "";
  ca = "";
  /** What goes over the TLS front: method, path, status. */
  readonly seen: string[] = [];
  log = "";
  readonly #stops: (() => void | Promise<void>)[] = [];
  readonly #secret = randomBytes(32);
  #port = 0;

  static async start(
    found: Exclude<ReturnType<typeof programs>, { readonly missing: string }>,
  ): Promise<OpenleadrRs> {
    const one = new OpenleadrRs();
    try {
      await one.#start(found);
      return one;
    } catch (error) {
      await one.stop();
      throw error;
    }
  }

  /** A token of that client with those scopes, as the VTN checks them: HMAC SHA-256. */
  token(clientId: string, scopes: string, lifeS = 3600): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const at = Math.floor(Date.now() / 1000);
    const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: clientId, iat: at, nbf: at - 5, exp: at + lifeS, scope: scopes })}`;
    return `${body}.${createHmac("sha256", this.#secret).update(body).digest("base64url")}`;
  }

  /** Business logic's request. */
  async bl(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly value: unknown }> {
    const scopes =
      "read_all write_programs write_events write_vens_bl write_subscriptions_bl write_reports_bl";
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token("utility", scopes)}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, value: text === "" ? undefined : (JSON.parse(text) as unknown) };
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start({
    vtn,
    pg,
    mosquitto,
  }: {
    readonly vtn: string;
    readonly pg: string;
    readonly mosquitto: string;
  }): Promise<void> {
    chmodSync(this.folder, 0o755);
    const pki = await openPki(join(this.folder, "pki"));
    this.ca = readFileSync(pki.ca.certPath, "utf8");
    const database = await this.#postgres(pg);
    const files = { ca: pki.ca.certPath, cert: pki.server.certPath, key: pki.server.keyPath };
    const broker = await startMosquitto(mosquitto, this.folder, files);
    this.#stops.push(() => void broker.child.kill());
    this.#port = await freePort();
    const front = https.createServer({ key: pki.server.key, cert: pki.server.cert }, (request, response) =>
      this.#front(request, response),
    );
    front.listen(0, "127.0.0.1");
    await new Promise((done) => front.once("listening", done));
    this.#stops.push(() => {
      front.closeAllConnections();
      front.close();
    });
    this.url = `https://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const child = spawn(vtn, [], {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        RUST_LOG: "info",
        PORT: String(this.#port),
        DATABASE_URL: database,
        OAUTH_TYPE: "EXTERNAL",
        OAUTH_KEY_TYPE: "HMAC",
        OAUTH_BASE64_SECRET: this.#secret.toString("base64"),
        OAUTH_TOKEN_URL: `${this.url}/token`,
        MQTT_URL: `mqtts://127.0.0.1:${broker.port}`,
        MQTT_USERNAME: "vtn",
        MQTT_PASSWORD: "vtn",
        MQTT_CA_PATH: pki.ca.certPath,
      },
    });
    child.stdout.on("data", (data) => (this.log += String(data)));
    child.stderr.on("data", (data) => (this.log += String(data)));
    this.#stops.push(() => void child.kill());
    for (let i = 0; i < 400; i++) {
      const up = await fetch(`http://127.0.0.1:${this.#port}/health`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`openleadr-vtn does not start: ${this.log.slice(-3000)}`);
  }

  /** A database of its own; PostgreSQL does not run as root. */
  async #postgres(bin: string): Promise<string> {
    const data = join(this.folder, "pg");
    mkdirSync(data);
    const root = process.getuid?.() === 0;
    if (root) spawnSync("chown", ["postgres", data]);
    const run = (program: string, args: readonly string[]) => {
      const [name, ...all] = root
        ? ["runuser", "-u", "postgres", "--", join(bin, program), ...args]
        : [join(bin, program), ...args];
      const done = spawnSync(name!, all, { encoding: "utf8", cwd: "/tmp" });
      if (done.status !== 0) throw new Error(`${program}: ${done.stderr}${done.stdout}`);
    };
    run("initdb", ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]);
    const port = await freePort();
    run("pg_ctl", [
      "-D",
      data,
      "-w",
      "-l",
      join(data, "log"),
      "-o",
      `-p ${port} -c listen_addresses=127.0.0.1 -k ${data} -F`,
      "start",
    ]);
    this.#stops.push(() => {
      try {
        run("pg_ctl", ["-D", data, "-m", "immediate", "stop"]);
      } catch {
        // It was not running any more.
      }
    });
    return `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  /** TLS before the VTN, and the place where tokens are to be had. */
  #front(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (request.url === "/token") {
      let body = "";
      request.on("data", (data) => (body += String(data)));
      request.on("end", () => {
        const form = new URLSearchParams(body);
        const known = form.get("client_secret") === "secret of the module";
        const scopes =
          "read_targets read_ven_objects write_reports_ven write_vens_ven write_subscriptions_ven";
        const token = this.token(form.get("client_id") ?? "", scopes, 3600);
        response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
        response.end(
          JSON.stringify(
            known
              ? { access_token: token, token_type: "Bearer", expires_in: 3600 }
              : { error: "invalid_client" },
          ),
        );
      });
      return;
    }
    const { method = "GET", url = "/", headers } = request;
    const onward = http.request(
      { host: "127.0.0.1", port: this.#port, method, path: url, headers },
      (answer) => {
        this.seen.push(`${method} ${url} ${answer.statusCode}`);
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  }
}
