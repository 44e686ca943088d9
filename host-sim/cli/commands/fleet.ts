import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { Fleet, fleetName, virtualUtcMs } from "../../fleet/fleet.js";
import type { HttpCredentials } from "../../net/node-http.js";
import { openPki, type Pki } from "../../pki/pki.js";
import { whyNot } from "../../runtime/why-not.js";
import { loadProfile } from "../../sgd/profile.js";
import { VtnCore } from "../../vtn/core.js";
import { startVtn, type Vtn } from "../../vtn/server.js";
import { dataDirOption, wholeNumber } from "../options.js";
import { openCapture, utcOf } from "../capture-option.js";
import { makeDataDir } from "../data-dir.js";
import { asNamed, checkWritable, Output, UsageError } from "../output.js";
import { Progress } from "../progress.js";
import type { Run } from "../run.js";

interface FleetFlags {
  readonly count: number;
  readonly vtn?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly pki?: string;
  readonly seconds: number;
  readonly ramp?: number;
  readonly pollSeconds?: number;
  readonly shedAfter?: number;
  readonly shedSeconds: number;
  readonly virtualTime?: boolean;
  readonly profile: string;
  readonly seed: number;
  readonly csv?: string;
  readonly capture?: string;
  readonly data: string;
  readonly json?: boolean;
}

function report(fleet: Fleet, output: Output, tookMs: number, virtualMs: number | undefined): void {
  const totals = fleet.totals();
  const { kept, all } = fleet.deadlines();
  const q = (part: number): number | null => fleet.toVerified.quantile(part) ?? null;
  const gap = (part: number): number | null => fleet.gaps.quantile(part) ?? null;
  output.emit(
    {
      event: "fleet",
      ...totals,
      answers: all,
      answersInTime: kept,
      answerGapMs: { p50: gap(0.5), p99: gap(0.99), p999: gap(0.999), max: gap(1) },
      answerGapHistogram: fleet.gaps.rows(10),
      toVerifiedMs: { p50: q(0.5), p95: q(0.95), max: q(1), count: fleet.toVerified.count },
      rssBytes: process.memoryUsage().rss,
      heapBytes: liveHeapBytes(),
      cpuMs: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1000),
      tookMs: Math.round(tookMs),
      virtualMs: virtualMs ?? null,
    },
    [
      `${totals.online} of ${totals.count} online, ${totals.exchanges} exchanges, ${totals.refused} commands refused or failed`,
      `link answers within 40–200 ms: ${kept} of ${all}, ${totals.collided} frames collided and were repeated   gap p50 ${gap(0.5)} ms, p99.9 ${gap(0.999)} ms, max ${gap(1)} ms`,
      ...fleet.gaps.rows(10).map(([from, n]) => `  ${String(from).padStart(5)} ms  ${n}`),
      fleet.toVerified.count > 0
        ? `from intent to verified: p50 ${q(0.5)} ms, p95 ${q(0.95)} ms, max ${q(1)} ms (${fleet.toVerified.count})`
        : "no event was answered",
    ].join("\n"),
  );
}

/** What lives on the heap: after a collection, where Node was started with --expose-gc. */
function liveHeapBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

function urlOption(text: string): string {
  if (!/^https:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError("an address is needed, as `openucm vtn` prints it: https://HOST:PORT/…");
  return text;
}

/** The authority of a VTN that runs. Made anew, it would be another, whom that VTN does not know. */
async function pkiOf(dir: string): Promise<Pki> {
  if (!existsSync(join(dir, "ca.key")))
    throw new UsageError(
      `--pki: there is no ca.key in ${dir}; name the folder pki of \`openucm vtn --data DIR\``,
    );
  return await openPki(resolve(dir));
}

/** A certificate for each module, made by the bench's own authority; or one that all share. */
async function credentialsFor(
  flags: FleetFlags,
  pki: Pki | undefined,
  output: Output,
): Promise<readonly HttpCredentials[]> {
  if (pki === undefined) {
    const { ca, cert, key } = flags;
    if (ca === undefined || cert === undefined || key === undefined) {
      throw new UsageError(
        "--vtn needs --pki DIR (the folder of `openucm vtn`, to make a certificate for each module) or --ca, --cert and --key",
      );
    }
    const named = (option: string, path: string): string => {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        throw new UsageError(`${option}: cannot read ${path} (${whyNot(error)})`);
      }
    };
    return [{ ca: named("--ca", ca), cert: named("--cert", cert), key: named("--key", key) }];
  }
  const made: HttpCredentials[] = [];
  const progress = new Progress(flags.count, flags.json);
  for (let i = 0; i < flags.count; i++) {
    const { cert, key } = await pki.client(fleetName(i));
    made.push({ ca: pki.ca.cert, cert, key });
    progress.update(i, `certificates: ${i + 1} of ${flags.count}`);
  }
  progress.end();
  output.emit({ event: "certificates", count: made.length }, undefined);
  return made;
}

async function realTime(
  flags: FleetFlags,
  fleetOf: (url: string, credentials: readonly HttpCredentials[]) => Fleet,
  output: Output,
): Promise<{ readonly fleet: Fleet; readonly isInterrupted: boolean }> {
  const own: Vtn | undefined =
    flags.vtn === undefined
      ? await startVtn({ dataDir: makeDataDir(flags.data), pollSeconds: flags.pollSeconds ?? 10 })
      : undefined;
  const pki = own?.pki ?? (flags.pki === undefined ? undefined : await pkiOf(flags.pki));
  const fleet = fleetOf(own?.urls.openadr2b ?? flags.vtn!, await credentialsFor(flags, pki, output));
  const progress = new Progress(flags.seconds, flags.json);
  const beganMs = Date.now();
  const shown = setInterval(() => {
    const t = fleet.totals();
    const s = (Date.now() - beganMs) / 1000;
    progress.update(
      s,
      `${s.toFixed(0)} s  ${t.online}/${t.count} online  ${t.shedding} shedding  ${t.verified} verified  ${(t.currentA / 1000).toFixed(2)} kA`,
    );
  }, 500);
  const shed = setTimeout(
    () => {
      own?.createEvent({ signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: flags.shedSeconds });
    },
    (flags.shedAfter ?? 0) * 1000,
  );
  if (flags.shedAfter === undefined) clearTimeout(shed);
  else if (!own)
    output.emit(
      { event: "note", text: "--shed-after acts on the fleet's own VTN alone" },
      "--shed-after acts on the fleet's own VTN alone",
    );
  let isInterrupted = false;
  const end = new Promise<void>((done) => {
    const timer = setTimeout(done, flags.seconds * 1000);
    const interrupt = (): void => {
      isInterrupted = true;
      clearTimeout(timer);
      done();
    };
    process.once("SIGINT", interrupt);
    process.once("SIGTERM", interrupt);
  });
  output.emit({ event: "running", seconds: flags.seconds }, undefined);
  await fleet.runReal(end);
  clearInterval(shown);
  clearTimeout(shed);
  progress.end();
  await own?.close();
  return { fleet, isInterrupted };
}

function virtualTime(flags: FleetFlags, fleet: Fleet): void {
  const vtn = new VtnCore({ pollSeconds: flags.pollSeconds ?? 10 });
  const progress = new Progress(flags.seconds, flags.json);
  fleet.runVirtual(vtn, flags.seconds * 1000, (nowMs) => {
    if (nowMs === (flags.shedAfter ?? -1) * 1000) {
      vtn.createEvent(
        { signal: "SIMPLE", level: 1, startInSeconds: 1, durationSeconds: flags.shedSeconds },
        { utcMs: virtualUtcMs + nowMs },
      );
    }
    progress.update(nowMs / 1000, `${nowMs / 1000} s of virtual time, ${fleet.started} modules`);
  });
  progress.end();
}

/** What says nothing together is refused: a run of minutes without its event would tell so only at its end. */
function checkTogether({ vtn, virtualTime: isVirtual, shedAfter, ramp, seconds }: FleetFlags): void {
  const runs = `the fleet runs for ${seconds} s: make --seconds longer`;
  if (vtn !== undefined && isVirtual)
    throw new UsageError("--virtual-time has no sockets: leave out --vtn, or run by the clock");
  if (vtn !== undefined && shedAfter !== undefined)
    throw new UsageError("--shed-after is for the fleet's own VTN: send the event at the one of --vtn");
  if (shedAfter !== undefined && shedAfter >= seconds)
    throw new UsageError(`--shed-after ${shedAfter} never comes, ${runs}`);
  if (ramp !== undefined && ramp >= seconds)
    throw new UsageError(`--ramp ${ramp} does not start every module, ${runs}`);
}

export function addFleet(program: Command, run: Run): void {
  program
    .command("fleet")
    .description("many modules and chargers in one process, with real protocol traffic")
    .requiredOption("--count <number>", "modules, each with its charger", wholeNumber(1))
    .option("--vtn <url>", "OpenADR 2.0b VTN; without it the fleet starts its own", urlOption)
    .option(
      "--pki <dir>",
      "certificate folder of that `openucm vtn` (DIR/pki): makes a certificate for each module",
    )
    .option("--ca <file>", "root certificate of that VTN")
    .option("--cert <file>", "client certificate that all modules use")
    .option("--key <file>", "its key")
    .option("--seconds <number>", "how long to run", wholeNumber(1), 60)
    .option(
      "--ramp <number>",
      "seconds over which the modules are started (default: 10, at most half of --seconds)",
      wholeNumber(0),
    )
    .option("--poll-seconds <number>", "at least so long between polls", wholeNumber(1))
    .option(
      "--shed-after <number>",
      "the fleet's own VTN sends an event of level 1 after so many seconds",
      wholeNumber(1),
    )
    .option("--shed-seconds <number>", "how long that event lasts", wholeNumber(1), 30)
    .option("--virtual-time", "without sockets, as fast as the computer can")
    .option("--profile <name>", "charger profile", "evse-level2-32a")
    .option("--seed <number>", "of everything random", wholeNumber(0), 1)
    .option(
      "--csv <file>",
      "write one line a response: module, ms from intent to verified, ms of the fleet's clock, frames that collided",
    )
    .option("--capture <file>", "every frame of the first module's line, pcapng (docs/capture.md)")
    .addOption(dataDirOption())
    .option("--json", "one JSON object a line; the result is the last")
    .addHelpText(
      "after",
      `
Examples:
  openucm fleet --count 1000 --shed-after 30 --seconds 90              against a utility of its own, by the clock
  openucm fleet --count 10000 --virtual-time --shed-after 60           as fast as it goes, without sockets
  openucm fleet --count 50 --vtn https://127.0.0.1:8443/OpenADR2/Simple/2.0b --pki demo/pki --csv answers.csv`,
    )
    .action((flags: FleetFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        checkTogether(flags);
        if (flags.csv !== undefined) checkWritable("--csv", flags.csv);
        const beganMs = performance.now();
        const sink = flags.capture === undefined ? undefined : openCapture(flags.capture);
        const toUtc = flags.virtualTime ? (atMs: number): number => virtualUtcMs + atMs : utcOf;
        const fleetOf = (vtnUrl: string, credentials: readonly HttpCredentials[]): Fleet =>
          new Fleet({
            count: flags.count,
            profile: asNamed(() => loadProfile(flags.profile)),
            seed: flags.seed,
            vtnUrl,
            credentials: (index) => credentials[index % credentials.length] ?? {},
            pollSeconds: flags.pollSeconds,
            rampMs: (flags.ramp ?? Math.min(10, flags.seconds / 2)) * 1000,
            ...(sink === undefined ? {} : { capture: { sink, toUtc } }),
          });
        let fleet: Fleet;
        let isInterrupted = false;
        if (flags.virtualTime) {
          fleet = fleetOf("https://127.0.0.1:1", []);
          virtualTime(flags, fleet);
        } else ({ fleet, isInterrupted } = await realTime(flags, fleetOf, output));
        report(
          fleet,
          output,
          performance.now() - beganMs,
          flags.virtualTime ? flags.seconds * 1000 : undefined,
        );
        sink?.close();
        if (flags.csv !== undefined) {
          const lines = fleet.responses.map(
            (one) => `${one.pair},${one.toVerifiedMs},${one.atMs},${one.collided}`,
          );
          writeFileSync(flags.csv, `module,to_verified_ms,at_ms,frames_collided\n${lines.join("\n")}\n`);
        }
        if (isInterrupted) return 130;
        return fleet.totals().online === flags.count ? 0 : 1;
      }),
    );
}
