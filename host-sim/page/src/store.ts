import type {
  ChargerSummary,
  ChargerView,
  CommandView,
  FaultInfo,
  FromPage,
  IntentView,
  JournalPartName,
  LineView,
  OwnerView,
  PlatformView,
  Sample,
  ScenarioInfo,
  ScenarioRunView,
  ToPage,
  UpdateView,
  UpstreamView,
  UtilityEvent,
} from "../../bench/messages.js";
import { TraceLog } from "./trace-log.js";

export interface JournalView {
  readonly why: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export interface Notice {
  readonly kind: "bad" | "good";
  readonly text: string;
}

/** Everything that the page shows, as the bench last said it. */
export interface View {
  readonly connected: boolean;
  readonly version: string;
  readonly runtime: string;
  readonly region: string;
  readonly seed: number;
  readonly ownerUrl: string;
  readonly ownerSecretFile: string;
  /** The charger that is watched, from 1. */
  readonly watched: number;
  readonly chargers: readonly ChargerSummary[];
  readonly faults: readonly FaultInfo[];
  readonly scenarios: readonly ScenarioInfo[];
  readonly run: ScenarioRunView | undefined;
  readonly charger: ChargerView | undefined;
  readonly intent: IntentView | undefined;
  readonly command: CommandView | undefined;
  readonly line: LineView | undefined;
  readonly owner: OwnerView | undefined;
  /** Undefined where the bench has no update repository. */
  readonly update: UpdateView | undefined;
  readonly upstreams: readonly UpstreamView[];
  readonly events: readonly UtilityEvent[];
  readonly platform: PlatformView | undefined;
  readonly journal: Readonly<Partial<Record<JournalPartName, JournalView>>>;
  /** The same object always; its `version` says that it has changed. */
  readonly trace: TraceLog;
  readonly traceVersion: number;
  readonly samples: readonly Sample[];
  readonly counters: Readonly<Record<string, unknown>>;
  readonly notice: Notice | undefined;
}

const keepSamples = 1200;

export function emptyView(): View {
  return {
    connected: false,
    version: "",
    runtime: "",
    region: "",
    seed: 0,
    ownerUrl: "",
    ownerSecretFile: "",
    watched: 1,
    chargers: [],
    faults: [],
    scenarios: [],
    run: undefined,
    charger: undefined,
    intent: undefined,
    command: undefined,
    line: undefined,
    owner: undefined,
    update: undefined,
    upstreams: [],
    events: [],
    platform: undefined,
    journal: {},
    trace: new TraceLog(),
    traceVersion: 0,
    samples: [],
    counters: {},
    notice: undefined,
  };
}

/** Hands a text to the browser as a file. */
export function saveFile(name: string, mime: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: mime }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The view after a message of the bench. */
export function reduce(view: View, message: ToPage): View {
  switch (message.type) {
    case "hello": {
      view.trace.reset(message.frames);
      const { version, runtime, region, seed, faults, scenarios, samples } = message;
      const { ownerUrl, ownerSecretFile } = message;
      return {
        ...emptyView(),
        ...{ version, runtime, region, seed, ownerUrl, ownerSecretFile, faults, scenarios, samples },
        connected: true,
        watched: message.charger,
        chargers: view.chargers,
        trace: view.trace,
        traceVersion: view.trace.version,
        notice: view.notice,
      };
    }
    case "chargers":
      return { ...view, chargers: message.chargers };
    case "charger":
      return { ...view, charger: message.charger };
    case "sample":
      return {
        ...view,
        samples: [
          ...(view.samples.length < keepSamples ? view.samples : view.samples.slice(1)),
          message.sample,
        ],
      };
    case "frame":
      view.trace.add(message.frame);
      return { ...view, traceVersion: view.trace.version };
    case "intent":
      return { ...view, intent: message.intent };
    case "command":
      return { ...view, command: message.command };
    case "line":
      return { ...view, line: message.line };
    case "owner":
      return { ...view, owner: message.owner };
    case "update":
      return { ...view, update: message.update };
    case "upstream": {
      const others = view.upstreams.filter((one) => one.id !== message.upstream.id);
      const upstreams = [...others, message.upstream].sort((a, b) => (a.id < b.id ? 1 : -1));
      return { ...view, upstreams };
    }
    case "events":
      return { ...view, events: message.events };
    case "platform":
      return { ...view, platform: message.platform };
    case "counters":
      return { ...view, counters: message.counters };
    case "journal": {
      const { what, why, rows } = message;
      return { ...view, journal: { ...view.journal, [what]: { why, rows } } };
    }
    case "scenario":
      return { ...view, run: message.run };
    case "file":
      saveFile(message.name, message.mime, message.text);
      return view;
    case "log":
      return message.level === "info" ? view : { ...view, notice: { kind: "bad", text: message.text } };
    case "refused":
      return { ...view, notice: { kind: "bad", text: message.text } };
    case "done":
      return { ...view, notice: { kind: "good", text: message.text } };
  }
}

export interface Connection {
  send(message: FromPage): void;
  /** Changes what the page alone knows, e.g. takes a notice away. */
  change(change: Partial<View>): void;
}

/** Between two pictures, ms: a person sees no more, and the frames of a busy line must not each cost a picture. */
const paintMs = 100;

/** Keeps a WebSocket to the bench open; calls `onView` ten times a second at most. */
export function connect(onView: (view: View) => void): Connection {
  let view = emptyView();
  let socket: WebSocket | undefined;
  let painting = false;
  let paintedMs = 0;
  const changed = (next: View): void => {
    view = next;
    if (painting) return;
    painting = true;
    const waitMs = Math.max(0, paintedMs + paintMs - performance.now());
    setTimeout(() => {
      painting = false;
      paintedMs = performance.now();
      onView(view);
    }, waitMs);
  };
  const open = (): void => {
    socket = new WebSocket(`ws://${location.host}/live`);
    let first = true;
    socket.onmessage = (event) => {
      const message = JSON.parse(String(event.data)) as ToPage;
      // After an interruption the page goes on with the charger that it had.
      if (message.type === "hello" && first && view.watched !== message.charger)
        socket!.send(JSON.stringify({ do: "watch", charger: view.watched } satisfies FromPage));
      else changed(reduce(view, message));
      first = false;
    };
    socket.onclose = () => {
      changed({ ...view, connected: false });
      setTimeout(open, 1000);
    };
  };
  open();
  return {
    send: (message) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    change: (change) => changed({ ...view, ...change }),
  };
}
