/** The picture of the data's way: utility and platform → module → line → charger → car. */
import { useState } from "preact/hooks";
import type { FromPage } from "../../bench/messages.js";
import { ChargerFaults, LineFaults, RunningFaults } from "./faults.js";
import { Owner } from "./owner.js";
import { clock, Panel, Row } from "./parts.js";
import { Platform } from "./platform.js";
import type { View } from "./store.js";

export type Send = (message: FromPage) => void;

const levels = ["0 · normal", "1 · shed", "2 · critical peak", "3 · emergency"];

/** What flows between two panels: a line that is whole or broken, and what it is in words. */
function Way(props: { on: boolean; name: string; state: string }) {
  return (
    <div
      class={props.on ? "hop on" : "hop"}
      data-hop={props.name}
      role="img"
      aria-label={`${props.name}: ${props.state}`}
    >
      <i />
      <span>{props.name}</span>
      <i />
    </div>
  );
}

export function Picture(props: { view: View; send: Send }) {
  const { view, send } = props;
  const online = view.upstreams.filter((one) => one.state === "online").length;
  const link = view.line?.link ?? "absent";
  const [faults, setFaults] = useState(false);
  return (
    <div class="way" aria-label="The data's way" role="group">
      <div class="stage">
        <Utility view={view} send={send} />
        <Platform view={view} send={send} />
      </div>
      <Way
        on={online > 0}
        name="TLS"
        state={`${online} of ${view.upstreams.length} connections are online`}
      />
      <div class="stage">
        <Module view={view} send={send} />
        <Owner view={view} send={send} />
      </div>
      <Way on={view.line?.seated ?? false} name="plug" state={view.line?.seated ? "seated" : "pulled out"} />
      <div class="stage">
        <Line view={view} send={send} />
      </div>
      <Way on={link === "online"} name="RS-485" state={link} />
      <div class="stage">
        <Charger view={view} send={send} faults={faults} setFaults={setFaults} />
        <div class={view.charger?.contactor === "closed" ? "cable on" : "cable"} aria-hidden="true">
          <span>SAE J1772</span>
        </div>
        <Car view={view} send={send} />
      </div>
      {faults && <ChargerFaults id={faultsId} view={view} send={send} />}
    </div>
  );
}

function until(endUtcMs: number | null): string {
  return endUtcMs === null ? "until cancelled" : `until ${clock.format(endUtcMs)}`;
}

/** The utility: send, change and cancel events. */
function Utility(props: { view: View; send: Send }) {
  const [level, setLevel] = useState(1);
  const [start, setStart] = useState(0);
  const [duration, setDuration] = useState(60);
  const [down, setDown] = useState(false);
  const { view, send } = props;
  const open = view.events.filter((event) => event.status !== "completed" && event.status !== "cancelled");
  return (
    <Panel id="utility" title="Utility" sub="OpenADR 2.0b, mutual TLS" kind="utility">
      <form
        class="event"
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
          Starts in, s
          <input
            type="number"
            min={0}
            max={86400}
            value={start}
            onInput={(e) => setStart(Number(e.currentTarget.value))}
          />
        </label>
        <label>
          Lasts, s
          <input
            type="number"
            min={1}
            max={86400}
            value={duration}
            onInput={(e) => setDuration(Number(e.currentTarget.value))}
          />
        </label>
        <div class="buttons">
          <button type="submit" class="primary">
            Send event
          </button>
          <button
            type="button"
            aria-pressed={down}
            title="The utility's server answers every request with HTTP 500"
            onClick={() => {
              send({ do: "vtn", down: !down });
              setDown(!down);
            }}
          >
            Server fails
          </button>
        </div>
      </form>
      <ul class="events" aria-label="Events of the utility">
        {open.length === 0 && <li class="none">No event now.</li>}
        {open.map((event) => (
          <li key={event.id} data-level={event.level}>
            <span>
              <b>
                {event.signal} {event.level}
              </b>{" "}
              {event.status}, {until(event.endUtcMs)}
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
    </Panel>
  );
}

/** Who is in control and why. */
function Module(props: { view: View; send: Send }) {
  const { view, send } = props;
  const { command, line } = view;
  const seated = line?.seated ?? true;
  return (
    <Panel id="module" title="Module" sub={`firmware on ${view.runtime || "…"}`} kind="module">
      <p class="reason" id="reason" aria-live="polite">
        {view.intent?.reason ?? "Starting."}
      </p>
      <dl>
        <Row name="In control" id="source">
          {view.intent?.source || "–"}
        </Row>
        <Row name="Wanted" id="intent">
          {view.intent?.intent || "–"}
        </Row>
        <Row name="Command" id="command">
          {command ? `${command.name}: ${command.result}` : "–"}
        </Row>
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
      <div class="buttons">
        <button
          type="button"
          id="hot-plug"
          onClick={() => send({ do: "module", what: seated ? "unplug" : "replug" })}
        >
          {seated ? "Pull it out" : "Put it back"}
        </button>
        <button type="button" disabled={!seated} onClick={() => send({ do: "module", what: "restart" })}>
          Power cut
        </button>
      </div>
    </Panel>
  );
}

const noises: readonly (readonly [number, string])[] = [
  [0, "none"],
  [0.00001, "1 bit in 100,000"],
  [0.0001, "1 bit in 10,000"],
  [0.001, "1 bit in 1,000"],
];

function count(counters: View["counters"], name: string): number {
  const value = counters[name];
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + Number(one), 0);
  return typeof value === "number" ? value : 0;
}

/** A count of what should not be: seen at once when it is not zero. */
function Marked(props: { value: number }) {
  return <span class={props.value > 0 ? "fault" : ""}>{props.value}</span>;
}

/** The wire between module and charger, and what can go wrong on it. */
function Line(props: { view: View; send: Send }) {
  const { view, send } = props;
  const { line, counters } = view;
  const errors = count(counters, "checksumErrors") + count(counters, "bytesDiscarded");
  const naks = count(counters, "naksReceived") + count(counters, "naksSent");
  const timeouts = count(counters, "ackTimeouts") + count(counters, "replyTimeouts");
  return (
    <Panel
      id="line"
      title="Line"
      sub={line ? `${line.bitsPerSecond.toLocaleString("en")} bit/s, half duplex` : ""}
      kind="line"
    >
      <dl class="figures">
        <Row name="Link" id="link">
          {line?.link ?? "–"}
        </Row>
        <Row name="Frames out, in">
          {count(counters, "framesSent")}, {count(counters, "framesReceived")}
        </Row>
        <Row name="Repeated, timed out">
          <Marked value={count(counters, "retries")} />, <Marked value={timeouts} />
        </Row>
        <Row name="Wrong bytes, NAK">
          <Marked value={errors} />, <Marked value={naks} />
        </Row>
      </dl>
      <label class="inline">
        Noise
        <select
          value={line?.flipPerBit ?? 0}
          onChange={(e) => send({ do: "noise", flipPerBit: Number(e.currentTarget.value) })}
        >
          {noises.map(([value, name]) => (
            <option key={name} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <LineFaults view={view} send={send} />
    </Panel>
  );
}

const faultsId = "faults-of-charger";

/** The charger. */
function Charger(props: { view: View; send: Send; faults: boolean; setFaults: (open: boolean) => void }) {
  const { view, send, faults, setFaults } = props;
  const charger = view.charger;
  const override = charger?.override ?? false;
  return (
    <Panel id="charger" title="Charger" sub={charger?.profile ?? ""} kind="charger">
      <div class="gauge">
        <output id="amperes" aria-label="Charging current in amperes">
          {charger ? charger.currentA.toFixed(1) : "–"}
        </output>
        <span>A</span>
        <small>
          of {charger?.limitA.toFixed(1) ?? "–"} A allowed
          <br />
          {charger ? (charger.powerW / 1000).toFixed(2) : "–"} kW
        </small>
      </div>
      <meter
        aria-label="Current against what the installer has set"
        min={0}
        max={charger?.installerMaxA ?? 32}
        value={charger?.currentA ?? 0}
      />
      <dl>
        <Row name="State" id="op-state">
          {charger ? `${charger.opState} · ${charger.opStateName}` : "–"}
        </Row>
        <Row name="Contactor" id="contactor">
          {charger?.contactor ?? "–"}
        </Row>
        {charger?.pilot !== "" && (
          <Row name="Pilot" id="pilot">
            {charger?.pilot ?? "–"}
          </Row>
        )}
        <Row name="Set by the installer">{charger ? `${charger.installerMaxA} A` : "–"}</Row>
        <Row name="Energy">{charger ? `${(charger.energyWh / 1000).toFixed(2)} kWh` : "–"}</Row>
      </dl>
      <div class="buttons">
        <button
          type="button"
          id="override"
          aria-pressed={override}
          onClick={() => send({ do: "override", on: !override })}
        >
          {override ? "Override is on" : "Customer override"}
        </button>
        <button
          type="button"
          aria-expanded={faults}
          aria-controls={faults ? faultsId : undefined}
          onClick={() => setFaults(!faults)}
        >
          Faults
        </button>
      </div>
      <RunningFaults view={view} send={send} />
    </Panel>
  );
}

function Car(props: { view: View; send: Send }) {
  const { charger } = props.view;
  const plugged = charger?.plugged ?? false;
  const percent = Math.round(charger?.socPercent ?? 0);
  return (
    <Panel id="car" title="Car" sub={plugged ? "on the cable" : "away"} kind="car">
      <div class={plugged ? "battery" : "battery none"}>
        <meter aria-label="The car's battery in percent" min={0} max={100} value={plugged ? percent : 0} />
        <span id="car">{plugged ? `${percent} % full` : "away"}</span>
        <button type="button" id="plug" onClick={() => props.send({ do: plugged ? "unplug" : "plug" })}>
          {plugged ? "Unplug" : "Plug in"}
        </button>
      </div>
    </Panel>
  );
}
