import type { Command } from "commander";
import { seededRandom } from "../../../src/base/random.js";
import { startLocalServer, type LocalServer } from "../../control/local-server.js";
import { openLine } from "../../line/node/open-line.js";
import { monotonicMs, WakeUp } from "../../runtime/clock.js";
import { controlHandler } from "../../sgd/control.js";
import { loadProfile } from "../../sgd/profile.js";
import { SgdSimulator } from "../../sgd/simulator.js";
import { captureOption, tapLine } from "../capture-option.js";
import { echoOption, type LineFlags, lineOf, portOption, rtsOption, serialHelp } from "../options.js";
import { asNamed, Output } from "../output.js";
import type { Run } from "../run.js";
import { untilInterrupted } from "../wait.js";

interface SgdFlags extends LineFlags {
  readonly serial: string;
  readonly profile: string;
  readonly control?: number;
  readonly plugged: boolean;
  readonly capture?: string;
  readonly json?: boolean;
}

/** Runs a simulator against a line in real time. */
export function driveSgd(simulator: SgdSimulator): { kick(): void; stop(): void } {
  const wake = new WakeUp(() => kick());
  const kick = (): void => {
    simulator.poll(Math.floor(monotonicMs()));
    wake.at(simulator.nextMs());
  };
  return { kick, stop: () => wake.stop() };
}

export function addSgd(program: Command, run: Run): void {
  program
    .command("sgd")
    .description("the charger alone: an EVSE simulator that speaks CTA-2045 on a serial line")
    .requiredOption("--serial <line>", serialHelp)
    .option("--profile <name>", "charger profile: a name or a JSON file", "evse-level2-32a")
    .option("--control <port>", "serve a control interface on 127.0.0.1; 0 = any port", portOption)
    .option("--no-plugged", "start without a car")
    .addOption(echoOption())
    .addOption(rtsOption())
    .addOption(captureOption())
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Control interface: POST /plug, /unplug, /override {"on":true}, /fault {"name":"no-ack"}; GET /state, /faults

Examples:
  openucm sgd --serial pty                                       a module opens the path that it prints
  openucm sgd --serial /dev/ttyUSB0 --profile evse-slow          a slow charger on an RS-485 adapter
  openucm sgd --serial COM5 --echo --rts-driver-enable           an adapter that echoes and is switched by RTS
  openucm sgd --serial tcp-listen://127.0.0.1:4000 --control 0   over TCP, driven by another program`,
    )
    .action((flags: SgdFlags) =>
      run(async () => {
        const output = new Output(flags.json ?? false);
        const profile = asNamed(() => loadProfile(flags.profile));
        let simulator: SgdSimulator | undefined = undefined;
        const tapped = tapLine(flags.capture, "charger", "module");
        const line = await openLine(flags.serial, {
          ...lineOf(flags, output, flags.serial),
          onEvent: (event) => {
            tapped.onEvent(event);
            simulator?.onByteLine(event, Math.floor(monotonicMs()));
            drive.kick();
          },
        });
        if (line.path !== undefined)
          output.emit({ event: "serial", path: line.path }, `serial line: ${line.path}`);
        if (line.url !== undefined)
          output.emit({ event: "serial", url: line.url }, `serial line: ${line.url}`);
        const sgd = new SgdSimulator({
          profile,
          line: tapped.wrap(line),
          random: seededRandom(Date.now() & 0x7fffffff),
          emit: (event) =>
            output.emit(
              { ...event },
              event.event === "state"
                ? `state ${event.opState}  ${event.currentA.toFixed(1)} A of ${event.limitA.toFixed(1)} A  contactor ${event.contactor}${event.override ? "  override" : ""}`
                : event.event === "frame"
                  ? `${event.dir === "tx" ? "→" : "←"} ${event.text}   [${event.hex}]`
                  : undefined,
            ),
        });
        simulator = sgd;
        const drive = driveSgd(sgd);
        let control: LocalServer | undefined;
        if (flags.control !== undefined) {
          const handle = controlHandler(sgd);
          control = await startLocalServer(flags.control, (method, path, body) => {
            const answer = handle(method, path, body);
            drive.kick();
            return answer;
          });
          output.emit({ event: "control", url: control.url }, `control interface: ${control.url}`);
        }
        if (flags.plugged) sgd.plug();
        drive.kick();
        return await untilInterrupted(async () => {
          drive.stop();
          await control?.close();
          await line.close();
          tapped.close();
        });
      }),
    );
}
