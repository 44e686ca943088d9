/**
 * Serves a folder of `openucm release publish` over HTTPS on 127.0.0.1, whole files and parts of them, as any static web
 * server does: from there the bench's modules take their updates.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join, resolve, sep } from "node:path";
import { CommandError } from "../cli/output.js";

export interface UpdateServer {
  readonly url: string;
  /** The root that the modules are made with. */
  readonly rootText: string;
  close(): Promise<void>;
}

/** What of a range can be had; undefined for one that is none. */
function partOf(range: string | undefined, length: number): readonly [number, number] | undefined {
  const found = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (!found) return undefined;
  const [from, to] = [Number(found[1]), Math.min(Number(found[2]), length - 1)];
  return from <= to ? [from, to] : undefined;
}

/** A file of the folder; undefined for whatever else is asked for. */
function fileOf(base: string, url: string): Buffer | undefined {
  try {
    const path = resolve(base, `.${decodeURIComponent(url.split("?")[0]!)}`);
    return path.startsWith(base + sep) ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a repository's first root. Throws {@link CommandError} where the folder is none. */
export function firstRootOf(folder: string): string {
  const root = join(resolve(folder), "metadata", "1.root.json");
  if (!existsSync(root))
    throw new CommandError(
      `${folder} is no update repository: metadata/1.root.json is missing; make one with openucm release publish --to ${folder}`,
    );
  return readFileSync(root, "utf8");
}

/** Throws as {@link firstRootOf}. */
export async function startUpdateServer(
  folder: string,
  tls: { readonly cert: string; readonly key: string },
): Promise<UpdateServer> {
  const base = resolve(folder);
  const rootText = firstRootOf(folder);
  const server = createServer(tls, (request, response) => {
    const bytes = fileOf(base, request.url ?? "/");
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    const part = partOf(request.headers.range, bytes.length);
    const body = part ? bytes.subarray(part[0], part[1] + 1) : bytes;
    const range = part ? { "content-range": `bytes ${part[0]}-${part[1]}/${bytes.length}` } : {};
    response.writeHead(part ? 206 : 200, { "content-length": body.length, ...range });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", done);
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    rootText,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
