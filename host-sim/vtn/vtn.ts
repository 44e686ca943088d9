/** The running VTN as the bench, the command and the API see it. */
import type { Pki } from "../pki/pki.js";
import type { VtnCore } from "./core.js";
import type { ReportReceived } from "./ei-report.js";
import type { FieldError, VtnEvent } from "./event.js";
import type { Misbehaviour } from "./misbehaviour.js";
import type { Clients3 } from "./openadr3-clients.js";
import type { Vtn3Core } from "./openadr3-core.js";
import type { VtnChange } from "./state.js";
import type { EventView, VenView } from "./views.js";

export interface Vtn {
  readonly urls: { readonly openadr2b: string; readonly openadr3: string; readonly est: string };
  /** Base address of the HTTP API. */
  readonly api: string;
  /** Paths of the files that a module enrols with. */
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** OAuth 2 clients of OpenADR 3.1. */
  readonly clients: Clients3;
  readonly core: VtnCore;
  readonly core3: Vtn3Core;
  readonly pki: Pki;
  /** @param input as `POST /events` takes it (docs/cli.md) */
  createEvent(input: unknown): VtnEvent | FieldError;
  modifyEvent(id: string, input: unknown): VtnEvent | FieldError;
  cancelEvent(id: string): VtnEvent | FieldError;
  withdrawEvent(id: string): VtnEvent | FieldError;
  listEvents(): readonly EventView[];
  vens(): readonly VenView[];
  reports(): readonly ReportReceived[];
  /** On from now; the promise is for those that need a new certificate. */
  misbehave(name: Misbehaviour, times?: number): Promise<void>;
  behave(name?: Misbehaviour): Promise<void>;
  onChange(listener: (change: VtnChange) => void): () => void;
  close(): Promise<void>;
}
