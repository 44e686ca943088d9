import { createServer, connect, type Server, type Socket } from "node:net";
import { LineError, LineSpecError, type LineEvents, type NodeLine } from "./base.js";

/** A host that answers nothing at all is told after so long, not after the minutes that the system would wait. */
const CONNECT_LIMIT_MS = 5000;

/** With so many bytes not taken by the other side, no more are sent. */
const MOST_UNSENT_BYTES = 65_536;

/** Joins a line served elsewhere; joins again when it breaks. */
export async function connectTcp(spec: string, events: LineEvents): Promise<NodeLine> {
  const { host, port } = addressOf(spec);
  let current: Socket | undefined;
  events.carrier(false);
  const open = (): void => {
    current = follow(connect({ host, port }), events, (why) => {
      events.notice(`${spec} ${why}; it is tried again until it answers`);
      events.retry(open);
    });
  };
  open();
  return lineOf(
    events,
    () => current,
    undefined,
    () => Promise.resolve(),
  );
}

/** Serves a line to one peer at a time: a second is sent away, so that nobody listens in by accident. */
export async function listenTcp(spec: string, events: LineEvents): Promise<NodeLine> {
  const { host, port } = addressOf(spec);
  let current: Socket | undefined;
  events.carrier(false);
  const server = createServer((socket) => {
    if (current !== undefined && !current.destroyed) {
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    current = follow(socket, events, () => events.notice("the peer has gone; another may come"));
  });
  await new Promise<void>((done, failed) => {
    server.once("error", (error) => failed(new LineError(`cannot listen on ${spec}: ${error.message}`)));
    server.listen(port, host, done);
  });
  server.on("error", () => undefined);
  const address = server.address();
  // After the caller has got the address, which is what people want to read first.
  setImmediate(() => {
    if (current === undefined) events.notice("nobody is there yet; a peer may come");
  });
  const served = typeof address === "object" && address !== null ? address.port : port;
  const shown = host.includes(":") ? `[${host}]` : host;
  return lineOf(
    events,
    () => current,
    `tcp://${shown}:${served}`,
    () => closed(server),
  );
}

function lineOf(
  events: LineEvents,
  socket: () => Socket | undefined,
  url: string | undefined,
  closeMore: () => Promise<void>,
): NodeLine {
  return {
    path: undefined,
    url,
    write(bytes) {
      const now = socket();
      // Without a peer the bytes go nowhere, as on a wire that is not connected.
      // One that takes nothing loses them, or they would pile up for as long as it hangs there.
      const isTaken = now?.writable === true && !now.connecting && now.writableLength < MOST_UNSENT_BYTES;
      if (isTaken) now.write(bytes.slice());
      events.writing(bytes);
    },
    setBitRate: () => false,
    async close() {
      events.close();
      socket()?.destroy();
      await closeMore();
    },
  };
}

/** Passes on what a socket brings, until it ends. */
function follow(socket: Socket, events: LineEvents, ended: (why: string) => void): Socket {
  socket.setNoDelay(true);
  let why = "does not answer";
  const joined = (): void => {
    why = "has ended the connection";
    events.carrier(true);
    events.notice("the peer is there");
  };
  if (socket.connecting) {
    const limit = setTimeout(() => socket.destroy(), CONNECT_LIMIT_MS);
    socket.once("close", () => clearTimeout(limit));
    socket.once("connect", () => {
      clearTimeout(limit);
      joined();
    });
  } else joined();
  socket.on("data", (bytes) => events.received(bytes));
  // `close` follows every error.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") why = "is not there (connection refused)";
    else if (error.code === "ENOTFOUND") why = "is not there (no host of that name)";
    else if (error.code !== undefined) why = `does not answer (${error.code})`;
  });
  socket.once("close", () => {
    events.carrier(false);
    ended(why);
  });
  return socket;
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}

function addressOf(spec: string): { host: string; port: number } {
  const match = /^tcp(?:-listen)?:\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/i.exec(spec);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new LineSpecError(`"${spec}" must be tcp://HOST:PORT or tcp-listen://HOST:PORT`);
  }
  return { host: match[1] ?? match[2]!, port };
}
