import type { Mark, Outcome, Role, Steps } from "./plan.js";
import type { Tester } from "./tester.js";

/** One test of the plan, as docs/conformance.md has it. */
export interface TestCase {
  readonly id: string;
  /** Parts that we may play in it. */
  readonly roles: readonly Role[];
  readonly requirement: string;
  /** Section of docs/protocol/cta2045.md. */
  readonly section: string;
  readonly mark: Mark;
  /** Only with `--all` or by name: `long` takes minutes, `disruptive` reboots the peer. */
  readonly optional?: "long" | "disruptive";
  run(t: Tester): Steps<Outcome>;
}
