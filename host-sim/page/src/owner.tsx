import { useState } from "preact/hooks";
import type { FromPage, WindowView } from "../../bench/messages.js";
import { lasting, Panel, Row } from "./parts.js";
import type { View } from "./store.js";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Mon–Fri, Sat Sun, every day. */
function daysOf(bits: number): string {
  if (bits === 0x7f) return "every day";
  if (bits === 0x3e) return "Mon–Fri";
  return days.filter((_, day) => (bits & (1 << day)) !== 0).join(" ");
}

function time(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

function words(window: WindowView): string {
  return `${daysOf(window.days)} ${time(window.fromMin)}–${time(window.toMin)}`;
}

/** What the owner may say to his module: override and boost, the delay's countdown, the off-peak hours. */
export function Owner(props: { view: View; send: (message: FromPage) => void }) {
  const [hours, setHours] = useState(1);
  const { owner, ownerUrl, ownerSecretFile, region } = props.view;
  const say = (verb: string, more: object = {}): void =>
    props.send({ do: "owner", order: { verb, ...more } });
  const delay = (verb: string, more: object = {}): void =>
    props.send({ do: "delay", order: { verb, ...more } });
  const lasts = owner !== undefined && (owner.overrideLeftMs > 0 || owner.boostLeftMs > 0 || owner.heldOff);
  const hasHours = owner !== undefined && owner.windows.length > 0;
  return (
    <Panel
      id="owner"
      title="Owner"
      kind="module"
      sub={
        ownerUrl ? (
          <a
            href={ownerUrl}
            target="_blank"
            rel="noreferrer"
            title={`The secret of its label lies in ${ownerSecretFile}`}
          >
            the module’s own page
          </a>
        ) : undefined
      }
    >
      {owner?.delay.running === true && (
        <div class="countdown" role="timer" aria-label="Random delay">
          <span>
            Random delay: <b>{lasting(owner.delay.remainingMs)}</b> of {lasting(owner.delay.totalMs)}
          </span>
          <progress
            aria-label="Random delay"
            max={owner.delay.totalMs}
            value={owner.delay.totalMs - owner.delay.remainingMs}
          />
          <button type="button" onClick={() => delay("cancel")}>
            Skip it
          </button>
        </div>
      )}
      <dl>
        <Row name="Rules of">{region || "–"}</Row>
        <Row name="Owner says" id="owner-word">
          {owner === undefined
            ? "–"
            : owner.overrideLeftMs > 0
              ? `override, ${lasting(owner.overrideLeftMs)}`
              : owner.boostLeftMs > 0
                ? `boost, ${lasting(owner.boostLeftMs)}`
                : owner.heldOff
                  ? "stays off after the power cut"
                  : "none"}
        </Row>
        <Row name="Hours without charging" id="off-peak">
          {hasHours ? owner.windows.map(words).join("; ") : "–"}
          {hasHours && owner.schedule === "offered" ? " (offered)" : ""}
        </Row>
        <Row name="Random delay">
          {owner === undefined ? "–" : owner.delay.enabled ? `up to ${lasting(owner.delay.maxMs)}` : "off"}
        </Row>
      </dl>
      <div class="buttons">
        {lasts ? (
          <button type="button" onClick={() => say("resume")}>
            Back to normal
          </button>
        ) : (
          <>
            <button type="button" onClick={() => say("override", { durationMs: hours * 3_600_000 })}>
              Override
            </button>
            <button type="button" onClick={() => say("boost", { durationMs: hours * 3_600_000 })}>
              Boost
            </button>
            <label class="inline">
              for
              <select
                aria-label="How long, hours"
                value={hours}
                onChange={(e) => setHours(Number(e.currentTarget.value))}
              >
                {[1, 2, 4, 12].map((n) => (
                  <option key={n} value={n}>
                    {n} h
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        {hasHours && owner.schedule === "offered" && (
          <button type="button" onClick={() => say("accept-schedule")}>
            Accept the hours
          </button>
        )}
        {hasHours && (
          <button type="button" onClick={() => say("remove-schedule")}>
            Remove the hours
          </button>
        )}
        {owner !== undefined && owner.delay.maxMs > 0 && (
          <button type="button" onClick={() => delay(owner.delay.enabled ? "disable" : "enable")}>
            {owner.delay.enabled ? "No delay" : "Use the delay"}
          </button>
        )}
      </div>
    </Panel>
  );
}
