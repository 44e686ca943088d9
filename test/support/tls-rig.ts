/**
 * The TLS driver of the chip on this computer: its C with XS around it (drivers/tls/host), run as a program of its own and
 * told by JSON what to do; and servers that judge it or misbehave: `openssl s_server`, Node's, and a byte-wise liar.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import * as net from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as tls from "node:tls";
import { programPath } from "./program-path.js";

const root = resolve(import.meta.dirname, "../..");

export interface Wish {
  readonly id: number;
  readonly port: number;
  readonly host?: string;
  readonly credentials?: string;
  /** The firmware's clock; absent: unknown. */
  readonly utcMs?: number;
  readonly timeoutMs?: number;
  readonly send?: string;
  /** So many blocks of 1000 bytes. */
  readonly sendMany?: number;
  /** Closes as soon as this has come in. */
  readonly until?: string;
  readonly leaveAfterMs?: number;
  /** The driver's own clock jumps ahead before it opens. */
  readonly skipMs?: number;
  /** Replaces the credentials before. */
  readonly setCredentials?: CredentialWish;
}

export interface CredentialWish {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly profile?: "modern" | "openadr-2.0b";
}

export interface Outcome {
  readonly id: number;
  /** Version and suite, where it was open. */
  readonly open?: string;
  readonly data: string;
  readonly bytes: number;
  readonly end: "closed" | "failed" | "left";
  /** The HttpFailure. */
  readonly reason?: string;
  /** Begins with the driver's own reason. */
  readonly text?: string;
  readonly ms: number;
  /** Bytes held more than before the driver began; −1 without counting. */
  readonly openMemory?: number;
  readonly mostMemory?: number;
}

export interface Run {
  readonly outcomes: readonly Outcome[];
  readonly after: number;
  readonly atEnd: number;
}

/** An Mbed TLS to build against. */
export interface Library {
  readonly name: string;
  readonly include: readonly string[];
  readonly libs: readonly string[];
}

export const debian: Library = { name: "system", include: [], libs: [] };

/** Builds the program; throws with the compiler's words. */
export function buildTls(library: Library): void {
  const args = ["-s", "-j2", "-C", join(root, "drivers/tls/host"), `NAME=${library.name}`];
  if (library.include.length > 0) args.push(`MBEDTLS_INCLUDE=${library.include.join(" ")}`);
  if (library.libs.length > 0) args.push(`MBEDTLS_LIBS=${library.libs.join(" ")}`);
  const made = spawnSync("make", [...args, "all", "esp"], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const prelude = `const Native = () => class { constructor() { return Object.setPrototypeOf(newHost(), new.target.prototype); } };\n`;
  const driver = readFileSync(join(root, "drivers/tls/tls.js"), "utf8").replace(/^export default .*$/m, "");
  const script = readFileSync(join(root, "test/interop/tls.xs.js"), "utf8");
  writeFileSync(scriptOf(library), prelude + driver + script);
}

const scriptOf = (library: Library): string => join(root, "build/tls", library.name, "script.js");

/** Runs phases of connections in a fresh machine. */
export function runTls(
  library: Library,
  credentials: Readonly<Record<string, CredentialWish>>,
  phases: readonly (readonly Wish[])[],
  program: "xs-tls" | "xs-tls-memory" = "xs-tls",
): Promise<Run> {
  const path = join(root, "build/tls", library.name, program);
  const argument = JSON.stringify({ credentials, phases });
  return new Promise((done, fail) => {
    // What XS keeps until its end is no leak; what the driver keeps is counted by xs-tls-memory.
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    execFile(
      path,
      [scriptOf(library), argument],
      { env, timeout: 240_000, maxBuffer: 1 << 24 },
      (error, out, err) => {
        if (error !== null || err !== "") {
          fail(new Error(`xs-tls: ${err || String(error)}\n${out}`));
          return;
        }
        const lines = out
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        const last = lines.pop() as unknown as { after: number; atEnd: number };
        done({ outcomes: lines as unknown as Outcome[], after: last.after, atEnd: last.atEnd });
      },
    );
  });
}

/** Everything a test has started, ended by `stop`. */
export class Servers {
  readonly #folder = mkdtempSync(join(tmpdir(), "openucm-tls-"));
  readonly #ends: (() => void)[] = [];
  #files = 0;

  /** Writes a text to a file of its own. */
  file(text: string): string {
    const path = join(this.#folder, `${String(++this.#files)}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** Ends the servers; new ones may be started. */
  endAll(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  stop(): void {
    this.endAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `openssl s_server` that answers every request with a page; its port. `log` grows with what it says. */
  async openssl(args: readonly string[], log: string[] = []): Promise<number> {
    const port = await freePort();
    const child: ChildProcess = spawn(
      programPath("openssl") ?? "openssl",
      ["s_server", "-accept", `127.0.0.1:${String(port)}`, "-www", ...args],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#ends.push(() => child.kill("SIGKILL"));
    await new Promise<void>((done, fail) => {
      child.stdout?.on("data", (data: Buffer) => {
        log.push(data.toString());
        if (log.join("").includes("ACCEPT")) done();
      });
      child.stderr?.on("data", (data: Buffer) => log.push(data.toString()));
      child.on("exit", (code) =>
        fail(new Error(`openssl s_server ended with ${String(code)}: ${log.join("")}`)),
      );
    });
    return port;
  }

  /** A TLS server of Node's; its port. */
  async node(options: tls.TlsOptions, onSocket: (socket: tls.TLSSocket) => void): Promise<number> {
    const server = tls.createServer(options, (socket) => {
      socket.on("error", () => undefined);
      onSocket(socket);
    });
    server.on("tlsClientError", () => undefined);
    return this.#listen(server);
  }

  /** A server of bytes; its port. */
  async raw(onSocket: (socket: net.Socket) => void): Promise<number> {
    return this.#listen(
      net.createServer((socket) => {
        socket.on("error", () => undefined);
        onSocket(socket);
      }),
    );
  }

  /** Passes bytes on to `port` and lets `change` alter each piece that comes back; undefined ends the connection. */
  async proxy(port: number, change: (bytes: Buffer, at: number) => Buffer | undefined): Promise<number> {
    return this.raw((client) => {
      const server = net.connect(port, "127.0.0.1");
      let at = 0;
      server.on("error", () => client.destroy());
      client.on("close", () => server.destroy());
      client.pipe(server);
      server.on("data", (bytes) => {
        const changed = change(bytes, at);
        at += bytes.length;
        if (changed === undefined) {
          client.end();
          server.destroy();
        } else client.write(changed);
      });
      server.on("end", () => client.end());
    });
  }

  async #listen(server: net.Server): Promise<number> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    this.#ends.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return (server.address() as net.AddressInfo).port;
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Places of the handshake messages of that type in plain records: from the message's header to its end. */
export function findMessage(bytes: Buffer, type: number): { from: number; to: number } | undefined {
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] !== 22) continue;
    const end = Math.min(at + 5 + bytes.readUInt16BE(at + 3), bytes.length);
    for (let m = at + 5; m + 4 <= end; m += 4 + bytes.readUIntBE(m + 1, 3))
      if (bytes[m] === type) return { from: m, to: m + 4 + bytes.readUIntBE(m + 1, 3) };
  }
  return undefined;
}

/** The same flight of TLS 1.2 with other certificates in it: a server that shows what its own program would refuse. */
export function withCertificates(flight: Buffer, certificates: readonly string[]): Buffer {
  const found = findMessage(flight, 11);
  if (found === undefined) return flight;
  if (flight.readUInt16BE(found.from - 2) !== found.to - found.from)
    throw new Error("not a record of its own");
  const list = certificates.map((pem) => {
    const { raw } = new X509Certificate(pem);
    return Buffer.concat([threeBytes(raw.length), raw]);
  });
  const body = Buffer.concat(list);
  const message = Buffer.concat([
    Buffer.from([11]),
    threeBytes(body.length + 3),
    threeBytes(body.length),
    body,
  ]);
  const record = Buffer.from([22, 3, 3, message.length >> 8, message.length & 255]);
  return Buffer.concat([flight.subarray(0, found.from - 5), record, message, flight.subarray(found.to)]);
}

const threeBytes = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);

const CRATE = "mbedtls-rs-sys";
const CRATE_VERSION = "0.3.1";
const CRATE_SHA256 = "ed3d6fe75492994df511a63da8de669a0c59938ada3345e3d4756aec095d2ffb";

/**
 * Mbed TLS 3.6.5 from a package of crates.io, fetched by cargo where there is one, checked by its SHA-256, built into
 * build/. A text says why it cannot be had.
 */
export function mbedTls36(): Library | string {
  const folder = join(root, "build/mbedtls-3.6");
  const source = join(folder, `${CRATE}-${CRATE_VERSION}/mbedtls`);
  const library: Library = {
    name: "mbedtls-3.6",
    include: [join(source, "include")],
    libs: [join(folder, "libmbedtls-3.6.a")],
  };
  if (existsSync(library.libs[0]!)) return library;
  const cargoHome = process.env["CARGO_HOME"] ?? join(homedir(), ".cargo");
  const cargo = programPath("cargo") ?? join(cargoHome, "bin/cargo");
  const find = (): string | undefined => {
    const cache = join(cargoHome, "registry/cache");
    if (!existsSync(cache)) return undefined;
    return readdirSync(cache)
      .map((name) => join(cache, name, `${CRATE}-${CRATE_VERSION}.crate`))
      .find((path) => existsSync(path));
  };
  if (find() === undefined)
    spawnSync(cargo, ["info", `${CRATE}@${CRATE_VERSION}`], {
      encoding: "utf8",
      cwd: tmpdir(),
      timeout: 90_000,
    });
  const crate = find();
  if (crate === undefined) return "needs cargo (1.82 or later) and crates.io for Mbed TLS 3.6";
  const digest = createHash("sha256").update(readFileSync(crate)).digest("hex");
  if (digest !== CRATE_SHA256) throw new Error(`${crate} is not what it was: ${digest}`);
  // In a folder of its own, which takes the name when all is there: other suites may build at the same time.
  mkdirSync(join(root, "build"), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  const build = `set -e; tar xzf "$1" -C "$2"; cd "$2/$3/mbedtls"; mkdir "$2/objects"
    for f in library/*.c; do echo "$f"; done | xargs -P 2 -I F sh -c \
      'gcc -O1 -w -Iinclude -Ilibrary -I3rdparty/everest/include -I3rdparty/p256-m -c -o "'"$2"'/objects/$(basename F .c).o" F'
    ar rcs "$2/libmbedtls-3.6.a" "$2"/objects/*.o`;
  const made = spawnSync("sh", ["-c", build, "sh", crate, work, `${CRATE}-${CRATE_VERSION}`], {
    encoding: "utf8",
  });
  try {
    if (made.status !== 0) throw new Error(made.stderr);
    if (!existsSync(library.libs[0]!)) rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    if (!existsSync(library.libs[0]!)) throw error;
  }
  return library;
}
