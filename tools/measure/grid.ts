/** The demand-response core: the law of its delays, the cost of a re-plan, and its agreement with the naive oracle. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  changeDelays,
  CRITICAL,
  DRAWS,
  eventDelays,
  kolmogorovSmirnov,
} from "../../test/support/delay-draws.js";
import { MINUTE } from "../../test/support/grid.js";
import { replanFigures } from "../../test/support/replan.js";
import type { Measure, Row } from "../measure.js";

const HISTORIES = 5000;

function delays(): Row[] {
  const row = (name: string, distance: number, critical: number): Row => ({
    name: `random delay, ${name}: Kolmogorov–Smirnov distance`,
    value: distance,
    unit: "",
    target: `under ${critical.toFixed(5)} (1 %)`,
    met: distance < critical,
    conditions: `${DRAWS} draws, seeded`,
  });
  const window = 5 * MINUTE;
  return [
    row("event after its start", kolmogorovSmirnov(eventDelays("after"), 0, window), CRITICAL),
    row("event around its start", kolmogorovSmirnov(eventDelays("around"), -window, window), CRITICAL),
    row(
      "change of load in the UK, whole seconds",
      kolmogorovSmirnov(changeDelays(), -0.5, 600.5),
      CRITICAL + 1 / 1202,
    ),
  ];
}

function replans(): Row[] {
  const figures = replanFigures([1, 10, 100, 1000]);
  return figures.flatMap(({ count, us, heapB, storedB }, i) => {
    const before = figures[i - 1];
    const linear = before === undefined ? {} : { target: "linear or better", met: us / before.us < 15 };
    return [
      {
        name: `re-plan with ${count} stored events`,
        value: us,
        unit: "µs",
        ...linear,
        conditions: "best of 12 rounds of 200",
      },
      {
        name: `heap of a core with ${count} stored events`,
        ...{ value: heapB, unit: "B", conditions: `Node; three intervals each; ${storedB} B in the store` },
      },
    ];
  });
}

/** Runs the model test, which tells its figures in a line. */
function histories(): Row {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const run = spawnSync(
    process.execPath,
    [`${root}node_modules/vitest/vitest.mjs`, "run", "test/property/model-charger.test.ts"],
    { cwd: root, encoding: "utf8", env: { ...process.env, MODEL_RUNS: String(HISTORIES) } },
  );
  const failure = /Counterexample: .*|AssertionError: .*/.exec(run.stdout)?.[0] ?? "";
  const line = /\d+ histories in .*/.exec(run.stdout)?.[0] ?? `the test left no figures: ${failure}`;
  return {
    name: "histories after which the charger differs from the oracle",
    ...{
      value: run.status === 0 ? 0 : "1 or more",
      unit: `of ${HISTORIES}`,
      target: "0",
      met: run.status === 0,
    },
    conditions: `${line}; settling time 90 s`,
  };
}

export default {
  name: "grid",
  about:
    "The demand-response core: its delays, its cost, and its agreement with a naive oracle down to the charger's current.",
  run: () => Promise.resolve([...delays(), ...replans(), histories()]),
} satisfies Measure;
