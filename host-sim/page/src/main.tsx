import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FromPage } from "../../bench/messages.js";
import { Chargers } from "./chargers.js";
import { Chart } from "./chart.js";
import { Journal } from "./journal.js";
import { Panel, Tabs } from "./parts.js";
import { Scenarios } from "./scenarios.js";
import { connect, emptyView, type Connection, type View } from "./store.js";
import { Counters, Timing } from "./timing.js";
import { Trace, traceAtFirst } from "./trace.js";
import { Update } from "./update.js";
import { Picture } from "./way.js";
import "./style.css";

type Theme = "auto" | "light" | "dark";

/** The reader's choice of light or dark, kept by the browser; auto follows the system. Answers what is shown. */
function useTheme(): readonly [Theme, (theme: Theme) => void, boolean] {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [system, setSystem] = useState(query.matches);
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem("theme") as Theme | null) ?? "auto");
  useEffect(() => {
    const listen = (): void => setSystem(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  const dark = theme === "auto" ? system : theme === "dark";
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  const choose = (next: Theme): void => {
    localStorage.setItem("theme", next);
    setTheme(next);
  };
  return [theme, choose, dark];
}

const tabs = [
  ["trace", "Bus trace"],
  ["timing", "Timing"],
  ["counters", "Counters"],
  ["journal", "Journal"],
  ["scenarios", "Scenarios"],
  ["update", "Update"],
] as const;
type Tab = (typeof tabs)[number][0];

function App() {
  const [view, setView] = useState<View>(emptyView);
  const [theme, setTheme, dark] = useTheme();
  const [tab, setTab] = useState<Tab>("trace");
  const [trace, setTrace] = useState(traceAtFirst);
  const connection = useRef<Connection | undefined>(undefined);
  useEffect(() => {
    connection.current = connect(setView);
  }, []);
  const send = (message: FromPage): void => connection.current?.send(message);
  const { notice } = view;
  useEffect(() => {
    if (notice?.kind !== "good") return undefined;
    const timer = setTimeout(() => connection.current?.change({ notice: undefined }), 4000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <>
      <a class="skip" href="#work">
        To the trace
      </a>
      <header class="top">
        <h1>OpenUCM bench</h1>
        <span class={view.connected ? "live on" : "live"} role="status">
          {view.connected ? "live" : "not connected: is `openucm bench` still running?"}
        </span>
        <span class="version">{view.version}</span>
        <label class="inline">
          <span class="word">Colours</span>
          <select value={theme} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>
            <option value="auto">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
      </header>
      {notice && (
        <p class={`notice ${notice.kind}`} role={notice.kind === "bad" ? "alert" : "note"}>
          <span>{notice.text}</span>
          <button type="button" onClick={() => connection.current?.change({ notice: undefined })}>
            Dismiss
          </button>
        </p>
      )}
      <main>
        <Chargers
          view={view}
          watch={(charger) => {
            setTrace(traceAtFirst);
            send({ do: "watch", charger });
          }}
        />
        <Picture view={view} send={send} />
        <Panel
          id="chart"
          title="Current and power"
          sub={
            <>
              <i class="key current" /> current <i class="key limit" /> limit <i class="key power" /> power{" "}
              <i class="key event" /> event
            </>
          }
        >
          <Chart samples={view.samples} events={view.events} dark={dark} />
        </Panel>
        <section
          class="panel work"
          id="work"
          aria-label="Trace, timing, counters, journal, scenarios, update"
        >
          <Tabs label="What to look at" tabs={tabs} open={tab} onOpen={setTab}>
            {tab === "trace" && (
              <Trace log={view.trace} version={view.traceVersion} state={trace} change={setTrace} />
            )}
            {tab === "timing" && <Timing log={view.trace} />}
            {tab === "counters" && <Counters counters={view.counters} />}
            {tab === "journal" && <Journal view={view} send={send} />}
            {tab === "scenarios" && <Scenarios view={view} send={send} />}
            {tab === "update" && <Update view={view} send={send} />}
          </Tabs>
        </section>
      </main>
    </>
  );
}

render(<App />, document.getElementById("app")!);
