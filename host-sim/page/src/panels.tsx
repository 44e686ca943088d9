import { useState } from "preact/hooks";
import type { FromPage } from "../../bench/messages.js";
import type { View } from "./store.js";

type Send = (message: FromPage) => void;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const levels = ["0 · normal", "1 · shed", "2 · critical peak", "3 · emergency level"];

function Row(props: { name: string; value: string; id?: string }) {
  return (
    <div class="row">
      <dt>{props.name}</dt>
      <dd id={props.id}>{props.value}</dd>
    </div>
  );
}

function left(endUtcMs: number | null): string {
  if (endUtcMs === null) return "until cancelled";
  return `until ${clock.format(endUtcMs)}`;
}

/** The utility: send, change and cancel events. */
export function Utility(props: { view: View; send: Send }) {
  const [level, setLevel] = useState(1);
  const [start, setStart] = useState(0);
  const [duration, setDuration] = useState(60);
  const { view, send } = props;
  const open = view.events.filter((event) => event.status !== "completed" && event.status !== "cancelled");
  return (
    <section class="panel" aria-labelledby="utility-title">
      <header>
        <h2 id="utility-title">Utility</h2>
        <span class="sub">OpenADR 2.0b over mutual TLS</span>
      </header>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          send({ do: "event", level, startInSeconds: start, durationSeconds: duration });
        }}
      >
        <label>
          Level
          <select value={level} onChange={(e) => setLevel(Number(e.currentTarget.value))}>
            {levels.map((name, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Starts in
          <span class="unit">
            <input
              type="number"
              min={0}
              max={86400}
              value={start}
              onInput={(e) => setStart(Number(e.currentTarget.value))}
            />{" "}
            s
          </span>
        </label>
        <label>
          Lasts
          <span class="unit">
            <input
              type="number"
              min={1}
              max={86400}
              value={duration}
              onInput={(e) => setDuration(Number(e.currentTarget.value))}
            />{" "}
            s
          </span>
        </label>
        <button type="submit" class="primary">
          Send event
        </button>
      </form>
      <ul class="events" aria-label="Events of the utility">
        {open.length === 0 && <li class="none">No event now.</li>}
        {open.map((event) => (
          <li key={event.id} data-level={event.level}>
            <span>
              <b>
                {event.signal} {event.level}
              </b>{" "}
              {event.status}, {left(event.endUtcMs)}
              {event.response && <em> · {event.response}</em>}
            </span>
            <span class="buttons">
              <button
                type="button"
                onClick={() =>
                  send({
                    do: "change",
                    id: event.id,
                    level: event.level === 1 ? 2 : 1,
                    durationSeconds: duration,
                  })
                }
              >
                Change to {event.level === 1 ? 2 : 1}
              </button>
              <button type="button" onClick={() => send({ do: "cancel", id: event.id })}>
                Cancel
              </button>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Who is in control and why. */
export function Module(props: { view: View }) {
  const { view } = props;
  const command = view.command;
  return (
    <section class="panel" aria-labelledby="module-title">
      <header>
        <h2 id="module-title">Module</h2>
        <span class="sub">firmware on {view.runtime || "…"}</span>
      </header>
      <p class="reason" id="reason" aria-live="polite">
        {view.intent?.reason ?? "Starting."}
      </p>
      <dl>
        <Row name="In control" value={view.intent?.source ?? "–"} id="source" />
        <Row name="Wanted" value={view.intent?.intent ?? "–"} id="intent" />
        <Row name="Command" value={command ? `${command.name}: ${command.result}` : "–"} id="command" />
      </dl>
      <ul class="upstreams" aria-label="Connections upstream">
        {view.upstreams.map((upstream) => (
          <li key={upstream.id} class={upstream.state}>
            <b>{upstream.id}</b> {upstream.state}
            {upstream.fault && (
              <span class="fault">
                {" "}
                {upstream.text} ({upstream.fault})
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The charger and its car. */
export function Charger(props: { view: View; send: Send }) {
  const { view, send } = props;
  const charger = view.charger;
  const plugged = charger?.plugged ?? false;
  const override = charger?.override ?? false;
  return (
    <section class="panel" aria-labelledby="charger-title">
      <header>
        <h2 id="charger-title">Charger</h2>
        <span class="sub">{charger?.profile ?? ""}</span>
      </header>
      <div class="gauge">
        <output id="amperes" aria-label="Charging current in amperes">
          {charger ? charger.currentA.toFixed(1) : "–"}
        </output>
        <span>A</span>
        <small>
          of {charger?.limitA.toFixed(1) ?? "–"} A allowed ·{" "}
          {charger ? (charger.powerW / 1000).toFixed(2) : "–"} kW
        </small>
      </div>
      <dl>
        <Row
          name="State"
          value={charger ? `${charger.opState} · ${charger.opStateName}` : "–"}
          id="op-state"
        />
        <Row name="Contactor" value={charger?.contactor ?? "–"} id="contactor" />
        <Row
          name="Car"
          value={charger?.plugged ? `plugged in, ${Math.round(charger.socPercent ?? 0)} % full` : "away"}
          id="car"
        />
        {charger?.fault ? <Row name="Fault" value={charger.fault} /> : null}
      </dl>
      <div class="buttons">
        <button type="button" id="plug" onClick={() => send({ do: plugged ? "unplug" : "plug" })}>
          {plugged ? "Unplug the car" : "Plug in the car"}
        </button>
        <button
          type="button"
          id="override"
          aria-pressed={override}
          onClick={() => send({ do: "override", on: !override })}
        >
          {override ? "Override is on" : "Customer override"}
        </button>
      </div>
    </section>
  );
}
