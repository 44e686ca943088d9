import type {
  ChargerView,
  CommandView,
  FrameView,
  FromPage,
  IntentView,
  PlatformView,
  Sample,
  ToPage,
  UpstreamView,
  UtilityEvent,
} from "../../bench/messages.js";

/** Everything that the page shows, as the bench last said it. */
export interface View {
  readonly connected: boolean;
  readonly version: string;
  readonly runtime: string;
  readonly charger: ChargerView | undefined;
  readonly intent: IntentView | undefined;
  readonly command: CommandView | undefined;
  readonly upstreams: readonly UpstreamView[];
  readonly events: readonly UtilityEvent[];
  readonly platform: PlatformView | undefined;
  readonly frames: readonly FrameView[];
  readonly samples: readonly Sample[];
  readonly counters: Readonly<Record<string, number>>;
  readonly notice: string;
}

const keepFrames = 10_000;
const keepSamples = 3600;

export const emptyView: View = {
  connected: false,
  version: "",
  runtime: "",
  charger: undefined,
  intent: undefined,
  command: undefined,
  upstreams: [],
  events: [],
  platform: undefined,
  frames: [],
  samples: [],
  counters: {},
  notice: "",
};

function append<T>(list: readonly T[], item: T, keep: number): readonly T[] {
  return list.length < keep ? [...list, item] : [...list.slice(1 - keep), item];
}

/** The view after a message of the bench. */
export function reduce(view: View, message: ToPage): View {
  switch (message.type) {
    case "hello":
      return {
        ...emptyView,
        connected: true,
        version: message.version,
        runtime: message.runtime,
        frames: message.frames,
        samples: message.samples,
      };
    case "charger":
      return { ...view, charger: message.charger };
    case "sample":
      return { ...view, samples: append(view.samples, message.sample, keepSamples) };
    case "frame":
      return { ...view, frames: append(view.frames, message.frame, keepFrames) };
    case "intent":
      return { ...view, intent: message.intent };
    case "command":
      return { ...view, command: message.command };
    case "upstream":
      return {
        ...view,
        upstreams: [...view.upstreams.filter((one) => one.id !== message.upstream.id), message.upstream],
      };
    case "events":
      return { ...view, events: message.events };
    case "platform":
      return { ...view, platform: message.platform };
    case "counters":
      return { ...view, counters: message.counters };
    case "log":
      return { ...view, notice: message.level === "info" ? view.notice : message.text };
    case "refused":
      return { ...view, notice: message.text };
  }
}

/** Keeps a WebSocket to the bench open; calls `onView` at most once a frame. Answers the way to send. */
export function connect(onView: (view: View) => void): (message: FromPage) => void {
  let view = emptyView;
  let socket: WebSocket | undefined;
  let painting = false;
  const changed = (next: View): void => {
    view = next;
    if (painting) return;
    painting = true;
    requestAnimationFrame(() => {
      painting = false;
      onView(view);
    });
  };
  const open = (): void => {
    socket = new WebSocket(`ws://${location.host}/live`);
    socket.onmessage = (event) => changed(reduce(view, JSON.parse(String(event.data)) as ToPage));
    socket.onclose = () => {
      changed({ ...view, connected: false });
      setTimeout(open, 1000);
    };
  };
  open();
  return (message) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
}
