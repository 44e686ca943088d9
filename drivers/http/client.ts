/**
 * {@link HttpPort} over a byte stream (drivers/tls on the chip): HTTP/1.1, one request at a time on a connection, which is
 * kept for the next one to the same server. This folder guarantees: whatever a server sends, a request ends in one of `end`
 * and `failed`, within its time, with no more bytes kept than the bounds here and the request's; an answer that was cut off
 * is never taken for a whole one; never an event after `abort`, or from inside `request`. Platform-free.
 */
import { utf8Encode } from "../../src/base/utf8.js";
import type { HttpEvent, HttpFailure, HttpPort, HttpRequest } from "../../src/ports/http.js";
import type { StreamEvent, StreamPort } from "../../src/ports/stream.js";
import { NEVER } from "../../src/ports/time.js";
import { AnswerReader, type AnswerPart } from "./answer.js";
import { readTarget, requestHead, type Target } from "./request.js";

export interface HttpClientOptions {
  readonly stream: StreamPort;
  readonly deliver: (event: HttpEvent) => void;
  /** Connections that this client has at most; the stream may have more for others. */
  readonly connections?: number;
  /** So long an unused connection is kept. Below what servers commonly keep (5 s Node, 60 s others). */
  readonly idleMs?: number;
  /** The first id of its streams, where others use the same stream port. */
  readonly firstStreamId?: number;
}

interface Job {
  readonly request: HttpRequest;
  readonly target: Target | undefined;
  dueMs: number;
  connection: Connection | undefined;
  /** Something of the answer has come; then it is not sent again. */
  answered: boolean;
  retried: boolean;
}

interface Connection {
  readonly streamId: number;
  readonly key: string;
  /** Has carried an answer before: the server may close it at any time. */
  used: boolean;
  job: Job | undefined;
  reader: AnswerReader | undefined;
  /** While without a job. */
  idleDueMs: number;
}

export class HttpClient implements HttpPort {
  private readonly jobs: Job[] = [];
  private connections: Connection[] = [];
  private readonly most: number;
  private readonly idleMs: number;
  private nextStreamId: number;

  constructor(private readonly options: HttpClientOptions) {
    this.most = options.connections ?? 2;
    this.idleMs = options.idleMs ?? 4000;
    this.nextStreamId = options.firstStreamId ?? 1;
  }

  request(request: HttpRequest): void {
    this.abort(request.id);
    // The port's calls carry no time: the clock of a request starts at the next poll, which is due at once.
    this.jobs.push({
      request,
      target: readTarget(request),
      dueMs: NEVER,
      connection: undefined,
      answered: false,
      retried: false,
    });
  }

  abort(id: number): void {
    const job = this.jobs.find((each) => each.request.id === id);
    if (job !== undefined) this.finish(job, true);
  }

  /** When `poll` has something to do; 0 = now. */
  nextMs(): number {
    let next = NEVER;
    for (const job of this.jobs) next = Math.min(next, job.dueMs === NEVER ? 0 : job.dueMs);
    for (const each of this.connections) if (each.job === undefined) next = Math.min(next, each.idleDueMs);
    return next;
  }

  poll(nowMs: number): void {
    for (const job of [...this.jobs]) {
      if (!this.jobs.includes(job)) continue;
      if (job.dueMs === NEVER) {
        job.dueMs = nowMs + Math.max(1, job.request.timeoutMs);
        if (job.target === undefined) {
          this.fail(job, "protocol", "the address, the method or a header cannot be sent");
          continue;
        }
      }
      if (nowMs >= job.dueMs) this.fail(job, "timeout", "");
    }
    for (const each of [...this.connections]) {
      if (each.job !== undefined) continue;
      if (each.idleDueMs === NEVER) each.idleDueMs = nowMs + this.idleMs;
      if (nowMs >= each.idleDueMs) this.drop(each);
    }
    for (const job of [...this.jobs])
      if (job.connection === undefined && job.dueMs !== NEVER) this.start(job);
  }

  /** What the stream says of ids that are this client's; others are left alone. */
  onStream(event: StreamEvent): void {
    const connection = this.connections.find(({ streamId }) => streamId === event.id);
    if (connection === undefined) return;
    const { job } = connection;
    switch (event.ev) {
      case "open":
        if (job === undefined) this.drop(connection);
        else this.send(connection, job);
        return;
      case "data":
        // Nobody asked: what comes now could be taken for the next answer.
        if (job === undefined || connection.reader === undefined) this.drop(connection);
        else this.take(connection, job, event.bytes);
        return;
      case "closed":
        this.lose(connection, "closed", "", true);
        return;
      case "failed":
        this.lose(connection, event.reason, event.text, false);
    }
  }

  private start(job: Job): void {
    const { credentials } = job.request;
    const target = job.target!;
    const key = `${credentials} ${target.secure ? "s" : "p"} ${target.host} ${String(target.port)}`;
    const free = this.connections.find((each) => each.job === undefined && each.key === key);
    if (free !== undefined) {
      this.assign(free, job);
      this.send(free, job);
      return;
    }
    if (this.connections.length >= this.most) {
      const idle = this.connections.find((each) => each.job === undefined);
      // All carry something: it waits, within its time.
      if (idle === undefined) return;
      this.drop(idle);
    }
    const streamId = this.nextStreamId++;
    const connection: Connection = {
      ...{ streamId, key, used: false },
      ...{ job: undefined, reader: undefined, idleDueMs: NEVER },
    };
    this.connections.push(connection);
    this.assign(connection, job);
    const { host, port, secure } = target;
    this.options.stream.open({ id: streamId, host, port, secure, credentials });
  }

  private assign(connection: Connection, job: Job): void {
    connection.job = job;
    connection.idleDueMs = NEVER;
    job.connection = connection;
  }

  private send(connection: Connection, job: Job): void {
    const { request } = job;
    connection.reader = new AnswerReader(request.maxBodyBytes);
    const body = request.body === undefined ? undefined : utf8Encode(request.body);
    const { stream } = this.options;
    stream.write(connection.streamId, utf8Encode(requestHead(request, job.target!, body?.length)));
    if (body !== undefined && body.length > 0) stream.write(connection.streamId, body);
  }

  private take(connection: Connection, job: Job, bytes: Uint8Array): void {
    job.answered = true;
    const reader = connection.reader!;
    for (let rest: Uint8Array | undefined = bytes; rest !== undefined;) {
      const part: AnswerPart = reader.read(rest);
      rest = part.rest;
      if (!this.tell(connection, job, part)) return;
    }
  }

  /** False: the job is no more. */
  private tell(connection: Connection, job: Job, part: AnswerPart): boolean {
    const { id } = job.request;
    switch (part.k) {
      case "more":
        return true;
      case "head":
        this.options.deliver({ id, ev: "head", status: part.status, headers: part.headers });
        break;
      case "data":
        this.options.deliver({ id, ev: "data", bytes: part.bytes });
        break;
      case "fault":
        this.fail(job, part.reason, part.text);
        return false;
      case "end": {
        const keep = part.keep && part.rest === undefined;
        this.finish(job, !keep);
        if (keep) {
          connection.used = true;
          connection.reader = undefined;
        }
        this.options.deliver({ id, ev: "end" });
        return false;
      }
    }
    // The one it was told to may have aborted it.
    return this.jobs.includes(job);
  }

  /** The stream has ended. `clean`: the other side said goodbye, so that what came before is all. */
  private lose(connection: Connection, reason: HttpFailure, text: string, clean: boolean): void {
    const { job, reader } = connection;
    this.connections = this.connections.filter((each) => each !== connection);
    if (job === undefined) return;
    job.connection = undefined;
    if (clean && reader?.endsWithConnection() === true) {
      this.finish(job, false);
      this.options.deliver({ id: job.request.id, ev: "end" });
      return;
    }
    // A kept connection that the server ended just as it was used (RFC 9112 9.3.1): once more, on a new one.
    if (connection.used && !job.answered && !job.retried && reason === "closed") {
      job.retried = true;
      return;
    }
    this.fail(job, reason, text);
  }

  private fail(job: Job, reason: HttpFailure, text: string): void {
    this.finish(job, true);
    this.options.deliver({ id: job.request.id, ev: "failed", reason, text });
  }

  private finish(job: Job, drop: boolean): void {
    const at = this.jobs.indexOf(job);
    if (at >= 0) this.jobs.splice(at, 1);
    const { connection } = job;
    job.connection = undefined;
    if (connection === undefined) return;
    connection.job = undefined;
    connection.idleDueMs = NEVER;
    if (drop) this.drop(connection);
  }

  private drop(connection: Connection): void {
    this.connections = this.connections.filter((each) => each !== connection);
    this.options.stream.close(connection.streamId);
  }

  /** Ends all connections; what runs is not told of any more. */
  close(): void {
    this.jobs.length = 0;
    for (const each of this.connections.splice(0)) this.options.stream.close(each.streamId);
  }
}
