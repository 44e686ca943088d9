import type { View } from "./store.js";

/** All chargers of the bench; the one that is chosen stands below in detail. */
export function Chargers(props: { view: View; watch: (charger: number) => void }) {
  const { chargers, watched } = props.view;
  if (chargers.length < 2) return null;
  const total = chargers.reduce((sum, one) => sum + one.currentA, 0);
  return (
    <nav class="chargers" aria-label="Chargers">
      <p>
        <b>{chargers.length} chargers</b>, {total.toFixed(0)} A together,{" "}
        {chargers.filter((one) => one.intent !== "normal" && one.intent !== "").length} reduced
      </p>
      <ul>
        {chargers.map((one) => (
          <li key={one.n}>
            <button
              type="button"
              aria-current={one.n === watched ? "true" : undefined}
              data-intent={one.intent}
              data-fault={one.fault !== "" || one.online < one.upstreams ? "true" : undefined}
              onClick={() => props.watch(one.n)}
            >
              <span class="name">{one.name}</span>
              <b class="num">{one.currentA.toFixed(1)} A</b>
              <i class="bar" style={{ width: `${Math.min(100, (one.currentA / 32) * 100)}%` }} />
              <span class="what">
                {one.override ? "override" : one.intent || "starting"}
                {one.source !== "" && one.source !== "none" ? ` · ${one.source}` : ""}
              </span>
              <span class="what">
                {one.plugged ? one.opStateName : "no car"}
                {one.online < one.upstreams ? ` · ${one.online} of ${one.upstreams} online` : ""}
                {one.fault !== "" ? ` · ${one.fault}` : ""}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
