import { fault, type Fault } from "../base/fault.js";
import { httpFailure, httpStatusFault } from "../base/http-words.js";
import { utf8Decode } from "../base/utf8.js";
import type { HttpEvent, HttpPort } from "../ports/http.js";
import { NEVER, type Now } from "../ports/time.js";
import type { UpdateEvent, UpdatePort } from "../ports/update.js";
import type { Answer, Ask, Steps } from "./asks.js";

/** No file and no piece of one may take longer, ms: 4096 bytes in this time are 205 bytes a second. */
export const FILE_MS = 20_000;
/** A call of the flash or of the cryptography that is not answered by then never is, ms. */
const CALL_MS = 60_000;
/** Steps that are taken in one go, so that the link is not kept waiting. */
const STEPS_AT_ONCE = 32;
const SERVER = "the update server";
/** Name of the update server's trust roots among the credentials. */
export const UPDATE_CREDENTIALS = "update";

export interface RunnerHost {
  readonly http: HttpPort;
  readonly port: UpdatePort;
  /** Address of the folder, without a slash at the end. */
  readonly url: string;
  nextRequestId(): number;
  /** When the line is quiet enough to erase, monotonic ms; `now.ms` or less = now. NEVER = look again with the next input. */
  quietMs(now: Now): number;
}

/** A request that is under way. */
interface Request {
  readonly id: number;
  readonly ask: Extract<Ask, { readonly ask: "file" | "range" }>;
  readonly deadlineMs: number;
  readonly pieces: Uint8Array[];
  received: number;
  answered: boolean;
}

/** Takes steps, one thing at a time, and has the world do what they ask for. */
export class Runner {
  private steps: Steps<unknown> | undefined;
  private done: (result: never) => void = () => undefined;
  private answer: { readonly value: Answer } | undefined;
  private request: Request | undefined;
  private callId = 0;
  private waiting = 0;
  /** It waits for a quiet line, and nothing is under way. */
  wantsQuiet = false;
  /** When a pause ends, or the wait for the answer to a call. */
  private pauseEndMs = NEVER;
  /** Bytes of bodies that the server has sent. */
  fetchedBytes = 0;
  /** The longest piece that was handed over at once, bytes. */
  largestPiece = 0;
  /** When the server last answered anything over TLS, monotonic ms. */
  serverMs: number | undefined;

  constructor(private readonly host: RunnerHost) {}

  get running(): boolean {
    return this.steps !== undefined;
  }

  /** Begins anew; what ran before is dropped. */
  start<T>(steps: Steps<T>, done: (result: T) => void): void {
    this.drop();
    this.steps = steps;
    this.done = done;
    this.answer = { value: undefined };
  }

  drop(): void {
    if (this.request) this.host.http.abort(this.request.id);
    this.request = undefined;
    this.steps = undefined;
    this.wantsQuiet = false;
    this.pauseEndMs = NEVER;
    this.waiting = 0;
    this.answer = undefined;
  }

  /** Has bytes written without waiting for the answer. */
  write(at: number, bytes: Uint8Array): void {
    this.host.port.call({ do: "write", id: ++this.callId, at, bytes });
  }

  onUpdate(event: UpdateEvent): void {
    if (event.id !== this.waiting) return;
    this.waiting = 0;
    this.pauseEndMs = NEVER;
    if (event.ev === "bytes") this.answer = { value: event.bytes };
    else
      this.answer = {
        value: event.ok ? undefined : fault("storage", `update-${event.why}`, words(event.why)),
      };
  }

  onHttp(event: HttpEvent, now: Now): void {
    const { request } = this;
    if (request?.id !== event.id) return;
    const { ask } = request;
    switch (event.ev) {
      case "head": {
        request.answered = true;
        this.serverMs = now.ms;
        const wrong = this.refusal(event.status, event.headers, ask);
        if (wrong) this.fail(wrong);
        break;
      }
      case "data": {
        const { length } = event.bytes;
        this.fetchedBytes += length;
        this.largestPiece = Math.max(this.largestPiece, length);
        request.received += length;
        const most = ask.ask === "file" ? ask.maxBytes : ask.count;
        if (request.received > most) this.fail(tooLarge(ask.path));
        else if (ask.ask === "range") ask.take(event.bytes);
        else request.pieces.push(event.bytes);
        break;
      }
      case "end":
        this.request = undefined;
        this.answer = { value: ended(request) };
        break;
      case "failed":
        this.request = undefined;
        this.answer = { value: failure(event, request) };
        break;
    }
  }

  /** Takes the steps that can be taken now. */
  poll(now: Now): void {
    if (this.request && now.ms >= this.request.deadlineMs) {
      const { answered, ask } = this.request;
      this.fail(answered ? tooSlow(ask.path) : httpFailure("timeout", "", SERVER));
    }
    if (this.wantsQuiet && this.host.quietMs(now) <= now.ms) {
      this.wantsQuiet = false;
      this.answer = { value: undefined };
    }
    if (now.ms >= this.pauseEndMs) {
      this.pauseEndMs = NEVER;
      const stuck = this.waiting !== 0;
      this.answer = { value: stuck ? fault("storage", "update-stuck", words("no answer")) : undefined };
      this.waiting = 0;
    }
    for (let i = 0; i < STEPS_AT_ONCE && this.answer && this.steps; i++) {
      const { value } = this.answer;
      this.answer = undefined;
      const turn = this.steps.next(value);
      if (turn.done) {
        this.steps = undefined;
        (this.done as (result: unknown) => void)(turn.value);
      } else this.carryOut(turn.value, now);
    }
  }

  nextMs(now: Now): number {
    if (this.answer) return now.ms;
    if (this.wantsQuiet) return this.host.quietMs(now);
    return Math.min(this.pauseEndMs, this.request?.deadlineMs ?? NEVER);
  }

  private carryOut(ask: Ask, now: Now): void {
    switch (ask.ask) {
      case "quiet":
        this.wantsQuiet = this.host.quietMs(now) > now.ms;
        if (!this.wantsQuiet) this.answer = { value: undefined };
        return;
      case "pause":
        this.pauseEndMs = now.ms + ask.ms;
        return;
      case "slot":
        this.waiting = ++this.callId;
        this.pauseEndMs = now.ms + CALL_MS;
        this.host.port.call({ ...ask.call, id: this.waiting });
        return;
      default: {
        const id = this.host.nextRequestId();
        const range = ask.ask === "range";
        const headers: [string, string][] = range
          ? [["range", `bytes=${String(ask.from)}-${String(ask.from + ask.count - 1)}`]]
          : [];
        const deadlineMs = now.ms + FILE_MS;
        this.request = { id, ask, deadlineMs, pieces: [], received: 0, answered: false };
        this.host.http.request({
          ...{ id, method: "GET", url: `${this.host.url}/${ask.path}`, headers, body: undefined },
          ...{ credentials: UPDATE_CREDENTIALS, timeoutMs: FILE_MS + 1000 },
          maxBodyBytes: range ? ask.count : ask.maxBytes,
        });
      }
    }
  }

  private fail(why: Fault): void {
    const { request } = this;
    if (!request) return;
    this.request = undefined;
    this.host.http.abort(request.id);
    this.answer = { value: why };
  }

  private refusal(
    status: number,
    headers: readonly (readonly [string, string])[],
    ask: Request["ask"],
  ): Fault | undefined {
    if (status === 403 || status === 404) {
      if (ask.ask === "file") return fault("server", "absent", `The update server has no ${ask.path}.`);
      return httpStatusFault(status, SERVER);
    }
    if (ask.ask === "file") return status === 200 ? undefined : httpStatusFault(status, SERVER);
    if (status === 200)
      return fault("server", "update-no-range", "The update server gives no parts of files.");
    if (status !== 206) return httpStatusFault(status, SERVER);
    const range = headers.find(([name]) => name === "content-range")?.[1] ?? "";
    return range.startsWith(`bytes ${String(ask.from)}-`)
      ? undefined
      : fault("server", "update-no-range", "The update server gives another part than was asked for.");
  }
}

/** What a whole answer is worth. */
function ended({ ask, pieces, received }: Request): Answer {
  if (ask.ask === "range") return received === ask.count ? undefined : httpFailure("closed", "", SERVER);
  const all = new Uint8Array(received);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return utf8Decode(all) ?? fault("server", "tuf-malformed", `${ask.path} is no text.`);
}

function failure(
  { reason, text }: Extract<HttpEvent, { readonly ev: "failed" }>,
  { ask, answered }: Request,
): Fault {
  if (reason === "too-large") return tooLarge(ask.path);
  if (reason === "timeout" && answered) return tooSlow(ask.path);
  return httpFailure(reason, text, SERVER);
}

function tooLarge(path: string): Fault {
  return fault("server", "tuf-too-large", `${path} does not end where it should.`);
}

function tooSlow(path: string): Fault {
  return fault("server", "tuf-too-slow", `${path} comes too slowly.`);
}

function words(why: string): string {
  if (why === "signature") return "The signature is wrong.";
  return `The flash has refused a step of the update (${why}).`;
}
