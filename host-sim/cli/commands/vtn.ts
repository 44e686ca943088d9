import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { startVtn } from "../../vtn/server.js";
import { makeDataDir } from "../data-dir.js";
import { dataDirOption, portOption, wholeNumber } from "../options.js";
import { checkWritable, Output } from "../output.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";

interface VtnFlags {
  readonly port: number;
  readonly openadr3Port: number;
  readonly apiPort: number;
  readonly pollSeconds: number;
  readonly certificateDays: number;
  readonly data: string;
  readonly moduleConfig?: string;
  readonly json?: boolean;
}

export function addVtn(program: Command, run: Run): void {
  program
    .command("vtn")
    .description(
      "the bench's utility alone: an OpenADR server (VTN) over mutual TLS, with an HTTP API for events",
    )
    .option("--port <number>", "port of OpenADR 2.0b on 127.0.0.1; 0 = any", portOption, 0)
    .option("--openadr3-port <number>", "port of OpenADR 3.1 on 127.0.0.1; 0 = any", portOption, 0)
    .option("--api-port <number>", "port of its API on 127.0.0.1; 0 = any", portOption, 0)
    .option(
      "--certificate-days <number>",
      "life of certificates that its EST server issues",
      wholeNumber(1),
      365,
    )
    .option(
      "--module-config <file>",
      "write a configuration with which `openucm ucm --config FILE` enrols here, by OpenADR 2.0b",
    )
    .option("--poll-seconds <number>", "how often modules are asked to poll", wholeNumber(1), 10)
    .addOption(dataDirOption())
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
It is a test double, not a utility's server. First it prints where it listens and the files that a module enrols with.
  POST   API/events      {"signal":"SIMPLE","level":1,"startInSeconds":5,"durationSeconds":60}  answers {"id"}
  PATCH  API/events/ID   changed fields
  DELETE API/events/ID   cancels
  POST   API/misbehave   {"name":"http-500","times":2}; GET lists the names, {"name":"none"} ends all
  GET    API/events, API/vens, API/reports

Examples:
  openucm vtn --module-config module.json               then: openucm ucm --serial LINE --config module.json
  openucm vtn --json                                    addresses and files as one JSON object
  openucm vtn --port 8443 --api-port 8444 --data demo   at fixed ports, its certificates in demo/pki
  curl -X POST http://127.0.0.1:8444/events -d '{"signal":"SIMPLE","level":1,"durationSeconds":60}'`,
    )
    .action((flags: VtnFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        if (flags.moduleConfig !== undefined) checkWritable("--module-config", flags.moduleConfig);
        const vtn = await startVtn({
          dataDir: makeDataDir(flags.data),
          port: flags.port,
          port3: flags.openadr3Port,
          apiPort: flags.apiPort,
          pollSeconds: flags.pollSeconds,
          certificateDays: flags.certificateDays,
        });
        // A secret goes into a file, not into what is printed; a module's configuration names that file.
        const clientSecretFile = resolve(flags.data, "openadr3-module.secret");
        writeFileSync(clientSecretFile, `${vtn.clients.module.clientSecret}\n`, { mode: 0o600 });
        if (flags.moduleConfig !== undefined) {
          const utility = {
            id: "utility",
            protocol: "openadr2b",
            url: vtn.urls.openadr2b,
            venName: "module",
          };
          const config = {
            upstreams: [{ ...utility, ca: vtn.ca, cert: vtn.clientCert, key: vtn.clientKey }],
            region: "us",
          };
          writeFileSync(flags.moduleConfig, `${JSON.stringify(config, undefined, 2)}\n`);
        }
        output.emit(
          {
            event: "listening",
            urls: vtn.urls,
            api: vtn.api,
            ca: vtn.ca,
            clientCert: vtn.clientCert,
            clientKey: vtn.clientKey,
            clientId: vtn.clients.module.clientId,
            clientSecretFile,
          },
          `OpenADR 2.0b: ${vtn.urls.openadr2b}\nOpenADR 3.1: ${vtn.urls.openadr3}\nEST: ${vtn.urls.est}\nAPI: ${vtn.api}\nca: ${vtn.ca}\ncert: ${vtn.clientCert}\nkey: ${vtn.clientKey}\nOAuth 2 clients: ${resolve(flags.data, "openadr3-clients.json")}${flags.moduleConfig === undefined ? "" : `\nconfiguration of a module: ${resolve(flags.moduleConfig)}`}`,
        );
        vtn.onChange((change) => output.emit({ event: "vtn", ...change }, undefined));
        return await untilInterrupted(() => vtn.close());
      }),
    );
}
