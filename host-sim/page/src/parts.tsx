/** Small parts that several panels share. */
import type { ComponentChildren } from "preact";

export const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** 3 h 5 min, 2 min 7 s, 12 s. */
export function lasting(ms: number): string {
  const s = Math.ceil(ms / 1000);
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return s >= 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s} s`;
}

export function Row(props: { name: string; id?: string; children: ComponentChildren }) {
  return (
    <div class="row">
      <dt>{props.name}</dt>
      <dd id={props.id}>{props.children}</dd>
    </div>
  );
}

/** A panel of the picture or of the page: a section with its heading. */
export function Panel(props: {
  id: string;
  title: string;
  sub?: ComponentChildren;
  kind?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.kind ?? ""}`} aria-labelledby={`${props.id}-title`}>
      <header>
        <h2 id={`${props.id}-title`}>{props.title}</h2>
        {props.sub !== undefined && <span class="sub">{props.sub}</span>}
      </header>
      {props.children}
    </section>
  );
}

/** A tab list with its panels, by the pattern of the ARIA authoring practices: arrows move, one tab stop. */
export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly (readonly [id: T, name: string])[];
  open: T;
  onOpen: (id: T) => void;
  children: ComponentChildren;
}) {
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = props.tabs.findIndex(([id]) => id === props.open);
    const last = props.tabs.length - 1;
    const next =
      Math.abs(step) === 1 ? (at + step + props.tabs.length) % props.tabs.length : step < 0 ? 0 : last;
    const id = props.tabs[next]![0];
    props.onOpen(id);
    document.getElementById(`tab-${id}`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={props.label} onKeyDown={move}>
        {props.tabs.map(([id, name]) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={props.open === id}
            aria-controls="tab-panel"
            tabIndex={props.open === id ? 0 : -1}
            onClick={() => props.onOpen(id)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${props.open}`}>
        {props.children}
      </div>
    </div>
  );
}
