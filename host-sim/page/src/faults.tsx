import { useState } from "preact/hooks";
import type { FaultInfo, FromPage } from "../../bench/messages.js";
import type { View } from "./store.js";

/** Faults that last by nature: a number of times means nothing for them. */
const lasting = new Set(["deaf", "mute", "echo", "babble", "unplugged"]);

type Group = "line" | "charger";
interface Shown {
  readonly view: View;
  readonly send: (message: FromPage) => void;
}

/** The faults of this side, and those of them that are on. */
function faultsOf(
  view: View,
  group: Group,
): { readonly mine: readonly FaultInfo[]; readonly on: FaultInfo[] } {
  const names = new Set((view.charger?.fault ?? "").split(", ").filter(Boolean));
  const mine = view.faults.filter((fault) => (fault.group === "line") === (group === "line"));
  return { mine, on: mine.filter((fault) => names.has(fault.name)) };
}

/** Buttons that stay pressed while their fault is on. */
function Chips(props: Shown & { group: Group }) {
  const { view, send, group } = props;
  const [times, setTimes] = useState("");
  const [about, setAbout] = useState<string | undefined>(undefined);
  const { mine, on } = faultsOf(view, group);
  const play = (fault: FaultInfo): void => {
    const count = times !== "" && !lasting.has(fault.name) ? { times: Number(times) } : {};
    send({ do: "fault", name: fault.name, on: !on.includes(fault), ...count });
  };
  const isLine = group === "line";
  const groups = isLine ? (["line"] as const) : (["charger", "answer", "once"] as const);
  return (
    <>
      <div class="often">
        <span>{isLine ? "Strikes" : "They strike"}</span>
        <select
          aria-label={isLine ? "How often a line fault strikes" : "How often a charger fault strikes"}
          value={times}
          onChange={(e) => setTimes(e.currentTarget.value)}
        >
          <option value="">until ended</option>
          <option value="1">once</option>
          <option value="3">3 times</option>
          <option value="10">10 times</option>
        </select>
      </div>
      {groups.map((name) => (
        <div class="chips" key={name}>
          {mine
            .filter((fault) => fault.group === name)
            .map((fault) => (
              <button
                key={fault.name}
                type="button"
                aria-pressed={name === "once" ? undefined : on.includes(fault)}
                title={fault.about}
                onClick={() => play(fault)}
                onMouseEnter={() => setAbout(fault.about)}
                onMouseLeave={() => setAbout(undefined)}
                onFocus={() => setAbout(fault.about)}
                onBlur={() => setAbout(undefined)}
              >
                {fault.name}
              </button>
            ))}
        </div>
      ))}
      <p class="about">
        {about ??
          (on.length > 0
            ? `On: ${on.map((one) => one.name).join(", ")}.`
            : isLine
              ? `Seed ${view.seed}: the same seed plays the same faults.`
              : "Point at a fault to read what it does.")}
      </p>
    </>
  );
}

function EndAll(props: Shown & { group: Group }) {
  if (faultsOf(props.view, props.group).on.length === 0) return null;
  return (
    <button type="button" onClick={() => props.send({ do: "fault", name: "none", on: false })}>
      End all faults
    </button>
  );
}

/** Faults of the line, by name. */
export function LineFaults(props: Shown) {
  return (
    <div class="faults" role="group" aria-labelledby="line-faults">
      <h3 id="line-faults">Faults of the line</h3>
      <Chips {...props} group="line" />
      <EndAll {...props} group="line" />
    </div>
  );
}

/** What is wrong with the charger now, and its end. */
export function RunningFaults(props: Shown) {
  const { on } = faultsOf(props.view, "charger");
  if (on.length === 0) return null;
  return (
    <div class="faults">
      <p class="running">{on.map((one) => `${one.name}: ${one.about}`).join(" ")}</p>
      <EndAll {...props} group="charger" />
    </div>
  );
}

/** Faults of charger, car and answers, in a panel as wide as the page: a column would grow and leave the others empty. */
export function ChargerFaults(props: Shown & { id: string }) {
  return (
    <section class="panel charger charger-faults" id={props.id} aria-labelledby="charger-faults">
      <h3 id="charger-faults">Faults of charger, car and answers</h3>
      <Chips view={props.view} send={props.send} group="charger" />
    </section>
  );
}
