/**
 * The firmware on an emulated microcontroller: the same byte code on bare-metal rv32imac in qemu (boards/qemu-rv32). Its
 * UART is a socket that the caller joins to an appliance; everything else crosses a second channel in batches. The clock
 * is the machine's own, so that link deadlines are kept on it: `nowMs` of a batch is ignored, and what the machine wants
 * done on its own account (a line byte came, a time was reached) arrives at `onOutput`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkoutMissing,
  exitOf,
  processFault,
  projectRoot,
  XsChannel,
  type XsFault,
  type XsReply,
  type XsRuntime,
  type XsStats,
} from "./xs-host.js";

/** Instructions of one kind of call: how many calls, all their instructions, and the dearest. */
export interface InstructionCount {
  readonly count: number;
  readonly sum: number;
  readonly most: number;
}

/** Figures of an emulated machine. Instruction counts are exact (`-icount`) and leave interrupts out. */
export interface QemuStats extends XsStats {
  /** Bytes of C stack used so far (of 16 KB; JavaScript is held to 10 KB as on the ESP32). */
  readonly cStack: number;
  readonly line: { readonly received: number; readonly dropped: number; readonly sent: number };
  /** Milliseconds since the machine's start, by its own clock. */
  readonly ms: number;
  readonly instructions: {
    /** Making ROM: the linker's work on a real chip, no part of its start. */
    readonly rom: number;
    /** From ROM to a loaded application. */
    readonly start: number;
    readonly interrupts: number;
    /** Of these, for received bytes in the line's handler: `count` bytes, all of it, and the dearest call. */
    readonly uart: InstructionCount;
    /** The line's interrupts as a whole, with all around that handler but the saving of registers: `count` interrupts. */
    readonly uartInterrupt: InstructionCount;
    readonly rx: InstructionCount;
    readonly wake: InstructionCount;
    readonly host: InstructionCount;
  };
}

/** What the appliance inside the machine has measured: link answers to its frames, from their last byte. */
export interface PeerFigures {
  readonly done: boolean;
  readonly frames: number;
  /** Answers 40–200 ms after the frame; before; after; none at all. */
  readonly onTime: number;
  readonly early: number;
  readonly late: number;
  readonly missing: number;
  /** Answers that were not the one that the frame earns. */
  readonly wrong: number;
  /** Times that JavaScript stood still. */
  readonly stops: number;
  /** Frames of the module. */
  readonly heard: number;
  readonly shortestUs: number;
  readonly longestUs: number;
}

export interface QemuOptions {
  /** Archive made by `buildArchive`. */
  readonly archive: string;
  /** Another machine than `build/qemu-rv32/firmware.elf`, e.g. one with more memory. */
  readonly firmware?: string;
  /** How strong its line is (src/ports/line.ts); "byte" if not given. */
  readonly line?: "byte" | "frame";
  /** Nanoseconds per instruction as a power of two: 3 = 125 million a second, about an ESP32-C3. */
  readonly icountShift?: number;
  /** While the machine idles its clock leaps to the next timer, instead of keeping step with real time. */
  readonly leaps?: boolean;
  /** What the machine did without being asked. */
  readonly onOutput?: (reply: XsReply) => void;
  /** The machine started again: `reset` is "watchdog" or "requested". */
  readonly onReset?: (reset: string) => void;
}

/** An emulated machine; `line` is its UART: what is written to it the UART receives. */
export interface QemuRuntime extends XsRuntime {
  readonly line: Socket;
  stats(): Promise<QemuStats>;
  collect(): Promise<QemuStats>;
  /** Stops JavaScript for `forMs`, `afterMs` from now; interrupts go on, as while flash is erased. */
  stop(afterMs: number, forMs: number): Promise<void>;
  /** Starts the appliance inside the machine (boards/qemu-rv32/peer.h): so many frames, with stops of JavaScript. */
  startPeer(frames: number, seed: number): Promise<void>;
  peer(): Promise<PeerFigures>;
  /** Restarts the machine by software, or lets it hang until the watchdog restarts it; tells through `onReset`. */
  reset(how: "requested" | "watchdog"): void;
}

const firmware = join(projectRoot, "build/qemu-rv32/firmware.elf");
const frameFirmware = join(projectRoot, "build/qemu-rv32/firmware-frame.elf");

/** Why the emulated machine cannot be used here, or undefined when it is built (building it where the tools are). */
export function qemuMissing(): string | undefined {
  const outside = checkoutMissing();
  if (outside !== undefined) return outside;
  if (spawnSync("qemu-system-riscv32", ["--version"]).status !== 0)
    return "qemu-system-riscv32 is missing (Debian: apt install qemu-system-misc)";
  const made = spawnSync("make", ["-s", "-j2", "-C", join(projectRoot, "boards/qemu-rv32")], {
    encoding: "utf8",
  });
  if (made.status === 0 && existsSync(firmware) && existsSync(frameFirmware)) return undefined;
  const lines = (made.stderr || made.error?.message || "").trim().split("\n");
  return `the rv32 firmware cannot be built (Debian: apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf): ${lines.at(-1) ?? ""}`;
}

type RawCount = { count: number; sum: number; most: number };
type RawStats = Omit<QemuStats, "instructions"> & {
  ticks: {
    rom: number;
    start: number;
    interrupts: number;
    uart: RawCount;
    uartInterrupt: RawCount;
    rx: RawCount;
    wake: RawCount;
    host: RawCount;
  };
};

/** The counter runs in nanoseconds of virtual time, 2^shift to the instruction. */
function instructionsOf({ ticks, ...rest }: RawStats, shift: number): QemuStats {
  const scale = (value: number) => Math.round(value / 2 ** shift);
  const each = ({ count, sum, most }: RawCount): InstructionCount => ({
    count,
    sum: scale(sum),
    most: scale(most),
  });
  const instructions = {
    rom: scale(ticks.rom),
    start: scale(ticks.start),
    interrupts: scale(ticks.interrupts),
    uart: each(ticks.uart),
    uartInterrupt: each(ticks.uartInterrupt),
    rx: each(ticks.rx),
    wake: each(ticks.wake),
    host: each(ticks.host),
  };
  return { ...rest, instructions };
}

/** A socket that one client will connect to: its path, and the client. */
function awaitClient(path: string): {
  readonly client: Promise<Socket>;
  readonly listening: Promise<void>;
  close(): void;
} {
  const server = createServer();
  const client = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return { client, listening, close: () => server.close() };
}

/** Starts a machine; resolves when the application is loaded, rejects with its fault. */
export async function startQemu(
  options: QemuOptions,
): Promise<QemuRuntime & { readonly started: QemuStats }> {
  const shift = options.icountShift ?? 3;
  const folder = mkdtempSync(join(tmpdir(), "openucm-qemu-"));
  const sockets = { line: awaitClient(join(folder, "line")), host: awaitClient(join(folder, "host")) };
  await Promise.all([sockets.line.listening, sockets.host.listening]);
  const args = [
    [
      "-M",
      "virt",
      "-m",
      "32M",
      "-icount",
      `shift=${shift}${options.leaps ? ",sleep=off" : ""}`,
      "-bios",
      "none",
      "-nodefaults",
      "-display",
      "none",
      "-monitor",
      "none",
    ],
    ["-chardev", `socket,id=line,path=${join(folder, "line")}`, "-serial", "chardev:line"],
    ["-global", "virtio-mmio.force-legacy=false", "-chardev", `socket,id=host,path=${join(folder, "host")}`],
    ["-device", "virtio-serial-device", "-device", "virtconsole,chardev=host"],
    [
      "-device",
      `loader,file=${options.archive},addr=0x80c00000,force-raw=on`,
      "-kernel",
      options.firmware ?? (options.line === "frame" ? frameFirmware : firmware),
    ],
  ].flat();
  const child = spawn("qemu-system-riscv32", args, { stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => void child.kill("SIGKILL"); // whatever ends this process
  process.once("exit", kill);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-400)));
  let fault: XsFault | undefined;
  let closing = false;
  let channel: XsChannel | undefined;
  const ended = exitOf(child).then(({ status, signal }) => {
    if (!fault && !closing) fault = processFault(`qemu ${complaint.trim()}`, status, signal);
    channel?.end(fault ?? new Error("the machine is closed"));
    process.removeListener("exit", kill);
    for (const socket of Object.values(sockets)) socket.close();
    rmSync(folder, { recursive: true, force: true });
    return closing ? undefined : fault;
  });
  const died = ended.then((end) => Promise.reject(end ?? new Error("the machine is closed")));
  died.catch(() => undefined); // told where it is awaited
  const [line, host] = await Promise.race([Promise.all([sockets.line.client, sockets.host.client]), died]);
  line.on("error", () => undefined);
  const started = await Promise.race([
    died,
    new Promise<QemuStats>((resolve) => {
      channel = new XsChannel(host, host, {
        ready: ({ reset, stats }) => {
          if (reset === "power") resolve(instructionsOf(stats as never, shift));
          else options.onReset?.(reset ?? "");
        },
        fault: (told) => (fault = told),
        unasked: (reply) => options.onOutput?.(reply),
      });
    }),
  ]);
  const wire = channel as unknown as XsChannel;
  return {
    started,
    ended,
    line,
    step: (batch) => wire.step(batch),
    stats: async () => instructionsOf(await wire.command<RawStats>("stats"), shift),
    collect: async () => instructionsOf(await wire.command<RawStats>("gc"), shift),
    stop: async (afterMs, forMs) => void (await wire.command(`stop ${afterMs} ${forMs}`)),
    startPeer: async (frames, seed) => void (await wire.command(`peer ${frames} ${seed}`)),
    peer: () => wire.command<PeerFigures>("peer"),
    reset: (how) => wire.send(how === "watchdog" ? "!hang" : "!reset"),
    close: async () => {
      closing = true;
      wire.send("!quit");
      const late = setTimeout(kill, 2000);
      await ended;
      clearTimeout(late);
    },
  };
}
