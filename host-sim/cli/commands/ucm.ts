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
import { loadConfig, webhooksOf } from "../config-file.js";
import { startEngine } from "../engine.js";
import { captureOption, tapLine } from "../capture-option.js";
import { lockDataDir } from "../data-dir.js";
import {
  dataDirOption,
  echoOption,
  type LineFlags,
  lineOf,
  portOption,
  rtsOption,
  serialHelp,
  version,
} from "../options.js";
import { Output } from "../output.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";

interface UcmFlags extends LineFlags {
  readonly serial: string;
  readonly config: string;
  readonly runtime: string;
  readonly data: string;
  readonly capture?: string;
  readonly json?: boolean;
  readonly webhookPort?: number;
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
    .requiredOption("--config <file>", "configuration, JSON (docs/config.schema.json)")
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
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  openucm ucm --serial /dev/pts/3 --config module.json                  a charger of \`openucm sgd --serial pty\`
  openucm ucm --serial /dev/ttyUSB0 --config module.json --runtime xs   in the engine of the device
  openucm ucm --serial COM5 --echo --config module.json --json          an adapter that echoes; for other programs
A first configuration: docs/cli.md; what may stand in it: docs/config.schema.json.`,
    )
    .action((flags: UcmFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const { config, credentials } = loadConfig(flags.config);
        const webhooks = webhooksOf(config, flags.webhookPort);
        const dataDir = lockDataDir(flags.data);
        const engine = await startEngine(flags.runtime, ["node", "xs", "qemu"]);
        const tapped = tapLine(flags.capture, "module", "charger");
        const line = await openLine(flags.serial, {
          ...lineOf(flags),
          onEvent: (event) => {
            tapped.onEvent(event);
            host.onLine(event);
          },
        });
        if (line.path !== undefined)
          output.emit({ event: "serial", path: line.path }, `serial line: ${line.path}`);
        if (line.url !== undefined)
          output.emit({ event: "serial", url: line.url }, `serial line: ${line.url}`);
        const http = new NodeHttp({ credentials, deliver: (event) => host.onHttp(event) });
        const passwords = new PasswordFile(join(dataDir, "passwords.json"));
        const platforms = passwords.over(credentials);
        const certificates = new ModuleCertificates({
          ...{ dir: join(dataDir, "certificates"), credentials: platforms },
          deliver: (event) => host.onCertificate(event),
        });
        const websocket = new NodeWebSocket({
          credentials: platforms,
          deliver: (event) => host.onWebSocket(event),
          keepPassword: (name, password) => passwords.keep(name, password),
        });
        const log = (text: string): void =>
          output.emit({ event: "log", level: "info", text }, `info: ${text}`);
        const mqtt = new NodeMqtt({ credentials, deliver: (event) => host.onMqtt(event), log });
        const mdns = new NodeMdns({ deliver: (event) => host.onMdns(event), log });
        let failed: (code: number) => void = () => undefined;
        const failure = new Promise<number>((done) => (failed = done));
        const flash = engine.holdsFlash ? FileFlash.open(join(dataDir, flashFileName)) : undefined;
        const slots =
          config.update === undefined
            ? undefined
            : new SimulatedSlots({ board: "bench", version: version(), folder: join(dataDir, "slots") });
        const host: UcmHost = new UcmHost({
          engine,
          ...(flash === undefined ? {} : { flash }),
          line: tapped.wrap(line),
          http,
          websocket,
          certificates,
          mqtt,
          mdns,
          store: new FileStore(join(dataDir, "ucm.json")),
          ...(slots === undefined ? {} : { slots }),
          config,
          onEvent: (event) => output.emit(machine(event), human(event)),
          onFailure: (error) => {
            process.stderr.write(`openucm ucm: the module stopped: ${error.message}\n`);
            failed(1);
          },
        });
        const hooks =
          webhooks && (await WebhookServer.listen(webhooks.port, webhooks.hooks, (id) => host.hint(id)));
        host.start();
        return await untilInterrupted(async () => {
          await host.close();
          flash?.close();
          slots?.close();
          http.close();
          mqtt.close();
          mdns.close();
          await hooks?.close();
          websocket.closeAll();
          await line.close();
          tapped.close();
        }, failure);
      }),
    );
}
