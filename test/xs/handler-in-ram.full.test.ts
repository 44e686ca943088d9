/**
 * The link map of the emulated board with the frame line: everything that the trap handler can reach, code and constants,
 * lies in RAM, so that it runs on while flash is erased. Walked in the disassembly, because a map does not say who
 * calls whom; the walk itself is proven on the main program, which does reach flash.
 */
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { qemuMissing } from "../../host-sim/runtime/qemu.js";
import { describeWith } from "../support/needs.js";

const elf = resolve(import.meta.dirname, "../../build/qemu-rv32/firmware-frame.elf");
/** Ends the machine on a processor fault; never returns, and is no part of normal work. */
const fatal = ["hardwareTrap"];

interface Walk {
  readonly reached: ReadonlySet<string>;
  /** "function: instruction" for every reference into flash. */
  readonly flash: readonly string[];
  /** Calls through a register, which the walk cannot follow. */
  readonly indirect: readonly string[];
}

interface Instruction {
  readonly text: string;
  /** The linker has put an address into it (the program keeps its relocations). */
  address: boolean;
}

function disassemble(): Map<string, Instruction[]> {
  const args = ["-dr", "--no-show-raw-insn", "-j", ".text", "-j", ".data", elf];
  const text = execFileSync("riscv64-unknown-elf-objdump", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const bodies = new Map<string, Instruction[]>();
  let body: Instruction[] = [];
  for (const line of text.split("\n")) {
    const name = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1];
    if (name !== undefined) {
      // A label inside a function begins with a dot; the linker's own may fall into one as well.
      if (!name.startsWith(".") && name !== "__global_pointer$") bodies.set(name, (body = []));
    } else if (/R_RISCV_\w*(HI20|LO12|JUMP|CALL|JAL|32)/.test(line)) {
      if (body.length > 0) body[body.length - 1]!.address = true;
    } else if (/^\s*[0-9a-f]+:\s/.test(line) && !line.includes("R_RISCV")) {
      body.push({ text: line.trim(), address: false });
    }
  }
  return bodies;
}

const inFlash = (address: number): boolean => address >= 0x80000000 && address < 0x80400000;

/** Follows calls, jumps and addresses from `root`. */
function walk(bodies: ReadonlyMap<string, readonly Instruction[]>, root: string): Walk {
  const reached = new Set<string>();
  const flash: string[] = [];
  const indirect: string[] = [];
  const visit = (name: string): void => {
    if (reached.has(name) || fatal.includes(name)) return;
    reached.add(name);
    const body = bodies.get(name);
    if (!body) throw new Error(`no ${name} in the program`);
    for (const { text, address } of body) {
      const [, target, symbol] = /\b([0-9a-f]{8}) <([^>+]+)(?:\+0x[0-9a-f]+)?>/.exec(text) ?? [];
      const page = address ? /\blui\s+\w+,0x([0-9a-f]+)/.exec(text)?.[1] : undefined;
      if (fatal.includes(symbol ?? "")) continue;
      const jump = /\s(jal|j|jalr|jr|call|tail)\s/.test(text);
      if (page !== undefined && inFlash(Number.parseInt(page, 16) * 4096)) flash.push(`${name}: ${text}`);
      if (target !== undefined && (address || jump)) {
        if (inFlash(Number.parseInt(target, 16))) flash.push(`${name}: ${text}`);
        else if (jump && !symbol!.startsWith(".")) visit(symbol!);
      } else if (/\s(jalr|jr)\s/.test(text) && !/\sjr\s+ra\b/.test(text)) indirect.push(`${name}: ${text}`);
    }
  };
  visit(root);
  return { reached, flash, indirect };
}

describeWith(qemuMissing(), "where the interrupt handler lies", () => {
  const bodies = disassemble();

  test("all that it reaches lies in RAM, and it makes no call that cannot be followed", () => {
    const { reached, flash, indirect } = walk(bodies, "onTrap");
    expect(flash).toEqual([]);
    expect(indirect).toEqual([]);
    for (const name of ["rs485LineRx", "rs485LineSent", "rs485ReceiverPoll", "rs485QueuePut", "uartWrite"])
      expect(
        [...reached].some((r) => r.startsWith(name)),
        name,
      ).toBe(true);
    expect(reached.size).toBeGreaterThan(20);
  });

  test("the walk does see flash where there is flash", () => {
    expect(walk(bodies, "main").flash.length).toBeGreaterThan(50);
  });
});
