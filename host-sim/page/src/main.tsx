import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FromPage } from "../../bench/messages.js";
import { Chart } from "./chart.js";
import { Charger, Module, Utility } from "./panels.js";
import { Platform } from "./platform.js";
import { connect, emptyView, type View } from "./store.js";
import { Counters, Timing } from "./timing.js";
import { Trace } from "./trace.js";
import "./style.css";

function useDark(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const listen = (): void => setDark(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return dark;
}

function App() {
  const [view, setView] = useState<View>(emptyView);
  const send = useRef<(message: FromPage) => void>(() => undefined);
  const dark = useDark();
  useEffect(() => {
    send.current = connect(setView);
  }, []);
  const tell = (message: FromPage): void => send.current(message);
  return (
    <>
      <header class="top">
        <h1>OpenUCM bench</h1>
        <span class={view.connected ? "live on" : "live"} role="status">
          {view.connected ? "live" : "not connected: is `openucm bench` still running?"}
        </span>
        <span class="version">{view.version}</span>
      </header>
      {view.notice && (
        <p class="notice" role="alert">
          {view.notice}
        </p>
      )}
      <main>
        <div class="way">
          <Utility view={view} send={tell} />
          <Module view={view} />
          <Charger view={view} send={tell} />
        </div>
        <Platform view={view} send={tell} />
        <section class="panel" aria-labelledby="chart-title">
          <header>
            <h2 id="chart-title">Current and power</h2>
            <span class="sub">
              <i class="key current" /> current <i class="key limit" /> limit <i class="key power" /> power{" "}
              <i class="key event" /> event
            </span>
          </header>
          <Chart samples={view.samples} events={view.events} dark={dark} />
        </section>
        <Trace frames={view.frames} />
        <div class="pair">
          <Timing frames={view.frames} />
          <Counters counters={view.counters} />
        </div>
      </main>
    </>
  );
}

render(<App />, document.getElementById("app")!);
