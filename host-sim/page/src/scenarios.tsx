import { useState } from "preact/hooks";
import type { FromPage, ScenarioRunView } from "../../bench/messages.js";
import { lasting } from "./parts.js";
import { saveFile, type View } from "./store.js";

const marks = { waiting: "○", running: "▸", passed: "✓", failed: "✗", skipped: "–" } as const;

/** 1:02:03 of the scenario's time. */
function at(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Current and limit over the time of the run. */
function Curve(props: { run: ScenarioRunView }) {
  const { samples, nowMs } = props.run;
  const most = Math.max(6, ...samples.map((one) => Math.max(one.currentA, one.limitA))) * 1.05;
  const end = Math.max(1, nowMs);
  const path = (pick: "currentA" | "limitA"): string =>
    samples
      .map((one, i) => {
        const x = ((one.t / end) * 1000).toFixed(1);
        const y = (100 - (one[pick] / most) * 96).toFixed(1);
        return i === 0 ? `M${x} ${y}` : `H${x}V${y}`;
      })
      .join("") + (samples.length > 0 ? "H1000" : "");
  return (
    <svg
      class="curve"
      viewBox="0 0 1000 100"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Current and limit over ${at(nowMs)}, 0 to ${most.toFixed(0)} A`}
    >
      <path class="limit" d={path("limitA")} />
      <path class="current" d={path("currentA")} />
    </svg>
  );
}

function Run(props: { run: ScenarioRunView; send: (message: FromPage) => void }) {
  const { run, send } = props;
  const done = run.steps.filter((step) => step.outcome === "passed" || step.outcome === "failed").length;
  return (
    <div class="run" data-state={run.state}>
      <header>
        <h3>
          <span class="state" id="scenario-state">
            {run.state}
          </span>{" "}
          {run.title}
        </h3>
        <span class="sub">
          {at(run.nowMs)} {run.realTime ? "by the clock" : "of virtual time"}
          {run.realMs > 0 ? ` in ${lasting(run.realMs)}` : ""}, seed {run.seed}
        </span>
      </header>
      <progress aria-label="Steps done" max={run.steps.length} value={done} />
      <Curve run={run} />
      <ol aria-label="Steps of the scenario">
        {run.steps.map((step, i) => (
          <li key={i} class={step.outcome}>
            <span aria-label={step.outcome}>{marks[step.outcome]}</span>
            <span class="num">
              {step.outcome === "waiting" || step.outcome === "running" ? "" : at(step.atMs)}
            </span>
            <span>
              {step.text}
              {step.why !== "" && <b class="fault"> {step.why}</b>}
            </span>
          </li>
        ))}
      </ol>
      <div class="buttons">
        {run.state === "running" ? (
          <button type="button" onClick={() => send({ do: "scenario-stop" })}>
            Stop
          </button>
        ) : (
          <>
            <button type="button" onClick={() => send({ do: "scenario-file", what: "report" })}>
              Save the report
            </button>
            <button type="button" onClick={() => send({ do: "scenario-file", what: "trace" })}>
              Save the trace
            </button>
          </>
        )}
      </div>
    </div>
  );
}

/** The scenario as it is written: what will be done and expected, and where one of one's own can begin. */
function Source(props: { name: string; text: string; open: boolean }) {
  return (
    <details class="source" open={props.open}>
      <summary>The scenario as it is written</summary>
      <pre tabIndex={0}>{props.text}</pre>
      <button type="button" onClick={() => saveFile(props.name, "application/yaml", props.text)}>
        Save a copy
      </button>
    </details>
  );
}

/** Scenarios of the bench and of the user: choose, run in a bench of their own, watch the steps. */
export function Scenarios(props: { view: View; send: (message: FromPage) => void }) {
  const { view, send } = props;
  const [find, setFind] = useState("");
  const [chosen, setChosen] = useState("epri-2017-22a5");
  const [realTime, setRealTime] = useState(false);
  const [seed, setSeed] = useState("");
  const [own, setOwn] = useState<{ name: string; text: string } | undefined>(undefined);
  const needle = find.toLowerCase();
  const shown = view.scenarios.filter((one) => `${one.name} ${one.title}`.toLowerCase().includes(needle));
  const picked = view.scenarios.find((one) => one.name === chosen);
  const running = view.run?.state === "running";
  const start = (): void => {
    const order = own ?? (picked === undefined ? undefined : { name: picked.name });
    if (order === undefined) return;
    const seeded = seed === "" ? {} : { seed: Number(seed) };
    send({ do: "scenario", ...order, realTime, ...seeded });
  };
  return (
    <div class="scenarios">
      <div class="pick">
        <input
          type="search"
          placeholder={`Find among ${view.scenarios.length} scenarios`}
          aria-label="Find a scenario"
          value={find}
          onInput={(e) => setFind(e.currentTarget.value)}
        />
        <ul class="lines" aria-label="Scenarios">
          {shown.map((one) => (
            <li key={one.name}>
              <button
                type="button"
                class="plain"
                aria-current={own === undefined && one.name === chosen ? "true" : undefined}
                onClick={() => {
                  setOwn(undefined);
                  setChosen(one.name);
                }}
              >
                <b>{one.name}</b>
                <span>{one.title}</span>
              </button>
            </li>
          ))}
          {shown.length === 0 && <li class="none">None fits.</li>}
        </ul>
      </div>
      <div class="told">
        <h3>{own ? own.name : picked?.title}</h3>
        <p>{own ? "A file of yours; a mistake in it is named with its line and field." : picked?.why}</p>
        <div class="buttons">
          <button type="button" class="primary" disabled={running} onClick={start}>
            Run
          </button>
          <label class="inline">
            Time
            <select value={String(realTime)} onChange={(e) => setRealTime(e.currentTarget.value === "true")}>
              <option value="false">virtual: as fast as it goes</option>
              <option value="true">real: by the clock</option>
            </select>
          </label>
          <label class="inline">
            Seed
            <input
              type="number"
              min={0}
              placeholder="the file’s"
              value={seed}
              onInput={(e) => setSeed(e.currentTarget.value)}
            />
          </label>
          <label class="upload">
            Your own file
            <input
              type="file"
              accept=".yaml,.yml,.json"
              onChange={(e) => {
                const file = e.currentTarget.files?.[0];
                if (file) void file.text().then((text) => setOwn({ name: file.name, text }));
              }}
            />
          </label>
        </div>
        {view.run && <Run run={view.run} send={send} />}
        {own && <Source name={own.name} text={own.text} open={view.run === undefined} />}
        {!own && picked && (
          <Source
            key={picked.name}
            name={`${picked.name}.yaml`}
            text={picked.text}
            open={view.run?.name !== picked.name}
          />
        )}
      </div>
    </div>
  );
}
