import { useState } from "preact/hooks";
import type { FaultInfo, FromPage } from "../../bench/messages.js";
import type { View } from "./store.js";

/** Faults that last by nature: a number of times means nothing for them. */
const lasting = new Set(["deaf", "mute", "echo", "babble", "unplugged"]);

/** Faults by name: buttons that stay pressed while their fault is on. */
export function Faults(props: { view: View; send: (message: FromPage) => void; group: "line" | "charger" }) {
  const { view, send, group } = props;
  const [times, setTimes] = useState("");
  const [about, setAbout] = useState<string | undefined>(undefined);
  const on = new Set((view.charger?.fault ?? "").split(", ").filter(Boolean));
  const mine = view.faults.filter((fault) => (fault.group === "line") === (group === "line"));
  const running = mine.filter((fault) => on.has(fault.name));
  const play = (fault: FaultInfo): void => {
    const count = times !== "" && !lasting.has(fault.name) ? { times: Number(times) } : {};
    send({ do: "fault", name: fault.name, on: !on.has(fault.name), ...count });
  };
  const isLine = group === "line";
  const heading = `${group}-faults`;
  const groups = isLine ? (["line"] as const) : (["charger", "answer", "once"] as const);
  const list = (
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
                aria-pressed={name === "once" ? undefined : on.has(fault.name)}
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
          (running.length > 0
            ? `On: ${running.map((one) => one.name).join(", ")}.`
            : isLine
              ? `Seed ${view.seed}: the same seed plays the same faults.`
              : "Point at a fault to read what it does.")}
      </p>
    </>
  );
  const end = running.length > 0 && (
    <button type="button" onClick={() => send({ do: "fault", name: "none", on: false })}>
      End all faults
    </button>
  );
  if (isLine) {
    return (
      <div class="faults" role="group" aria-labelledby={heading}>
        <h3 id={heading}>Faults of the line</h3>
        {list}
        {end}
      </div>
    );
  }
  return (
    <div class="faults">
      <details>
        <summary>Faults of charger, car and answers</summary>
        {list}
      </details>
      {running.length > 0 && (
        <p class="running">{running.map((one) => `${one.name}: ${one.about}`).join(" ")}</p>
      )}
      {end}
    </div>
  );
}
