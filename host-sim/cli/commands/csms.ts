import type { Command } from "commander";
import { startCsms } from "../../csms/server.js";
import { makeDataDir } from "../data-dir.js";
import { dataDirOption, portOption, wholeNumber } from "../options.js";
import { Output } from "../output.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";

interface CsmsFlags {
  readonly port: number;
  readonly apiPort: number;
  readonly heartbeatSeconds: number;
  readonly clientCertificates?: boolean;
  readonly data: string;
  readonly json?: boolean;
}

export function addCsms(program: Command, run: Run): void {
  program
    .command("csms")
    .description("the bench's charging platform alone: OCPP 1.6J over WSS, with an HTTP API for limits")
    .option("--port <number>", "port of OCPP on 127.0.0.1; 0 = any", portOption, 0)
    .option("--api-port <number>", "port of its API on 127.0.0.1; 0 = any", portOption, 0)
    .option("--heartbeat-seconds <number>", "interval that charge points are told", wholeNumber(1), 60)
    .option(
      "--client-certificates",
      "demand a client certificate instead of the password (security profile 3)",
    )
    .addOption(dataDirOption())
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
It is a test double, not a platform. First it prints where it listens and the files that a module enrols with.
  POST API/limit    {"limit":16,"unit":"A","purpose":"ChargePointMaxProfile"}   sets a limit
  POST API/clear    {"purpose":…}                clears limits, all without a purpose
  POST API/start    {"idTag":"BENCH"}            RemoteStartTransaction
  POST API/stop     {"transactionId":1}          RemoteStopTransaction; without a number the running one
  POST API/trigger  {"message":"MeterValues"}    TriggerMessage
  POST API/call     {"action":…,"payload":…}     any call
  GET  API/points, API/transactions

Examples:
  openucm csms --json                      address and files as one JSON object
  openucm csms --port 8446 --api-port 8447 at fixed ports
  curl -X POST http://127.0.0.1:8447/limit -d '{"limit":16,"unit":"A"}'
With several charge points, "point" names one.`,
    )
    .action((flags: CsmsFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const csms = await startCsms({
          dataDir: makeDataDir(flags.data),
          port: flags.port,
          apiPort: flags.apiPort,
          heartbeatSeconds: flags.heartbeatSeconds,
          clientCertificates: flags.clientCertificates ?? false,
        });
        const { url, api, ca, passwordFile, clientCert, clientKey } = csms;
        output.emit(
          { event: "listening", url, api, ca, passwordFile, clientCert, clientKey },
          `OCPP 1.6J: ${url}\nAPI: ${api}\nca: ${ca}\npassword file: ${passwordFile}\ncert: ${clientCert}\nkey: ${clientKey}`,
        );
        csms.core.onRecord((point, { from, action, payload, answer }) =>
          output.emit(
            { event: "message", point: point.id, from, action, payload, answer: answer ?? null },
            `${from === "charger" ? "←" : "→"} ${point.id} ${action} ${JSON.stringify(payload)} ${JSON.stringify(answer ?? null)}`,
          ),
        );
        return await untilInterrupted(() => csms.close());
      }),
    );
}
