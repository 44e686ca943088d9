import type { FromPage, UpdateView } from "../../bench/messages.js";
import { clock, Row } from "./parts.js";
import type { View } from "./store.js";

/** What the module is at, in a sentence. */
function phaseOf({ phase, target, percent }: UpdateView): string {
  switch (phase) {
    case "":
      return "The module has no power.";
    case "idle":
      return "Nothing is under way.";
    case "checking":
      return "Looks for an update.";
    case "downloading":
      return `Fetches ${target}: ${percent} %.`;
    case "waiting":
      return `${target} is whole; waits for a quiet line.`;
    case "restarting":
      return `Starts ${target}.`;
    case "trial":
      return `${target} is on trial: any reset goes back.`;
    default:
      return `Goes back from ${target}.`;
  }
}

const STATES: Readonly<Record<string, string>> = {
  empty: "empty",
  written: "being written",
  new: "boots next, on trial",
  pending: "on trial",
  valid: "confirmed",
  aborted: "left while on trial",
  invalid: "no sound image",
};

function lastOf({ last }: UpdateView): string {
  if (last.result === "") return "none yet";
  const at = last.utcMs === null ? "" : `${clock.format(last.utcMs)}: `;
  return `${at}${last.text}${last.why === "" ? "" : ` (${last.why})`}`;
}

/** The firmware of the module that is watched: what runs, what is fetched, both slots, and what was refused. */
export function Update(props: { view: View; send: (message: FromPage) => void }) {
  const { view, send } = props;
  const { update } = view;
  if (update === undefined)
    return (
      <div class="update">
        <p class="none">
          This bench offers its modules no firmware. Publish some with <code>openucm release</code>, then
          start the bench with <code>--update FOLDER</code>.
        </p>
      </div>
    );
  const { refusal } = update;
  return (
    <div class="update">
      <div class="bar-of-controls">
        <button
          type="button"
          class="primary"
          id="update-check"
          disabled={update.phase !== "idle"}
          onClick={() => send({ do: "check-update" })}
        >
          Check now
        </button>
        <span role="status" id="update-phase">
          {phaseOf(update)}
        </span>
        <span class="sub">updates come from {update.url}</span>
      </div>
      <progress
        max={100}
        value={update.percent}
        aria-label="Of the image, fetched and checked"
        aria-valuetext={`${update.percent} %`}
      />
      <div class="split">
        <dl>
          <Row name="Runs" id="update-runs">
            {update.version}, {update.trial ? "on trial" : "confirmed"}
          </Row>
          <Row name="Under way" id="update-target">
            {update.target || "nothing"}
          </Row>
          <Row name="Fetched since its start">{update.fetchedBytes.toLocaleString()} bytes</Row>
          <Row name="Last look" id="update-last">
            {lastOf(update)}
          </Row>
          <Row name="Next look">
            {update.nextUtcMs === null ? "not planned" : `about ${clock.format(update.nextUtcMs)}`}
          </Row>
          <Row name="Last refusal" id="update-refusal">
            {refusal === null ? (
              "none"
            ) : (
              <>
                <code>{refusal.why}</code> at {clock.format(refusal.utcMs)}: {refusal.text}
              </>
            )}
          </Row>
        </dl>
        <table aria-label="Slots of the program flash">
          <thead>
            <tr>
              <th scope="col">Slot</th>
              <th scope="col">Version</th>
              <th scope="col">Image</th>
            </tr>
          </thead>
          <tbody>
            {update.slots.map(({ slot, state, version, runs }) => (
              <tr key={slot} id={`update-slot-${slot}`}>
                <th scope="row">
                  {slot.toUpperCase()}
                  {runs ? ", runs" : ""}
                </th>
                <td>{version || "–"}</td>
                <td>{STATES[state] ?? state}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
