import { useState } from "preact/hooks";
import type { FromPage } from "../../bench/messages.js";
import type { View } from "./store.js";

/** The charging platform: limits, starts and stops, and what it knows of the charge point. */
export function Platform(props: { view: View; send: (message: FromPage) => void }) {
  const [limit, setLimit] = useState(16);
  const [unit, setUnit] = useState<"A" | "W">("A");
  const { view, send } = props;
  const platform = view.platform;
  const running = platform?.transactionId ?? null;
  return (
    <section class="panel" aria-labelledby="platform-title">
      <header>
        <h2 id="platform-title">Charging platform</h2>
        <span class="sub">OCPP 1.6J over WSS</span>
      </header>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          send({ do: "limit", limit, unit });
        }}
      >
        <label>
          Limit
          <span class="unit">
            <input
              id="ocpp-limit"
              type="number"
              min={0}
              max={50000}
              step="0.1"
              value={limit}
              onInput={(e) => setLimit(Number(e.currentTarget.value))}
            />
            <select
              aria-label="Unit of the limit"
              value={unit}
              onChange={(e) => setUnit(e.currentTarget.value as "A" | "W")}
            >
              <option value="A">A</option>
              <option value="W">W</option>
            </select>
          </span>
        </label>
        <button type="submit" class="primary" id="ocpp-set">
          Set limit
        </button>
        <button type="button" id="ocpp-clear" onClick={() => send({ do: "clear-limit" })}>
          Clear limits
        </button>
        <button
          type="button"
          id="ocpp-start"
          onClick={() =>
            send(running === null ? { do: "remote-start", idTag: "BENCH" } : { do: "remote-stop" })
          }
        >
          {running === null ? "Remote start" : "Remote stop"}
        </button>
      </form>
      <dl>
        <div class="row">
          <dt>Charge point</dt>
          <dd id="ocpp-status">{platform?.online ? platform.status || "connected" : "not connected"}</dd>
        </div>
        <div class="row">
          <dt>Transaction</dt>
          <dd id="ocpp-transaction">
            {running === null ? "none" : `${String(running)} (${platform?.idTag ?? ""})`}
          </dd>
        </div>
        <div class="row">
          <dt>Meter</dt>
          <dd>{platform?.energyWh == null ? "–" : `${String(platform.energyWh)} Wh`}</dd>
        </div>
        <div class="row">
          <dt>Last message</dt>
          <dd>{platform?.last || "–"}</dd>
        </div>
      </dl>
    </section>
  );
}
