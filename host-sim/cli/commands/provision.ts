import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { whyNot } from "../../runtime/why-not.js";
import { enrolmentCsv, provision } from "../../provision/batch.js";
import { importCertificate, makeRequest } from "../../provision/identity.js";
import { wholeNumber } from "../options.js";
import { checkWritable, Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";

interface NewFlags {
  readonly out: string;
  readonly count: number;
  readonly prefix: string;
  readonly venName: string;
  readonly ledger?: string;
  readonly csv?: string;
  readonly estCsv?: string;
  readonly json?: boolean;
}

interface DeviceFlags {
  readonly device: string;
  readonly cert: string;
  readonly json?: boolean;
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(
      `cannot write ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

export function addProvision(program: Command, run: Run): void {
  const command = program
    .command("provision")
    .description("identity of modules: keys, signing requests, labels, and the utility's list")
    .addHelpText(
      "after",
      `
Examples:
  openucm provision new --out batch-7 --count 50 --prefix UCM-A --csv enrol.csv   keys, requests, secrets, labels
  openucm provision import --device batch-7/UCM-A000001 --cert signed.pem         the certificate that came back
  openucm provision list --out batch-7 --csv enrol.csv                            the list again, with fingerprints
  openucm provision renew --device batch-7/UCM-A000001                            a new key and request; then import
How the pieces go together: docs/how-to/provision-modules.md.`,
    );

  command
    .command("new")
    .description(
      "make modules: for each a key, a signing request, a secret and a label, in a folder of its own",
    )
    .requiredOption("--out <dir>", "folder of the batch; gets one folder a module")
    .option("--count <n>", "how many", wholeNumber(1), 1)
    .option("--prefix <text>", "before the running number in serial numbers", "UCM")
    .option("--ven-name <text>", "name at the utility; {serial} is replaced", "{serial}")
    .option("--ledger <file>", "what was ever given out; default: ledger.txt in the batch's folder")
    .option("--csv <file>", "write the utility's list")
    .option("--est-csv <file>", "give each a secret for its first certificate (EST); adds them to this list")
    .option("--json", "one JSON object a line")
    .action((flags: NewFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const out = resolve(flags.out);
        if (flags.csv !== undefined) checkWritable("--csv", flags.csv);
        if (flags.estCsv !== undefined) checkWritable("--est-csv", flags.estCsv);
        const progress = new Progress(flags.count, flags.json);
        let made = 0;
        for await (const { serial, venName, dir } of provision({
          ...{ out, count: flags.count, prefix: flags.prefix, venName: flags.venName },
          ledger: flags.ledger ?? join(out, "ledger.txt"),
          ...(flags.estCsv === undefined ? {} : { estCsv: flags.estCsv }),
        })) {
          progress.update(++made, `${made} of ${flags.count} modules`);
          output.emit({ event: "provisioned", serial, venName, dir }, flags.count > 20 ? undefined : dir);
        }
        progress.end();
        if (flags.csv !== undefined) save(flags.csv, enrolmentCsv(out));
        output.emit(
          { event: "done", count: made },
          `${made} module${made === 1 ? "" : "s"} in ${out}. Each folder holds device.csr (send it to the authority) and secrets (keep them): device.key, secret.txt, label.svg, label.nvs.csv, label.nvs.bin.`,
        );
        return 0;
      }),
    );

  command
    .command("import")
    .description("take the certificate that an authority has issued for a module")
    .requiredOption("--device <dir>", "the module's folder")
    .requiredOption("--cert <file>", "certificate, PEM; a chain begins with the module's own")
    .option("--json", "one JSON object a line")
    .action((flags: DeviceFlags) =>
      run(() => {
        const output = new Output(flags.json ?? false);
        let pem: string;
        try {
          pem = readFileSync(flags.cert, "utf8");
        } catch (error) {
          throw new UsageError(`--cert: cannot read ${flags.cert} (${whyNot(error)})`);
        }
        const { slot, fingerprint, subject, notAfter } = importCertificate(flags.device, pem, Date.now());
        output.emit(
          { event: "imported", renewed: slot === "next", fingerprint, subject, notAfter },
          `${slot === "next" ? "renewed: the pair before it is kept as old.key and old.pem" : "imported"}\nfingerprint ${fingerprint} (OpenADR 2.0b)\nvalid until ${notAfter}`,
        );
        return 0;
      }),
    );

  command
    .command("renew")
    .description("make a new key and signing request beside those in use")
    .requiredOption("--device <dir>", "the module's folder")
    .option("--json", "one JSON object a line")
    .action((flags: DeviceFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        let serial: string;
        try {
          serial = (JSON.parse(readFileSync(join(flags.device, "device.json"), "utf8")) as { serial: string })
            .serial;
        } catch {
          throw new UsageError(`${flags.device} is no module's folder: device.json is missing in it`);
        }
        await makeRequest(flags.device, "next", serial);
        const csr = join(flags.device, "next.csr");
        output.emit(
          { event: "requested", csr },
          `send ${csr} to the authority, then: openucm provision import`,
        );
        return 0;
      }),
    );

  command
    .command("list")
    .description("write the utility's list of a batch: serial, name, fingerprint; no secrets")
    .requiredOption("--out <dir>", "folder of the batch")
    .requiredOption("--csv <file>", "where to")
    .option("--json", "one JSON object a line")
    .action((flags: NewFlags) =>
      run(() => {
        const output = new Output(flags.json ?? false);
        const text = enrolmentCsv(resolve(flags.out));
        save(flags.csv!, text);
        const count = text.split("\r\n").length - 2;
        output.emit({ event: "listed", count }, `${count} modules in ${flags.csv}`);
        return 0;
      }),
    );
}
