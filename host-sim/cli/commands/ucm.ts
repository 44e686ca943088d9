import { join } from "node:path";
import type { Command } from "commander";
import type { PlainEvent } from "../../../src/runtime.js";
import { decodeFrameText } from "../../../src/wire/decode.js";
import { openLine } from "../../line/node/open-line.js";
import { NodeHttp } from "../../net/node-http.js";
import { NodeMdns } from "../../net/node-mdns.js";
import { NodeMqtt } from "../../net/node-mqtt.js";
import { WebhookServer } from "../../net/webhook-server.js";
import { ModuleCertificates } from "../../net/module-certificates.js";
import { PasswordFile } from "../../net/passwords.js";
import { NodeWebSocket } from "../../net/node-websocket.js";
import { FileFlash, flashFileName } from "../../runtime/file-flash.js";
import { FileStore } from "../../runtime/file-store.js";
import { SimulatedSlots } from "../../runtime/slots.js";
import { UcmHost } from "../../runtime/ucm-host.js";
import { loadConfig, webhooksOf, type Credentials } from "../config-file.js";
import { readConfig, type UcmConfig } from "../../../src/setup/config.js";
import type { Setup } from "../../../src/setup/setup-form.js";
import type { ByteLine } from "../../../src/ports/line.js";
import { startSetupServer } from "../../net/setup-server.js";
import type { StartReason } from "../../../src/journal/recorder.js";
import { forgetSetup, keepSetup, keptConfig, ownerSecret, passwordsName } from "../../runtime/setup-files.js";
import { startEngine } from "../engine.js";
import { captureOption, tapLine } from "../capture-option.js";
import { lockDataDir } from "../data-dir.js";
import {
  dataDirOption,
  echoOption,
  type LineFlags,
  lineOf,
  portOption,
  wholeNumber,
  rtsOption,
  serialHelp,
  version,
} from "../options.js";
import { Output, UsageError } from "../output.js";
import type { Run } from "../run.js";

interface UcmFlags extends LineFlags {
  readonly serial: string;
  readonly config?: string;
  readonly runtime: string;
  readonly data: string;
  readonly capture?: string;
  readonly json?: boolean;
  readonly webhookPort?: number;
  readonly setupPort?: number;
  readonly ownerSecretFile?: string;
  readonly button?: number;
}

/** What a person reads; undefined for what only machines want. */
function human(event: PlainEvent): string | undefined {
  switch (event.event) {
    case "intent":
      return `intent   ${event.intent} (${event.source}): ${event.reason}`;
    case "command":
      return `command  ${event.name}: ${event.result}${event.text ? ` (${event.text})` : ""}`;
    case "upstream":
      return `upstream ${event.id}: ${event.state}${event.fault ? `: ${event.text} (${event.fault})` : ""}`;
    case "frame":
      return `${event.dir === "tx" ? "→" : "←"} ${decodeFrameText(event.hex).text}   [${event.hex}]${event.fault ? ` ${event.fault}` : ""}`;
    case "log":
      return `${event.level}: ${event.text}`;
    case "sgd":
      return undefined;
  }
}

/** A frame with the meaning beside the bytes; everything else as the module tells it. */
function machine(event: PlainEvent): Readonly<Record<string, unknown>> {
  if (event.event !== "frame") return { ...event };
  const { hex, text } = decodeFrameText(event.hex);
  return { ...event, hex, text };
}

export function addUcm(program: Command, run: Run): void {
  program
    .command("ucm")
    .description("the module's firmware alone, on this computer, against a real line and real servers")
    .requiredOption("--serial <line>", serialHelp)
    .option("--config <file>", "configuration, JSON (docs/config.schema.json)")
    .option("--runtime <engine>", "engine that runs the firmware: node, xs or qemu", "node")
    .addOption(echoOption())
    .addOption(rtsOption())
    .addOption(dataDirOption())
    .addOption(captureOption())
    .option(
      "--webhook-port <port>",
      "receive the webhooks of callbackUrl at this port of 127.0.0.1",
      portOption,
    )
    .option(
      "--setup-port <port>",
      "serve the module's own pages at this port of 127.0.0.1 (0 = any): setup and the owner's page",
      portOption,
    )
    .option("--owner-secret-file <file>", "the secret of its label; made in the data folder if not given")
    .option(
      "--button <seconds>",
      "hold the module's button for so long at the start: 1 opens setup, 10 forgets everything (while it runs: kill -USR2 PID)",
      wholeNumber(1),
    )
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  openucm ucm --serial /dev/pts/3 --config module.json                  a charger of \`openucm sgd --serial pty\`
  openucm ucm --serial /dev/ttyUSB0 --config module.json --runtime xs   in the engine of the device
  openucm ucm --serial COM5 --echo --config module.json --json          an adapter that echoes; for other programs
  openucm ucm --serial pty --setup-port 0                               a new module: set it up in a browser
A first configuration: docs/cli.md; what may stand in it: docs/config.schema.json.`,
    )
    .action((flags: UcmFlags) => run(() => runModule(flags)));
}

/** Where the module's configuration is: named, or what its own page has given. */
function configPath(flags: UcmFlags, dataDir: string): string | undefined {
  if (flags.config !== undefined) return flags.config;
  if (flags.setupPort === undefined)
    throw new UsageError(
      "name the configuration with --config FILE, or let the owner's page set the module up: --setup-port 0",
    );
  return keptConfig(dataDir);
}

/** One life of the module after the other: a setup by its own page begins the next. */
async function runModule(flags: UcmFlags): Promise<number> {
  const output = new Output(flags.json ?? false);
  if (flags.config !== undefined) loadConfig(flags.config);
  if (flags.config === undefined && flags.setupPort === undefined) configPath(flags, "");
  if (flags.button !== undefined && flags.setupPort === undefined)
    throw new UsageError("--button is for a module with pages of its own: --setup-port 0");
  const dataDir = lockDataDir(flags.data);
  const owner = flags.setupPort === undefined ? undefined : ownerSecret(dataDir, flags.ownerSecretFile);
  const tapped = tapLine(flags.capture, "module", "charger");
  // What has been opened, closed in the opposite order: also where a later step of the start fails.
  const opened: (() => unknown)[] = [() => tapped.close()];
  try {
    return await runLives(flags, { output, dataDir, owner, tapped, opened });
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

interface Began {
  readonly output: Output;
  readonly dataDir: string;
  readonly owner: { readonly secret: string; readonly path: string } | undefined;
  readonly tapped: ReturnType<typeof tapLine>;
  readonly opened: (() => unknown)[];
}

async function runLives(flags: UcmFlags, { output, dataDir, owner, tapped, opened }: Began): Promise<number> {
  let life: Life | undefined;
  const line = await openLine(flags.serial, {
    ...lineOf(flags, output, flags.serial),
    onEvent: (event) => {
      tapped.onEvent(event);
      life?.host.onLine(event);
    },
  });
  opened.push(() => line.close());
  if (line.path !== undefined) output.emit({ event: "serial", path: line.path }, `serial line: ${line.path}`);
  if (line.url !== undefined) output.emit({ event: "serial", url: line.url }, `serial line: ${line.url}`);
  const server =
    owner && (await startSetupServer(flags.setupPort ?? 0, async (request) => life?.host.page(request)));
  if (server && owner) {
    opened.push(() => server.close());
    output.emit(
      { event: "setup", url: server.url, secretFile: owner.path },
      `owner's page: ${server.url}   (its secret is in ${owner.path})`,
    );
  }
  let interrupted = false;
  let endLife: (code: number) => void = () => undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      interrupted = true;
      endLife(130);
    });
  if (flags.setupPort !== undefined && process.platform !== "win32") {
    const press = (): void => life?.host.button(PRESS_MS);
    process.on("SIGUSR2", press);
    opened.push(() => process.off("SIGUSR2", press));
  }
  const wrapped = tapped.wrap(line);
  let reason: StartReason = "power";
  for (;;) {
    const ended = new Promise<number>((done) => (endLife = done));
    if (interrupted) return 130;
    life = await beginLife(flags, { output, dataDir, owner, line: wrapped, end: endLife });
    const { host, close } = life;
    opened.push(close);
    host.start(reason);
    if (reason === "power" && flags.button !== undefined) host.button(flags.button * 1000);
    const code = await ended;
    opened.pop();
    await close();
    if (code !== AGAIN && code !== FORGOTTEN) return code;
    // A module that was set up anew has no power cut behind it, and is not held off as after one.
    reason = code === FORGOTTEN ? "factory-reset" : "requested";
  }
}

/** No exit code: the module begins anew. */
const AGAIN = -1;
/** The same, and the owner's setup is gone. */
const FORGOTTEN = -2;
/** What a signal presses the button for: setup. */
const PRESS_MS = 2000;
/** The page that says "saved" goes out before the module ends. */
const SETTLE_MS = 300;

interface Life {
  readonly host: UcmHost;
  close(): Promise<void>;
}

interface Surroundings {
  readonly output: Output;
  readonly dataDir: string;
  readonly owner: { readonly secret: string; readonly path: string } | undefined;
  readonly line: ByteLine;
  end(code: number): void;
}

async function beginLife(flags: UcmFlags, surroundings: Surroundings): Promise<Life> {
  const opened: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0)) await one();
  };
  try {
    return { host: await openLife(flags, surroundings, opened), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens what a life needs; `opened` is what has to be closed again, in that order. */
async function openLife(
  flags: UcmFlags,
  { output, dataDir, owner, line, end }: Surroundings,
  opened: (() => unknown)[],
): Promise<UcmHost> {
  const path = configPath(flags, dataDir);
  const { config, credentials } =
    path === undefined
      ? { config: newConfig(), credentials: new Map<string, Credentials>() }
      : loadConfig(path);
  const webhooks = webhooksOf(config, flags.webhookPort);
  const engine = await startEngine(flags.runtime, ["node", "xs", "qemu"]);
  const begun: UcmHost[] = [];
  opened.push(() => (begun[0] ?? engine).close());
  const passwords = new PasswordFile(join(dataDir, passwordsName));
  const platforms = passwords.over(credentials);
  const log = (text: string): void => output.emit({ event: "log", level: "info", text }, `info: ${text}`);
  const certificates = new ModuleCertificates({
    ...{ dir: join(dataDir, "certificates"), credentials: platforms, log },
    deliver: (event) => host.onCertificate(event),
    byWord: (name) => config.upstreams.some(({ id, protocol }) => id === name && protocol === "openadr2b"),
  });
  const http = new NodeHttp({
    credentials: platforms,
    deliver: (event) => {
      certificates.heardHttp(event);
      host.onHttp(event);
    },
  });
  const websocket = new NodeWebSocket({
    credentials: platforms,
    deliver: (event) => {
      certificates.heardWebSocket(event);
      host.onWebSocket(event);
    },
    keepPassword: (name, password) => passwords.keep(name, password),
  });
  const mqtt = new NodeMqtt({ credentials: platforms, deliver: (event) => host.onMqtt(event), log });
  const mdns = new NodeMdns({ deliver: (event) => host.onMdns(event), log });
  const flash = engine.holdsFlash ? FileFlash.open(join(dataDir, flashFileName)) : undefined;
  opened.push(() => flash?.close());
  const slots =
    config.update === undefined
      ? undefined
      : new SimulatedSlots({ board: "bench", version: version(), folder: join(dataDir, "slots") });
  const onSetup = (setup: Setup): void => {
    try {
      keepSetup(dataDir, setup);
    } catch (error) {
      // The page has said "saved": better no module than one that goes on as if it were.
      process.stderr.write(`openucm ucm: the setup cannot be kept: ${(error as Error).message}\n`);
      end(1);
      return;
    }
    setTimeout(() => end(AGAIN), SETTLE_MS);
  };
  const onFactoryReset = (): boolean => {
    if (owner === undefined || flags.config !== undefined) return false;
    forgetSetup(dataDir, owner.path);
    end(FORGOTTEN);
    return true;
  };
  const host: UcmHost = new UcmHost({
    engine,
    ...(flash === undefined ? {} : { flash }),
    line,
    http: certificates.watchHttp(http),
    websocket: certificates.watchWebSocket(websocket),
    certificates,
    mqtt,
    mdns,
    store: new FileStore(join(dataDir, "ucm.json")),
    ...(slots === undefined ? {} : { slots }),
    ...(owner === undefined
      ? {}
      : {
          web: {
            ...{ ownerSecret: owner.secret, fresh: path === undefined },
            ...(flags.config === undefined ? { onSetup } : {}),
          },
        }),
    config,
    onFactoryReset,
    onEvent: (event) => output.emit(machine(event), human(event)),
    onFailure: (error) => {
      process.stderr.write(`openucm ucm: the module stopped: ${error.message}\n`);
      end(1);
    },
  });
  begun.push(host);
  opened.push(
    () => slots?.close(),
    () => http.close(),
    () => mqtt.close(),
    () => mdns.close(),
    () => websocket.closeAll(),
  );
  if (webhooks) {
    const hooks = await WebhookServer.listen(webhooks.port, webhooks.hooks, (id) => host.hint(id));
    opened.push(() => hooks.close());
  }
  return host;
}

/** Of a module that nobody has set up. */
function newConfig(): UcmConfig {
  const config = readConfig({ upstreams: [] });
  if (!("upstreams" in config)) throw new Error("an empty configuration is sound");
  return config;
}
