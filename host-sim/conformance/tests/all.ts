import type { Role } from "../plan.js";
import type { TestCase } from "../test-case.js";
import { applianceTests } from "./appliance.js";
import { intermediateTests } from "./intermediate.js";
import { linkTests } from "./link.js";
import { moduleTests } from "./module.js";
import { monitorTests } from "./monitors.js";
import { negotiationTests } from "./negotiation.js";
import { plugTests } from "./plug.js";
import { senderTests } from "./sender.js";

/** The plan, in the order in which it runs. */
export const allTests: readonly TestCase[] = [
  ...linkTests,
  ...negotiationTests,
  ...applianceTests,
  ...intermediateTests,
  ...moduleTests,
  ...senderTests,
  ...plugTests,
  ...monitorTests,
];

export interface Selection {
  /** Only these; optional ones too. */
  readonly only?: readonly string[] | undefined;
  /** Optional ones too. */
  readonly all?: boolean | undefined;
}

/** The tests of a role that are to run; an id that does not exist selects nothing. */
export function selectTests(role: Role, { only, all }: Selection): readonly TestCase[] {
  return allTests.filter((test) => {
    if (!test.roles.includes(role)) return false;
    if (only !== undefined) return only.includes(test.id);
    return test.optional === undefined || all === true;
  });
}
